"""How a task moves: handed out, given back, sent back, proven, failed; shared by the tools and by the host's events."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from milestone.domain.errors import Refusal
from milestone.domain.results import mismatch
from milestone.domain.scheduling import free_reason
from milestone.operations import outcomes, reporting
from milestone.operations.context import Context

_DETAIL = 1_500


def missing_keys(ctx: Context, agent_id: str, task: Mapping[str, Any]) -> dict[str, str]:
    """Return what an agent still owes: each key with what is wrong about it."""
    owed: dict[str, str] = {}
    for key in task["produces"]:
        row = ctx.store.state.newest(agent_id, key)
        if row is None or not row["present"]:
            owed[key] = f"nothing is saved under {key!r}"
            continue
        value = json.loads(row["value"])
        try:
            mismatch(key, value)
        except Refusal as refusal:
            owed[key] = refusal.wrong
            continue
        if key == outcomes.REVIEW and value["task_id"] != task["subject"]:
            owed[key] = f"value.task_id of {key!r} is {value['task_id']!r}, and you review {task['subject']!r}"
        elif key == outcomes.REVIEW and outcomes.wrote(ctx, task, agent_id):
            owed[key] = f"you wrote {task['subject']!r} yourself, and a review comes from somebody else"
    return owed


def accept(ctx: Context, task: Mapping[str, Any], agent_id: str, commit: Mapping[str, Any] | None = None) -> str:
    """Take what an agent delivered as proof, end its hold, and return the task's status: in_review or completed."""
    milestone_id, task_id = task["milestone_id"], task["task_id"]
    versions = {key: _version(ctx, agent_id, key) for key in task["produces"]}
    ctx.store.evidence.add(milestone_id, task_id, "keys", agent_id, versions, ctx.at)
    for key in task["produces"]:
        names = outcomes.file_names(outcomes.value_of(ctx, agent_id, key))
        if names:
            ctx.store.evidence.add(milestone_id, task_id, "files", agent_id, {"key": key, "names": names}, ctx.at)
    if commit:
        ctx.store.evidence.add(milestone_id, task_id, "commit", agent_id, commit, ctx.at)
    ctx.store.tasks.end_claim(agent_id, "completed", ctx.at)
    ctx.store.agents.set(agent_id, "completed", ctx.at)
    return settle(ctx, task)


def evidence(ctx: Context, task: Mapping[str, Any]) -> dict[str, Any]:
    """Return what proves a task so far, by kind."""
    found = ctx.store.evidence.all(task["milestone_id"], task["task_id"])
    return {one["kind"]: one["detail"] for one in found}


def owes(ctx: Context, task: Mapping[str, Any]) -> tuple[str, ...]:
    """Return which kinds of proof a task still lacks; a waiver stands for all of them."""
    there = evidence(ctx, task)
    return () if "waiver" in there else tuple(kind for kind in ("keys", *task["proof"]) if kind not in there)


def settle(ctx: Context, task: Mapping[str, Any]) -> str:
    """Complete a task that owes nothing any more, else note what it waits for; returns its status."""
    milestone_id, task_id = task["milestone_id"], task["task_id"]
    there = {one["kind"]: one for one in ctx.store.evidence.all(milestone_id, task_id)}
    left = owes(ctx, task)
    author = there["keys"]["agent_id"] if "keys" in there else ""
    if left:
        ctx.store.tasks.set(milestone_id, task_id, "in_review", f"owes {', '.join(left)}")
        ctx.record(
            "task_in_review", milestone_id, subject=task_id, actor=author, topic="tasks", detail={"owes": list(left)}
        )
        if left == ("review",):
            outcomes.ask_for_review(ctx, task)
        reporting.note_progress(ctx, milestone_id, task["mode"])
        return "in_review"
    ctx.store.tasks.set(milestone_id, task_id, "completed", completed_at=ctx.at)
    proof = {kind: one["detail"] for kind, one in there.items()}
    ctx.record("task_completed", milestone_id, subject=task_id, actor=author, topic="tasks", detail=proof)
    if "waiver" in there:
        outcomes.without(ctx, task)
    else:
        _follow(ctx, task, author)
    reporting.note_progress(ctx, milestone_id, task["mode"])
    outcomes.end_session(ctx, milestone_id, task["mode"])
    return "completed"


