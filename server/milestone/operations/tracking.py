"""How a task moves: handed out, given back, sent back, proven, failed; shared by the tools and by the host's events."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from milestone.domain.errors import Refusal
from milestone.domain.leases import START_SECONDS, Lease, free_reason, lease
from milestone.domain.proofs import owed
from milestone.domain.recovery import Failure
from milestone.domain.results import mismatch
from milestone.domain.scheduling import SENT_BACK
from milestone.operations import outcomes, recovering, reporting
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
    return owed(task["proof"], evidence(ctx, task))


def settle(ctx: Context, task: Mapping[str, Any]) -> str:
    """Complete a task that owes nothing any more, else note what it waits for; returns its status."""
    milestone_id, task_id = task["milestone_id"], task["task_id"]
    there = {one["kind"]: one for one in ctx.store.evidence.all(milestone_id, task_id)}
    left = owes(ctx, task)
    author = there["keys"]["agent_id"] if "keys" in there else ""
    if left:
        ctx.store.tasks.set(milestone_id, task_id, "in_review", f"owes {', '.join(left)}")
        detail = {"owes": list(left), "proof": {kind: one["detail"] for kind, one in there.items()}}
        ctx.record("task_in_review", milestone_id, subject=task_id, actor=author, topic="tasks", detail=detail)
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
        send_back(ctx, sent_back, Failure("review", why))
    for reviewed in outcomes.reviewed(ctx, task, author):
        settle(ctx, reviewed)


def give_back(ctx: Context, agent_id: str, failure: Failure, *, agent_status: str = "retired") -> None:
    """End an agent's hold on its task, if it holds one, and let the policy decide what follows."""
    claim = ctx.store.tasks.claim_of(agent_id)
    if claim and not claim["ended_at"]:
        failure = replace(failure, begun=bool(claim["started_at"]))
        recovering.ended(ctx, agent_id, failure, agent_status=agent_status)


def send_back(ctx: Context, task: Mapping[str, Any], failure: Failure, *, role: str = "") -> str:
    """Put a task that was delivered but not proven before its next attempt, and return its status.

    `role` is the type of agent that makes this attempt, where it is not the task's own.
    """
    milestone_id, task_id = task["milestone_id"], task["task_id"]
    said = f"{SENT_BACK}: {failure.why}"[:_DETAIL]
    ctx.store.evidence.clear(milestone_id, task_id)
    ctx.store.tasks.set_next_role(milestone_id, task_id, role)
    status = recovering.failed(ctx, task, replace(failure, why=said), "")
    ctx.record("task_sent_back", milestone_id, subject=task_id, topic="tasks", detail={"why": said, "status": status})
    return status


def takeable(ctx: Context, held: Mapping[str, Any]) -> str:
    """Return why a held task may be given to somebody else; empty while its holder is to be left alone."""
    longest = ctx.world.limits().task_seconds
    if not held["lease_era"] and ctx.alive(held["server"]):
        first = held["time_limit"] if held["started_at"] else START_SECONDS
        ctx.store.tasks.date(held["held_by"], lease(ctx.clock, first), lease(ctx.clock, longest))
        return ""
    return free_reason(
        started=bool(held["started_at"]),
        alive=ctx.alive(held["server"]),
        lease=Lease(held["lease_era"], held["lease_until"]),
        whole=Lease(held["lease_era"], held["deadline"]),
        now=ctx.clock,
        limit=held["time_limit"],
        longest=longest,
    )


def _version(ctx: Context, agent_id: str, key: str) -> int:
    row = ctx.store.state.newest(agent_id, key)
    assert row is not None
    return int(row["version"])
