"""Human gates: a phase that needs a person's approval is completed only with it, wherever the person answers."""

from __future__ import annotations

from typing import Any, Literal

from milestone.domain.errors import Conflict, Missing, Refusal
from milestone.domain.questions import of_phase
from milestone.domain.text import clip
from milestone.operations import outcomes, seeding, shared
from milestone.operations.arguments import Line, MaybeMilestoneId
from milestone.operations.context import Answer, Context
from milestone.operations.people import Person, proofs_here
from milestone.operations.registry import operation
from milestone.store.engine import Row

Phase = Literal["design", "spec", "task", "execute"]
_MOST_PATHS = 50


@operation(people=True)
def approve(ctx: Context, phase: Phase, by: Person, reason: Line = "", milestone_id: MaybeMilestoneId = "") -> Answer:
    """Approve in your name a phase whose tasks have all ended, so that it can be completed."""
    wanted = _asked(ctx, milestone_id, phase)
    ctx.store.approvals.answer(wanted, phase, "approved", by, reason, ctx.at)
    detail = {"by": by, "reason": reason}
    ctx.record("phase_approved", wanted, subject=phase, actor=by, topic="tasks", detail=detail)
    return {"milestone_id": wanted, "phase": phase, "status": "approved", "by": by, "next": "next_actions goes on."}


@operation(people=True)
def reject(ctx: Context, phase: Phase, by: Person, reason: Person, milestone_id: MaybeMilestoneId = "") -> Answer:
    """Reject in your name what a phase came to, and say why: a task mends it, and then you are asked again."""
    wanted = _asked(ctx, milestone_id, phase)
    ctx.store.approvals.answer(wanted, phase, "rejected", by, reason, ctx.at)
    mending = _mend(ctx, wanted, phase, reason)
    detail = {"by": by, "reason": reason, "task": mending}
    ctx.record("phase_rejected", wanted, subject=phase, actor=by, topic="tasks", detail=detail)
    return {
        "milestone_id": wanted,
        "phase": phase,
        "status": "rejected",
        "by": by,
        "task_id": mending,
        "next": f"next_actions hands {mending} out; you are asked again when it is done.",
    }


def ask(ctx: Context, milestone_id: str, phase: str, why: str) -> dict[str, Any]:
    """Return the action that asks a person to approve a phase; that it was asked outlives this process."""
    if ctx.store.approvals.ask(milestone_id, phase, ctx.at):
        ctx.record("phase_approval_asked", milestone_id, subject=phase, topic="approvals")
    return {"kind": "ask_human", "why": why, "tasks": [], "phase": phase, "commands": of_phase(milestone_id, phase)}


def where(milestone_id: str, phase: str) -> str:
    """Return in words that a phase waits for a person, and where that person answers."""
    return f"a person has to approve it: `{of_phase(milestone_id, phase)[0]}`, or on the page of `milestone dashboard`"


def reconsider(ctx: Context, milestone_id: str) -> None:
    """Take back what was asked or approved of a phase in which there is work again; a person sees all of it."""
    for phase, row in ctx.store.approvals.of(milestone_id).items():
        if row["status"] in ("waiting", "approved") and ctx.store.tasks.unfinished(milestone_id, "execution", phase):
            ctx.store.approvals.need(milestone_id, phase)
            ctx.record("phase_approval_lapsed", milestone_id, subject=phase, detail={"was": row["status"]})


def _asked(ctx: Context, milestone_id: str, phase: str) -> str:
    """Return the milestone of which a person may answer for a phase now.

    Raises:
        Refusal: nobody is asked, the work has not ended, or somebody has answered.
    """
    wanted = shared.milestone(ctx, milestone_id)["milestone_id"]
    row = ctx.store.approvals.of(wanted).get(phase)
    if row is None:
        raise Missing(
            f"Phase {phase!r} of {wanted!r} needs no approval",
            remedy="`approvals` in .milestones/config/limits.yaml names phases that do, before execution begins.",
        )
    if row["status"] == "approved":
        raise Conflict(f"Phase {phase!r} was approved by {row['answered_by']}", remedy="There is nothing to answer.")
    if ctx.store.tasks.unfinished(wanted, "execution", phase) or not _reached(ctx, wanted, row):
        raise Refusal(
            f"Phase {phase!r} cannot be answered yet: its tasks have not all ended",
            remedy="milestone status shows what is left of it; you are asked when it has ended.",
        )
    return wanted


def _reached(ctx: Context, milestone_id: str, row: Row) -> bool:
    """Return whether a phase has begun; one without tasks never does, and is asked about when its turn comes."""
    phases = {one["phase"]: one["status"] for one in ctx.store.milestones.phases(milestone_id)}
    return row["status"] == "waiting" or phases[row["phase"]] != "pending"


def _mend(ctx: Context, milestone_id: str, phase: str, reason: str) -> str:
    """Add the task that mends what a person rejected, proven as the plan's tasks of that phase are; return its id."""
    row: Row = ctx.store.approvals.of(milestone_id)[phase]
    name = f"mend-{phase}-{row['rejections']}"
    tasks = [one for one in ctx.store.tasks.all(milestone_id, "execution") if one["phase"] == phase]
    paths = dict.fromkeys(path for one in tasks if not one["repository"] for path in one["paths"])
    draft = {
        "id": name,
        "title": f"Mend {phase}: {clip(' '.join(reason.split()), 150)}",
        "phase": phase,
        "weight": 0,
        "paths": list(paths)[:_MOST_PATHS],
        "evidence": [reason],
    }
    given = seeding.planned_task(draft, name, ctx.playbook("execution"), proofs_here(ctx, milestone_id))
    given["source"] = seeding.MENDING
    outcomes.add_task(ctx, milestone_id, given.pop("task_id"), **given)
    return name
