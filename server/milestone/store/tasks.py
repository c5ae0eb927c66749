"""Tasks, what they wait for, who holds them and what proves them done."""

from __future__ import annotations

import json
from typing import Any

from milestone.store.engine import Row
from milestone.store.tables import Tables, dump


class Tasks(Tables):
    """Tasks of a project. Rows carry `produces` as a tuple of keys."""

    file = "tasks"

    def add(self, milestone_id: str, ordinal: int, **task: Any) -> None:
        """Write a pending task; one that exists stays as it is. `task`: the columns of the table."""
        self._change(
            "add_task", milestone_id=milestone_id, ordinal=ordinal, **{**task, "produces": dump(list(task["produces"]))}
        )

    def add_dependency(self, milestone_id: str, task_id: str, needs_task: str, needs_key: str) -> None:
        """Write that a task waits for the key another task produces."""
        self._change(
            "add_dependency", milestone_id=milestone_id, task_id=task_id, needs_task=needs_task, needs_key=needs_key
        )

    def get(self, milestone_id: str, task_id: str) -> dict[str, Any] | None:
        """Return a task, or nothing."""
        row = self._one("task", milestone_id=milestone_id, task_id=task_id)
        return _opened(row) if row else None

    def all(self, milestone_id: str, mode: str = "") -> list[dict[str, Any]]:
        """Return the tasks in the playbook's order, each with its open claim (`held_by` …) and `unmet` needs."""
        return [_opened(row) for row in self._rows("tasks_of", milestone_id=milestone_id, mode=mode)]

    def needs(self, milestone_id: str, task_id: str) -> list[tuple[str, str]]:
        """Return the keys a task needs, each with the agent whose value was accepted (empty if none yet)."""
        rows = self._rows("needs_of", milestone_id=milestone_id, task_id=task_id)
        return [(row["needs_key"], row["agent_id"] or "") for row in rows]

    def set(self, milestone_id: str, task_id: str, status: str, detail: str = "", completed_at: str = "") -> None:
        """Write a task's status."""
        self._change(
            "set_task",
            milestone_id=milestone_id,
            task_id=task_id,
            status=status,
            detail=detail,
            completed_at=completed_at,
        )

    def claim(self, milestone_id: str, task_id: str, agent_id: str, server: str, at: str) -> int:
        """Give a task to an agent and return which attempt this is."""
        attempt = int(self._rows("count_attempt", milestone_id=milestone_id, task_id=task_id)[0]["attempts"])
        self._change(
            "add_claim",
            milestone_id=milestone_id,
            task_id=task_id,
            attempt=attempt,
            agent_id=agent_id,
            server=server,
            at=at,
        )
        return attempt

    def claim_of(self, agent_id: str) -> Row | None:
        """Return the claim an agent holds or held."""
        return self._one("claim_of_agent", agent_id=agent_id)

    def start_claim(self, agent_id: str, server: str, at: str) -> bool:
        """Note that the agent of a claim has begun; false where it had before."""
        return self._change("start_claim", agent_id=agent_id, server=server, at=at) > 0

    def adopt_claim(self, agent_id: str, server: str) -> None:
        """Note which process the agent of a claim talks to."""
        self._change("adopt_claim", agent_id=agent_id, server=server)

    def end_claim(self, agent_id: str, outcome: str, at: str) -> None:
        """End the claim of an agent."""
        self._change("end_claim", agent_id=agent_id, outcome=outcome, at=at)

    def remind(self, agent_id: str) -> int:
        """Count a reminder and return how many the agent has had."""
        rows = self._rows("remind_claim", agent_id=agent_id)
        return int(rows[0]["reminders"]) if rows else 0

    def add_evidence(self, milestone_id: str, task_id: str, kind: str, agent_id: str, detail: Any, at: str) -> None:
        """Write what proves a task; the first proof of a kind stays."""
        self._change(
            "add_evidence",
            milestone_id=milestone_id,
            task_id=task_id,
            kind=kind,
            agent_id=agent_id,
            detail=dump(detail),
            at=at,
        )

    def evidence(self, milestone_id: str) -> list[dict[str, Any]]:
        """Return everything that proves the tasks of a milestone."""
        return [
            {**row, "detail": json.loads(row["detail"])} for row in self._rows("evidence_of", milestone_id=milestone_id)
        ]


def _opened(row: Row) -> dict[str, Any]:
    return {**row, "produces": tuple(json.loads(row["produces"]))}
