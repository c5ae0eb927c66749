"""How fast work is proven: active time alone, and a range that says how many tasks it stands on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milestone.domain.velocity import NEWEST, Eta, Insufficient, active_seconds, eta, measured, velocity
from tests.domain.jobs import steady

SPANS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=6)
SAMPLES = st.lists(st.floats(0.1, 1e5), min_size=5, max_size=12)


@given(work=SPANS, parked=SPANS)
@steady(200)
def test_active_time_is_every_second_in_which_somebody_worked_and_nothing_was_parked(
    work: list[tuple[int, int]], parked: list[tuple[int, int]]
) -> None:
    """Planted and found: overlaps counted twice, parked time left in, a union that forgets a span inside another."""
    seconds = {second for start, end in work for second in range(start, end)}
    rest = {second for start, end in parked for second in range(start, end)}
    assert active_seconds(work, parked) == len(seconds - rest)


def test_velocity_is_percentage_points_per_active_hour() -> None:
    assert velocity(5, 1_800) == 10
    assert velocity(5, 0) is None
    assert str(measured(5, 1_800, 3)) == "10.0 percent per active hour (n=3)"
    assert str(measured(0, 1_800, 0)) == str(measured(5, 0, 0)) == "insufficient data (0)"


@pytest.mark.parametrize("count", range(5))
def test_with_fewer_than_five_samples_there_is_no_eta(count: int) -> None:
    assert str(eta(50, [60.0] * count, 1, 1)) == f"insufficient data ({count})"


def test_an_even_pace_gives_an_even_range() -> None:
    assert eta(50, [720.0] * 5, 1, 1) == Eta(10.0, 10.0, 5)
    assert eta(50, [720.0] * 5, 4, 1) == Eta(2.5, 2.5, 5)
    assert str(Eta(4.21, 7.88, 12)) == "4.2 to 7.9 h of work (P50 to P90, n=12)"
    assert str(Eta(0.1, 0.9, 12)) == "6.0 to 54.0 min of work (P50 to P90, n=12)"


@given(samples=SAMPLES, remaining=st.floats(0, 100), parallel=st.floats(0, 8), seed=st.integers())
@steady(60)
def test_the_range_is_ordered_lies_between_the_fastest_and_the_slowest_and_is_the_same_for_the_same_seed(
    samples: list[float], remaining: float, parallel: float, seed: int
) -> None:
    found = eta(remaining, samples, parallel, seed)
    assert found == eta(remaining, samples, parallel, seed)
    assert isinstance(found, Eta)
    hours = remaining / max(parallel, 1) / 3_600
    assert found.n == len(samples)
    assert min(samples) * hours <= found.p50_hours * 1.000001
    assert found.p50_hours <= found.p90_hours <= max(samples) * hours * 1.000001


def test_the_newest_tasks_count() -> None:
    found = eta(10, [360.0] * NEWEST + [99_999.0] * 500, 1, 1)
    assert found == Eta(1.0, 1.0, NEWEST)
    assert not isinstance(found, Insufficient)
