"""Gathers what the choice of next actions looks at; costs the same however many tasks there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from milestone.domain.scheduling import (
    Decision,
    Question,
    Review,
    RollBack,
    Running,
    Situation,
    Spawn,
    Task,
    Transition,
)
from milestone.operations import recovering, spending, strategy, tracking
from milestone.operations.context import Context

_SHOWN = 20
_CIRCLE = " and requires this one, so neither can begin: update_milestone(dependencies=…) has to end that"


def look(ctx: Context, row: Mapping[str, Any], mode: str, slots: int) -> Situation:
    """Return where a milestone stands, as the choice sees it."""
    milestone_id = row["milestone_id"]
    running = tuple(
        Running(held["task_id"], held["held_by"], held["phase"]) for held in ctx.store.tasks.held(milestone_id, mode)
    )
    free = max(slots - len(running), 1)
    if mode == "planning":
        ready = ctx.store.tasks.ready(milestone_id, mode, "", free, now=ctx.clock, standing=False)
        return _rest(ctx, row, Situation(mode=mode, ready=_tasks(ready), running=running))
    phases = strategy.states(ctx, milestone_id)
    ready = ctx.store.tasks.ready(milestone_id, mode, "", free, now=ctx.clock, standing=True)
    for phase in phases:
        if phase.status != "completed":
            ready += ctx.store.tasks.ready(milestone_id, mode, phase.phase, free, now=ctx.clock, standing=False)
    gates, owed = _in_review(ctx, milestone_id)
    situation = Situation(
        mode=mode,
        strategy=strategy.resolved(row),
        phases=phases,
        ready=_tasks(ready) if any(phase.status != "completed" for phase in phases) else (),
        running=running,
        gates=gates,
        owed=owed,
        waits_for=waits_for(ctx, row),
    )
    return _rest(ctx, row, situation)


def open_phases(ctx: Context, row: Mapping[str, Any], mode: str, decisions: Sequence[Decision]) -> None:
    """Note which phases begin with what was decided."""
    if mode != "execution":
        return
    begun = {one.task.phase for one in decisions if isinstance(one, Spawn)}
    begun |= {one.phase for one in decisions if isinstance(one, Transition)}
    for phase in ctx.store.milestones.phases(row["milestone_id"]):
        if phase["phase"] in begun and phase["status"] == "pending":
            ctx.store.milestones.set_phase(phase, "in_progress", started_at=ctx.at)
            ctx.record("phase_started", row["milestone_id"], subject=phase["phase"], topic="tasks")


def waits_for(ctx: Context, row: Mapping[str, Any]) -> str:
    """Return which required milestone is not completed yet, in words; empty where none is."""
    for name in row["sections"]["dependencies"].get("requires", []):
        other = ctx.store.milestones.get(name) or ctx.store.milestones.newest_named(name)
        if other is None or other["status"] != "completed":
            state = other["status"] if other else "unknown"
            said = f"milestone {name!r} has to be completed first; it is {state}"
            return said + (_CIRCLE if other and _requires(other, row) else "")
    return ""


def _requires(other: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    return bool({row["milestone_id"], row["name"]} & set(other["sections"]["dependencies"].get("requires", [])))


def _rest(ctx: Context, row: Mapping[str, Any], situation: Situation) -> Situation:
    """Add what only matters where nothing can be started."""
    milestone_id = row["milestone_id"]
    failed = ctx.store.tasks.with_status(milestone_id, situation.mode, "failed", _SHOWN)
    blocked = ctx.store.tasks.with_status(milestone_id, situation.mode, "blocked", _SHOWN)
    found = replace(
        situation,
        failed=_tasks([task for task in failed if not task["standing"] or task["critical"]]),
        questions=tuple(
            Question(one["task_id"], one["detail"], asked=bool(one["left_behind"].get("asked")))
            for one in blocked
            if one["left_behind"].get("how") in ("salvage", spending.HOW)
        ),
        rollbacks=tuple(RollBack(*one) for one in recovering.rollbacks_due(ctx, milestone_id, situation.mode)),
        delayed=ctx.store.tasks.delayed(milestone_id, situation.mode, ctx.clock),
        steering=row["steering"],
        parked=_parked(ctx, row),
    )
    if situation.ready or situation.running:
        return found
    left = ctx.store.tasks.left_over(milestone_id, situation.mode, _SHOWN)
    total = sum(int(one["tasks"]) for one in ctx.store.tasks.tally(milestone_id, situation.mode))
    return replace(found, left=len(left), stuck=left, total=total)


def _parked(ctx: Context, row: Mapping[str, Any]) -> tuple[float, str]:
    left = recovering.parked(ctx, row)
    if not left:
        recovering.unpark(ctx, row)
    return left, row["parked_why"]


def _in_review(ctx: Context, milestone_id: str) -> tuple[tuple[Review, ...], tuple[str, ...]]:
    running: set[str] = set()
    for run in ctx.store.evidence.running(milestone_id):
        if ctx.alive(run["server"]):
            running.add(run["task_id"])
        else:
            ctx.store.evidence.end_run(run["run_id"], "lost", "", [], ctx.at)
    gates: list[Review] = []
    owed: list[str] = []
    for task in ctx.store.tasks.with_status(milestone_id, "execution", "in_review"):
        if "gates" in tracking.owes(ctx, task):
            gates.append(Review(task["task_id"], task["phase"], task["task_id"] in running))
        else:
            owed.append(task["task_id"])
    return tuple(gates), tuple(owed)


def _tasks(rows: Sequence[Mapping[str, Any]]) -> tuple[Task, ...]:
    return tuple(
        Task(
            task_id=row["task_id"],
            agent_type=row["next_role"] or row["agent_type"],
            title=row["title"],
            phase="" if row["standing"] else row["phase"],
            critical=bool(row["critical"]),
            status=row["status"],
            detail=row["detail"],
            attempts=row["attempts"],
        )
        for row in rows
    )
