"""The event log alone gives the state that a milestone is in."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from milestone.domain.progress import overall
from milestone.domain.replay import EVENTS, Event, Ledger, TaskState, replay, tallies
from tests.domain.jobs import CHOICES, ORDER, Job, limits, plans, steady
from tests.domain.worlds import World

JUNK = st.none() | st.text(max_size=3) | st.lists(st.integers(), max_size=2) | st.dictionaries(st.text(), st.integers())


def expected(world: World) -> Ledger:
    """Return what the world knows of itself, as a ledger."""
    tasks = {
        job.task_id: TaskState(
            status=world.status[job.task_id],
            phase=job.phase,
            weight=job.weight,
            attempts=world.attempts[job.task_id],
            held_by=world.holder.get(job.task_id, ""),
            standing=not job.phase,
        )
        for job in world.jobs
    }
    return Ledger(tasks, {phase: state.status for phase, state in world.phases.items()}, world.strategy)


@given(
    jobs=plans(),
    bounds=limits(),
    strategy=st.sampled_from(CHOICES),
    seed=st.integers(0, 2**32),
    junk=st.lists(JUNK, max_size=4),
    ends=st.integers(1, 60),
)
@steady(120)
def test_a_random_history_replayed_from_the_log_in_any_order_and_twice_gives_the_same_state(
    jobs: tuple[Job, ...], bounds: Any, strategy: Any, seed: int, junk: list[Any], ends: int
) -> None:
    """Planted and found: events taken in the order given, a task given back that stays held, one sent back that stays
    in review, a waiver that proves nothing.
    """
    chance = random.Random(seed)
    world = World(list(jobs), bounds, strategy, chance, ("strategy",))
    for number, _ in enumerate(world.play(), start=1):
        if number == ends:  # a history is replayed from its middle as well as from its end
            break
    given_twice = [*world.events, *chance.choices(world.events, k=5)]
    taken = {event.position for event in world.events}
    free = [position for position in range(1, max(taken) + 9) if position not in taken]
    for position, detail in zip(free, junk, strict=False):
        given_twice += [
            Event(position, "state_saved", "t-0", detail),
            Event(position, "task_claimed", "nobody", detail),
        ]
    chance.shuffle(given_twice)
    found = replay(given_twice)
    assert found == expected(world)
    assert overall(dict.fromkeys(ORDER, 25), tallies(found)) == world.by_hand(dict.fromkeys(ORDER, 25))


def test_tasks_of_planning_are_replayed_and_count_nowhere() -> None:
    log = [
        Event(1, "task_added", "scope", {"mode": "planning", "phase": "", "weight": 0, "standing": False}),
        Event(2, "task_claimed", "scope", {"agent_id": "a-1", "attempt": 1, "why": "everything it needs is there"}),
        Event(3, "task_completed", "scope", {"keys": {"planning-scope": 1}}),
        Event(4, "phase_started", "design"),
        Event(5, "milestone_completed", "m"),
    ]
    found = replay(log)
    assert found.tasks == {"scope": TaskState("completed", attempts=1, mode="planning")}
    assert found.phases == {"design": "in_progress", "spec": "pending", "task": "pending", "execute": "pending"}
    assert (found.strategy, found.completed) == ("adaptive", True)
    assert {tally.total for tally in tallies(found)} == {0}


def test_every_event_that_changes_something_is_named() -> None:
    task = Event(1, "task_added", "t", {"phase": "design", "weight": 1})
    for name in EVENTS - {"task_added"}:
        subject = "design" if name.startswith("phase_") else "t"
        detail = {"agent_id": "a", "attempt": 1, "status": "failed", "strategy": "pipeline"}
        assert replay([task, Event(2, name, subject, detail)]) != replay([task])
