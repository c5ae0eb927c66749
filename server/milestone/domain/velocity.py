"""How fast work is proven, and how long the rest may take."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import fmean

HOUR = 3600.0
ENOUGH = 5
NEWEST = 50  # older tasks say little about what comes next, and the answer has to be quick
ROUNDS = 500

Span = tuple[float, float]


@dataclass(frozen=True)
class Eta:
    """The hours of work that are left: half of the simulated futures need at most P50, nine of ten at most P90."""

    p50_hours: float
    p90_hours: float
    n: int

    def __str__(self) -> str:
        unit, size = ("h", 1) if self.p90_hours >= 1 else ("min", 60)
        return f"{self.p50_hours * size:.1f} to {self.p90_hours * size:.1f} {unit} of work (P50 to P90, n={self.n})"


@dataclass(frozen=True)
class Insufficient:
    """Too few completed tasks to say anything."""

    n: int

    def __str__(self) -> str:
        return f"insufficient data ({self.n})"


@dataclass(frozen=True)
class Velocity:
    """How much of the milestone is proven in an hour of active work, and by how many tasks it was measured."""

    points_per_hour: float
    n: int

    def __str__(self) -> str:
        return f"{self.points_per_hour:.1f} percent per active hour (n={self.n})"


def active_seconds(intervals: Iterable[Span], parked: Iterable[Span] = ()) -> float:
    """Return how many seconds somebody was at work: the union of `intervals` without the union of `parked`.

    Times in seconds of one clock; an interval that ends before it begins counts nothing.

    >>> active_seconds([(0, 60), (30, 90)], parked=[(80, 200)])
    80
    """
    return sum(each_active(_union(intervals), parked))


def each_active(intervals: Iterable[Span], parked: Iterable[Span] = ()) -> list[float]:
    """Return the same for each interval, as if there were no other.

    >>> each_active([(0, 60), (30, 90)], parked=[(80, 200)])
    [60, 50]
    """
    rest = _union(parked)
    return [max(0, end - start) - _shared((start, end), rest) for start, end in intervals]


def velocity(done: float, seconds: float) -> float | None:
    """Return the percentage points proven per active hour, or None without active time.

    >>> velocity(25, 7_200)
    12.5
    """
    return done * HOUR / seconds if seconds > 0 else None


def measured(done: float, seconds: float, n: int) -> Velocity | Insufficient:
    """Return the velocity with the number of completed tasks it stands on; at least one of them, and active time."""
    points = velocity(done, seconds)
    return Insufficient(n) if points is None or n < 1 else Velocity(points, n)


def eta(remaining: float, samples: Sequence[float], parallel: float, seed: int) -> Eta | Insufficient:
    """Return the hours that `remaining` percentage points may take, or Insufficient with less than five samples.

    A sample is the active seconds per percentage point of one completed task, the newest task first; at most 50 count.
    `parallel` is how many agents work side by side on average. The method is the bootstrap: 500 times, as many samples
    as there are drawn from them with replacement; the rest of the work is taken as that many equal pieces, one at each
    drawn pace, and shared by `parallel` agents. P50 and P90 are the 50th and the 90th of each hundred results. The same
    seed gives the same answer.

    >>> str(eta(50, [600, 900, 400, 800, 700, 650], parallel=2, seed=1))
    '4.7 to 5.3 h of work (P50 to P90, n=6)'
    """
    samples = samples[:NEWEST]
    n = len(samples)
    if n < ENOUGH:
        return Insufficient(n)
    factor = remaining / max(parallel, 1.0) / HOUR
    p50, p90 = _paces(tuple(samples), seed)
    return Eta(p50 * factor, p90 * factor, n)


@lru_cache(maxsize=32)  # whoever watches asks far more often than a task ends
def _paces(samples: tuple[float, ...], seed: int) -> Span:
    """Return the 50th and the 90th of each hundred drawn paces."""
    chance = random.Random(seed)  # noqa: S311 - it guards nothing, and the same seed has to give the same answer
    drawn = sorted(fmean(chance.choices(samples, k=len(samples))) for _ in range(ROUNDS))
    return drawn[ROUNDS // 2 - 1], drawn[ROUNDS * 9 // 10 - 1]


def _union(spans: Iterable[Span]) -> list[Span]:
    """Return the same time as spans that neither touch nor overlap, in their order."""
    joined: list[Span] = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def _shared(span: Span, others: list[Span]) -> float:
    return sum(max(0, min(span[1], end) - max(span[0], start)) for start, end in others)
