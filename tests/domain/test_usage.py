"""What hosts say at a usage limit is understood, and never as if it ended earlier than it does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milestone.domain.usage import is_usage_limit, reset_of

NOW = datetime(2026, 11, 23, 4, 33, 20, tzinfo=UTC)
BEGIN, END = datetime.fromisoformat("2026-01-01"), datetime.fromisoformat("2027-12-31")
PLACES = {"UTC": UTC, "Europe/Berlin": ZoneInfo("Europe/Berlin"), "America/New_York": ZoneInfo("America/New_York")}
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def zone(name: str) -> tzinfo | None:
    """Return one of a few time zones; this machine stands in Berlin."""
    return PLACES.get(name or "Europe/Berlin")


def at(*moment: int) -> float:
    """Return how many seconds there are until a moment in UTC."""
    year, month, day, hour, minute = moment
    return (datetime(year, month, day, hour, minute, tzinfo=UTC) - NOW).total_seconds()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("You've hit your 5-hour limit · resets 6:33am (UTC)", at(2026, 11, 23, 6, 34)),
        ("You've hit your weekly limit · resets Nov 27, 7:40pm (UTC)", at(2026, 11, 27, 19, 41)),
        ("You've hit your weekly limit · resets Nov 27, 7pm (America/New_York)", at(2026, 11, 28, 0, 1)),
        ("You've hit your limit · resets 3am (UTC)", at(2026, 11, 24, 3, 1)),
        ("You've hit your limit · resets 4:33am (UTC)", 40),
        ("5-hour limit reached ∙ resets 8am", at(2026, 11, 23, 7, 1)),
        ("5-hour limit reached ∙ resets 08:30", at(2026, 11, 23, 7, 31)),
        ("You've hit your limit · resets 12am (UTC)", at(2026, 11, 24, 0, 1)),
        ("You've hit your limit · resets 12:05pm (UTC)", at(2026, 11, 23, 12, 6)),
        ("resets Dec 24 at 9am (UTC)", at(2026, 12, 24, 9, 1)),
        ("resets Nov 25, 2026, 9am (UTC)", at(2026, 11, 25, 9, 1)),
        ("API Error: 429 · Claude AI usage limit reached|1795415620", 1_795_415_620 - NOW.timestamp()),
        ("Claude AI usage limit reached|1795415620123", 1_795_415_621 - NOW.timestamp()),
        ("You will regain access on 2026-12-01 at 00:00 UTC.", at(2026, 12, 1, 0, 1)),
        ("Rate limited. Please try again in 20 minutes.", 1_201),
        ("try again in 2h 5m", 7_501),
        ("retry after 3600 s", 3_601),
    ],
)
def test_the_end_of_a_limit_is_read_as_the_host_writes_it(text: str, seconds: float) -> None:
    assert reset_of(text, NOW, zone) == pytest.approx(seconds)  # pyright: ignore[reportUnknownMemberType]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "API Error: Request rejected (429) · This request would exceed your account's rate limit. Try again later.",
        "You've hit your limit · resets 3am (Mars/Olympus)",
        "You've hit your 5-hour limit · resets 3am (UTC)",
        "You've hit your limit · resets Foo 27, 7:40pm (UTC)",
        "You've hit your limit · resets Nov 31, 7:40pm (UTC)",
        "You've hit your limit · resets 29pm (UTC)",
        "resets Nov 27, 2099, 7pm (UTC)",
        "limit reached|9999999999",
        "try again in 99999999999999 days",
        "Credit balance is too low",
    ],
)
def test_what_cannot_be_understood_is_not_guessed_at(text: str) -> None:
    assert reset_of(text, NOW, zone) is None


@pytest.mark.parametrize(
    ("error", "text", "limit"),
    [
        ("rate_limit", "", True),
        ("billing_error", "Credit balance is too low", True),
        ("unknown", "API Error: 400 You have reached your specified API usage limits.", True),
        ("authentication_failed", "API Error: 403 Usage limit: You have reached your specified API usage limits", True),
        ("", "You've hit your weekly limit · resets Nov 27, 7:40pm (UTC)", True),
        ("", "Claude AI usage limit reached|1795415620", True),
        ("", "API Error: Request rejected (429)", True),
        ("unknown", "API Error: 400 broken", False),
        ("server_error", "API Error: 529 Overloaded. This is a server-side issue", False),
        ("authentication_failed", "Invalid API key", False),
        ("", "", False),
        ("max_output_tokens", "the agent wrote about a rate limit", False),
    ],
)
def test_a_usage_limit_is_told_from_other_failures(error: str, text: str, limit: bool) -> None:
    assert is_usage_limit(error, text) is limit


def test_of_a_time_that_comes_twice_in_a_night_the_later_is_meant() -> None:
    """Planted and found: the earlier one."""
    night = datetime(2026, 10, 25, 0, 0, tzinfo=UTC)
    assert reset_of("resets 2:30am (Europe/Berlin)", night, zone) == 91 * 60


@given(
    now=st.datetimes(BEGIN, END),
    ahead=st.integers(1, 22 * 3_600),
    place=st.sampled_from(sorted(PLACES)),
)
def test_no_time_of_day_is_read_as_earlier_than_it_is(now: datetime, ahead: int, place: str) -> None:
    """A minute is shown, and once a year an hour comes twice: the later is meant."""
    now = now.replace(tzinfo=UTC)
    end = now + timedelta(seconds=ahead)
    local = end.astimezone(PLACES[place])
    text = f"You've hit your limit · resets {local:%I:%M%p} ({place})".replace("AM", "am").replace("PM", "pm")
    found = reset_of(text, now, zone)
    assert found is not None
    assert ahead <= found <= ahead + 3_660


@given(
    now=st.datetimes(BEGIN, END),
    ahead=st.integers(86_400, 30 * 86_400),
    place=st.sampled_from(sorted(PLACES)),
)
def test_no_day_is_read_as_earlier_than_it_is(now: datetime, ahead: int, place: str) -> None:
    now = now.replace(tzinfo=UTC)
    local = (now + timedelta(seconds=ahead)).astimezone(PLACES[place])
    text = f"resets {MONTHS[local.month - 1]} {local.day}, {local:%I:%M}{'am' if local.hour < 12 else 'pm'} ({place})"
    found = reset_of(text, now, zone)
    assert found is not None
    assert ahead <= found <= ahead + 3_660


@given(st.text(max_size=200))
def test_no_text_breaks_the_reader_or_sends_it_into_the_past(text: str) -> None:
    for words in (text, f"resets {text}", f"limit|{text}", f"try again in {text}"):
        found = reset_of(words, NOW, zone)
        assert found is None or found >= 0
