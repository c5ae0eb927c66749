"""From phase to phase: a transition is validated, results are handed over, and the last one completes the milestone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from milestone.domain.errors import Refusal
from milestone.domain.milestones import PHASES
from milestone.domain.strategies import open_phases
from milestone.operations import (
    approving,
    checkpoints,
    drifting,
    finishing,
    outcomes,
    reporting,
    shared,
    strategy,
    surveying,
)
from milestone.operations.arguments import MaybeMilestoneId
from milestone.operations.context import Answer, Aside, Context
from milestone.operations.registry import operation

DRIFT = "kiro-drift"


@operation()
def transition_phase(
    ctx: Context, phase: Literal["design", "spec", "task", "execute"], milestone_id: MaybeMilestoneId = ""
) -> Answer | Aside:
    """Complete a phase whose tasks have all ended, hand its results to the next one, and after the last one complete
    the milestone. For the coordinator, when next_actions names it. Next: next_actions.
    """
    row = shared.milestone(ctx, milestone_id)
    wanted = row["milestone_id"]
    shared.coordinator_or_person(ctx, wanted)
    state = _state(ctx, wanted, phase)
    if state["status"] == "completed":
        return _answer(ctx, wanted, phase, [])
    _validate(ctx, row, phase)
    look = drifting.look(ctx, row)
    complete = Aside(look, lambda later, there: _completed(later, wanted, phase, there))
    return checkpoints.automatic(ctx, wanted, phase, lambda _: complete)


def _validate(ctx: Context, row: Mapping[str, Any], phase: str) -> None:
    """Let through a phase that is open and whose tasks have all ended.

    Raises:
        Refusal: it may not be completed; everything that is in the way is named.
    """
    milestone_id = row["milestone_id"]
    opened = open_phases(
        strategy.resolved(row), strategy.states(ctx, milestone_id), at_once=ctx.world.limits().phases_at_once
    )
    problems: list[str] = []
    if row["status"] != "active":
        problems.append(f"the milestone is {row['status']}, not active")
    if phase not in opened:
        problems.append(f"the phase is not open: {', '.join(opened) or 'none'} is")
    if ctx.store.tasks.unfinished(milestone_id, "execution", phase):
        left = [
            f"{task['task_id']} ({task['status']})"
            for status in ("pending", "ready", "claimed", "in_review", "failed")
            for task in ctx.store.tasks.with_status(milestone_id, "execution", status, 500)
            if task["phase"] == phase and not task["standing"]
        ]
        problems.append(f"tasks have not ended: {', '.join(left[:20])}")
    if any(one.phase == phase and one.unapproved for one in strategy.states(ctx, milestone_id)):
        problems.append(approving.where(milestone_id, phase))
    if problems:
        raise Refusal(
            f"Phase {phase!r} cannot be completed: {'; '.join(problems)}", remedy="next_actions tells what to do."
        )


def _completed(ctx: Context, milestone_id: str, phase: str, there: frozenset[str]) -> Answer | Aside:
    """Write that a phase is completed, unless somebody else has done so meanwhile."""
    row = shared.milestone(ctx, milestone_id)
    state = _state(ctx, milestone_id, phase)
    if state["status"] == "completed":
        return _answer(ctx, milestone_id, phase, [])
    _validate(ctx, row, phase)
    ctx.store.milestones.set_phase(state, "completed", started_at=state["started_at"] or ctx.at, completed_at=ctx.at)
    ctx.record("phase_completed", milestone_id, subject=phase, topic="tasks")
    ended = all(one["status"] == "completed" for one in ctx.store.milestones.phases(milestone_id))
    found = drifting.report(ctx, milestone_id, there, so_far=not ended)
    session = shared.session(ctx, "", milestone_id)
    coordinator = f"coordinator-{session['session_id']}"
    reporting.save(ctx, milestone_id, coordinator, DRIFT, found)
    _hand_over(ctx, milestone_id, coordinator, phase)
    reporting.note_progress(ctx, milestone_id, "execution")
    if ended:
        finishing.complete(ctx, row, found)
        world, rows = ctx.world, ctx.store.evidence.repositories(milestone_id)
        places = [world.place(one["path"]) for one in rows if one["branch"]]
        merged = [one["task_id"] for one in ctx.store.evidence.of_kind(milestone_id, "commit")]
        return Aside(
            lambda _: surveying.clean(world, milestone_id, places, merged),
            lambda later, _: _answer(later, milestone_id, phase, found),
        )
    strategy.pick(ctx, row)
    return _answer(ctx, milestone_id, phase, found)


def _hand_over(ctx: Context, milestone_id: str, coordinator: str, phase: str) -> None:
    """Tell the agents of the next phase where the results of this one are."""
    results = ctx.store.state.newest_of_all(milestone_id, f"{phase}-phase-results")
    order = list(PHASES)
    later = order[order.index(phase) + 1 :]
    if not results or not later:
        return
    tasks = ctx.store.tasks.all(milestone_id, "execution", limit=500)
    types = sorted({one["agent_type"] for one in tasks if one["phase"] == later[0] and one["source"] == "playbook"})
    handover = [
        {"agent_id": one["agent_id"], "handover": outcomes.value_of(ctx, one["agent_id"], one["key"])["handover"][:5]}
        for one in results[:3]
    ]
    payload = shared.as_json("payload", {"phase": phase, "key": f"{phase}-phase-results", "results": handover})
    for agent_type in types:
        there = ctx.store.agents.recipients(milestone_id, agent_type, coordinator)
        shared.post(ctx, milestone_id, coordinator, agent_type, "phase-results", payload, there)


def _state(ctx: Context, milestone_id: str, phase: str) -> Mapping[str, Any]:
    return next(one for one in ctx.store.milestones.phases(milestone_id) if one["phase"] == phase)


def _answer(ctx: Context, milestone_id: str, phase: str, found: list[str]) -> Answer:
    row = shared.milestone(ctx, milestone_id)
    return {
        "milestone_id": milestone_id,
        "phase": phase,
        "status": "completed",
        "milestone": row["status"],
        "progress": reporting.progress(ctx.store, milestone_id),
        "drift": found[:10],
        "next": "next_actions",
    }
