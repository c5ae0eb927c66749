"""The agents that work in a session, and how it goes."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Field

from milestone.domain.errors import Conflict, NotYours, Refusal
from milestone.domain.milestones import stamp
from milestone.domain.text import ID_LIMIT
from milestone.operations import overview, shared
from milestone.operations.arguments import (
    AgentId,
    Key,
    Line,
    MaybeAgentId,
    MaybeMilestoneId,
    MaybeSessionId,
    Offset,
    Token,
)
from milestone.operations.context import Answer, Context
from milestone.operations.registry import operation

SILENT_AFTER = timedelta(seconds=120)
PAGE = 25


@operation()
def register_agent(
    ctx: Context,
    agent_type: Key,
    agent_id: MaybeAgentId = "",
    milestone_id: MaybeMilestoneId = "",
    session_id: MaybeSessionId = "",
    capabilities: Annotated[list[Line], Field(max_length=32)] | None = None,
    token: Token = "",
) -> Answer:
    """Register an agent, or confirm one that is registered. Not needed where the host's hooks do it. Without
    agent_id an id is made. Next: receive_agent_messages, then your work.
    """
    known = ctx.store.agents.get(agent_id) if agent_id else None
    if known is None:
        current = _session_for(ctx, session_id, milestone_id)
        agent_id = agent_id or f"{agent_type}-{ctx.chance(4)}"
        _add_agent(ctx, agent_id, agent_type, current, capabilities or [])
    elif known.agent_type != agent_type:
        raise Conflict(
            f"Agent {agent_id!r} is registered as {known.agent_type!r}",
            remedy=f"Register with agent_type {known.agent_type!r}, or leave agent_id out for a new id.",
        )
    found = shared.writer(ctx, agent_id, token)
    if known is not None and capabilities is not None:
        ctx.store.agents.set_capabilities(agent_id, capabilities)
    now = ctx.store.agents.get(agent_id) or found
    return {
        "agent_id": agent_id,
        "agent_type": found.agent_type,
        "milestone_id": found.milestone_id,
        "session_id": found.session_id,
        "status": now.status,
        "verified": bool(now.verified),
        "next": f"receive_agent_messages(agent_id={agent_id!r})",
    }


@operation()
def update_agent_status(
    ctx: Context,
    agent_id: AgentId,
    status: Literal["active", "waiting", "completed", "failed"],
    detail: Line = "",
    token: Token = "",
) -> Answer:
    """Tell what you are doing. The first call of an agent that was given a brief: status active, with the token. It
    does not complete a task; complete_task does.
    """
    found = shared.writer(ctx, agent_id, token)
    claim = ctx.store.tasks.claim_of(agent_id)
    if claim and not claim["ended_at"] and status in ("completed", "failed"):
        raise Refusal(
            f"Agent {agent_id!r} still holds task {claim['task_id']!r}",
            remedy=f"complete_task(task_id={claim['task_id']!r}) ends it with proof; send_agent_message tells the "
            "coordinator why it cannot be done.",
        )
    ctx.store.agents.set(agent_id, status, ctx.at, detail)
    ctx.record(
        "agent_status",
        found.milestone_id,
        subject=agent_id,
        actor=agent_id,
        topic="agents",
        detail={"status": status, "detail": detail},
    )
    return {
        "agent_id": agent_id,
        "status": status,
        "unread": ctx.store.messages.count_undelivered(agent_id),
        "next": _next_of(ctx, agent_id),
    }


@operation(writes=False)
def list_session_agents(
    ctx: Context,
    session_id: MaybeSessionId = "",
    milestone_id: MaybeMilestoneId = "",
    status: Line = "",
    offset: Offset = 0,
) -> Answer:
    """List the agents of a session with status, task, unread messages and how long they have been silent."""
    current = shared.session(ctx, session_id, milestone_id)
    rows = ctx.store.agents.of_session(current["session_id"], status=status, limit=PAGE + 1, offset=offset)
    held = {task["held_by"]: task["task_id"] for task in ctx.store.tasks.held(current["milestone_id"], current["mode"])}
    more = len(rows) > PAGE
    return {
        "session_id": current["session_id"],
        "agents": [_seen(ctx, row, held.get(row["agent_id"], "")) for row in rows[:PAGE]],
        "next": f"list_session_agents(session_id={current['session_id']!r}, offset={offset + PAGE})"
        if more
        else "next_actions",
    }


@operation(writes=False)
def get_session_status(ctx: Context, session_id: MaybeSessionId = "", milestone_id: MaybeMilestoneId = "") -> Answer:
    """Tell where a session stands: its tasks, how many agents are active, waiting, completed or failed, and who has
    been silent since when.
    """
    current = shared.session(ctx, session_id, milestone_id)
    rows = ctx.store.agents.of_session(current["session_id"])
    silent = [seen for row in rows if "silent_since" in (seen := _seen(ctx, row, ""))]
    tasks = ctx.store.tasks.all(current["milestone_id"], current["mode"], limit=50)
    return {
        "session_id": current["session_id"],
        "milestone_id": current["milestone_id"],
        "mode": current["mode"],
        "status": current["status"],
        "started_at": current["started_at"],
        "agents": ctx.store.agents.counts(current["session_id"]),
        "silent": [{"agent_id": seen["agent_id"], "since": seen["silent_since"]} for seen in silent[:10]],
        "undelivered": overview.undelivered(
            ctx.store, current["milestone_id"], ctx.now, ctx.world.limits().undelivered_seconds
        ),
        "tasks": [{"task_id": t["task_id"], "status": t["status"], "agent_id": t["held_by"] or ""} for t in tasks],
        "next": "list_session_agents shows each agent; next_actions tells what to do.",
    }


def _session_for(ctx: Context, session_id: str, milestone_id: str) -> dict[str, Any]:
    current = shared.session(ctx, session_id, milestone_id)
    if current["status"] == "open":
        return current
    raise Refusal(f"Session {current['session_id']!r} has ended", remedy=shared.START)


def _add_agent(ctx: Context, agent_id: str, agent_type: str, current: dict[str, Any], capabilities: list[str]) -> None:
    if agent_id.startswith("coordinator-") or len(agent_id) > ID_LIMIT:
        raise NotYours(f"Agent id {agent_id!r} is kept for a session's coordinator", remedy=shared.START)
    milestone_id, session_id = current["milestone_id"], current["session_id"]
    ctx.store.agents.add(
        agent_id,
        agent_type,
        milestone_id,
        session_id,
        ctx.at,
        capabilities=capabilities,
        verified=int(ctx.caller.established),
    )
    ctx.store.messages.queue_waiting(milestone_id, agent_type, agent_id)
    ctx.record(
        "agent_registered",
        milestone_id,
        subject=agent_id,
        actor=agent_id,
        topic="agents",
        detail={"agent_type": agent_type},
    )


def _seen(ctx: Context, row: Any, task_id: str) -> dict[str, Any]:
    seen = {name: row[name] for name in ("agent_id", "agent_type", "status", "unread")}
    if task_id:
        seen["task_id"] = task_id
    if row["detail"]:
        seen["detail"] = row["detail"]
    if row["status"] == "active" and row["seen_at"] < stamp(ctx.now - SILENT_AFTER):
        seen["silent_since"] = row["seen_at"]
    return seen


def _next_of(ctx: Context, agent_id: str) -> str:
    if ctx.store.messages.count_undelivered(agent_id):
        return f"receive_agent_messages(agent_id={agent_id!r})"
    claim = ctx.store.tasks.claim_of(agent_id)
    if claim and not claim["ended_at"]:
        needs = ctx.store.tasks.needs(claim["milestone_id"], claim["task_id"])
        if needs:
            return f"load_agent_state for {', '.join(key for key, _ in needs)}; then do your task"
        return "Do your task, then save_agent_state."
    return "next_actions" if agent_id.startswith("coordinator-") else "Go on with your work."
