"""The heart: what to do next, and what proves that it was done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from milestone.domain.errors import Missing, NotYours, Refusal
from milestone.domain.scheduling import Pause, Spawn, choose
from milestone.operations import shared, tracking
from milestone.operations.arguments import Key, MaybeAgentId, MaybeMilestoneId, Seconds, Token
from milestone.operations.context import Answer, Context, digest
from milestone.operations.registry import operation
from milestone.prompts.briefs import render_brief

HOST_PREFIX = "milestone:"


@operation(topic=lambda _: "tasks")
def next_actions(ctx: Context, milestone_id: MaybeMilestoneId = "", wait_seconds: Seconds = 0) -> Answer:
    """For the coordinator: what to do now. Start every agent of the spawn actions in one message, with the brief as
    its whole prompt; they are claimed for you. Then call again with wait_seconds, until the action is done. Also
    right after any crash.
    """
    row = shared.milestone(ctx, milestone_id)
    wanted = row["milestone_id"]
    current = ctx.store.milestones.latest_session(wanted)
    if current is None:
        raise Missing(f"Milestone {wanted!r} has no session", remedy=shared.START)
    shared.coordinator(ctx, current["session_id"])
    _seed(ctx, wanted, current["mode"])
    _finish_what_is_there(ctx, wanted, current["mode"])
    choice = choose(tracking.tasks(ctx, wanted, current["mode"]))
    actions = [
        _spawn(ctx, row, current["session_id"], one) if isinstance(one, Spawn) else _pause(one) for one in choice
    ]
    answer = {"milestone_id": wanted, "session_id": current["session_id"], "status": row["status"], "actions": actions}
    if wait_seconds and actions[0]["kind"] == "wait":
        answer["waiting"] = True
    return answer | {"next": _next(actions, wanted)}


@operation()
def complete_task(
    ctx: Context, task_id: Key, agent_id: MaybeAgentId = "", milestone_id: MaybeMilestoneId = "", token: Token = ""
) -> Answer:
    """End your task when its keys are saved. They are checked: they exist, are yours and have their shape. Calling
    it again changes nothing. Next: your final message.
    """
    agent_id = agent_id or _caller_id(ctx)
    found = shared.agent(ctx, agent_id)
    milestone_id = milestone_id or found.milestone_id
    row = ctx.store.tasks.get(milestone_id, task_id)
    if row is None:
        known = ", ".join(task["task_id"] for task in ctx.store.tasks.all(milestone_id))
        raise Missing(f"Milestone {milestone_id!r} has no task {task_id!r}", allowed=f"task_id {known or '(none yet)'}")
    shared.writer(ctx, agent_id, token)
    claim = ctx.store.tasks.claim_of(agent_id)
    if claim is None or (claim["milestone_id"], claim["task_id"]) != (milestone_id, task_id):
        raise NotYours(
            f"Task {task_id!r} was not given to {agent_id!r}",
            allowed=f"your task {claim['task_id']!r}" if claim else "tasks that next_actions gave you",
            remedy="Complete only the task of your brief.",
        )
    if row["status"] == "completed":
        evidence = [one for one in ctx.store.tasks.evidence(milestone_id) if one["task_id"] == task_id]
        return _completed(task_id, {one["kind"]: one["detail"] for one in evidence})
    owed = tracking.missing_keys(ctx, agent_id, row["produces"])
    if owed:
        raise Refusal(
            f"Task {task_id!r} is not proven: {'; '.join(owed.values())}",
            remedy=f"save_agent_state(agent_id={agent_id!r}, key=…) for {', '.join(owed)}, then complete_task again.",
        )
    return _completed(task_id, {"keys": tracking.complete(ctx, row, agent_id)})


def _completed(task_id: str, evidence: Mapping[str, Any]) -> Answer:
    return {
        "task_id": task_id,
        "status": "completed",
        "evidence": evidence,
        "next": "End with your final message; nothing more is to be called.",
    }


def _caller_id(ctx: Context) -> str:
    own = ctx.store.agents.of_caller(ctx.caller)
    if own is None:
        raise Refusal(
            "agent_id is left out and the host does not say who calls",
            remedy="Call again with the agent_id of your brief.",
        )
    return own.agent_id


def _seed(ctx: Context, milestone_id: str, mode: str) -> None:
    """Write the playbook's tasks once."""
    if ctx.store.tasks.all(milestone_id, mode):
        return
    playbook = ctx.playbook(mode)
    author = {key: task.id for task in playbook.tasks for key in task.produces}
    for ordinal, task in enumerate(playbook.tasks):
        ctx.store.tasks.add(
            milestone_id,
            ordinal,
            task_id=task.id,
            mode=mode,
            agent_type=task.agent_type,
            title=task.title,
            phase=task.phase or "",
            weight=task.weight,
            produces=task.produces,
            critical=int(task.critical),
            time_limit=task.time_limit,
        )
    for task in playbook.tasks:
        for key in task.needs:
            ctx.store.tasks.add_dependency(milestone_id, task.id, author[key], key)
    ctx.record(
        "playbook_started",
        milestone_id,
        subject=mode,
        topic="tasks",
        detail={"tasks": [task.id for task in playbook.tasks]},
    )


