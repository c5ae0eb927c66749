"""How values are written on the page: escaped, with nothing invisible in them, and times as a person reads them."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"
_UNSEEN = re.compile(r"[^\x20-\x7e\n\t]")
_INVISIBLE = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400

STATES: Mapping[str, tuple[str, str]] = {
    "completed": ("✓", "good"),
    "approved": ("✓", "good"),
    "passed": ("✓", "good"),
    "active": ("●", "busy"),
    "claimed": ("●", "busy"),
    "running": ("●", "busy"),
    "in_progress": ("●", "busy"),
    "in_review": ("◐", "busy"),
    "verifying": ("◐", "busy"),
    "waiting": ("◆", "ask"),
    "blocked": ("◆", "ask"),
    "paused": ("‖", "ask"),
    "stopped": ("■", "bad"),
    "needed": ("◇", "calm"),
    "failed": ("✕", "bad"),
    "rejected": ("✕", "bad"),
    "error": ("✕", "bad"),
    "timeout": ("✕", "bad"),
    "cancelled": ("✕", "calm"),
    "ready": ("○", "calm"),
    "skipped": ("-", "calm"),
}


def environment() -> Environment:
    """Return the templates' environment: it escapes everything, and shows what would be invisible."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        finalize=seen,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    for filter_ in (ago, lasting, moment, clock, words, pretty, sign, kind, count, percent):
        made.filters[filter_.__name__] = filter_  # pyright: ignore[reportUnknownMemberType] - jinja2 leaves it open
    return made


def seen(value: Any) -> Any:
    r"""Return a value as it is written: text without control characters, and with what is invisible spelled out.

    >>> seen("a\u202eb\x1b[2J")
    'a\\u202eb\\u001b[2J'
    """
    if value is None:
        return ""
    if not isinstance(value, str) or hasattr(value, "__html__"):
        return value
    return _UNSEEN.sub(_spelled, value)


def _spelled(found: re.Match[str]) -> str:
    char = found[0]
    if unicodedata.category(char) not in _INVISIBLE:
        return char
    return json.dumps(char)[1:-1]


def lasting(seconds: float | None) -> str:
    """Return a span of time as a person says it.

    >>> lasting(42), lasting(125), lasting(7_380), lasting(200_000), lasting(None)
    ('42 s', '2 min', '2 h 3 min', '2 d 7 h', '')
    """
    if seconds is None:
        return ""
    whole = int(abs(seconds))
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min"
    if whole < _DAY:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"
    return f"{whole // _DAY} d {whole % _DAY // _HOUR} h"


def ago(at: str) -> str:
    """Return how long ago a stored time is, on the scale of minutes so that a page seldom differs from the last."""
    when = _read(at)
    if when is None:
        return ""
    seconds = (datetime.now(UTC) - when).total_seconds()
    return "just now" if seconds < _MINUTE else f"{lasting(seconds)} ago"


def moment(at: str) -> str:
    """Return a stored time to the second, as UTC.

    >>> moment("2026-01-02T03:04:05.678Z"), moment("")
    ('2026-01-02 03:04:05', '')
    """
    when = _read(at)
    return f"{when:%Y-%m-%d %H:%M:%S}" if when else ""


def clock(at: str) -> str:
    """Return a stored time of today as the time of day, another with its date, as UTC."""
    return moment(at).removeprefix(f"{datetime.now(UTC):%Y-%m-%d} ")


def _read(at: str) -> datetime | None:
    try:
        return datetime.fromisoformat(at) if at else None
    except ValueError:
        return None


def words(name: Any) -> str:
    """Return a name of the code as words: `in_review` as `in review`."""
    return str(name).replace("_", " ")


def pretty(value: Any) -> str:
    """Return a value as text: as it is where it is text, else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)


def percent(number: float) -> str:
    """Return a share in percent without needless digits."""
    return f"{round(number, 1):g}"


def count(number: float) -> str:
    """Return a number with its thousands set apart."""
    return f"{number:,}"


def sign(state: str) -> str:
    """Return the sign that stands beside a state, so that colour is never alone."""
    return STATES.get(state, ("·", "calm"))[0]


def kind(state: str) -> str:
    """Return how a state is coloured: good, busy, ask, bad or calm."""
    return STATES.get(state, ("·", "calm"))[1]