def _follow(ctx: Context, task: Mapping[str, Any], author: str) -> None:
    """Carry out what follows from accepted work."""
    for sent_back, why in outcomes.follow(ctx, task, author):
        send_back(ctx, sent_back, why)
    for reviewed in outcomes.reviewed(ctx, task, author):
        settle(ctx, reviewed)


def give_back(ctx: Context, agent_id: str, why: str, *, agent_status: str = "retired") -> None:
    """End an agent's hold on its task, so that the next attempt may start; after the last one the task has failed."""
    claim = ctx.store.tasks.claim_of(agent_id)
    if claim is None or claim["ended_at"]:
        return
    ctx.store.tasks.end_claim(agent_id, why, ctx.at)
    ctx.store.agents.set(agent_id, agent_status, ctx.at, why)
    status = _after(ctx, claim["attempt"])
    ctx.store.tasks.set(claim["milestone_id"], claim["task_id"], status, why)
    detail = {"agent_id": agent_id, "why": why, "attempt": claim["attempt"], "status": status}
    ctx.record(
        "task_given_back", claim["milestone_id"], subject=claim["task_id"], actor=agent_id, topic="tasks", detail=detail
    )
    _do_without(ctx, claim["milestone_id"], claim["task_id"])


def send_back(ctx: Context, task: Mapping[str, Any], why: str, *, role: str = "", last: bool = False) -> str:
    """Put a task that was delivered but not proven before its next attempt, and return its status.

    `role` is the type of agent that makes this attempt, where it is not the task's own; `last` allows no other.
    """
    milestone_id, task_id = task["milestone_id"], task["task_id"]
    status = "failed" if last else _after(ctx, task["attempts"])
    said = f"sent back: {why}"[:_DETAIL]
    ctx.store.evidence.clear(milestone_id, task_id)
    ctx.store.tasks.set(milestone_id, task_id, status, said)
    ctx.store.tasks.set_next_role(milestone_id, task_id, role)
    ctx.record("task_sent_back", milestone_id, subject=task_id, topic="tasks", detail={"why": said, "status": status})
    _do_without(ctx, milestone_id, task_id)
    return status


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
    _do_without(ctx, claim["milestone_id"], claim["task_id"])


def _do_without(ctx: Context, milestone_id: str, task_id: str) -> None:
    """Skip a task that has failed for good where nothing critical hangs on it, and say so."""
    task = ctx.store.tasks.get(milestone_id, task_id)
    if task and task["status"] == "failed" and not task["critical"]:
        outcomes.skip(ctx, task, f"done without, since it is not critical: {task['detail']}"[:_DETAIL])
        reporting.note_progress(ctx, milestone_id, task["mode"])


def takeable(ctx: Context, held: Mapping[str, Any]) -> str:
    """Return why a held task may be given to somebody else; empty while its holder is to be left alone."""
    return free_reason(
        started=bool(held["started_at"]),
        handed_out=_seconds(held["handed_out_at"]),
        seen=_seconds(held["seen_at"]),
        alive=ctx.alive(held["server"]),
        limit=held["time_limit"],
        now=ctx.now.timestamp(),
        longest=ctx.world.limits().task_seconds,
    )


def _after(ctx: Context, attempt: int) -> str:
    return "ready" if attempt < ctx.world.limits().attempts else "failed"


def _seconds(at: str) -> float:
    return datetime.fromisoformat(at).timestamp()


def _version(ctx: Context, agent_id: str, key: str) -> int:
    row = ctx.store.state.newest(agent_id, key)
    assert row is not None
    return int(row["version"])
