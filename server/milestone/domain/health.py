"""What a look at a project's health finds: each fact with what it means and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warning", "broken"]
WAL_ALARM = 64 << 20
_ORDER: tuple[State, ...] = ("ok", "warning", "broken")
_FIRST_BAD, _FIRST_GOOD = (3, 7, 0), (3, 51, 3)
_MENDED_LINES = ((3, 44, 6), (3, 50, 7))  # versions of older lines in which it was mended, too


@dataclass(frozen=True)
class Finding:
    """One line of a check-up. `mended` says what was done about it, where something was."""

    check: str
    state: State
    said: str
    remedy: str = ""
    mended: str = ""


def worst(findings: Iterable[Finding]) -> State:
    """Return the worst state among findings; ok where there are none."""
    return _ORDER[max((_ORDER.index(one.state) for one in findings), default=0)]


def loses_writes(version: tuple[int, ...]) -> bool:
    """Return whether a version of SQLite may lose what was written when two processes fold the log at once.

    >>> loses_writes((3, 45, 1)), loses_writes((3, 50, 7)), loses_writes((3, 51, 3))
    (True, False, False)
    """
    whole = (*version, 0, 0)[:3]
    if not _FIRST_BAD <= whole < _FIRST_GOOD:
        return False
    return not any(whole[:2] == line[:2] and whole >= line for line in _MENDED_LINES)
