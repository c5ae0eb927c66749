"""The twelve quality gates of a milestone, answered from what the database holds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from milestone.domain.checks import Check, Facts, twelve
from milestone.domain.progress import overall, shown
from milestone.domain.replay import Event, replay, tallies
from milestone.operations import finishing, reporting
from milestone.operations.context import Context
from milestone.operations.gating import RESOLVER
from milestone.operations.snapshot import documents


def answers(ctx: Context, row: Mapping[str, Any]) -> tuple[Check, ...]:
    """Return the twelve questions with yes or no and the evidence."""
    milestone_id = row["milestone_id"]
    phases = {one["phase"]: one["status"] for one in ctx.store.milestones.phases(milestone_id)}
    held = ctx.store.tasks.held(milestone_id, "execution")
    events = list(_events(ctx, milestone_id))
    ledger = replay(events)
    weights = {one["phase"]: one["weight"] for one in ctx.store.milestones.phases(milestone_id)}
    standing = reporting.standing(ctx.store, milestone_id)
    newest, shown_at = _positions(ctx, milestone_id, events)
    accepted = ctx.store.evidence.of_kind(milestone_id, "commit")
    return twelve(
        Facts(
            phases=phases,
            transitions=tuple(event.subject for event in events if event.name == "phase_completed"),
            final_state=_final(ctx, row),
            deliverables=tuple(documents(ctx.store, milestone_id)),
            merge="clean" if all(one["detail"].get("commit") for one in accepted) else "unknown",
            messages=sum(event.name == "message_sent" for event in events),
            accepted=len(accepted),
            early=_early(ctx, milestone_id, events),
            waiting=tuple(task["task_id"] for task in held if not task["started_at"]),
            position=newest,
            shared_position=shown_at,
            percentage=shown(standing.percentage),
            replayed=shown(overall(weights, tallies(ledger))),
            operators=tuple(task["held_by"] for task in held if task["held_by"].startswith(RESOLVER)),
        )
    )


def _events(ctx: Context, milestone_id: str) -> list[Event]:
    found: list[Event] = []
    position = 0
    while rows := ctx.store.log.since(milestone_id, position):
        found += [Event(row["position"], row["event"], row["subject"], json.loads(row["detail"])) for row in rows]
        position = rows[-1]["position"]
    return found


def _positions(ctx: Context, milestone_id: str, events: list[Event]) -> tuple[int, int]:
    """Return when something last changed the progress, and when the progress was last saved."""
    moved = [e.position for e in events if e.name in ("task_completed", "task_skipped", "phase_completed")]
    saved = [e.position for e in events if e.name == "state_saved" and e.subject == reporting.PROGRESS]
    newest = max(moved, default=0)
    session = ctx.store.milestones.latest_session(milestone_id, "execution")
    state = ctx.store.state.newest(f"coordinator-{session['session_id']}", reporting.PROGRESS) if session else None
    same = state is not None and json.loads(state["value"]) == reporting.progress(ctx.store, milestone_id)
    return newest, newest if same else max(saved, default=0)


def _final(ctx: Context, row: Mapping[str, Any]) -> int:
    session = ctx.store.milestones.latest_session(row["milestone_id"], "execution")
    if row["status"] != "completed" or session is None:
        return 0
    saved = ctx.store.state.newest(f"coordinator-{session['session_id']}", finishing.REPORT)
    return int(saved["version"]) if saved else 0


def _early(ctx: Context, milestone_id: str, events: list[Event]) -> tuple[str, ...]:
    """Return the tasks that were handed out before all that they needed had ended."""
    needs: dict[str, set[str]] = {}
    for one in ctx.store.tasks.dependencies(milestone_id):
        needs.setdefault(one["task_id"], set()).add(one["needs_task"])
    ended: set[str] = set()
    early: list[str] = []
    for event in events:
        if event.name in ("task_completed", "task_skipped"):
            ended.add(event.subject)
        if event.name == "task_claimed" and needs.get(event.subject, set()) - ended:
            early.append(event.subject)
    return tuple(early)
