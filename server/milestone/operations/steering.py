"""A person's hand on a running milestone: pause, resume, stop, take over, and what becomes of files left behind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from milestone.domain.errors import Conflict, Missing, Refusal
from milestone.domain.leases import Clock
from milestone.domain.milestones import ENDED
from milestone.operations import changes, leading, shared, spending
from milestone.operations.arguments import Key, MaybeMilestoneId
from milestone.operations.context import Answer, Aside, Context
from milestone.operations.registry import operation

_STEERED = {"pause": "paused", "stop": "stopped", "resume": ""}
_TOLD = "The person has stopped this milestone. Save what you have, then end with your final message."


@operation()
def steer_milestone(
    ctx: Context,
    action: Literal["pause", "resume", "stop", "take_over", "keep", "discard"],
    milestone_id: MaybeMilestoneId = "",
    task_id: Key | Literal[""] = "",
) -> Answer | Aside:
    """When the person says so: pause (start nothing new), stop (tell the agents, too), resume (go on, also after a
    crash), take_over from another live session, keep or discard the files that a lost agent left in task_id.
    """
    row = shared.milestone(ctx, milestone_id)
    shared.coordinator_or_person(ctx, row["milestone_id"])
    if row["status"] in ENDED:
        raise Conflict(f"Milestone {row['milestone_id']!r} is {row['status']}", remedy="There is nothing to steer.")
    if action in ("keep", "discard"):
        return _decide(ctx, row, task_id, action)
    session = ctx.store.milestones.latest_session(row["milestone_id"])
    if session is None:
        raise Missing(f"Milestone {row['milestone_id']!r} has no session", remedy=shared.START)
    if action in ("resume", "take_over"):
        leading.coordinator(ctx, session["session_id"], take_over=action == "take_over")
    if action in _STEERED:
        _steer(ctx, row, session, action)
    return {
        "milestone_id": row["milestone_id"],
        "session_id": session["session_id"],
        "mode": session["mode"],
        "steering": _STEERED.get(action, row["steering"]),
        "next": _next(action, row["milestone_id"]),
    }


def ask(ctx: Context, milestone_id: str, task_id: str, why: str) -> dict[str, Any]:
    """Return the action that asks a person about the files of a task, and note that it was asked."""
    left = shared.task(ctx, milestone_id, task_id)["left_behind"]
    action: dict[str, Any] = {"kind": "ask_human", "why": why, "tasks": [task_id]}
    ctx.store.tasks.set_left(milestone_id, task_id, {**left, "asked": True})
    if left["how"] == spending.HOW:
        return action | {"choices": [f"update_milestone(milestone_id={milestone_id!r}, retry_tasks=[{task_id!r}])"]}
    call = "steer_milestone(action={!r}, milestone_id={!r}, task_id={!r})"
    choices = [call.format(action, milestone_id, task_id) for action in ("keep", "discard")]
    return action | {"files": left["changed"], "choices": choices}


def _steer(ctx: Context, row: Mapping[str, Any], session: Mapping[str, Any], action: str) -> None:
    milestone_id = row["milestone_id"]
    if row["steering"] == _STEERED[action]:
        return
    ctx.store.milestones.steer(milestone_id, _STEERED[action])
    detail = {"action": action, "before": row["steering"]}
    ctx.record("milestone_steered", milestone_id, subject=action, actor="person", topic="tasks", detail=detail)
    if action != "stop":
        return
    sender = f"coordinator-{session['session_id']}"
    held = [one["held_by"] for one in ctx.store.tasks.held(milestone_id, session["mode"])]
    if held:
        shared.post(ctx, milestone_id, sender, "*", "stop", shared.as_json("payload", {"text": _TOLD}), held)


def _next(action: str, milestone_id: str) -> str:
    if action in ("pause", "stop"):
        return "Nothing new is started, in no session, until the person types /milestone:resume. End your turn."
    return f"next_actions(milestone_id={milestone_id!r})"


def _decide(ctx: Context, row: Mapping[str, Any], task_id: str, action: str) -> Answer | Aside:
    """Keep what a lost attempt left in its folder, or put it away; it can be found again either way."""
    if not task_id:
        raise Refusal(f"Action {action!r} needs a task", remedy="Call again with task_id.")
    task = shared.task(ctx, row["milestone_id"], task_id)
    if task["status"] != "blocked" or task["left_behind"].get("how") != "salvage":
        raise Conflict(f"Nobody asks about files of task {task_id!r}; it is {task['status']}", remedy="next_actions")
    if action == "keep":
        return _decided(ctx, task, "keep", "")
    job, label = changes.job(ctx, task), f"discarded-{ctx.chance(4)}"
    return Aside(lambda _: changes.put_away(job, label), lambda later, ref: _decided(later, task, "discard", ref))


def _decided(ctx: Context, task: Mapping[str, Any], action: str, ref: str) -> Answer:
    milestone_id, task_id = task["milestone_id"], task["task_id"]
    now = shared.task(ctx, milestone_id, task_id)
    if now["status"] == "blocked":
        left = {**now["left_behind"], "how": "kept" if action == "keep" else "discarded", "ref": ref}
        ctx.store.tasks.set_left(milestone_id, task_id, left)
        why = "goes on with the files that were kept" if action == "keep" else "begins anew"
        said = f"a person decided: {action} what was left; {why}"
        ctx.store.tasks.set_retry(now, "ready", said, Clock("", 0), failures=0, rollbacks=0)
        detail = {"decision": action, "files": left.get("changed", []), "ref": ref}
        ctx.record("task_unblocked", milestone_id, subject=task_id, actor="person", topic="tasks", detail=detail)
    return {
        "task_id": task_id,
        "decision": action,
        "kept_under": ref,
        "next": f"next_actions(milestone_id={milestone_id!r})",
    }
