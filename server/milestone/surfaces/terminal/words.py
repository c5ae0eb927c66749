"""Text for terminals: nothing in it is a control sequence or invisible, and times are as people say them."""

from __future__ import annotations

import unicodedata
from datetime import datetime

_LONGEST = 4_000  # characters of one text that are looked at; no screen shows more
_ACCENTS = 2  # marks on one letter; more would run over the lines around it
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")  # letters and marks that show nothing
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_BIG = ((10**9, "G"), (10**6, "M"), (10**3, "k"))


def visible(text: object) -> str:
    r"""Return a text on one line in which every character shows; what does not is written as its number.

    >>> visible("a\x1b[2J\u200b\nb")
    'a\\x1b[2J\\u200b b'
    """
    shown: list[str] = []
    accents = 0
    for char in str(text)[:_LONGEST]:
        kind = unicodedata.category(char)
        accents = accents + 1 if kind in ("Mn", "Me") else 0
        if char in "\t\n\r" or kind in ("Zs", "Zl", "Zp"):
            shown.append(" ")
        elif kind[0] == "C" or char in _BLANK:
            shown.append(_number(char))
        elif accents <= _ACCENTS and not _selects(char):
            shown.append(char)
    return "".join(shown).strip()


def ago(seconds: float) -> str:
    """Return how long something is or was, in its largest unit.

    >>> [ago(seconds) for seconds in (0.4, 59, 61, 7_300, 200_000)]
    ['0 s', '59 s', '1 min', '2 h', '2 d']
    """
    whole = max(0, int(seconds))
    for unit, name in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if whole >= unit:
            return f"{whole // unit} {name}"
    return f"{whole} s"


def lease(seconds: float | None) -> str:
    """Return what is left of a lease.

    >>> [lease(seconds) for seconds in (None, 200, 61.5, 30, -130)]
    ['', '3 min', '1 min', '30 s', 'over for 2 min']
    """
    if seconds is None:
        return ""
    return ago(seconds) if seconds >= 0 else f"over for {ago(-seconds)}"


def amount(number: float) -> str:
    """Return a number in three digits or so.

    >>> [amount(number) for number in (0, 999, 1_234, 45_678, 1_250_000)]
    ['0', '999', '1.2k', '46k', '1.2M']
    """
    for size, name in _BIG:
        if number >= size:
            share = number / size
            return f"{share:.0f}{name}" if share >= 10 else f"{share:.1f}{name}"  # noqa: PLR2004 - two digits
    return f"{number:g}"


def many(count: int, one: str, more: str = "") -> str:
    """Return a count with its noun.

    >>> many(1, "agent"), many(2, "agent"), many(0, "entry", "entries")
    ('1 agent', '2 agents', '0 entries')
    """
    return f"{count:,} {one if count == 1 else more or one + 's'}"


def clock(at: str, *, day: bool = False) -> str:
    """Return a time of the tables as a clock here shows it; what is no time comes back as it is."""
    try:
        here = datetime.fromisoformat(at).astimezone()
    except (TypeError, ValueError):
        return visible(at)
    return f"{here:%Y-%m-%d %H:%M:%S}" if day else f"{here:%H:%M:%S}"


def since(at: str, now: datetime) -> str:
    """Return how long ago a time of the tables was; nothing for what is no time."""
    try:
        return ago((now - datetime.fromisoformat(at)).total_seconds())
    except (TypeError, ValueError):
        return ""


def _number(char: str) -> str:
    code = ord(char)
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004


def _selects(char: str) -> bool:
    """Return whether a character only chooses how the one before it looks."""
    return "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef" or "\u180b" <= char <= "\u180f"
