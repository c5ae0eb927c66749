"""How a task moves: handed out, given back, proven, failed; shared by the tools and by the host's events."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from milestone.domain.errors import Refusal
from milestone.domain.milestones import planned_sections
from milestone.domain.results import mismatch
from milestone.domain.scheduling import Task, free_reason
from milestone.operations.context import Context

ATTEMPTS = 3
PLAN_KEY = "milestone-plan"


def tasks(ctx: Context, milestone_id: str, mode: str) -> list[Task]:
    """Return the tasks of a mode as the choice sees them."""
    return [_task(ctx, row) for row in ctx.store.tasks.all(milestone_id, mode)]


def missing_keys(ctx: Context, agent_id: str, produces: tuple[str, ...]) -> dict[str, str]:
    """Return what an agent still owes: each key with what is wrong about it."""
    owed: dict[str, str] = {}
    for key in produces:
        row = ctx.store.state.newest(agent_id, key)
        if row is None or not row["present"]:
            owed[key] = f"nothing is saved under {key!r}"
            continue
        try:
            mismatch(key, json.loads(row["value"]))
        except Refusal as refusal:
            owed[key] = refusal.wrong
    return owed


def complete(ctx: Context, row: Mapping[str, Any], agent_id: str) -> dict[str, Any]:
    """Accept a task whose keys are all there, and return the evidence: each key with its version."""
    milestone_id, task_id = row["milestone_id"], row["task_id"]
    versions = {key: _version(ctx, agent_id, key) for key in row["produces"]}
    ctx.store.tasks.add_evidence(milestone_id, task_id, "keys", agent_id, versions, ctx.at)
    ctx.store.tasks.set(milestone_id, task_id, "completed", completed_at=ctx.at)
    ctx.store.tasks.end_claim(agent_id, "completed", ctx.at)
    ctx.store.agents.set(agent_id, "completed", ctx.at)
    ctx.record(
        "task_completed", milestone_id, subject=task_id, actor=agent_id, topic="tasks", detail={"keys": versions}
    )
    if PLAN_KEY in row["produces"]:
        _take_plan(ctx, milestone_id, agent_id)
    _end_session(ctx, milestone_id, row["mode"])
    return versions


def give_back(ctx: Context, agent_id: str, why: str, *, agent_status: str = "retired") -> None:
    """End an agent's hold on its task, so that the next attempt may start; after three attempts the task has failed."""
    claim = ctx.store.tasks.claim_of(agent_id)
    if claim is None or claim["ended_at"]:
        return
    ctx.store.tasks.end_claim(agent_id, why, ctx.at)
    ctx.store.agents.set(agent_id, agent_status, ctx.at, why)
    status = "ready" if claim["attempt"] < ATTEMPTS else "failed"
    ctx.store.tasks.set(claim["milestone_id"], claim["task_id"], status, why)
    detail = {"agent_id": agent_id, "why": why, "attempt": claim["attempt"]}
    ctx.record(
        "task_given_back", claim["milestone_id"], subject=claim["task_id"], actor=agent_id, topic="tasks", detail=detail
    )


def fail(ctx: Context, agent_id: str, why: str) -> None:
    """Fail the task an agent holds, and the agent with it."""
    claim = ctx.store.tasks.claim_of(agent_id)
    if claim is None or claim["ended_at"]:
        return
    ctx.store.tasks.end_claim(agent_id, why, ctx.at)
    ctx.store.agents.set(agent_id, "failed", ctx.at, why)
    ctx.store.tasks.set(claim["milestone_id"], claim["task_id"], "failed", why)
    ctx.record(
        "task_failed",
        claim["milestone_id"],
        subject=claim["task_id"],
        actor=agent_id,
        topic="tasks",
        detail={"why": why},
    )


def _task(ctx: Context, row: Mapping[str, Any]) -> Task:
    held = row["held_by"] or ""
    return Task(
        task_id=row["task_id"],
        agent_type=row["agent_type"],
        title=row["title"],
        status=row["status"],
        critical=bool(row["critical"]),
        ready=not row["unmet"],
        held_by=held,
        takeable=_takeable(ctx, row) if held else "",
    )


def _takeable(ctx: Context, row: Mapping[str, Any]) -> str:
    return free_reason(
        started=bool(row["started_at"]),
        handed_out=_seconds(row["handed_out_at"]),
        seen=_seconds(row["seen_at"]),
        alive=ctx.alive(row["server"]),
        limit=row["time_limit"],
        now=ctx.now.timestamp(),
    )


def _seconds(at: str) -> float:
    return datetime.fromisoformat(at).timestamp()


def _version(ctx: Context, agent_id: str, key: str) -> int:
    row = ctx.store.state.newest(agent_id, key)
    assert row is not None
    return int(row["version"])


def _take_plan(ctx: Context, milestone_id: str, agent_id: str) -> None:
    row = ctx.store.milestones.get(milestone_id)
    saved = ctx.store.state.newest(agent_id, PLAN_KEY)
    assert row is not None
    assert saved is not None
    row["sections"] = planned_sections(row["sections"], json.loads(saved["value"]))
    ctx.store.milestones.save(row, ctx.at)
    ctx.record("plan_accepted", milestone_id, subject=PLAN_KEY, actor=agent_id)


def _end_session(ctx: Context, milestone_id: str, mode: str) -> None:
    if any(row["status"] not in ("completed", "skipped") for row in ctx.store.tasks.all(milestone_id, mode)):
        return
    session = ctx.store.milestones.latest_session(milestone_id, mode)
    if session and session["status"] == "open":
        ctx.store.milestones.end_session(session["session_id"], "completed", ctx.at)
        ctx.store.agents.set(f"coordinator-{session['session_id']}", "completed", ctx.at)
        ctx.record("session_completed", milestone_id, subject=session["session_id"], topic="tasks")
