"""What a person decides about tasks that cannot go on, wherever they were asked: again, without it, or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from milestone.domain.errors import Refusal
from milestone.domain.questions import APPROVAL, HELD, can_skip, choices
from milestone.operations import milestones, outcomes, reporting, shared, steering
from milestone.operations.arguments import Key, Line, MaybeMilestoneId
from milestone.operations.context import Answer, Aside, Context
from milestone.operations.people import Person
from milestone.operations.registry import operation

Tasks = Annotated[list[Key], Field(min_length=1, max_length=50)]
MaybeTasks = Annotated[list[Key], Field(max_length=50)]
_SHOWN = 600


@operation(people=True)
def answer(
    ctx: Context,
    tasks: Tasks,
    decision: Literal["retry", "skip", "stop", "keep", "discard"],
    by: Person,
    reason: Line = "",
    milestone_id: MaybeMilestoneId = "",
) -> Answer | Aside:
    """Decide in your name about tasks: retry failed ones, skip them (go on without), keep or discard files that a lost
    agent left, or stop the milestone.
    """
    row = shared.milestone(ctx, milestone_id)
    wanted = row["milestone_id"]
    detail = {"decision": decision, "tasks": list(tasks), "by": by, "reason": reason}
    ctx.record("person_answered", wanted, subject=tasks[0], actor=by, topic="tasks", detail=detail)
    match decision:
        case "retry":
            milestones.update_milestone(ctx, milestone_id=wanted, retry_tasks=tasks)
        case "skip":
            _skip(ctx, wanted, tasks, f"skipped by {by}" + (f": {reason}" if reason else ""))
        case "keep" | "discard":
            return steering.steer_milestone(ctx, decision, milestone_id=wanted, task_id=tasks[0])
        case "stop":
            steering.steer_milestone(ctx, "stop", milestone_id=wanted)
    return {"milestone_id": wanted, "tasks": list(tasks), "decision": decision, "next": "next_actions"}


@operation(writes=False, listed=False)
def question(
    ctx: Context,
    tasks: MaybeTasks = [],  # noqa: B006 - only read
    phase: Key | Literal[""] = "",
    milestone_id: MaybeMilestoneId = "",
) -> Answer:
    """Return what a person is asked about tasks or a phase, with the answers there are; nothing where nobody has to
    decide.
    """
    row = shared.milestone(ctx, milestone_id)
    if phase:
        return _about_phase(ctx, row, phase)
    known = [task for name in tasks if (task := ctx.store.tasks.get(row["milestone_id"], name))]
    failed = [task for task in known if task["status"] == "failed"]
    held = [task for task in known if task["status"] == "blocked" and task["left_behind"].get("how") in HELD]
    if not failed:
        return _about_held(row, held[0]) if held else {}
    lines = [f"{one['task_id']} ({one['title']}): {one['detail']}"[:_SHOWN] for one in failed[:5]]
    return {
        "tasks": [one["task_id"] for one in failed],
        "attempts": [one["attempts"] for one in failed],
        "message": f"Milestone {row['name']!r} cannot go on. Failed:\n" + "\n".join(lines),
        "choices": choices(*failed),
    }


def _about_phase(ctx: Context, row: Mapping[str, Any], phase: str) -> Answer:
    """Return the question whether a phase is approved, where a person is asked that."""
    asked = ctx.store.approvals.of(row["milestone_id"]).get(phase)
    if asked is None or asked["status"] != "waiting":
        return {}
    share = reporting.progress(ctx.store, row["milestone_id"])["by_phase"][phase]
    said = f"Milestone {row['name']!r}: every task of {phase} has ended ({share:g} % proven). Is it approved?"
    return {"phase": phase, "tasks": [], "attempts": [asked["rejections"]], "message": said, "choices": dict(APPROVAL)}


def _about_held(row: Mapping[str, Any], task: Mapping[str, Any]) -> Answer:
    """Return the question about a task that waits for a person: about files that were left, or about its budget."""
    return {
        "tasks": [task["task_id"]],
        "attempts": [task["attempts"]],
        "message": f"Milestone {row['name']!r}: {task['task_id']} ({task['title']}): {task['detail']}"[:_SHOWN],
        "choices": HELD[task["left_behind"]["how"]],
    }


def _skip(ctx: Context, milestone_id: str, tasks: Sequence[str], why: str) -> None:
    found = [shared.task(ctx, milestone_id, name) for name in tasks]
    for task in found:
        if task["status"] != "failed":
            raise Refusal(f"Task {task['task_id']!r} has not failed", allowed="tasks that have", remedy="Leave it out.")
        if not can_skip(task):
            raise Refusal(
                f"What {task['task_id']!r} finds out is what the plan rests on", remedy="Let it be tried again."
            )
    for task in found:
        outcomes.skip(ctx, task, why)
        outcomes.without(ctx, task)
        reporting.note_progress(ctx, milestone_id, task["mode"])
        outcomes.end_session(ctx, milestone_id, task["mode"])