def _finish_what_is_there(ctx: Context, milestone_id: str, mode: str) -> None:
    """Accept what an agent delivered before it was lost, so that it is not done again; a last attempt ends."""
    for task in tracking.tasks(ctx, milestone_id, mode):
        row = ctx.store.tasks.get(milestone_id, task.task_id)
        if row is None or not task.takeable:
            continue
        if not tracking.missing_keys(ctx, task.held_by, row["produces"]):
            tracking.complete(ctx, row, task.held_by)
        elif row["attempts"] >= tracking.ATTEMPTS:
            tracking.give_back(ctx, task.held_by, task.takeable)


def _spawn(ctx: Context, row: Mapping[str, Any], session_id: str, spawn: Spawn) -> dict[str, Any]:
    task = spawn.task
    milestone_id = row["milestone_id"]
    if task.held_by:
        tracking.give_back(ctx, task.held_by, task.takeable)
    token = f"{ctx.store.log.position}-{ctx.chance(8)}"
    agent_id = f"{task.agent_type}-{ctx.chance(3)}"
    ctx.store.agents.add(
        agent_id, task.agent_type, milestone_id, session_id, ctx.at, status="waiting", token_digest=digest(token)
    )
    ctx.store.messages.queue_waiting(milestone_id, task.agent_type, agent_id)
    attempt = ctx.store.tasks.claim(milestone_id, task.task_id, agent_id, ctx.server, ctx.at)
    detail = {"agent_id": agent_id, "attempt": attempt, "why": spawn.why}
    ctx.record("task_claimed", milestone_id, subject=task.task_id, actor=agent_id, topic="tasks", detail=detail)
    return {
        "kind": "spawn",
        "why": spawn.why,
        "agent_type": HOST_PREFIX + task.agent_type,
        "description": f"{task.title}",
        "brief": _brief(ctx, row, task.task_id, agent_id, token),
        "task_id": task.task_id,
        "agent_id": agent_id,
        "token": token,
    }


def _brief(ctx: Context, row: Mapping[str, Any], task_id: str, agent_id: str, token: str) -> str:
    task = ctx.store.tasks.get(row["milestone_id"], task_id)
    assert task is not None
    return render_brief(
        agent_id=agent_id,
        token=token,
        task_id=task_id,
        title=task["title"],
        milestone_id=row["milestone_id"],
        name=row["name"],
        goal=row["description"],
        project_root=ctx.project_root,
        needs=ctx.store.tasks.needs(row["milestone_id"], task_id),
        produces=task["produces"],
        time_limit=task["time_limit"],
    )


def _pause(pause: Pause) -> dict[str, Any]:
    return {"kind": pause.kind, "why": pause.why, "tasks": list(pause.tasks)}


def _next(actions: list[dict[str, Any]], milestone_id: str) -> str:
    kind = actions[0]["kind"]
    if kind == "spawn":
        return (
            f"Start all {len(actions)} agents now, in one message: for each action the Agent tool with "
            "subagent_type=agent_type, description, "
            f"prompt=brief word for word. Then next_actions(milestone_id={milestone_id!r}, wait_seconds=120)."
        )
    if kind == "wait":
        return f"next_actions(milestone_id={milestone_id!r}, wait_seconds=120); stay in this turn while they work."
    if kind == "ask_human":
        return (
            "Tell the person what failed and why, and ask what to do. To try again: "
            f"update_milestone(milestone_id={milestone_id!r}, "
            f"retry_tasks={actions[0]['tasks']}), then next_actions."
        )
    return f"get_milestone(milestone_id={milestone_id!r}), then show the person a summary on one screen."
