"""One milestone on one screen, and the milestones there are."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from milestone.domain.leases import Lease
from milestone.domain.progress import phase_part, shown
from milestone.domain.text import clip
from milestone.domain.velocity import Eta
from milestone.domain.wording import told
from milestone.operations import overview, reporting, spending
from milestone.operations.context import Context
from milestone.operations.views.waiting import waiting
from milestone.store.engine import Row

FRONT, AGENTS, EVENTS, GATES, MILESTONES = 20, 40, 8, 5, 100
_LINE, _TEXT = 200, 2_000
_ORDER = ("in_review", "claimed", "failed", "blocked", "ready")
_PLANNED = ("pending", "completed", "skipped")


def find(ctx: Context, milestone_id: str = "") -> Row | None:
    """Return a milestone as the views take it, without its sections; without an id the newest that has not ended.

    Where all have ended it is the newest of these; nothing where there is none.
    """
    if milestone_id:
        return ctx.store.views.milestone(milestone_id)
    return next(iter(ctx.store.views.milestones(1)), None)


def session_of(ctx: Context, row: Mapping[str, Any]) -> tuple[str, str]:
    """Return the session that counts for a milestone, which may be none yet, and its mode."""
    session = ctx.store.milestones.latest_session(row["milestone_id"])
    return (session["session_id"], session["mode"]) if session else ("", "planning")


def board(ctx: Context, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return where one milestone stands, on one screen."""
    milestone_id, (session_id, mode) = row["milestone_id"], session_of(ctx, row)
    found = reporting.standing(ctx.store, milestone_id, mode)
    spent = spending.told(ctx.store, milestone_id, ctx.now)
    return {
        "milestone_id": milestone_id,
        "name": row["name"],
        "description": clip(row["description"], _TEXT),
        "status": row["status"],
        "mode": mode,
        "session_id": session_id,
        "steering": row["steering"],
        "held_back": overview.held_back(row),
        "position": ctx.store.log.position,
        "updated_at": row["updated_at"],
        "progress": progress(ctx, milestone_id, found),
        "tasks": {"counts": found.counts, "front": _front(ctx, milestone_id, mode, found)},
        "agents": _agents(ctx, session_id),
        "agent_counts": ctx.store.agents.counts(session_id) if session_id else {},
        "messages": _messages(ctx, milestone_id),
        "gates": _gates(ctx, milestone_id, mode),
        "spend": {name: spent.get(name, none) for name, none in _UNSPENT.items()},
        "waiting": waiting(ctx, row, mode),
        "log": [event(one) for one in ctx.store.views.moves(milestone_id, EVENTS)],
        "waived": reporting.waivers(ctx.store, milestone_id),
    }


_UNSPENT: Mapping[str, Any] = {"turns": 0, "minutes": 0, "tokens": 0, "most": {}}


def progress(ctx: Context, milestone_id: str, found: reporting.Standing) -> dict[str, Any]:
    """Return how far a milestone is, phase by phase, and how long the rest may take."""
    rate, rest = reporting.pace(ctx.store, milestone_id, found)
    approvals = ctx.store.approvals.of(milestone_id)
    shares = {tally.phase: shown(100 * phase_part(tally)) for tally in found.tallies}
    return {
        "percentage": shown(found.percentage),
        "phases": [
            {
                "phase": one["phase"],
                "weight": one["weight"],
                "status": one["status"],
                "percentage": shares[one["phase"]],
                "tasks": dict(found.by_phase.get(one["phase"], {})),
                "approval": approvals[one["phase"]]["status"] if one["phase"] in approvals else "",
            }
            for one in found.phases
        ],
        "tasks_completed": found.counts.get("completed", 0),
        "tasks_total": found.total,
        "velocity": str(rate),
        "eta": str(rest),
        "eta_hours": [rest.p50_hours, rest.p90_hours] if isinstance(rest, Eta) else None,
    }


def event(one: Mapping[str, Any]) -> dict[str, Any]:
    """Return an event of the log as lists show it, with a line in words."""
    shown_of = {name: one[name] for name in ("position", "at", "event", "subject", "actor")}
    return {**shown_of, "text": told(one["event"], one["subject"], one["actor"], one["detail"])}


def milestones(ctx: Context) -> list[dict[str, Any]]:
    """Return at most 100 milestones, the newest first; those that have not ended come before the others."""
    return [_listed(ctx, row) for row in ctx.store.views.milestones(MILESTONES)]


