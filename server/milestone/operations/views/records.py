"""What is kept of a milestone, in pages: messages, events, checkpoints, proofs, gates, decisions and approvals."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from milestone.domain.proofs import described
from milestone.domain.text import clip
from milestone.operations.context import Context
from milestone.operations.views.board import event

DRIFT = "kiro-drift"
_PAYLOAD, _OUTPUT, _CHECKPOINTS, _SERVING, _TASKS = 2_000, 4_000, 200, 2_000, 50


def messages(ctx: Context, row: Mapping[str, Any], offset: int = 0, limit: int = 50) -> dict[str, Any]:
    """Return a page of messages, the newest first; a payload is the JSON text, cut to 2,000 characters.

    `receipts` say for how many recipients a message was queued, and by how many it was received so far.
    """
    rows = ctx.store.views.messages(row["milestone_id"], limit, offset)
    fields = ("message_id", "from_agent", "recipient", "type", "sent_at")
    items = [
        {
            **{name: one[name] for name in fields},
            "payload": clip(one["payload"], _PAYLOAD),
            "receipts": {
                "queued": one["queued"],
                "delivered": int(one["delivered"] or 0),
                "read": int(one["seen"] or 0),
                "acknowledged": int(one["acknowledged"] or 0),
            },
        }
        for one in rows
    ]
    return {"items": items, "count": ctx.store.views.count_messages(row["milestone_id"])}


def events(ctx: Context, row: Mapping[str, Any], before: int = 0, limit: int = 50) -> dict[str, Any]:
    """Return the events before a position, the newest first, and whether there are more; 0 begins with the newest."""
    rows = ctx.store.views.events(row["milestone_id"], before, limit + 1)
    items = [{**event(one), "detail": one["detail"]} for one in rows[:limit]]
    return {"items": items, "more": len(rows) > limit}


def checkpoints(ctx: Context, row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return at most 200 checkpoints of a milestone and of all in it, the newest first."""
    fields = ("checkpoint_id", "scope", "scope_id", "label", "position", "created_at", "trees", "note")
    found = ctx.store.state.checkpoints(row["milestone_id"], _CHECKPOINTS)
    return [{name: one[name] for name in fields} for one in found]


def evidence(ctx: Context, row: Mapping[str, Any], offset: int = 0, limit: int = 50) -> dict[str, Any]:
    """Return a page of what proves tasks, the newest first, each in words."""
    fields = ("task_id", "kind", "agent_id", "accepted_at")
    rows = ctx.store.views.evidence(row["milestone_id"], limit, offset)
    items = [{**{name: one[name] for name in fields}, "described": described(one)} for one in rows]
    return {"items": items, "count": ctx.store.views.count_evidence(row["milestone_id"])}


def gate_runs(ctx: Context, row: Mapping[str, Any], offset: int = 0, limit: int = 20) -> dict[str, Any]:
    """Return a page of gate runs, the newest first, each with the end of what its gates wrote."""
    rows = ctx.store.views.gate_runs(row["milestone_id"], limit, offset)
    fields = ("run_id", "task_id", "status", "started_at", "ended_at")
    items = [
        {
            **{name: one[name] for name in fields},
            "commit": one["commit_id"],
            "results": [_result(result) for result in one["results"]],
        }
        for one in rows
    ]
    return {"items": items, "count": ctx.store.views.count_gate_runs(row["milestone_id"])}


def decisions(ctx: Context, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the KIRO decisions, each with at most 50 tasks that serve it, and which the accepted work breaks."""
    milestone_id = row["milestone_id"]
    serving: dict[str, list[str]] = {}
    for one in ctx.store.views.serving(milestone_id, _SERVING):
        serving.setdefault(one["decision_id"], []).append(one["task_id"])
    fields = ("decision_id", "kind", "what", "reason", "places")
    items = [
        {**{name: one[name] for name in fields}, "tasks": serving.get(one["decision_id"], [])[:_TASKS]}
        for one in ctx.store.evidence.decisions(milestone_id)
    ]
    drift = next(iter(ctx.store.state.newest_of_all(milestone_id, DRIFT)), None)
    return {
        "items": items,
        "drift": [str(line) for line in json.loads(drift["value"])] if drift else [],
        "drift_at": drift["saved_at"] if drift else "",
    }


def approvals(ctx: Context, row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the phases that need a person's approval, in their order, and what was answered."""
    return [
        {
            "phase": phase,
            **{name: one[name] for name in ("status", "asked_at", "answered_at", "reason")},
            "by": one["answered_by"],
        }
        for phase, one in ctx.store.approvals.of(row["milestone_id"]).items()
    ]


def _result(one: Mapping[str, Any]) -> dict[str, Any]:
    known = {name: one.get(name) for name in ("gate", "outcome", "exit_code", "seconds")}
    return known | {"output": str(one.get("output", ""))[-_OUTPUT:]}
