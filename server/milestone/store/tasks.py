"""Tasks, what they wait for, and who holds them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from milestone.domain.leases import Clock, Lease
from milestone.store.engine import Row
from milestone.store.tables import Tables, dump

_LISTS = ("produces", "proof", "paths", "acceptance")
_DEFAULTS: Mapping[str, Any] = {
    "phase": "",
    "weight": 0,
    "critical": 1,
    "standing": 0,
    "source": "playbook",
    "subject": "",
    "proof": (),
    "paths": (),
    "acceptance": (),
    "repository": "",
    "last": 0,
}
EVERYTHING = 1_000_000


class Tasks(Tables):
    """Tasks of a project. Rows carry produces, proof, paths and acceptance as tuples."""

    file = "tasks"

    def add(self, milestone_id: str, ordinal: int, **task: Any) -> None:
        """Write a pending task; one that exists stays as it is. `task`: the columns of the table."""
        whole = {**_DEFAULTS, **task}
        lists = {name: dump(list(whole[name])) for name in _LISTS}
        self._change("add_task", milestone_id=milestone_id, ordinal=ordinal, **{**whole, **lists})

    def add_dependency(self, milestone_id: str, task_id: str, needs_task: str, needs_key: str = "") -> None:
        """Write that a task waits for another, and for which key of it; `count_needs` makes it count."""
        self._change(
            "add_dependency", milestone_id=milestone_id, task_id=task_id, needs_task=needs_task, needs_key=needs_key
        )

    def count_needs(self, milestone_id: str, task_id: str = "") -> None:
        """Count anew for how many needs pending tasks wait: all of a milestone, or one."""
        self._change("count_needs", milestone_id=milestone_id, task_id=task_id)

    def get(self, milestone_id: str, task_id: str) -> dict[str, Any] | None:
        """Return a task, or nothing."""
        row = self._one("task", milestone_id=milestone_id, task_id=task_id)
        return _opened(row) if row else None

    def all(self, milestone_id: str, mode: str = "", limit: int = EVERYTHING, offset: int = 0) -> list[dict[str, Any]]:
        """Return the tasks in the order of consideration, each with its open claim (`held_by` …)."""
        return _each(self._rows("tasks_of", milestone_id=milestone_id, mode=mode, limit=limit, offset=offset))

    def page(self, milestone_id: str, mode: str, after: int, limit: int) -> list[dict[str, Any]]:
        """Return the tasks of a mode that follow an ordinal, each with who holds it (`held_by`)."""
        return _each(self._rows("page", milestone_id=milestone_id, mode=mode, after=after, limit=limit))

    def held(self, milestone_id: str, mode: str) -> list[dict[str, Any]]:
        """Return the tasks that somebody holds, each with its open claim."""
        return _each(self._rows("held", milestone_id=milestone_id, mode=mode))

    def ready(
        self, milestone_id: str, mode: str, phase: str, limit: int, *, now: Clock, standing: bool
    ) -> list[dict[str, Any]]:
        """Return the first tasks of a phase whose needs are met, whose time has come, and that nobody holds."""
        where = {"milestone_id": milestone_id, "mode": mode, "phase": phase, "standing": int(standing)}
        return _each(self._rows("ready", **where, era=now.era, now=now.ms, limit=limit))

    def delayed(self, milestone_id: str, mode: str, now: Clock) -> tuple[str, str, float] | None:
        """Return the task that is tried again next: its id, its detail and in how many seconds; or nothing."""
        row = self._one("delayed", milestone_id=milestone_id, mode=mode, era=now.era, now=now.ms)
        return (row["task_id"], row["detail"], (row["not_before"] - now.ms) / 1000) if row else None

    def with_status(self, milestone_id: str, mode: str, status: str, limit: int = 50) -> list[dict[str, Any]]:
        """Return the first tasks of a status."""
        return _each(self._rows("with_status", milestone_id=milestone_id, mode=mode, status=status, limit=limit))

    def unfinished(self, milestone_id: str, mode: str, phase: str = "") -> bool:
        """Return whether a phase has tasks that have not ended; planning has one phase, without a name."""
        return self._one("unfinished", milestone_id=milestone_id, mode=mode, phase=phase) is not None

    def left_over(self, milestone_id: str, mode: str, limit: int = 20) -> tuple[str, ...]:
        """Return the first tasks that have neither ended nor failed."""
        rows = self._rows("left_over", milestone_id=milestone_id, mode=mode, limit=limit)
        return tuple(row["task_id"] for row in rows)

    def exist(self, milestone_id: str, mode: str) -> bool:
        """Return whether the tasks of a mode have been written."""
        return self._one("exists_in", milestone_id=milestone_id, mode=mode) is not None

    def standing_left(self, milestone_id: str, mode: str) -> list[str]:
        """Return the standing roles that have not ended."""
        return [row["task_id"] for row in self._rows("standing_left", milestone_id=milestone_id, mode=mode)]

    def waiting_for_all(self, milestone_id: str, mode: str, phase: str) -> list[str]:
        """Return the tasks that come last in a phase and have not begun."""
        rows = self._rows("waiting_for_all", milestone_id=milestone_id, mode=mode, phase=phase)
        return [row["task_id"] for row in rows]

    def tally(self, milestone_id: str, mode: str) -> Sequence[Row]:
        """Return how many tasks there are, how many of them wait for nothing (`free`), and their weight.

        By phase, status and whether they are standing roles.
        """
        return self._rows("tally", milestone_id=milestone_id, mode=mode)

    def next_ordinal(self, milestone_id: str, mode: str) -> int:
        """Return the ordinal of a task that is added now."""
        return int(self._rows("newest_ordinal", milestone_id=milestone_id, mode=mode)[0]["ordinal"] or 0) + 1

    def needs(self, milestone_id: str, task_id: str) -> list[tuple[str, str]]:
        """Return the keys a task needs, each with an agent whose value was accepted (empty if none yet)."""
        rows = self._rows("needs_of", milestone_id=milestone_id, task_id=task_id)
        return [(row["needs_key"], row["agent_id"] or "") for row in rows]

    def blocked_by(self, milestone_id: str, task_id: str) -> list[str]:
        """Return at most five tasks that a task waits for."""
        return [row["task_id"] for row in self._rows("blocked_by", milestone_id=milestone_id, task_id=task_id)]

    def dependencies(self, milestone_id: str) -> Sequence[Row]:
        """Return who waits for whom: task_id, needs_task, needs_key."""
        return self._rows("dependencies_of", milestone_id=milestone_id)

    def set(self, milestone_id: str, task_id: str, status: str, detail: str = "", completed_at: str = "") -> None:
        """Write a task's status; what waits for a task that ended well waits for one task less."""
        where = {"milestone_id": milestone_id, "task_id": task_id}
        changed = self._change("set_task", **where, status=status, detail=detail, completed_at=completed_at)
        if changed and status in ("completed", "skipped"):
            self._change("meet_needs", **where)

    def set_left(self, milestone_id: str, task_id: str, left: Mapping[str, Any]) -> None:
        """Write what the attempts so far left behind, and what is asked about it."""
        self._change("set_left", milestone_id=milestone_id, task_id=task_id, left_behind=dump(left))

    def set_next_role(self, milestone_id: str, task_id: str, agent_type: str) -> None:
        """Write which type of agent makes the next attempt; empty for the task's own."""
        self._change("set_next_role", milestone_id=milestone_id, task_id=task_id, next_role=agent_type)

    def set_proof(self, milestone_id: str, task_id: str, proof: Iterable[str]) -> None:
        """Write which kinds of proof a task needs beside its keys."""
        self._change("set_proof", milestone_id=milestone_id, task_id=task_id, proof=dump(list(proof)))

    def fill(
        self, milestone_id: str, task_id: str, title: str, paths: Iterable[str], acceptance: Iterable[str]
    ) -> None:
        """Write what a task that was left open is about."""
        lists = {"paths": dump(list(paths)), "acceptance": dump(list(acceptance))}
        self._change("fill_task", milestone_id=milestone_id, task_id=task_id, title=title, **lists)

    def claim(
        self,
        milestone_id: str,
        task_id: str,
        agent_id: str,
        server: str,
        at: str,
        *,
        lease: Lease,
        deadline: Lease,
        base_commit: str = "",
        patterns: Sequence[str] = (),
    ) -> int:
        """Give a task to an agent while a lease holds, at most to a deadline; returns which attempt this is."""
        where = {"milestone_id": milestone_id, "task_id": task_id}
        attempt = int(self._rows("count_attempt", **where)[0]["attempts"])
        given = {"attempt": attempt, "agent_id": agent_id, "server": server, "patterns": dump(list(patterns))}
        times = {"era": lease.era, "lease_until": lease.until, "deadline": deadline.until}
        self._change("add_claim", **where, **given, **times, base_commit=base_commit, at=at)
        return attempt

    def renew(self, agent_id: str, now: Clock) -> None:
        """Renew the lease of an agent that has begun."""
        self._change("renew_claim", agent_id=agent_id, era=now.era, now=now.ms)

    def date(self, agent_id: str, lease: Lease, deadline: Lease) -> None:
        """Give a lease to a claim of a version that knew none."""
        self._change("date_claim", agent_id=agent_id, era=lease.era, lease_until=lease.until, deadline=deadline.until)

    def claim_of(self, agent_id: str) -> Row | None:
        """Return the claim an agent holds or held."""
        return self._one("claim_of_agent", agent_id=agent_id)

    def last_claim(self, milestone_id: str, task_id: str) -> Row | None:
        """Return the newest claim on a task."""
        return self._one("claim_of_attempt", milestone_id=milestone_id, task_id=task_id)

    def spans(self, milestone_id: str, limit: int = 200) -> Sequence[Row]:
        """Return when agents were at work in execution, the newest first."""
        return self._rows("spans", milestone_id=milestone_id, limit=limit)

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

    def set_retry(self, task: Mapping[str, Any], status: str, detail: str, again: Clock, **counted: int) -> None:
        """Write what follows from a failure: not before when it is tried again; `counted`: failures, rollbacks."""
        where = {"milestone_id": task["milestone_id"], "task_id": task["task_id"]}
        moment = {"not_before": again.ms, "era": again.era}
        self._change("set_retry", **where, status=status, detail=detail, **moment, **counted)


def _each(rows: Sequence[Row]) -> list[dict[str, Any]]:
    return [_opened(row) for row in rows]


def _opened(row: Row) -> dict[str, Any]:
    lists = {name: tuple(json.loads(row[name])) for name in _LISTS}
    return {**row, **lists, "left_behind": json.loads(row["left_behind"])}
