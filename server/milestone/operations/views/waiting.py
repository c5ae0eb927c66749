"""What waits for a person: phases to approve, and tasks that cannot go on, each with the answers there are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from milestone.domain import questions
from milestone.domain.milestones import ENDED
from milestone.operations.context import Context

_MOST = 20


def waiting(ctx: Context, row: Mapping[str, Any], mode: str) -> list[dict[str, Any]]:
    """Return what waits for a person: phases first, then at most 20 tasks that failed and 20 that are held back."""
    if row["status"] in ENDED:
        return []
    return [*_phases(ctx, row), *_tasks(ctx, row, mode)]


def _phases(ctx: Context, row: Mapping[str, Any]) -> list[dict[str, Any]]:
    milestone_id = row["milestone_id"]
    return [
        {
            "kind": "approval",
            "phase": phase,
            "tasks": [],
            "why": f"every task of {phase} has ended; a person has to approve it",
            "since": one["asked_at"],
            "choices": dict(questions.APPROVAL),
            "commands": questions.of_phase(milestone_id, phase),
        }
        for phase, one in ctx.store.approvals.of(milestone_id).items()
        if one["status"] == "waiting"
    ]


def _tasks(ctx: Context, row: Mapping[str, Any], mode: str) -> list[dict[str, Any]]:
    milestone_id = row["milestone_id"]
    found: list[dict[str, Any]] = []
    for status in ("failed", "blocked"):
        for task in ctx.store.tasks.with_status(milestone_id, mode, status, _MOST):
            kind = "failed" if status == "failed" else task["left_behind"].get("how", "")
            answers = questions.choices(task) if kind == "failed" else questions.HELD.get(kind, {})
            if not answers or (kind == "failed" and task["standing"] and not task["critical"]):
                continue
            last = ctx.store.tasks.last_claim(milestone_id, task["task_id"])
            found.append(
                {
                    "kind": kind,
                    "phase": task["phase"],
                    "tasks": [task["task_id"]],
                    "why": task["detail"],
                    "since": last["ended_at"] if last else "",
                    "choices": dict(answers),
                    "commands": questions.of_task(milestone_id, task["task_id"], answers),
                }
            )
    return found
