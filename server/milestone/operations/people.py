"""What only people may decide: that a task counts without its proof, and that changed gates count."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from milestone.domain.errors import Conflict, Refusal
from milestone.operations import seeding, shared, surveying, tracking
from milestone.operations.arguments import Key, Line, MaybeMilestoneId
from milestone.operations.context import Answer, Aside, Context
from milestone.operations.registry import operation

Person = Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")]


@operation(people=True)
def waive(ctx: Context, task_id: Key, by: Person, reason: Person, milestone_id: MaybeMilestoneId = "") -> Answer:
    """Let a task count as done without its proof, in your name and for a reason; both show wherever progress shows."""
    row = shared.milestone(ctx, milestone_id)
    task = shared.task(ctx, row["milestone_id"], task_id)
    if task["status"] in ("completed", "skipped"):
        raise Conflict(f"Task {task_id!r} is {task['status']}", remedy="There is nothing to waive.")
    if task["mode"] == "planning":
        raise Refusal(f"What {task_id!r} finds out is what the plan rests on", remedy="Let it be tried again.")
    if task["source"] == "review":
        raise Refusal(f"A review is part of what proves {task['subject']!r}", remedy="Waive that task itself.")
    claim = ctx.store.tasks.last_claim(row["milestone_id"], task_id)
    if claim and not claim["ended_at"]:
        ctx.store.tasks.end_claim(claim["agent_id"], "waived", ctx.at)
        ctx.store.agents.set(claim["agent_id"], "retired", ctx.at, f"{by} waived its task")
    detail = {"by": by, "reason": reason}
    ctx.store.evidence.add(row["milestone_id"], task_id, "waiver", by, detail, ctx.at)
    ctx.record("task_waived", row["milestone_id"], subject=task_id, actor=by, topic="tasks", detail=detail)
    tracking.settle(ctx, task)
    return {"task_id": task_id, "status": "completed", "waived_by": by, "next": "next_actions goes on."}


@operation(people=True)
def accept_gates(
    ctx: Context, by: Person, repository: Line = "", milestone_id: MaybeMilestoneId = ""
) -> Answer | Aside:
    """Let the gates count that .milestones/config/gates.yaml names now, as committed at HEAD, in your name."""
    row = shared.milestone(ctx, milestone_id)
    known = ctx.store.evidence.repository(row["milestone_id"], repository)
    if known is None:
        raise Refusal(f"Repository {repository!r} takes no part in it", remedy="git_milestone(action='status').")
    world, path, in_git = ctx.world, ctx.world.place(known["path"]), bool(known["branch"])

    def accepted(later: Context, found: surveying.GatesFound) -> Answer:
        origin = f"{found.origin}, accepted by {by}"
        gates = [gate.plain() for gate in found.gates]
        later.store.evidence.set_gates(row["milestone_id"], repository, gates, origin)
        detail = {"gates": gates, "by": by}
        later.record("gates_accepted", row["milestone_id"], subject=repository, actor=by, detail=detail)
        _owe_anew(later, row["milestone_id"], repository)
        return {"gates": [gate.name for gate in found.gates], "from": origin, "next": "They count from now on."}

    return Aside(lambda _: surveying.gates_now(world, path, git=in_git), accepted)


def proofs_here(ctx: Context, milestone_id: str) -> seeding.Surroundings:
    """Return what tasks can be proven by in the repositories of a milestone."""
    known = ctx.store.evidence.repositories(milestone_id)
    return seeding.Surroundings(
        {one["name"]: frozenset(phase for gate in one["gates"] for phase in gate["phases"]) for one in known},
        frozenset(one["name"] for one in known if one["branch"]),
    )


def _owe_anew(ctx: Context, milestone_id: str, repository: str) -> None:
    """Let the tasks that have not ended owe the gates that count now, and no others."""
    playbook, around = ctx.playbook("execution"), proofs_here(ctx, milestone_id)
    for task in ctx.store.tasks.all(milestone_id, "execution"):
        if task["status"] in ("completed", "skipped") or task["repository"] != repository:
            continue
        proof = seeding.proof_now(task, playbook, around)
        if proof != task["proof"]:
            ctx.store.tasks.set_proof(milestone_id, task["task_id"], proof)
            if task["status"] == "in_review":
                tracking.settle(ctx, {**task, "proof": proof})
