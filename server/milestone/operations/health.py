"""The health of a project's data: what does not fit together, and how it is put right without losing work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from milestone.domain.health import Finding
from milestone.domain.leases import Lease
from milestone.domain.recovery import Failure
from milestone.operations import outcomes, recovering, shared, tracking
from milestone.operations.context import Answer, Aside, Context
from milestone.operations.delivering import Outcome, deliver
from milestone.store.engine import Row

_ENDED = ("completed", "failed", "retired")
_SHOWN = 5
_FIX = "`milestone doctor --fix` "


def claims(ctx: Context) -> Finding:
    """Look for tasks that are held by nobody who could carry them out."""
    found = [f"{row['task_id']} ({why})" for row, why in ownerless(ctx)]
    found += [f"{row['task_id']} (claimed, and nobody holds it)" for row in ctx.store.health.unheld()]
    if not found:
        held = len(ctx.store.health.claims())
        return Finding("leases", "ok", f"{held} tasks are held, each by somebody" if held else "no task is held now")
    return Finding("leases", "warning", some(found), _FIX + "gives them back; so does the next call of next_actions.")


def ownerless(ctx: Context) -> list[tuple[Row, str]]:
    """Return the open claims behind which there is nobody, each with the reason."""
    found = [(row, _gone(ctx, row)) for row in ctx.store.health.claims()]
    return [(row, why) for row, why in found if why]


def _gone(ctx: Context, row: Mapping[str, Any]) -> str:
    if row["task_status"] != "claimed":
        return f"its claim is open, and it is {row['task_status']}"
    if row["agent_status"] in _ENDED:
        return f"its agent is {row['agent_status']}"
    if Lease(row["era"], row["lease_until"]).expired(ctx.clock) and not ctx.alive(row["server"]):
        return "its lease is over, and its server is gone"
    return ""


def mend_claims(ctx: Context, done: tuple[str, ...] = ()) -> Answer | Aside:
    """Accept what lost agents delivered, give back what they did not, and return what was done."""
    for row, why in ownerless(ctx):
        if row["task_status"] != "claimed":
            ctx.store.tasks.end_claim(row["agent_id"], why, ctx.at)
            detail = {"agent_id": row["agent_id"], "why": why}
            ctx.record("claim_ended", row["milestone_id"], subject=row["task_id"], topic="tasks", detail=detail)
            return mend_claims(ctx, (*done, f"ended the claim on {row['task_id']}"))

        def judged(later: Context, outcome: Outcome, row: Row = row, why: str = why) -> Answer | Aside:
            did = f"accepted {row['task_id']}"
            if outcome.lacking:
                gone = not later.alive(row["server"])
                tracking.give_back(later, row["agent_id"], Failure("lost", why, gone=gone))
                did = f"gave back {row['task_id']}"
            return mend_claims(later, (*done, did))

        return deliver(ctx, shared.task(ctx, row["milestone_id"], row["task_id"]), row["agent_id"], judged)
    return _mend_unheld(ctx, done)


def _mend_unheld(ctx: Context, done: tuple[str, ...]) -> Answer:
    for row in ctx.store.health.unheld():
        task = shared.task(ctx, row["milestone_id"], row["task_id"])
        failure = Failure("lost", "nobody holds it any more", gone=True, begun=False)
        status = recovering.failed(ctx, task, failure, "")
        detail = {"agent_id": "", "why": failure.why, "attempt": task["attempts"], "status": status}
        ctx.record("task_given_back", row["milestone_id"], subject=row["task_id"], topic="tasks", detail=detail)
        done = (*done, f"gave back {row['task_id']}")
    return {"done": list(done)}


def sessions(ctx: Context) -> Finding:
    """Look for sessions that are open although their milestone has ended."""
    found = [f"{row['session_id']} ({row['status']})" for row in ctx.store.health.open_after_the_end()]
    if not found:
        return Finding("sessions", "ok", "no session is open that should have ended")
    return Finding("sessions", "warning", f"open, and their milestone has ended: {some(found)}", _FIX + "closes them.")


def mend_sessions(ctx: Context) -> Answer:
    """Close them."""
    rows = ctx.store.health.open_after_the_end()
    for row in rows:
        outcomes.close_session(ctx, row["milestone_id"], row["mode"])
    return {"done": [f"closed {row['session_id']}" for row in rows]}


def counters(ctx: Context) -> Finding:
    """Look for tasks that wait for another number of needs than they have."""
    found = [row["task_id"] for row in ctx.store.health.miscounted()]
    if not found:
        return Finding("needs", "ok", "every task waits for exactly the needs it has")
    said = f"tasks wait for another number of needs than they have: {some(found)}"
    return Finding("needs", "broken", said, _FIX + "counts them anew; else they start too early, or never.")


def mend_counters(ctx: Context) -> Answer:
    """Count them anew."""
    rows = ctx.store.health.miscounted()
    for row in rows:
        ctx.store.health.recount(row["milestone_id"], row["task_id"])
        ctx.record("needs_counted", row["milestone_id"], subject=row["task_id"], topic="tasks")
    return {"done": [f"counted the needs of {row['task_id']}" for row in rows]}


def messages(ctx: Context) -> Finding:
    """Look for messages on their way to agents that have ended."""
    found = [f"{row['messages']} for {row['agent_id']}" for row in ctx.store.health.undeliverable()]
    if not found:
        return Finding("messages", "ok", "no message waits for an agent that has ended")
    return Finding(
        "messages", "warning", f"nobody will read {some(found)}", _FIX + "takes them back; the log keeps them."
    )


def mend_messages(ctx: Context) -> Answer:
    """Take them back."""
    rows = ctx.store.health.undeliverable()
    for row in rows:
        ctx.store.health.withdraw(row["agent_id"])
    return {"done": [f"took back {row['messages']} for {row['agent_id']}" for row in rows]}


def heard(ctx: Context, *, hooks: bool) -> Finding:
    """Tell whether the host's hooks reach the server."""
    row = ctx.store.health.heard()
    if not hooks:
        return Finding(
            "hook events", "ok", "hooks are switched off by MILESTONE_HOOKS; the tokens of briefs prove who calls"
        )
    if row["agents"] < 2:  # noqa: PLR2004 - the coordinator is one
        return Finding("hook events", "ok", "no agent has worked here yet")
    if not row["seen_at"]:
        remedy = (
            "In Claude Code see that the plugin is enabled; elsewhere there are no hooks, and tokens prove who calls."
        )
        return Finding("hook events", "warning", "no hook has ever told who an agent is", remedy)
    said = f"{row['verified']} of {row['agents']} agents verified, the last one heard of {row['seen_at']}"
    return Finding("hook events", "ok", said)


def some(names: list[str]) -> str:
    """Return the first names, and how many more there are."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
