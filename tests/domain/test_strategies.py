"""Which phases are open, and which strategy `adaptive` picks."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milestone.domain.strategies import STRATEGIES, PhaseState, adapt, open_phases
from tests.domain.jobs import CHOICES, ORDER, may_open, steady

STATES = [
    dict(zip(ORDER, (PhaseState(phase, *one) for phase, one in zip(ORDER, states, strict=True)), strict=True))
    for states in product(product(("pending", "in_progress", "completed"), (False, True)), repeat=len(ORDER))
]


@pytest.mark.parametrize("at_once", range(6))
@pytest.mark.parametrize("strategy", CHOICES)
def test_as_many_phases_are_open_as_the_strategy_and_the_limit_allow_and_no_others(strategy: Any, at_once: int) -> None:
    """Planted and found: a completed phase that stays open, a pipeline that goes on after a gap, places given in the
    order of the phases alone, a limit that is one too wide.
    """
    for phases in STATES:
        opened = open_phases(strategy, tuple(phases.values()), at_once=at_once)
        allowed = [phase for phase in ORDER if may_open(strategy, phase, phases)]
        assert set(opened) <= set(allowed)
        assert list(opened) == [phase for phase in ORDER if phase in opened]
        assert len(opened) == min(at_once, len(allowed))
        assert opened[:1] == tuple(allowed[:1] if at_once else ())
        if strategy == "parallel_independent":
            closed = {phases[phase].status for phase in allowed if phase not in opened}
            later = {phases[phase].status for phase in opened[1:]}
            assert "in_progress" not in closed or later <= {"in_progress"}
        if strategy == "pipeline":
            for phase in opened:
                before = ORDER[: ORDER.index(phase)][-1:]
                assert not before or before[0] in opened or phases[before[0]].status == "completed"


@pytest.mark.parametrize("at_once", range(6))
def test_adaptive_that_nobody_resolved_is_as_strict_as_sequential(at_once: int) -> None:
    for states in map(tuple, map(dict.values, STATES)):
        assert open_phases("adaptive", states, at_once=at_once) == open_phases("sequential", states, at_once=at_once)


@pytest.mark.parametrize(
    ("given", "strategy", "named"),
    [
        ({"slots": 1, "crossing": 0}, "sequential", ["1 agent may run at once"]),
        ({"slots": 2, "crossing": 0}, "parallel_independent", ["none of 8 tasks", "2 agents"]),
        ({"crossing": 0, "hours_left": 1.0}, "parallel_independent", ["none of 8 tasks"]),
        ({"crossing": 3, "hours_left": 15.0}, "pipeline", ["3 dependencies cross", "8 h of work", "15 h until"]),
        ({"crossing": 1, "many": 30}, "pipeline", ["1 dependency crosses", "31 tasks are more than 20"]),
        ({"crossing": 3, "hours_left": 16.0}, "sequential", ["8 tasks are few", "8 h of work fit into 16 h"]),
        ({"crossing": 3}, "sequential", ["3 dependencies cross", "there is no deadline"]),
    ],
    ids=["alone", "independent", "hurried", "pressed", "many", "calm", "endless"],
)
def test_adaptive_picks_by_dependencies_slots_and_deadline_and_says_why_with_its_numbers(
    given: dict[str, Any], strategy: str, named: list[str]
) -> None:
    many = given.pop("many", 7)
    facts: dict[str, Any] = {"slots": 4, "hours_needed": 8.0, "hours_left": None, **given}
    picked = adapt(tasks={"design": 1, "execute": many}, **facts)
    assert picked.strategy == strategy
    for words in named:
        assert words in picked.why


@given(
    tasks=st.dictionaries(st.sampled_from(ORDER), st.integers(0, 40)),
    crossing=st.integers(0, 5),
    slots=st.integers(0, 9),
    needed=st.floats(0, 1e4),
    left=st.none() | st.floats(-10, 1e4),
)
@steady(100)
def test_phases_run_side_by_side_only_where_nothing_crosses_and_two_agents_may_run(
    tasks: dict[str, int], crossing: int, slots: int, needed: float, left: float | None
) -> None:
    picked = adapt(tasks=tasks, crossing=crossing, slots=slots, hours_needed=needed, hours_left=left)
    assert picked.strategy in STRATEGIES
    if slots < 2:
        assert picked.strategy == "sequential"
    elif not crossing:
        assert picked.strategy == "parallel_independent"
    else:
        assert picked.strategy != "parallel_independent"
