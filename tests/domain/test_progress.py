"""Progress: exact, never too high, never falling, and 100 when everything is proven and not before."""

from __future__ import annotations

import random
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milestone.domain.progress import Tally, check_weights, overall, phase_part, shown
from milestone.domain.replay import replay, tallies
from tests.domain.jobs import CHOICES, ORDER, Job, limits, plans, steady
from tests.domain.worlds import World

USUAL = {"design": 15, "spec": 25, "task": 20, "execute": 40}


@st.composite
def weights(draw: st.DrawFn) -> dict[str, int]:
    """Draw four weights above 0 that sum to 100."""
    cuts = sorted(draw(st.sets(st.integers(1, 99), min_size=3, max_size=3)))
    return dict(zip(ORDER, (end - start for start, end in zip([0, *cuts], [*cuts, 100], strict=True)), strict=True))


@given(
    jobs=plans(),
    bounds=limits(),
    strategy=st.sampled_from(CHOICES),
    shares=st.just(USUAL) | weights(),
    seed=st.integers(0, 2**32),
)
@steady(120)
def test_in_whatever_order_tasks_end_progress_follows_the_formula_never_falls_and_is_100_when_all_is_proven(
    jobs: tuple[Job, ...], bounds: Any, strategy: Any, shares: dict[str, int], seed: int
) -> None:
    """Planted and found: skipped tasks that stay in the total, tasks in review that count as done, weights of phases
    left out, a phase without weight that counts from the beginning.
    """
    assert check_weights(shares) == []
    world = World(list(jobs), bounds, strategy, random.Random(seed), ("strategy", "limits"))
    last = Fraction(0)
    for _ in world.play():
        now = overall(shares, tallies(replay(world.events)))
        assert now == world.by_hand(shares)
        assert last <= now <= 100
        unproven = [
            job for job in world.jobs if job.weight and world.status[job.task_id] not in ("completed", "skipped")
        ]
        weightless = {phase for phase in ORDER if not any(job.phase == phase and job.weight for job in world.jobs)}
        proven = not unproven and not weightless & set(world.unended())
        assert now < 100 or proven
        assert (shown(now) == 100.0) == (now == 100)
        last = now
    assert (last == 100) == (not [job for job in world.jobs if job.weight and world.status[job.task_id] == "failed"])


@given(st.fractions(0, 100))
@steady(100)
def test_what_is_shown_is_never_more_than_what_is_proven(percentage: Fraction) -> None:
    """Planted and found: a percentage that is rounded."""
    low = Fraction(str(shown(percentage)))
    assert low <= percentage < low + Fraction(1, 10)


def test_a_phase_counts_by_the_weight_of_its_tasks_and_the_milestone_by_the_weight_of_its_phases() -> None:
    found = [
        Tally("design", 10, 10, completed=True),
        Tally("spec", 3, 1, completed=False),
        Tally("task", 0, 0, completed=True),
        Tally("execute", 0, 0, completed=False),
    ]
    assert [phase_part(tally) for tally in found] == [1, Fraction(1, 3), 1, 0]
    assert overall(USUAL, found) == 15 + Fraction(25, 3) + 20
    assert shown(overall(USUAL, found)) == 43.3
    assert overall(USUAL, []) == 0


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({**USUAL, "execute": 41}, "the weights sum to 101; they must sum to 100"),
        ({**USUAL, "execute": 0, "design": 55}, "weights.execute must be a whole number above 0"),
        ({**USUAL, "execute": 40.0}, "weights.execute must be a whole number above 0"),
        ({**USUAL, "design": True}, "weights.design must be a whole number above 0"),
        ({"design": 50, "spec": 50}, "weights.task is missing; give it a whole number above 0"),
        ({**USUAL, "review": 1}, "weights has a field that is no phase (review); allowed: design, spec, task, execute"),
        ({**USUAL, 7: 1}, "weights has a name that is no text; allowed: design, spec, task, execute"),
        ([15, 25, 20, 40], "weights must be a mapping of the four phases"),
        (None, "weights must be a mapping of the four phases"),
    ],
    ids=["sum", "zero", "float", "bool", "missing", "unknown", "number", "list", "none"],
)
def test_weights_that_are_none_are_refused_with_their_place(given: Any, told: str) -> None:
    assert any(problem.startswith(told) for problem in check_weights(given))
