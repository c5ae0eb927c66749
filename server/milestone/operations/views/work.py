"""The tasks of a milestone: in pages, and as a graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from milestone.domain.proofs import owed
from milestone.domain.text import clip
from milestone.operations.context import Context
from milestone.operations.views.board import session_of

_OPEN = ("claimed", "in_review", "failed", "blocked", "ready", "pending")
_ENDED = ("completed", "skipped")
_LONG = 1_500


def tasks(
    ctx: Context, row: Mapping[str, Any], offset: int = 0, limit: int = 50, *, status: str = ""
) -> dict[str, Any]:
    """Return a page of a milestone's tasks, with what each needs and still lacks, and how many there are.

    `status` leaves only those that people read as such: one that waits for nothing is ready, and not pending.
    """
    _, mode = session_of(ctx, row)
    rows = ctx.store.views.tasks(row["milestone_id"], mode, limit, offset, status)
    return {
        "items": [_item(one) for one in rows],
        "count": ctx.store.views.count_tasks(row["milestone_id"], mode, status),
    }


def graph(ctx: Context, row: Mapping[str, Any], limit: int = 150) -> dict[str, Any]:
    """Return the tasks and which needs which; where there are more than `limit`, those that are not done come first.

    A node's level is the length of the longest chain of shown tasks before it.
    """
    _, mode = session_of(ctx, row)
    found: list[dict[str, Any]] = []
    for status in (*_OPEN, *_ENDED):
        if len(found) < limit:
            left = limit - len(found)
            found += ctx.store.views.graph(row["milestone_id"], mode, status, left, last=status in _ENDED)
    found.sort(key=lambda one: (one["ordinal"], one["task_id"]))
    ids = {one["task_id"] for one in found}
    needs = {one["task_id"]: [name for name in one["needs"] if name in ids] for one in found}
    levels = _levels(needs)
    return {
        "nodes": [_node(one) | {"level": levels[one["task_id"]]} for one in found],
        "edges": [[needed, name] for name, others in needs.items() for needed in others],
        "left_out": _count(ctx, row["milestone_id"], mode) - len(found),
    }


def _count(ctx: Context, milestone_id: str, mode: str) -> int:
    return sum(int(one["tasks"]) for one in ctx.store.tasks.tally(milestone_id, mode))


def _status(one: Mapping[str, Any]) -> str:
    """Return a task's status as people read it: one that waits for nothing is ready."""
    return "ready" if one["status"] == "pending" and not one["unmet"] else str(one["status"])


def _node(one: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "task_id": one["task_id"],
        "title": clip(one["title"], _LONG),
        "phase": one["phase"],
        "status": _status(one),
    }


def _item(one: Mapping[str, Any]) -> dict[str, Any]:
    done = one["status"] in _ENDED
    return _node(one) | {
        "standing": bool(one["standing"]),
        "agent_type": one["next_role"] or one["agent_type"],
        "agent_id": one["held_by"] or "",
        "weight": one["weight"],
        "attempts": one["attempts"],
        "needs": one["needs"],
        "lacks": [] if done else list(owed(one["proof"], one["there"])),
        "paths": one["paths"],
        "detail": clip(one["detail"], _LONG),
    }


def _levels(needs: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Return the length of the longest chain before each task; whatever stands in a circle comes after the rest."""
    levels: dict[str, int] = {}
    left = dict(needs)
    while left:
        free = [name for name, others in left.items() if all(other in levels for other in others)] or list(left)
        levels |= {name: max((levels.get(other, -1) for other in left[name]), default=-1) + 1 for name in free}
        left = {name: others for name, others in left.items() if name not in levels}
    return levels
