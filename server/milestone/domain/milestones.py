"""The milestone file: its sections, its ids and what a new milestone looks like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

PHASES: Mapping[str, int] = {"design": 15, "spec": 25, "task": 20, "execute": 40}
_PRODUCTS: Mapping[str, Sequence[str]] = {
    "design": ("artifacts", "decisions"),
    "spec": ("specifications", "contracts"),
    "task": ("tasks", "dependencies"),
    "execute": ("implementations", "test_results"),
}
EDITABLE = ("objectives", "scope", "risks", "team", "dependencies")
ENDED = ("completed", "cancelled")


def stamp(at: datetime) -> str:
    """Return a time as ISO text in UTC with milliseconds, as every table stores it."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def generated_id(at: datetime) -> str:
    """Return `milestone-YYYYMMDD-HHMMSS`."""
    return f"milestone-{at:%Y%m%d-%H%M%S}"


def branch_of(milestone_id: str) -> str:
    """Return the milestone's branch; the word is not doubled.

    >>> branch_of("milestone-20260101-000000"), branch_of("oauth")
    ('feature/milestone-20260101-000000', 'feature/milestone-oauth')
    """
    return f"feature/{milestone_id}" if milestone_id.startswith("milestone-") else f"feature/milestone-{milestone_id}"


def new_sections() -> dict[str, Any]:
    """Return the sections of a milestone that nobody has planned yet."""
    return {
        "summary": "",
        "decisions": [],
        "objectives": {"primary": "", "secondary": [], "success_criteria": []},
        "scope": {"included": [], "excluded": [], "constraints": []},
        "dependencies": {"requires": [], "blocks": []},
        "tasks": [],
        "deliverables": [],
        "risks": [],
        "timeline": [],
        "estimates": {},
        "team": {"owner": "current_user", "contributors": []},
    }


def planned_sections(sections: Mapping[str, Any], plan: Mapping[str, Any]) -> dict[str, Any]:
    """Return the sections as an accepted plan fills them."""
    taken = ("decisions", "objectives", "scope", "risks", "timeline", "estimates", "dependencies")
    tasks = [{**task, "status": "pending"} for task in plan["tasks"]]
    filled = {name: plan[name] for name in taken if name in plan}
    return {**sections, **filled, "tasks": tasks, "summary": plan["summary"]}


def document(
    row: Mapping[str, Any],
    sections: Mapping[str, Any],
    phases: Sequence[Mapping[str, Any]],
    work: Sequence[Mapping[str, Any]],
    *,
    progress: Mapping[str, Any] | None = None,
    git: Mapping[str, Any] | None = None,
    products: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, Any]:
    """Return the milestone file as people read it; `work` are the tasks of the planning with their states.

    `progress`, `git` and `products` (files by phase) are there once a milestone is carried out.
    """
    states = {phase["phase"]: phase for phase in phases}
    done = sum(task["status"] == "completed" for task in work)
    planning = {"planning": {"tasks_completed": done, "tasks_total": len(work)}}
    return {
        "metadata": {
            **{name: row[name] for name in ("milestone_id", "name", "description", "created_at", "status", "duration")},
            "summary": sections["summary"],
            "timeline": sections["timeline"],
            "strategy": row["strategy"],
        },
        "kiro_configuration": {
            "enabled": True,
            "policy": "mandatory",
            "enforcement": "strict",
            "phases": {name: {"weight": states[name]["weight"], "status": states[name]["status"]} for name in PHASES},
            "decisions": sections["decisions"],
        },
        "objectives": sections["objectives"],
        "scope": sections["scope"],
        "progress": {**(progress or _unbegun(row, sections)), **planning},
        "dependencies": sections["dependencies"],
        "tasks": sections["tasks"],
        "deliverables": sections["deliverables"],
        "risks": sections["risks"],
        "team": sections["team"],
        "phases": {name: _phase(name, states[name], sections, (products or {}).get(name, ())) for name in PHASES},
        "git": git or {"branch": branch_of(row["milestone_id"]), "commits": [], "pr_url": ""},
    }


def _unbegun(row: Mapping[str, Any], sections: Mapping[str, Any]) -> dict[str, Any]:
    """Planning weighs nothing: progress stays 0 until a phase has accepted evidence."""
    return {
        "percentage": 0,
        "phase": row["status"],
        "tasks_completed": 0,
        "tasks_total": len(sections["tasks"]),
        "overall": 0,
        "by_phase": dict.fromkeys(PHASES, 0),
        "velocity": "insufficient data (0)",
        "eta": "insufficient data (0)",
    }


def _phase(name: str, state: Mapping[str, Any], sections: Mapping[str, Any], files: Sequence[str]) -> dict[str, Any]:
    base: dict[str, Any] = {key: state[key] for key in ("status", "started_at", "completed_at")}
    if sections["estimates"]:
        base["estimated_hours"] = sections["estimates"][name]
    first, second = _PRODUCTS[name]
    return base | {first: list(dict.fromkeys(files)), second: []}