def _listed(ctx: Context, row: Row) -> dict[str, Any]:
    session_id, mode = session_of(ctx, row)
    value: Mapping[str, Any] = {}
    if session_id and mode == "execution":
        saved = ctx.store.state.newest(f"coordinator-{session_id}", reporting.PROGRESS)
        value = json.loads(saved["value"]) if saved and saved["present"] else {}
    return {
        **{name: row[name] for name in ("milestone_id", "name", "status")},
        "mode": mode,
        "percentage": value.get("percentage", 0.0),
        "phase": value.get("phase", row["status"]),
        "waiting": len(waiting(ctx, row, mode)),
        "steering": row["steering"],
        "updated_at": row["updated_at"],
    }


def _front(ctx: Context, milestone_id: str, mode: str, found: reporting.Standing) -> list[dict[str, Any]]:
    """Return the first tasks of those that something happens with, or could; of a planning all of them."""
    shown_of: list[dict[str, Any]] = []
    for status in _ORDER if mode == "execution" else (*_ORDER, *_PLANNED):
        left = FRONT - len(shown_of)
        if not left:
            break
        if status == "ready":
            rows: Sequence[Mapping[str, Any]] = _ready(ctx, milestone_id, mode, found, left)
        else:
            rows = ctx.store.views.front(milestone_id, mode, status, left)
        known = {one["task_id"] for one in shown_of}
        shown_of += [_task(one, status) for one in rows if one["task_id"] not in known]
    return shown_of


def _ready(
    ctx: Context, milestone_id: str, mode: str, found: reporting.Standing, limit: int
) -> list[Mapping[str, Any]]:
    """Return tasks that could be handed out now, as far as they themselves go."""
    phases = [""] if mode == "planning" else [one["phase"] for one in found.phases if one["status"] != "completed"]
    rows: list[Mapping[str, Any]] = []
    for phase in phases:
        if limit > len(rows):
            left = limit - len(rows)
            rows += ctx.store.tasks.ready(milestone_id, mode, phase, left, now=ctx.clock, standing=False)
    return rows


def _task(one: Mapping[str, Any], status: str) -> dict[str, Any]:
    return {
        "task_id": one["task_id"],
        "title": clip(one["title"], _LINE),
        "phase": one["phase"],
        "status": status,
        "agent_type": one["next_role"] or one["agent_type"],
        "agent_id": one.get("held_by") or "",
        "why": clip(one["detail"], _LINE),
    }


def _agents(ctx: Context, session_id: str) -> list[dict[str, Any]]:
    return [_agent(ctx, one) for one in ctx.store.views.agents(session_id, AGENTS)] if session_id else []


def _agent(ctx: Context, one: Row) -> dict[str, Any]:
    now = ctx.now.timestamp()
    left: int | None = None
    if one["task_id"]:
        lease = Lease(one["era"], one["lease_until"])
        left = round((lease.until - ctx.clock.ms) / 1000) if lease.era == ctx.clock.era else -1
    return {
        **{name: one[name] for name in ("agent_id", "agent_type", "status")},
        "task_id": one["task_id"] or "",
        "age_seconds": max(0, round(now - reporting.seconds(one["started_at"] or one["registered_at"]))),
        "silent_seconds": max(0, round(now - reporting.seconds(one["seen_at"]))),
        "lease_seconds": left,
        "turns": one["turns"] or 0,
        "tokens": one["tokens"] or 0,
    }


def _messages(ctx: Context, milestone_id: str) -> dict[str, Any]:
    there = overview.undelivered(ctx.store, milestone_id, ctx.now, 0)
    oldest = there.get("oldest_seconds", 0)
    return {
        "queued": there.get("count", 0),
        "oldest_seconds": oldest,
        "late": oldest > 0 and oldest >= ctx.world.limits().undelivered_seconds,  # most screens need no limits
        "recipients": there.get("recipients", []),
    }


def _gates(ctx: Context, milestone_id: str, mode: str) -> dict[str, Any]:
    ended = ctx.store.views.last_gates(milestone_id, GATES)
    configured = any(one["gates"] for one in ctx.store.evidence.repositories(milestone_id))
    return {
        "running": [one["task_id"] for one in ctx.store.evidence.running(milestone_id)],
        "last": [{"task_id": one["task_id"], "outcome": one["status"], "at": one["ended_at"]} for one in ended],
        "none": mode == "execution" and not configured,
    }
