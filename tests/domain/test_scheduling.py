"""What to do next: random milestones are carried out, and every answer on the way is looked at."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milestone.domain.scheduling import (
    Decision,
    Pause,
    Review,
    RunGates,
    Running,
    Situation,
    Spawn,
    Task,
    Transition,
    choose,
)
from milestone.domain.strategies import PhaseState
from tests.domain.jobs import CHOICES, ENDED, ORDER, Job, Limits, limits, may_open, plans, rank, steady
from tests.domain.worlds import World

CHANGES = st.sampled_from(((), ("strategy",), ("limits",), ("strategy", "limits")))
SEEDS = st.integers(0, 2**32)


def spawned(answer: list[Decision]) -> list[str]:
    """Return the tasks that an answer starts."""
    return [one.task.task_id for one in answer if isinstance(one, Spawn)]


def look(world: World, answer: list[Decision]) -> None:
    """Check one answer against the world it was given for."""
    started = spawned(answer)
    gates = [one.task_id for one in answer if isinstance(one, RunGates)]
    completed = [one.phase for one in answer if isinstance(one, Transition)]
    assert answer
    assert len(started) == len(set(started)) <= world.limits.briefs
    assert not started or len(world.holder) + len(started) <= world.limits.agents
    assert len(gates) == len(set(gates))
    assert not gates or len(world.gating) + len(gates) <= world.limits.phases
    assert not world.gating & set(gates)
    for name in started:
        job = world.by_id[name]
        assert world.status[name] in ("pending", "ready")
        assert world.met(job), f"{name} starts before its needs"
        assert not job.phase or may_open(world.strategy, job.phase, world.phases), f"{name} starts before its phase"
    for phase in completed:
        assert may_open(world.strategy, phase, world.phases)
        assert all(world.status[job.task_id] in ENDED for job in world.jobs if job.phase == phase)
        assert not any(
            world.status[job.task_id] == "failed" and job.critical for job in world.jobs if job.phase == phase
        )
    if world.strategy == "sequential":
        assert len(completed) <= 1
    if isinstance(answer[0], Pause):
        assert len(answer) == 1


def nothing_idle(world: World, answer: list[Decision]) -> None:
    """Check that slots are free only where nothing may start, and gates idle only where their limit is reached."""
    started = spawned(answer)
    if len(started) < min(world.limits.briefs, world.limits.agents - len(world.holder)):
        idle = [job for job in world.startable() if job.task_id not in started]
        assert not [job.task_id for job in idle if not job.phase]
        opened = world.open()
        allowed = [phase for phase in ORDER if may_open(world.strategy, phase, world.phases)]
        assert len(opened) == min(len(allowed), world.limits.phases)
        assert not [job.task_id for job in idle if job.phase in opened]
    waiting = [n for n, s in world.status.items() if s == "in_review" and world.by_id[n].owes == "gates"]
    running = world.gating | {one.task_id for one in answer if isinstance(one, RunGates)}
    assert set(waiting) <= running or len(running) >= world.limits.phases


def run(jobs: tuple[Job, ...], bounds: Limits, strategy: Any, seed: int, changing: tuple[str, ...]) -> World:
    """Carry out a milestone and check each answer."""
    world = World(list(jobs), bounds, strategy, random.Random(seed), changing)
    for answer in world.play():
        look(world, answer)
        nothing_idle(world, answer)
        if "limits" not in changing:
            held = {world.by_id[name].phase for name in (*world.holder, *spawned(answer))} - {""}
            assert len(held) <= world.limits.phases
    return world


@given(jobs=plans(), bounds=limits(), strategy=st.sampled_from(CHOICES), seed=SEEDS, changing=CHANGES)
@steady(250)
def test_under_every_strategy_each_answer_keeps_to_needs_phases_and_limits_leaves_nothing_idle_and_comes_to_an_end(
    jobs: tuple[Job, ...], bounds: Limits, strategy: Any, seed: int, changing: tuple[str, ...]
) -> None:
    """Planted and found: slots that forget who runs, briefs that are not counted, a phase that is never looked at, a
    pipeline that needs no partial result, an `execute` that waits for one phase only, gates run twice, a phase that
    completes over a critical failure, a slot kept back, running gates that are not waited for.
    """
    world = run(jobs, bounds, strategy, seed, changing)
    assert {state.status for state in world.phases.values()} == {"completed"}
    left = {world.status[job.task_id] for job in jobs if job.phase}
    assert left <= set(ENDED)
    assert not [job for job in jobs if world.status[job.task_id] == "failed" and job.critical]


@given(jobs=plans(most=14), seed=SEEDS)
@steady(40)
def test_free_slots_go_to_phases_by_their_priority_and_to_standing_tasks_between_medium_and_low(
    jobs: tuple[Job, ...], seed: int
) -> None:
    """Planted and found: a ranking in the order of the phases alone, and one that puts standing tasks last."""
    wide = Limits(agents=3, phases=4, briefs=5)
    world = World(list(jobs), wide, "parallel_independent", random.Random(seed))
    place = {"spec": 0, "design": 1, "": 2, "task": 3}  # high, medium, standing, low
    for answer in world.play():
        if rank("execute") not in [rank(phase) for phase in world.open()]:
            started = [place[world.by_id[name].phase] for name in spawned(answer)]
            assert started == sorted(started)
            if len(started) == wide.agents - len(world.holder):
                able = [place[job.phase] for job in world.startable() if not job.phase or job.phase in world.open()]
                assert started == sorted(able)[: len(started)]


SCOPE = Task("scope", "infra-context-discovery", "Look around")
PLAN = Task("plan", "planner", "Plan")
LIMITS: dict[str, Any] = {"agents_at_once": 8, "phases_at_once": 3, "priority": {}}


def only(situation: Situation) -> Pause:
    """Return the one reason to pause."""
    answer = choose(situation, **LIMITS)
    assert len(answer) == 1
    assert isinstance(answer[0], Pause)
    return answer[0]


def test_planning_starts_what_is_ready_then_waits_then_asks_or_is_done() -> None:
    planning = Situation("planning", ready=(SCOPE, PLAN), left=2, total=2)
    assert choose(planning, **LIMITS) == [Spawn(one, "everything it needs is there") for one in (SCOPE, PLAN)]
    held = replace(planning, ready=(), running=(Running("scope", "a-1"), Running("plan", "b-2")))
    assert only(held) == Pause("wait", "in progress: scope (a-1), plan (b-2)", ("scope", "plan"))
    failed = only(replace(planning, ready=(), failed=(SCOPE,), left=1))
    assert failed == Pause("ask_human", "failed: scope; what needs them cannot start", ("scope",))
    stuck = only(replace(planning, ready=(), stuck=("scope", "plan")))
    assert stuck.why == "blocked: scope, plan wait for results that nothing will produce"
    assert stuck.kind == "ask_human"
    assert only(Situation("planning", total=5)) == Pause("done", "all 5 tasks have ended")


def test_an_answer_starts_no_more_than_its_briefs() -> None:
    many = tuple(replace(SCOPE, task_id=f"t-{number}") for number in range(20))
    assert spawned(choose(Situation("planning", ready=many, left=20), **LIMITS)) == [f"t-{n}" for n in range(5)]
    full = Situation("planning", ready=many, left=20, running=tuple(Running(f"r-{n}", "a") for n in range(6)))
    assert spawned(choose(full, **LIMITS)) == ["t-0", "t-1"]


@pytest.mark.parametrize(
    ("attempts", "detail", "why"),
    [
        (0, "", "everything it needs is there"),
        (1, "no agent started it within 60 s", "taken over: no agent started it within 60 s"),
        (2, "sent back: the gate tests was red", "sent back: the gate tests was red"),
    ],
    ids=["first", "lost", "red"],
)
def test_a_brief_says_why_its_task_is_handed_out(attempts: int, detail: str, why: str) -> None:
    task = replace(SCOPE, attempts=attempts, detail=detail)
    assert choose(Situation("planning", ready=(task,), left=1), **LIMITS) == [Spawn(task, why)]


def test_a_milestone_that_requires_another_does_nothing_but_wait() -> None:
    told = "milestone accounts is required and is not completed"
    phases = (PhaseState("design", "pending", unfinished=False),)
    waiting = Situation("execution", phases=phases, ready=(SCOPE,), failed=(PLAN,), left=2, waits_for=told)
    assert only(waiting) == Pause("wait", told)


def test_an_empty_phase_completes_at_once_when_it_is_open_and_in_sequence_one_at_a_time() -> None:
    phases = tuple(PhaseState(phase, "pending", unfinished=False) for phase in ORDER)
    assert choose(Situation("execution", "sequential", phases), **LIMITS) == [
        Transition("design", "every task of design has ended")
    ]
    side_by_side = choose(Situation("execution", "parallel_independent", phases), **LIMITS)
    assert [one.phase for one in side_by_side if isinstance(one, Transition)] == ["design", "spec", "task"]


def test_gates_run_by_priority_and_never_more_than_phases_at_once() -> None:
    phases = tuple(PhaseState(phase, "in_progress") for phase in ORDER)
    gates = (Review("a", "task"), Review("b", "execute"), Review("c", "spec", running=True), Review("d", "design"))
    priority = {"design": "low", "execute": "critical"}
    answer = choose(
        Situation("execution", "pipeline", phases, gates=gates, left=4),
        agents_at_once=1,
        phases_at_once=3,
        priority=priority,
    )
    assert [one.task_id for one in answer if isinstance(one, RunGates)] == ["b", "a"]


def test_reviews_are_waited_for_unless_a_failure_may_be_what_they_wait_for() -> None:
    phases = tuple(PhaseState(phase, "in_progress") for phase in ORDER)
    waiting = Situation("execution", phases=phases, owed=("t-1",), left=1)
    assert only(waiting) == Pause("wait", "in review: t-1", ("t-1",))
    gating = replace(waiting, gates=(Review("t-2", running=True),))
    assert only(gating).why == "gates run: t-2; in review: t-1"
    failed = only(replace(waiting, failed=(replace(PLAN, critical=False),)))
    assert (failed.kind, failed.tasks) == ("ask_human", ("plan",))
    assert "t-1 wait for results that nothing will produce; failed: plan" in failed.why


def test_what_failed_and_was_not_critical_is_told_at_the_end() -> None:
    phases = tuple(PhaseState(phase, "completed") for phase in ORDER)
    done = only(Situation("execution", phases=phases, failed=(replace(PLAN, critical=False),), total=3))
    assert done == Pause("done", "all 3 tasks have ended; failed: plan", ("plan",))


def test_a_limit_that_is_lowered_on_the_way_does_not_shut_out_the_phase_that_the_others_need() -> None:
    """Planted and found: places that go to the phases in progress before the earliest."""
    phases = (PhaseState("design", "pending"), PhaseState("spec", "in_progress"), PhaseState("task", "pending"))
    design = replace(SCOPE, phase="design")
    narrow = Situation("execution", "parallel_independent", phases, (design,), left=2, stuck=("scope", "t-2"))
    assert spawned(choose(narrow, agents_at_once=1, phases_at_once=1, priority={})) == ["scope"]
