"""A project in whose tables every text is hostile: what tools would refuse to store is written past them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from typing import Any

from milestone.domain.wording import _WORDS as EVENTS  # pyright: ignore[reportPrivateUsage]
from tests.browser.vectors import VECTORS
from tests.helpers.underway import Execution

PHASES = ("design", "spec", "task", "execute")
STATES = ("failed", "blocked", "claimed", "in_review", "pending", "completed")
AT = "2026-01-02T03:04:05.678Z"
Rows = Iterable[dict[str, Any]]


class Poison:
    """Writes a vector into each column that holds text; what is computed with (states, times) stays as it must be."""

    def __init__(self, execution: Execution) -> None:
        self._main, self._session = execution.milestone_id, execution.begun["session_id"]
        self._connection = sqlite3.connect(execution.project.database)
        (self._project, self._position) = self._connection.execute(
            "SELECT project_id, position FROM projects"
        ).fetchone()
        self.written: set[tuple[str, str]] = set()

    def spread(self) -> list[str]:
        """Write everything, and return the ids of a hundred milestones, each named by a vector."""
        with self._connection:
            self._tasks()
            self._records()
            self._told()
            made = self._milestones(self._sections())
            self._connection.execute("UPDATE projects SET position = ?", (self._position,))
        self._connection.close()
        return made

    def _add(self, table: str, rows: Rows) -> None:
        """Write rows; columns that a row leaves out are empty."""
        known = {name: kind for _, name, kind, *_ in self._connection.execute(f"PRAGMA table_info({table})")}
        usual = {name: "" if kind == "TEXT" else 0 for name, kind in known.items()}
        usual |= {"project_id": self._project, "milestone_id": self._main}
        statement = f"INSERT INTO {table} ({', '.join(known)}) VALUES ({', '.join(f':{name}' for name in known)})"  # noqa: S608 - ours
        for row in rows:
            self._connection.execute(statement, {**usual, **row})
            vectors = {name for name, value in row.items() if isinstance(value, str) and "__ran" in value}
            self.written |= {(table, name) for name in vectors}

    def _next(self) -> int:
        self._position += 1
        return self._position

    def _tasks(self) -> None:
        """A vector is a task with its agent, its attempt, its proofs and its gates."""
        known = {"mode": "execution", "weight": 1, "produces": "[]", "proof": '["commit"]', "critical": 1}
        self._add(
            "tasks",
            (
                {
                    **dict.fromkeys(("task_id", "agent_type", "title", "detail", "subject", "next_role"), text),
                    **known,
                    "ordinal": 1_000 + number,
                    "phase": PHASES[number % 4],
                    "status": STATES[number % 6],
                    "left_behind": json.dumps({"how": "salvage" if number % 4 else "budget", "where": text}),
                    "paths": json.dumps([text]),
                    "acceptance": json.dumps([text]),
                    "completed_at": AT if STATES[number % 6] == "completed" else "",
                }
                for number, text in enumerate(VECTORS)
            ),
        )
        agent = {"session_id": self._session, "status": "active", "registered_at": AT, "seen_at": AT}
        fields = ("agent_id", "agent_type", "detail")
        self._add(
            "agent_registry",
            ({**agent, **dict.fromkeys(fields, text), "capabilities": json.dumps([text])} for text in VECTORS),
        )
        self._add(
            "claims",
            (
                {
                    **dict.fromkeys(("task_id", "agent_id", "outcome", "patterns", "base_commit"), text),
                    "attempt": 1,
                    "handed_out_at": AT,
                    "started_at": AT,
                    "ended_at": "" if STATES[number % 6] == "claimed" else AT,
                    "patterns": json.dumps([text]),
                }
                for number, text in enumerate(VECTORS)
            ),
        )
        spent = {"phase": "execute", "turns": 3, "tokens": 5, "updated_at": AT}
        self._add("spend", ({**spent, **dict.fromkeys(("agent_id", "task_id", "cursor"), text)} for text in VECTORS))
        needs = (dict.fromkeys(("task_id", "needs_key"), one) | {"needs_task": VECTORS[0]} for one in VECTORS[1:])
        self._add("task_dependencies", needs)

    def _records(self) -> None:
        """A vector is a proof of each kind, a gate's output, a decision, a checkpoint."""
        for text in VECTORS:
            details: dict[str, Any] = {
                "keys": {text: 1},
                "commit": {"commit": text, "branch": text},
                "gates": {"gates": [{"gate": text, "exit_code": 0, "seconds": 1.0}]},
                "review": {"by": text, "verdict": text},
                "files": {"key": text, "names": [text]},
                "waiver": {"by": text, "reason": text},
            }
            proofs = ({"kind": kind, "detail": json.dumps(detail)} for kind, detail in details.items())
            self._add("evidence", ({**one, "task_id": text, "agent_id": text, "accepted_at": AT} for one in proofs))
            result = {"gate": text, "outcome": text, "exit_code": 1, "seconds": 1.0, "output": text}
            run = dict.fromkeys(("run_id", "task_id", "commit_id"), text) | {"started_at": AT, "ended_at": AT}
            self._add("gate_runs", [{**run, "attempt": 1, "status": "failed", "results": json.dumps([result])}])
            fields = ("decision_id", "kind", "what", "reason", "source")
            places = json.dumps([text])
            self._add("decisions", [dict.fromkeys(fields, text) | {"places": places, "ordinal": self._next()}])
            self._add("task_decisions", [dict.fromkeys(("task_id", "decision_id"), text)])
            checkpoint = {"checkpoint_id": f"hostile-{self._next()}", "position": 1, "created_at": AT, "trees": "[]"}
            self._add(
                "agent_checkpoints", [{**checkpoint, "scope": "agent", "scope_id": text, "label": text, "note": text}]
            )
            pattern = dict.fromkeys(("pattern_id", "category", "name", "use_when", "agent_id"), text)
            self._add("patterns", [{**pattern, "content": json.dumps(text), "saved_at": AT, "expires_at": AT}])
            place = dict.fromkeys(("name", "path", "branch", "base_commit", "gates_from", "pr_url"), text)
            self._add("repositories", [{**place, "gates": json.dumps([{"name": text, "run": [text]}])}])

    def _told(self) -> None:
        """A vector is a message, a saved value, an event's name, and what each event of the server's own tells."""
        words = ("why", "reason", "status", "decision", "mode", "strategy", "label")
        for number, text in enumerate(VECTORS):
            message = dict.fromkeys(("message_id", "from_agent", "recipient", "type", "reply_to", "task_id"), text)
            payload = json.dumps({text: [text]})
            position = self._next()
            self._add("agent_messages", [{**message, "position": position, "payload": payload, "sent_at": AT}])
            self._add("message_receipts", [{"agent_id": text, "message_id": text, "position": position}])
            kinds = [text, *(name for at, name in enumerate(sorted(EVENTS)) if at % 10 == number % 10)]
            detail = json.dumps({**dict.fromkeys(words, text), text: text})
            event = {"at": AT, "subject": text, "actor": text, "topic": text, "detail": detail}
            self._add("events", ({**event, "position": self._next(), "event": kind} for kind in kinds))
        state = {
            "agent_id": VECTORS[0],
            "key": "kiro-drift",
            "value": json.dumps(VECTORS),
            "saved_at": AT,
            "present": 1,
        }
        self._add("agent_state", [{**state, "version": 1, "position": self._next()}])
        request = {"operation": VECTORS[0], "answer": json.dumps(VECTORS[0]), "at": AT}
        self._add("requests", [{**request, "request_id": VECTORS[0], "arguments_digest": "0"}])

    def _milestones(self, sections: str) -> list[str]:
        """A vector is a milestone with four phases that were approved or rejected, and one session."""
        made: list[str] = []
        for number, text in enumerate(VECTORS):
            made.append(f"hostile-{number}")
            own = {"milestone_id": made[-1]}
            steering = ("", "paused", "stopped")[number % 3]
            shown = {"name": text, "description": text, "parked_why": text, "parked_until": AT, "steering": steering}
            times = {"status": "active", "created_at": AT, "updated_at": AT}
            rest = {"sections": sections, "duration": text, "strategy": "adaptive", "position": self._next()}
            self._add("milestones", [{**own, **shown, **times, **rest}])
            session = {"session_id": f"execution-{number}", "mode": "execution", "status": "open", "started_at": AT}
            self._add("sessions", [{**own, **session, "coordinator": text}])
            for ordinal, phase in enumerate(PHASES):
                at = {"phase": phase, "ordinal": ordinal, "weight": 25, "status": "active", "started_at": AT}
                self._add("phases", [{**own, **at}])
                given = VECTORS[(4 * number + ordinal) % len(VECTORS)]
                answer = {"status": ("waiting", "approved", "rejected")[ordinal % 3], "asked_at": AT, "answered_at": AT}
                self._add("approvals", [{**own, "phase": phase, **answer, "answered_by": given, "reason": given}])
        return made

    def _sections(self) -> str:
        """Put a vector in the place of each text of the plan, and return it: objectives, risks, limits."""
        (text,) = self._connection.execute(
            "SELECT sections FROM milestones WHERE milestone_id = ?", (self._main,)
        ).fetchone()
        vectors = iter(VECTORS * 9)

        def poisoned(value: Any) -> Any:
            if isinstance(value, dict):
                return {name: poisoned(one) for name, one in value.items()}
            if isinstance(value, list):
                return [poisoned(one) for one in value]
            return next(vectors) if isinstance(value, str) else value

        sections = json.dumps(poisoned(json.loads(text)))
        changed = "UPDATE milestones SET sections = ?, name = ?, description = ? WHERE milestone_id = ?"
        self._connection.execute(changed, (sections, VECTORS[0], "\n".join(VECTORS), self._main))
        self.written.add(("milestones", "sections"))
        return sections
