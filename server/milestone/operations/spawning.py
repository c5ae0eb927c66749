"""Hands a task to a new agent: its id, its token, and the brief that tells it everything it needs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from milestone.domain.leases import START_SECONDS, lease
from milestone.domain.patterns import Pattern, rank
from milestone.domain.resuming import Left
from milestone.domain.scheduling import SENT_BACK, Spawn
from milestone.operations import reporting
from milestone.operations.context import Context, digest
from milestone.prompts.briefs import Work, render_brief

HOST_PREFIX = "milestone:"
BRIEF = "brief"
PATTERNS = 3


def spawn(
    ctx: Context, row: Mapping[str, Any], session_id: str, decision: Spawn, left: Left | None = None
) -> dict[str, Any]:
    """Claim a task for a new agent and return the action that starts it; `left` is what Git has of it so far.

    The brief is kept as the agent's state, without the token, for hosts that hand over ids alone. Lease, token, brief
    and the commit that the work begins from are written before anybody can start the agent. The token begins with a
    number that only grows, so a later holder's is always greater.
    """
    task = ctx.store.tasks.get(row["milestone_id"], decision.task.task_id)
    assert task is not None
    milestone_id, agent_type = row["milestone_id"], decision.task.agent_type
    token = f"{ctx.store.log.position}-{ctx.chance(8)}"
    agent_id = f"{agent_type}-{ctx.chance(3)}"
    ctx.store.agents.add(
        agent_id, agent_type, milestone_id, session_id, ctx.at, status="waiting", token_digest=digest(token)
    )
    ctx.store.messages.queue_waiting(milestone_id, agent_type, agent_id)
    patterns = fitting(ctx, task) if task["mode"] == "execution" else []
    attempt = _claim(ctx, task, agent_id, patterns, left.base if left else "")
    detail = {"agent_id": agent_id, "attempt": attempt, "why": decision.why}
    ctx.record("task_claimed", milestone_id, subject=task["task_id"], actor=agent_id, topic="tasks", detail=detail)
    brief = _brief(ctx, row, task, agent_id, token, patterns)
    reporting.save(ctx, milestone_id, agent_id, BRIEF, brief.replace(token, "(your token)"))
    return {
        "kind": "spawn",
        "why": decision.why[:200],
        "agent_type": HOST_PREFIX + agent_type,
        "description": task["title"][:120],
        "brief": brief,
        "task_id": task["task_id"],
        "agent_id": agent_id,
        "token": token,
        "lease_seconds": task["time_limit"],
    }


def _claim(ctx: Context, task: Mapping[str, Any], agent_id: str, patterns: Sequence[Pattern], base: str) -> int:
    """Give a task to an agent and return which attempt this is; the agent has a minute to begin."""
    milestone_id, task_id = task["milestone_id"], task["task_id"]
    before = ctx.store.tasks.last_claim(milestone_id, task_id)
    chosen = [pattern.pattern_id for pattern in patterns]
    times = {
        "lease": lease(ctx.clock, START_SECONDS),
        "deadline": lease(ctx.clock, ctx.world.limits().task_seconds),
    }
    where = (milestone_id, task_id, agent_id, ctx.server, ctx.at)
    attempt = ctx.store.tasks.claim(*where, **times, base_commit=base, patterns=chosen)
    if before:
        ctx.store.messages.inherit(before["agent_id"], agent_id)
    for pattern_id in chosen:
        ctx.store.patterns.used(pattern_id)
    return attempt


def fitting(ctx: Context, task: Mapping[str, Any]) -> list[Pattern]:
    """Return at most three patterns that fit a task."""
    known = [as_pattern(ctx, row) for row in ctx.store.patterns.fresh(ctx.at)]
    text = " ".join((task["title"], *task["acceptance"], *task["paths"]))
    return rank(known, text, task["phase"], limit=PATTERNS) if known else []


def as_pattern(ctx: Context, row: Mapping[str, Any]) -> Pattern:
    """Return a saved pattern as the ranking sees it."""
    saved, expires = (datetime.fromisoformat(row[name]).timestamp() for name in ("saved_at", "expires_at"))
    return Pattern(
        pattern_id=row["pattern_id"],
        category=row["category"],
        name=row["name"],
        text=f"{row['name']} {json.dumps(row['content'], ensure_ascii=False)}",
        use_when=row["use_when"],
        uses=row["uses"],
        successes=row["successes"],
        age_seconds=ctx.now.timestamp() - saved,
        ttl_seconds=expires - saved,
    )


def _brief(
    ctx: Context,
    row: Mapping[str, Any],
    task: Mapping[str, Any],
    agent_id: str,
    token: str,
    patterns: Sequence[Pattern],
) -> str:
    return render_brief(
        agent_id=agent_id,
        token=token,
        task_id=task["task_id"],
        title=task["title"],
        milestone_id=row["milestone_id"],
        name=row["name"],
        goal=row["description"],
        project_root=str(ctx.world.project),
        needs=ctx.store.tasks.needs(row["milestone_id"], task["task_id"]),
        produces=task["produces"],
        time_limit=task["time_limit"],
        work=_work(ctx, task, patterns) if task["mode"] == "execution" else None,
    )


def _left(left: Mapping[str, Any]) -> str:
    """Return what an agent has to know of the attempts before its own; empty where they left nothing."""
    match left.get("how", ""):
        case "review":
            return f"already committed by an attempt that was lost: {', '.join(left['commits'])[:200]}; {_REVIEW}"
        case "kept":
            return f"an attempt that was lost left files, and a person wants them kept; {_KEPT}"
        case _:
            return ""


_REVIEW = "do not do it again: check it in your folder, mend what is missing, save and complete"
_KEPT = "they lie in your folder: check them, finish, commit"


def _work(ctx: Context, task: Mapping[str, Any], patterns: Sequence[Pattern]) -> Work:
    decisions = ctx.store.evidence.decisions_of(task["milestone_id"], task["task_id"])
    return Work(
        phase=task["phase"],
        writes="commit" in task["proof"],
        tested="gates" in task["proof"],
        subject=task["subject"] if task["source"] == "review" else "",
        paths=task["paths"],
        acceptance=task["acceptance"],
        decisions=tuple(f"{one['decision_id']} ({one['kind']}): {one['what']}" for one in decisions),
        sent_back=task["detail"] if task["detail"].startswith(SENT_BACK) else "",
        left=_left(task["left_behind"]),
        patterns=tuple((pattern.name, pattern.category) for pattern in patterns),
    )
