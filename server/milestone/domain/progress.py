"""How far a milestone is, from accepted evidence alone, in exact numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, cast

from milestone.domain.milestones import PHASES

WHOLE = 100


@dataclass(frozen=True)
class Tally:
    """The weights of a phase's tasks: of all but the skipped ones, and of those that are proven done."""

    phase: str
    total: int
    done: int
    completed: bool


def phase_part(tally: Tally) -> Fraction:
    """Return the share of a phase that is proven, from 0 to 1; without weight it is the phase's completion that counts.

    >>> phase_part(Tally("design", 3, 1, completed=False)), phase_part(Tally("design", 0, 0, completed=True))
    (Fraction(1, 3), Fraction(1, 1))
    """
    return Fraction(tally.done, tally.total) if tally.total else Fraction(tally.completed)


def overall(weights: Mapping[str, int], tallies: Iterable[Tally]) -> Fraction:
    """Return the percentage of the milestone that is proven, from 0 to 100; a phase without a tally counts as 0."""
    return sum((weights[tally.phase] * phase_part(tally) for tally in tallies), Fraction(0))


def shown(percentage: Fraction) -> float:
    """Return a percentage for people: one decimal, rounded down, so that 100.0 is shown of what is whole alone.

    >>> shown(Fraction(99_999, 1_000)), shown(Fraction(100)), shown(Fraction(200, 3))
    (99.9, 100.0, 66.6)
    """
    return math.floor(percentage * 10) / 10


def check_weights(weights: Any) -> list[str]:
    """Return what keeps `weights`, which may be anything, from being the four phases' weights in percent."""
    wanted = ", ".join(PHASES)
    if not isinstance(weights, Mapping):
        return [f"weights must be a mapping of the four phases {wanted} to whole numbers that sum to {WHOLE}"]
    given = cast("Mapping[Any, Any]", weights)
    problems = [f"weights.{phase} is missing; give it a whole number above 0" for phase in PHASES if phase not in given]
    problems += [
        f"weights has a field that is no phase ({phase}); allowed: {wanted}"
        if isinstance(phase, str)
        else f"weights has a name that is no text; allowed: {wanted}"
        for phase in given
        if phase not in PHASES
    ]
    problems += [
        f"weights.{phase} must be a whole number above 0"
        for phase in PHASES
        if phase in given and not (_whole(given[phase]) and given[phase] > 0)
    ]
    if not problems and (total := sum(given.values())) != WHOLE:
        problems.append(f"the weights sum to {total}; they must sum to {WHOLE}")
    return problems


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
