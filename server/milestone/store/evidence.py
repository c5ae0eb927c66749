"""What proves tasks: evidence, gate runs, the decisions they serve, and the repositories they change."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from milestone.store.engine import Row
from milestone.store.tables import Tables, dump

_MOST = 1_000_000


class Evidence(Tables):
    """Evidence of a project's tasks. Rows carry JSON columns as values."""

    file = "evidence"

    def add(self, milestone_id: str, task_id: str, kind: str, agent_id: str, detail: Any, at: str) -> None:
        """Write what proves a task; the first proof of a kind stays."""
        where = {"milestone_id": milestone_id, "task_id": task_id, "kind": kind, "agent_id": agent_id}
        self._change("add_evidence", **where, detail=dump(detail), at=at)

    def all(self, milestone_id: str, task_id: str = "", limit: int = _MOST) -> list[dict[str, Any]]:
        """Return what proves the tasks of a milestone, or one task."""
        return _each(self._rows("evidence_of", milestone_id=milestone_id, task_id=task_id, limit=limit), "detail")

    def of_kind(self, milestone_id: str, kind: str, limit: int = _MOST) -> list[dict[str, Any]]:
        """Return the proofs of one kind, oldest first."""
        return _each(self._rows("evidence_of_kind", milestone_id=milestone_id, kind=kind, limit=limit), "detail")

    def clear(self, milestone_id: str, task_id: str) -> None:
        """Forget what proved a task, because it has to be proven anew."""
        self._change("clear_evidence", milestone_id=milestone_id, task_id=task_id)

    def begin_run(
        self, run_id: str, milestone_id: str, task_id: str, attempt: int, *, trial: bool, server: str, at: str
    ) -> None:
        """Write that gates are running for a task."""
        where = {"run_id": run_id, "milestone_id": milestone_id, "task_id": task_id, "attempt": attempt}
        self._change("add_gate_run", **where, trial=int(trial), server=server, at=at)

    def end_run(self, run_id: str, status: str, commit: str, results: Sequence[Any], at: str) -> None:
        """Write how a gate run ended; one that has ended stays as it is."""
        self._change("end_gate_run", run_id=run_id, status=status, commit_id=commit, results=dump(list(results)), at=at)

    def runs(self, milestone_id: str, task_id: str, limit: int = 5) -> list[dict[str, Any]]:
        """Return the newest gate runs of a task."""
        return _each(self._rows("gate_runs_of", milestone_id=milestone_id, task_id=task_id, limit=limit), "results")

    def running(self, milestone_id: str) -> Sequence[Row]:
        """Return the gate runs that prove something and have not ended."""
        return self._rows("running_gates", milestone_id=milestone_id)

    def decide(self, milestone_id: str, ordinal: int, decision: Mapping[str, Any]) -> None:
        """Write a KIRO decision."""
        values = {name: decision[name] for name in ("kind", "what", "reason", "source")}
        places = dump(decision.get("places", []))
        self._change(
            "add_decision",
            milestone_id=milestone_id,
            decision_id=decision["id"],
            ordinal=ordinal,
            **values,
            places=places,
        )

    def cite(self, milestone_id: str, task_id: str, decision_id: str) -> None:
        """Write that a task serves a decision."""
        self._change("cite", milestone_id=milestone_id, task_id=task_id, decision_id=decision_id)

    def decisions(self, milestone_id: str) -> list[dict[str, Any]]:
        """Return the decisions of a milestone in the plan's order."""
        return _each(self._rows("decisions_of", milestone_id=milestone_id), "places")

    def decisions_of(self, milestone_id: str, task_id: str) -> list[dict[str, Any]]:
        """Return at most ten decisions that a task serves."""
        return _each(self._rows("decisions_of_task", milestone_id=milestone_id, task_id=task_id), "places")

    def citations(self, milestone_id: str) -> Sequence[Row]:
        """Return which task serves which decision: task_id, decision_id, status."""
        return self._rows("citations", milestone_id=milestone_id)

    def add_repository(self, milestone_id: str, name: str, **given: Any) -> None:
        """Write a repository of a milestone. `given`: path, branch, base_commit, gates, gates_from."""
        self._change("add_repository", milestone_id=milestone_id, name=name, **{**given, "gates": dump(given["gates"])})

    def repositories(self, milestone_id: str) -> list[dict[str, Any]]:
        """Return the repositories of a milestone; the project's own has the empty name and comes first."""
        return _each(self._rows("repositories_of", milestone_id=milestone_id), "gates")

    def repository(self, milestone_id: str, name: str) -> dict[str, Any] | None:
        """Return one repository of a milestone, or nothing."""
        return next((row for row in self.repositories(milestone_id) if row["name"] == name), None)

    def set_pr_url(self, milestone_id: str, name: str, url: str) -> None:
        """Write where a milestone's pull request is."""
        self._change("set_pr_url", milestone_id=milestone_id, name=name, pr_url=url)

    def set_gates(self, milestone_id: str, name: str, gates: Sequence[Any], origin: str) -> None:
        """Write which gates count from now on, and by whose word."""
        self._change("set_gates", milestone_id=milestone_id, name=name, gates=dump(list(gates)), gates_from=origin)


def _each(rows: Sequence[Row], column: str) -> list[dict[str, Any]]:
    return [{**row, column: json.loads(row[column])} for row in rows]
