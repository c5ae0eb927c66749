"""Views as charts get them: a milestone in the middle, as wide and as hostile as is asked for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from milestone.domain.milestones import stamp

BEGAN = datetime(2026, 3, 1, 9, 7, tzinfo=UTC)
STATES = ("completed", "claimed", "in_review", "ready", "pending", "failed", "blocked", "skipped")
PHASES = ("design", "spec", "task", "execute")


def at(minutes: float) -> str:
    """Return a time so many minutes after the beginning, as the tables store it."""
    return stamp(BEGAN + timedelta(minutes=minutes))


def progress(approval: str = "waiting") -> dict[str, Any]:
    """Return how far a milestone is."""
    shares = (100.0, 80.0, 41.7, 0.0)
    status = ("completed", "in_progress", "in_progress", "pending")
    rows = zip(PHASES, (15, 25, 20, 40), status, shares, strict=True)
    phases = [
        {"phase": phase, "weight": weight, "status": state, "percentage": share, "tasks": {}, "approval": approval}
        for phase, weight, state, share in rows
    ]
    return {"percentage": 43.3, "tasks_completed": 12, "tasks_total": 25, "phases": phases}


def burnup(points: int = 20, *, hours: list[float] | None = None) -> dict[str, Any]:
    """Return how much was proven by when."""
    known = [{"at": at(7 * number), "done": round(60 * number / max(points, 1), 1)} for number in range(points)]
    return {
        "points": known,
        "velocity": "24.1 percent per active hour (n=20)",
        "eta": "1.4 to 1.9 h of work (P50 to P90, n=20)",
        "eta_hours": [1.4, 1.9] if hours is None else hours,
        "planned": 100,
    }


def timeline(tasks: int = 12, name: str = "task-{}", agent_type: str = "code-transformer") -> dict[str, Any]:
    """Return who was at work when: the second task took two attempts, the last one runs, the milestone was parked."""
    rows: list[dict[str, Any]] = []
    for number in range(tasks):
        for attempt in (1, 2) if number == 1 else (1,):
            begun = 9 * number + 30 * (attempt - 1)
            ended = "" if number == tasks - 1 else at(begun + 25)
            outcome = (
                "completed" if ended and not (number == 1 and attempt == 1) else "no sign of life" if ended else ""
            )
            row = {"agent_id": f"agent-{number}-{attempt}", "agent_type": agent_type, "task_id": name.format(number)}
            times = {"handed_out_at": at(begun), "started_at": at(begun + 2), "ended_at": ended}
            rows.append({**row, "attempt": attempt, "phase": "execute", **times, "outcome": outcome})
    parked = [{"from": at(20), "to": at(35)}]
    return {"from": at(0), "to": at(9 * tasks + 40), "rows": rows, "parked": parked, "left_out": 3}


def graph(columns: int = 4, rows: int = 4, name: str = "task-{}", title: str = "Carry it out") -> dict[str, Any]:
    """Return tasks in columns, each needing two of the column before."""
    nodes = [
        {
            "task_id": name.format(column * rows + row),
            "title": title,
            "phase": PHASES[column % 4] if row else "",
            "status": STATES[(column * rows + row) % 8],
            "level": column,
        }
        for column in range(columns)
        for row in range(rows)
    ]
    ids = [one["task_id"] for one in nodes]
    edges = [
        [ids[(column - 1) * rows + (row + step) % rows], ids[column * rows + row]]
        for column in range(1, columns)
        for row in range(rows)
        for step in (0, 1)
    ]
    return {"nodes": nodes, "edges": edges, "left_out": 0}
