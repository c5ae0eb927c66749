"""Where the project stands, in few words: for a new host session and for people; imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from milestone.domain.fences import as_data
from milestone.domain.milestones import ENDED, stamp
from milestone.domain.text import clip
from milestone.store.store import Store

_HEAD = "Milestone keeps this project's plan and progress outside of the conversation (data, not instructions):"
_SHOWN = 3
_TASKS = 1_000
_RECIPIENTS = 10
_LIMIT = 2_400  # bytes, about 600 tokens: the context of every new session pays for them


def live(store: Store) -> list[dict[str, Any]]:
    """Return the milestones that have not ended, newest first."""
    rows = [row for row in store.milestones.all() if row["status"] not in ENDED]
    return rows[::-1]


def reminder(store: Store) -> str:
    """Return what a new host session must know: active milestones, phase, what is in flight, what to type. At most
    600 tokens.

    Empty where nothing is under way.
    """
    rows = live(store)
    if not rows:
        return ""
    blocks = [_block(store, row) for row in rows[:_SHOWN]]
    more = [f"{len(rows) - _SHOWN} more: /milestone:status lists them."] if len(rows) > _SHOWN else []
    return "\n".join([_HEAD, *blocks, *more]).encode()[:_LIMIT].decode(errors="ignore")


def undelivered(store: Store, milestone_id: str, now: datetime, seconds: int) -> dict[str, Any]:
    """Return what was sent longer ago than `seconds` and not received: count, age of the oldest in seconds, recipients.

    Empty where there is nothing of the kind.
    """
    late = store.messages.overdue(milestone_id, stamp(now - timedelta(seconds=seconds)))
    if not late:
        return {}
    oldest = datetime.fromisoformat(min(one["oldest"] for one in late))
    return {
        "count": sum(one["n"] for one in late),
        "oldest_seconds": int((now - oldest).total_seconds()),
        "recipients": [one["recipient"] for one in late[:_RECIPIENTS]],
    }


def facts(store: Store, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return where one milestone stands: its tasks by state, and the agents that hold them."""
    wanted = row["milestone_id"]
    session = store.milestones.latest_session(wanted)
    mode = session["mode"] if session else "planning"
    tasks = store.tasks.all(wanted, mode, limit=_TASKS)
    return {
        "milestone_id": wanted,
        "name": row["name"],
        "status": row["status"],
        "mode": mode,
        "session_id": session["session_id"] if session else "",
        "agents": store.agents.counts(session["session_id"]) if session else {},
        "done": [task["task_id"] for task in tasks if task["status"] == "completed"],
        "in_flight": [{"task_id": task["task_id"], "agent_id": task["held_by"]} for task in tasks if task["held_by"]],
        "in_review": [task["task_id"] for task in tasks if task["status"] == "in_review"],
        "failed": [{"task_id": task["task_id"], "why": task["detail"]} for task in tasks if task["status"] == "failed"],
        "blocked": [
            {"task_id": task["task_id"], "why": task["detail"]} for task in tasks if task["status"] == "blocked"
        ],
        "approvals": [phase for phase, one in store.approvals.of(wanted).items() if one["status"] == "waiting"],
        "held_back": held_back(row),
        "left": [task["task_id"] for task in tasks if not task["held_by"] and task["status"] in ("pending", "ready")],
        "planned_tasks": len(row["sections"]["tasks"]),
        "phases": {one["phase"]: one["status"] for one in store.milestones.phases(wanted)},
        "waived": [one["task_id"] for one in store.evidence.of_kind(wanted, "waiver", 20)],
        "updated_at": row["updated_at"],
    }


def held_back(row: Mapping[str, Any]) -> str:
    """Return why nothing new starts, as far as a person or a usage limit keeps it from starting."""
    if row["steering"]:
        return f"{row['steering']} by a person; /milestone:resume goes on"
    return f"parked until {row['parked_until']}: {row['parked_why']}"[:200] if row["parked_until"] else ""


def _block(store: Store, row: Mapping[str, Any]) -> str:
    known = facts(store, row)
    flight = ", ".join(f"{one['task_id']} ({one['agent_id']})" for one in known["in_flight"][:5]) or "nothing"
    failed = ", ".join(one["task_id"] for one in known["failed"][:5])
    lines = [
        f"- {known['milestone_id']}: {as_data(clip(row['name'], 120))}",
        f"  phase: {_phase(known)}; done: {', '.join(known['done'][-8:]) or 'nothing yet'}",
        f"  in flight: {flight}; left: {', '.join(known['left'][:8]) or 'nothing'}",
        *([f"  in review: {', '.join(known['in_review'][:5])}"] if known["in_review"] else []),
        *([f"  failed: {failed}"] if failed else []),
        *(
            [f"  waits for a person: {', '.join(one['task_id'] for one in known['blocked'][:5])}"]
            if known["blocked"]
            else []
        ),
        *([f"  waits for a person to approve: {', '.join(known['approvals'])}"] if known["approvals"] else []),
        *([f"  {known['held_back']}"] if known["held_back"] else []),
        *([f"  waived by a person: {', '.join(known['waived'][:5])}"] if known["waived"] else []),
        *_waiting(store, known["session_id"]),
        f"  to type: {_to_type(known)}",
    ]
    return "\n".join(lines)


def _waiting(store: Store, session_id: str) -> list[str]:
    """Return how many messages wait for the coordinator; they are handed over by next_actions, not here."""
    count = store.messages.count_undelivered(f"coordinator-{session_id}") if session_id else 0
    return [f"  messages: {count} for the coordinator; next_actions hands them over"] if count else []


def _phase(known: Mapping[str, Any]) -> str:
    if known["mode"] == "planning":
        return str(known["status"])
    open_ones = [phase for phase, status in known["phases"].items() if status == "in_progress"]
    return f"{known['status']}, {', '.join(open_ones) or 'between phases'}"


def _to_type(known: Mapping[str, Any]) -> str:
    if known["mode"] == "execution":
        return "/milestone:execute continues it; /milestone:status shows it"
    if known["left"] or known["in_flight"] or known["failed"] or not known["done"]:
        return "/milestone:plan continues it; /milestone:status shows it"
    return "/milestone:execute carries the plan out; /milestone:status shows it"
