"""Version ranges of seven package worlds as intervals of numbers, so that they can be compared.

Only the numbers of a version count: a pre-release compares as its release.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Version = tuple[int, ...]
Relation = Literal["same", "inside", "overlap", "apart", "unknown"]


@dataclass(frozen=True, slots=True)
class Interval:
    """Versions from `low` to `high`, each end included or not; no `high` means without end."""

    low: Version = ()
    high: Version | None = None
    with_low: bool = True
    with_high: bool = False

    def __and__(self, other: Interval) -> Interval | None:
        """Return what both allow, None if that is nothing."""
        low, without_low = max((self.low, not self.with_low), (other.low, not other.with_low))
        highs = [(end.high, end.with_high) for end in (self, other) if end.high is not None]
        high, with_high = min(highs, default=(None, False))
        empty = high is not None and (low > high or (low == high and (without_low or not with_high)))
        return None if empty else Interval(low, high, with_low=not without_low, with_high=with_high)


ANY = (Interval(),)
LONGEST = 200
FULL = 3  # numbers; a shorter version of npm without an operator means any that begins so
Range = tuple[Interval, ...]
_NUMBER = r"v?(?:\d+!)?\d+(?:\.\d+)*"
_ITEM = re.compile(
    rf"\s*(?P<op>~>|~=|===|==|!=|>=|<=|=>|=<|>|<|=|\^|~)?\s*(?P<number>{_NUMBER}|[*xX])(?P<star>(?:\.[*xX])*)"
    r"(?:[-+.]?[A-Za-z][\w.+-]*|[-+][\w.+-]+)?\s*(?:,|(?=\s)|$)"
)
_HYPHEN = re.compile(rf"\s*({_NUMBER})\s+-\s+({_NUMBER})\s*")
# What a version without an operator means.
_BARE = {"npm": "==", "pypi": "==", "cargo": "^", "go": "^", "composer": "==", "gem": "==", "maven": "=="}


def parse(world: str, text: str) -> Range | None:
    """Return the intervals a declaration allows, None where it is no range that is understood.

    >>> parse("npm", "^1.2") == (Interval((1, 2), (2,)),)
    True
    >>> parse("pypi", "git+https://example.org/x") is None
    True
    """
    text = text.strip()
    if len(text) > LONGEST:
        return None
    if text in ("", "*", "latest", "any", "x", "X"):
        return ANY
    if world == "maven" and text[0] in "[(":
        return _maven(text)
    choices = [_both(world, choice) for choice in re.split(r"\|\|?", text)]
    found = [interval for choice in choices if choice is not None for interval in choice]
    return None if any(choice is None for choice in choices) else tuple(found)


def relation(one: Range | None, other: Range | None) -> Relation:
    """Return how two ranges lie to each other; `inside`: one of them is a single version that the other allows."""
    if one is None or other is None:
        return "unknown"
    if one == other:
        return "same"
    met = [both for a in one for b in other if (both := a & b) is not None]
    if not met:
        return "apart"
    return "inside" if any(_single(each) for each in (one, other)) else "overlap"


def bounded(found: Range) -> bool:
    """Tell whether no interval is open at its upper end."""
    return all(interval.high is not None for interval in found)


def _single(found: Range) -> bool:
    return len(found) == 1 and found[0].low == found[0].high


def _both(world: str, text: str) -> Range | None:
    """Return what comparators that all must hold leave over."""
    hyphen = _HYPHEN.fullmatch(text)
    if hyphen:
        return (Interval(_version(hyphen[1]), _version(hyphen[2]), with_high=True),)
    place, parts = 0, list[Range]()
    while text[place:].strip():
        item = _ITEM.match(text, place)
        part = _comparator(world, item) if item else None
        if item is None or part is None:
            return None
        parts.append(part)
        place = item.end()
    return reduce(_meet, parts, ANY)


def _meet(one: Range, other: Range) -> Range:
    return tuple(both for a in one for b in other if (both := a & b) is not None)


def _comparator(world: str, item: re.Match[str]) -> Range | None:
    if item["number"] in "*xX":
        return ANY
    operator = item["op"] or _BARE[world]
    raw = [int(number) for number in re.findall(r"\d+", item["number"])]
    version = _version(item["number"])
    if item["star"] and operator in ("==", "=", "^", "~", "!="):
        return ANY if operator == "!=" else (Interval(version, _next(raw, len(raw))),)
    if not item["op"] and world == "npm" and len(raw) < FULL:
        return (Interval(version, _next(raw, len(raw))),)
    make = _OPERATORS.get(operator)
    if make:
        return (make(version),)
    return ANY if operator == "!=" else (Interval(version, _end(world, operator, raw)),)


def _exactly(version: Version) -> Interval:
    return Interval(version, version, with_high=True)


def _up_to(version: Version) -> Interval:
    return Interval(high=version, with_high=True)


_OPERATORS: dict[str, Callable[[Version], Interval]] = {
    "==": _exactly,
    "===": _exactly,
    "=": _exactly,
    ">=": Interval,
    "=>": Interval,
    ">": lambda version: Interval(version, with_low=False),
    "<": lambda version: Interval(high=version),
    "<=": _up_to,
    "=<": _up_to,
}


def _end(world: str, operator: str, raw: list[int]) -> Version:
    """Return where `^`, `~`, `~>` and `~=` end.

    A caret lets grow what follows the first number that is not zero; the tilde of npm and Cargo what follows the
    second; any other tilde the last number: ~> 1.2 ends before 2, ~> 1.2.3 before 1.3.
    """
    if operator == "^":
        return _next(raw, next((place for place, number in enumerate(raw, 1) if number), len(raw)))
    if operator == "~" and world in ("npm", "cargo"):
        return _next(raw, min(len(raw), 2))
    return _next(raw, max(len(raw) - 1, 1))


def _next(raw: list[int], length: int) -> Version:
    return (*raw[: length - 1], raw[length - 1] + 1)


def _version(text: str) -> Version:
    return _trim(int(number) for number in re.findall(r"\d+", text.partition("!")[2] or text))


def _trim(numbers: Iterable[int]) -> Version:
    """Return the numbers without zeros at the end: 1.0 and 1 are one version."""
    kept = list(numbers)
    while kept and not kept[-1]:
        kept.pop()
    return tuple(kept)


def _maven(text: str) -> Range | None:
    found: list[Interval] = []
    for opens, low, comma, high, closes in re.findall(rf"([\[(])\s*({_NUMBER})?\s*(,?)\s*({_NUMBER})?\s*([\])])", text):
        top = _version(high) if high else (None if comma else _version(low))
        ends = {"with_low": opens == "[", "with_high": closes == "]" and top is not None}
        found.append(Interval(_version(low), top, **ends))
    return tuple(found) or None
