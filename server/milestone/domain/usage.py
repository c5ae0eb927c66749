"""What a host says when its usage limit is reached, and when that ends."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo

Zones = Callable[[str], tzinfo | None]

_KINDS = frozenset(("rate_limit", "billing_error"))
_SAYS_SO = re.compile(
    r"usage limits?\b|limit reached|you've (?:hit|reached) your|spend(?:ing)? limit|out of (?:extra |usage )*"
    r"(?:usage|credits)|credit balance is too low|rate limit|\b429\b|regain access on",
    re.IGNORECASE,
)
_BEYOND = timedelta(days=32)  # no limit lasts longer; what says so was not understood
_ENDLESS = 10**8  # of whatever unit
_SHOWN_WITHIN = timedelta(minutes=1)  # the minute that is shown has begun, the seconds are not told
_SESSION = timedelta(hours=5, minutes=1)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

_EPOCH = re.compile(r"\|\s*(\d{10})(\d{3})?\b")
_AFTER = re.compile(
    r"(?:try again|retry|retry after|resets?|available|wait)\s*(?:in|after|:)?\s+"
    r"(?:about )?(?:(\d+)\s*d(?:ays?)?\b)?\s*(?:(\d+)\s*h(?:ours?|r)?\b)?\s*(?:(\d+)\s*m(?:in(?:utes?)?)?\b)?"
    r"\s*(?:(\d+)\s*s(?:ec(?:onds?)?)?\b)?",
    re.IGNORECASE,
)
_DAY = re.compile(r"\bon (\d{4})-(\d\d)-(\d\d)(?: at (\d\d):(\d\d))? ?(UTC)?")
_CLOCK = re.compile(
    r"\bresets?\s+(?:at\s+|on\s+)?"
    r"(?:(?P<month>[A-Z][a-z]{2})[a-z]*\.? (?P<day>\d{1,2})(?:, (?P<year>\d{4}))?(?:,| at)?\s*)?"
    r"(?:(?P<hour>\d{1,2})(?::(?P<minute>\d\d))?\s*(?P<half>am|pm)?)?"
    r"(?:\s*\((?P<zone>[A-Za-z0-9_+/-]{1,60})\))?",
    re.IGNORECASE,
)


def is_usage_limit(error: str, text: str) -> bool:
    """Return whether a conversation ended because a limit of use was reached.

    `error` is the host's own word for it where it gives one; `text` is what it said.

    >>> is_usage_limit("rate_limit", ""), is_usage_limit("", "You've hit your 5-hour limit · resets 3am (UTC)")
    (True, True)
    >>> is_usage_limit("server_error", "API Error: 529 Overloaded")
    False
    """
    if error in _KINDS:
        return True
    return error in ("", "unknown", "authentication_failed") and _SAYS_SO.search(text) is not None


def reset_of(text: str, now: datetime, zone: Zones) -> float | None:
    """Return in how many seconds the limit that a text tells of ends, or None where it does not say so.

    Never too early: a time that is shown in minutes ends with its minute. `zone` gives a time zone by its name, the
    machine's own for an empty one.

    >>> now = datetime(2026, 11, 23, 4, 33, tzinfo=UTC)
    >>> reset_of("You've hit your 5-hour limit · resets 6:33am (UTC)", now, lambda _: UTC)
    7260.0
    >>> reset_of("Claude AI usage limit reached|1795411990", now, lambda _: UTC)
    3610.0
    >>> reset_of("API Error: Request rejected (429)", now, lambda _: UTC)
    """
    end = _epoch(text) or _after(text, now) or _day(text) or _clock(text, now, zone)
    if end is None or end - now > _BEYOND:
        return None
    return max(0.0, (end - now).total_seconds())


def _epoch(text: str) -> datetime | None:
    """Read `usage limit reached|1700000000`, in seconds or milliseconds."""
    found = _EPOCH.search(text)
    if not found:
        return None
    return datetime.fromtimestamp(int(found[1]), UTC) + timedelta(seconds=1 if found[2] else 0)


def _after(text: str, now: datetime) -> datetime | None:
    """Read `try again in 2h 5m`, `retry after 3600 s`."""
    for found in _AFTER.finditer(text):
        parts = [int(part or 0) for part in found.groups()]
        if any(parts) and all(part < _ENDLESS for part in parts):
            days, hours, minutes, seconds = parts
            return now + min(timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds + 1), 2 * _BEYOND)
    return None


def _day(text: str) -> datetime | None:
    """Read `regain access on 2026-12-01 at 00:00 UTC`."""
    found = _DAY.search(text)
    if not found:
        return None
    year, month, day, hour, minute = (int(part or 0) for part in found.groups()[:5])
    return _moment(year, month, day, hour, minute, UTC)


def _clock(text: str, now: datetime, zone: Zones) -> datetime | None:
    """Read `resets 6:33am (UTC)`, `resets Nov 27, 7:40pm (Europe/Berlin)`."""
    for found in _CLOCK.finditer(text):
        place = zone(found["zone"] or "")
        if place is None or not (found["hour"] or found["month"]):
            continue
        hour, minute = _hour(found["hour"], found["half"]), int(found["minute"] or 0)
        if found["month"]:
            return _dated(now.astimezone(place), found, hour, minute, place)
        return _today(now.astimezone(place), hour, minute, place, short="5-hour" in text or "session" in text)
    return None


def _hour(hour: str | None, half: str | None) -> int:
    number = int(hour or 0)
    if not half:
        return number
    if number > 12:  # noqa: PLR2004 - a clock with two halves of twelve hours
        return _ENDLESS
    return number % 12 + (12 if half.lower() == "pm" else 0)


def _dated(now: datetime, found: re.Match[str], hour: int, minute: int, place: tzinfo) -> datetime | None:
    """Return the named day's time, in the year that is named, else in this one, or the next where it is over."""
    name = found["month"].lower()
    if name not in _MONTHS:
        return None
    month, day = _MONTHS.index(name) + 1, int(found["day"])
    if found["year"]:
        return _moment(int(found["year"]), month, day, hour, minute, place)
    this = _moment(now.year, month, day, hour, minute, place)
    if this is None or this > now - timedelta(days=1):
        return this
    return _moment(now.year + 1, month, day, hour, minute, place)


def _today(now: datetime, hour: int, minute: int, place: tzinfo, *, short: bool) -> datetime | None:
    """Return the next time the clock shows this; of a limit of five hours no time that lies further ahead."""
    this = _moment(now.year, now.month, now.day, hour, minute, place)
    if this is not None and this <= now:
        next_day = now + timedelta(days=1)
        this = _moment(next_day.year, next_day.month, next_day.day, hour, minute, place)
    return None if this is None or (short and this - now > _SESSION) else this


def _moment(year: int, month: int, day: int, hour: int, minute: int, place: tzinfo) -> datetime | None:
    """Return the end of a minute; None where there is no such time. Of a time that comes twice, the later."""
    try:
        return datetime(year, month, day, hour, minute, fold=1, tzinfo=place).astimezone(UTC) + _SHOWN_WITHIN
    except (ValueError, OverflowError):
        return None
