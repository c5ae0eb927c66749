"""What people look at: pages and newest rows, each from an index, so that none costs more when there is more."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from milestone.store.engine import Row
from milestone.store.tables import Tables

NEWEST = 2**62
"""A position that nothing has reached."""


class Views(Tables):
    """Rows of a project as views show them. Changes nothing."""

    file = "views"

    def milestone(self, milestone_id: str) -> Row | None:
        """Return a milestone without its sections, or nothing."""
        return self._one("milestone_named", milestone_id=milestone_id)

    def milestones(self, limit: int) -> Sequence[Row]:
        """Return the newest milestones without their sections; those that have not ended come first."""
        return self._rows("newest_milestones", limit=limit)

    def front(self, milestone_id: str, mode: str, status: str, limit: int) -> list[dict[str, Any]]:
        """Return the first tasks of a status, each with who holds it (`held_by`)."""
        rows = self._rows("front", milestone_id=milestone_id, mode=mode, status=status, limit=limit)
        return [{**row, "left_behind": json.loads(row["left_behind"])} for row in rows]

    def agents(self, session_id: str, limit: int) -> Sequence[Row]:
        """Return agents of a session that have not ended, each with its open claim and what it has used."""
        return self._rows("live_agents", session_id=session_id, limit=limit)

    def last_gates(self, milestone_id: str, limit: int) -> Sequence[Row]:
        """Return the newest gate runs that proved something or did not: task_id, status, ended_at."""
        return self._rows("last_gates", milestone_id=milestone_id, limit=limit)

    def moves(self, milestone_id: str, limit: int) -> list[dict[str, Any]]:
        """Return the newest events that are no saved keys, the newest first."""
        return _opened(self._rows("newest_moves", milestone_id=milestone_id, limit=limit), "detail")

    def events(self, milestone_id: str, before: int, limit: int) -> list[dict[str, Any]]:
        """Return the events before a position, the newest first; 0 begins with the newest of all."""
        values = {"milestone_id": milestone_id, "before": before or NEWEST}
        return _opened(self._rows("events_before", **values, limit=limit), "detail")

    def count_tasks(self, milestone_id: str, mode: str, status: str) -> int:
        """Return how many tasks are in a state, or at all where it is empty."""
        return int(self._rows("count_tasks", milestone_id=milestone_id, mode=mode, status=status)[0]["n"])

    def tasks(self, milestone_id: str, mode: str, limit: int, offset: int, status: str = "") -> list[dict[str, Any]]:
        """Return a page of tasks in the order of consideration, perhaps only those of a state.

        Each says who holds it (`held_by`), which tasks it `needs` and of which kinds its proofs are (`there`).
        """
        page = {"milestone_id": milestone_id, "mode": mode, "limit": limit, "offset": offset, "status": status}
        needs: dict[str, list[str]] = {}
        for row in self._rows("needs_of_page", **page):
            needs.setdefault(row["task_id"], []).append(row["needs_task"])
        there: dict[str, list[str]] = {}
        for row in self._rows("proofs_of_page", **page):
            there.setdefault(row["task_id"], []).append(row["kind"])
        return [
            {
                **row,
                "needs": needs.get(row["task_id"], []),
                "there": there.get(row["task_id"], []),
                "proof": json.loads(row["proof"]),
                "paths": json.loads(row["paths"]),
            }
            for row in self._rows("task_page", **page)
        ]

    def graph(self, milestone_id: str, mode: str, status: str, limit: int, *, last: bool) -> list[dict[str, Any]]:
        """Return the first tasks of a status, or its `last`, each with the tasks it `needs`."""
        values = {"milestone_id": milestone_id, "mode": mode, "status": status, "limit": limit}
        found: dict[str, dict[str, Any]] = {}
        for row in self._rows("graph_ended", **values) if last else self._rows("graph_open", **values):
            task = found.setdefault(row["task_id"], {**row, "needs": []})
            if row["needs_task"] and row["needs_task"] not in task["needs"]:
                task["needs"].append(row["needs_task"])
        return list(found.values())

    def attempts(self, milestone_id: str, limit: int) -> Sequence[Row]:
        """Return the attempts that were handed out last, the oldest of them first."""
        return self._rows("attempts", milestone_id=milestone_id, limit=limit)

    def count_attempts(self, milestone_id: str) -> int:
        """Return how many attempts there were."""
        return int(self._rows("count_attempts", milestone_id=milestone_id)[0]["n"])

    def proven_between(self, milestone_id: str) -> Row:
        """Return how many tasks (`n`) were proven between which times (`first`, `last`)."""
        return self._rows("proven_between", milestone_id=milestone_id)[0]

    def proven(self, milestone_id: str, size: int) -> Sequence[Row]:
        """Return how much weight of a phase was proven in each span of time, named by `size` characters of a time."""
        return self._rows("proven_by", milestone_id=milestone_id, size=size)

    def messages(self, milestone_id: str, limit: int, offset: int) -> Sequence[Row]:
        """Return a page of messages, the newest first, each with how far its receipts are."""
        return self._rows("message_page", milestone_id=milestone_id, limit=limit, offset=offset)

    def count_messages(self, milestone_id: str) -> int:
        """Return how many messages there are."""
        return int(self._rows("count_messages", milestone_id=milestone_id)[0]["n"])

    def evidence(self, milestone_id: str, limit: int, offset: int) -> list[dict[str, Any]]:
        """Return a page of evidence, the newest first."""
        return _opened(self._rows("evidence_page", milestone_id=milestone_id, limit=limit, offset=offset), "detail")

    def count_evidence(self, milestone_id: str) -> int:
        """Return how many proofs there are."""
        return int(self._rows("count_evidence", milestone_id=milestone_id)[0]["n"])

    def gate_runs(self, milestone_id: str, limit: int, offset: int) -> list[dict[str, Any]]:
        """Return a page of gate runs, the newest first."""
        return _opened(self._rows("gate_page", milestone_id=milestone_id, limit=limit, offset=offset), "results")

    def count_gate_runs(self, milestone_id: str) -> int:
        """Return how many gate runs there were."""
        return int(self._rows("count_gates", milestone_id=milestone_id)[0]["n"])

    def serving(self, milestone_id: str, limit: int) -> Sequence[Row]:
        """Return which tasks serve which decision: decision_id, task_id."""
        return self._rows("serving", milestone_id=milestone_id, limit=limit)


def _opened(rows: Sequence[Row], column: str) -> list[dict[str, Any]]:
    return [{**row, column: json.loads(row[column])} for row in rows]
