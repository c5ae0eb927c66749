"""A project as large as wanted, for benchmarks: tasks, agents, events, and what else comes with them."""

from __future__ import annotations

import json
import os
import sqlite3
import sys
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "server"))

from milestone.domain.identity import Caller
from milestone.operations.catalogue import REGISTRY
from milestone.operations.seeding import Sown, write
from milestone.store.engine import Transaction, run
from milestone.wiring import Application, read_settings

PHASES = ("design", "spec", "task", "execute")
TASKS, AGENTS, EVENTS, MESSAGES, CHECKPOINTS = 50, 5, 2_000, 200, 10
OPEN = 5  # of a hundred agents are at work
DAYS = 3


class World:
    """A project with one milestone that is half carried out: `scale` times 50 tasks, 5 agents and 2,000 events."""

    def __init__(self, folder: Path, scale: int) -> None:
        begun = time.perf_counter()
        (folder / ".git").mkdir(parents=True)
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
        self.environment = {**kept, "MILESTONE_PROJECT_DIR": str(folder), "HOME": str(folder)}
        self.scale, self.tasks, self.agents, self.events = scale, TASKS * scale, AGENTS * scale, EVENTS * scale
        self.application = Application(read_settings(self.environment))
        self.milestone_id: str = self.call("initialize_agent_coordination", name="Bench")["milestone_id"]
        self.within(self._begin)
        self.application.close()
        with sqlite3.connect(self.application.settings.data / "milestone.db") as connection:
            Filling(self, connection).fill()
        connection.close()
        self.application = Application(read_settings(self.environment))
        self.took = time.perf_counter() - begun

    @property
    def said(self) -> str:
        """How large it is, in words."""
        return f"{self.tasks:,} tasks, {self.agents:,} agents, {self.events:,} events"

    def within(self, work: Any) -> Any:
        """Return what `work` makes of a context in one writing transaction."""
        engine = self.application.engine(create=True)
        assert engine is not None

        def carry_out(transaction: Transaction) -> Any:
            return work(self.application.context(transaction, Caller(), set()))

        return run(engine, carry_out, write=True)

    def call(self, tool: str, **arguments: Any) -> Any:
        """Return the answer of an operation."""
        operation = REGISTRY[tool]
        given = {name: value for name, value in operation.check(arguments).items() if name != "request_id"}
        return self.within(lambda ctx: operation.function(ctx, **given))

    def happen(self) -> int:
        """Commit an event and return its position."""
        return self.call("log_milestone_event", event="bench", subject="one more", milestone_id=self.milestone_id)[
            "position"
        ]

    def _begin(self, ctx: Any) -> None:
        """Sow the tasks and begin to carry them out."""
        sown = Sown()
        for number in range(self.tasks):
            sown.add(
                task_id=f"t-{number}",
                mode="execution",
                agent_type="code-transformer",
                title=f"Task {number} of a milestone that is as large as this one",
                phase=PHASES[number * 4 // self.tasks],
                weight=1,
                standing=0,
                produces=("task-report",),
                time_limit=3_600,
            )
            if number % 5:
                sown.needs.append((f"t-{number}", f"t-{number - 1}", "task-report"))
        write(ctx, self.milestone_id, "execution", sown)
        row = ctx.store.milestones.get(self.milestone_id)
        row["status"] = "active"
        ctx.store.milestones.save(row, ctx.at)
        session = f"execution-{self.milestone_id}-1"
        ctx.store.milestones.add_session(session, self.milestone_id, "execution", ctx.at)
        ctx.store.agents.add(
            f"coordinator-{session}", "project-milestone-coordinator", self.milestone_id, session, ctx.at
        )
        for old in ctx.store.milestones.sessions(self.milestone_id):
            if old["mode"] == "planning":
                ctx.store.milestones.end_session(old["session_id"], "completed", ctx.at)


class Filling:
    """What has happened so far, written as rows; times are spread over three days, positions follow each other."""

    def __init__(self, world: World, connection: sqlite3.Connection) -> None:
        self._world, self._connection = world, connection
        (self._project,) = connection.execute("SELECT project_id FROM projects").fetchone()
        self._known = {"project_id": self._project, "milestone_id": world.milestone_id}
        self._session = f"execution-{world.milestone_id}-1"
        self._now = datetime.now(UTC)
        (self._first,) = connection.execute("SELECT position FROM projects").fetchone()

    def fill(self) -> None:
        """Write everything."""
        done = self._world.tasks // 2
        self._agents()
        self._claims(done)
        self._events(done)
        self._messages()
        self._rest(done)
        self._connection.execute("UPDATE projects SET position = ?", (self._first + self._world.events,))

    def _at(self, share: float) -> str:
        when = self._now - timedelta(days=DAYS) * (1 - share)
        return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def _add(self, table: str, rows: Iterable[dict[str, Any]]) -> None:
        """Write rows; columns that a row leaves out are empty."""
        known = {name: kind for _, name, kind, *_ in self._connection.execute(f"PRAGMA table_info({table})")}
        usual = {name: "" if kind == "TEXT" else 0 for name, kind in known.items()}
        statement = f"INSERT INTO {table} ({', '.join(known)}) VALUES ({', '.join(f':{name}' for name in known)})"  # noqa: S608 - ours
        filled = ({**usual, **{n: v for n, v in self._known.items() if n in known}, **row} for row in rows)
        self._connection.executemany(statement, filled)

    def _agent(self, number: int) -> str:
        return f"code-transformer-{number % self._world.agents:04d}"

    def _agents(self) -> None:
        def rows() -> Iterable[dict[str, Any]]:
            for number in range(self._world.agents):
                at_work = number % 100 < max(OPEN, 1)
                yield {
                    "agent_id": self._agent(number),
                    "agent_type": "code-transformer",
                    "session_id": self._session,
                    "capabilities": "[]",
                    "status": "active" if at_work else "completed",
                    "registered_at": self._at(number / self._world.agents),
                    "seen_at": self._at(1),
                    "ended_at": "" if at_work else self._at(1),
                }

        self._add("agent_registry", rows())
        used = ({"agent_id": self._agent(n), "task_id": f"t-{n}", "turns": 40} for n in range(self._world.agents))
        self._add("spend", ({**one, "tokens": 9_000, "phase": "design", "updated_at": self._at(1)} for one in used))

    def _claims(self, done: int) -> None:
        def rows() -> Iterable[dict[str, Any]]:
            for number in range(done):
                at = number / done
                span = {
                    "handed_out_at": self._at(at),
                    "started_at": self._at(at),
                    "ended_at": self._at(at + 0.5 / done),
                }
                yield {
                    "task_id": f"t-{number}",
                    "attempt": 1,
                    "agent_id": self._agent(number),
                    "outcome": "completed",
                    **span,
                }
            for number in range(self._world.agents):
                if number % 100 < OPEN:
                    span = {"handed_out_at": self._at(0.999), "started_at": self._at(0.999)}
                    yield {"task_id": f"t-{done + number}", "attempt": 1, "agent_id": self._agent(number), **span}

        self._add("claims", rows())
        finish = "UPDATE tasks SET status = 'completed', completed_at = ?, attempts = 1, unmet = 0 WHERE task_id = ?"
        self._connection.executemany(finish, ((self._at(n / done), f"t-{n}") for n in range(done)))
        held = [f"t-{done + n}" for n in range(self._world.agents) if n % 100 < OPEN]
        self._connection.executemany(
            "UPDATE tasks SET status = 'claimed', attempts = 1, unmet = 0 WHERE task_id = ?", ((one,) for one in held)
        )
        failed = [f"t-{self._world.tasks - 1 - n}" for n in range(2 * self._world.scale)]
        self._connection.executemany(
            "UPDATE tasks SET status = 'failed', detail = 'the gate tests failed' WHERE task_id = ?",
            ((one,) for one in failed),
        )

    def _events(self, done: int) -> None:
        def rows() -> Iterable[dict[str, Any]]:
            for number in range(self._world.events):
                name = "task_started" if number % 40 == 0 else "task_completed" if number % 40 == 20 else "state_saved"
                task, agent = f"t-{number * done // self._world.events}", self._agent(number)
                subject = f"{agent}/task-report" if name == "state_saved" else task
                detail = json.dumps({"version": number, "task_id": task})
                at = self._at(number / self._world.events)
                position = self._first + number + 1
                yield {
                    "position": position,
                    "at": at,
                    "event": name,
                    "subject": subject,
                    "actor": agent,
                    "detail": detail,
                }

        self._add("events", rows())
        values = (
            {
                "agent_id": self._agent(number),
                "key": f"task-report-{number % 7}",
                "version": number // self._world.agents + 1,
                "position": self._first + number * 4 + 1,
                "value": json.dumps({"summary": "done as asked", "changed": ["app/one.py"]}),
                "present": 1,
                "saved_at": self._at(number * 4 / self._world.events),
            }
            for number in range(self._world.events // 4)
        )
        self._add("agent_state", values)

    def _messages(self) -> None:
        count = MESSAGES * self._world.scale
        places = [(number, self._first + number * 10 + 1) for number in range(count)]
        late = count - 3 * self._world.scale
        sent = (
            {
                "position": position,
                "message_id": f"m-{number}",
                "from_agent": self._agent(number),
                "recipient": self._agent(number + 1),
                "type": "note",
                "payload": json.dumps({"said": "the interface of the store has another name now", "number": number}),
                "sent_at": self._at(number / count),
            }
            for number, position in places
        )
        self._add("agent_messages", sent)
        receipts = (
            {
                "agent_id": self._agent(number + 1),
                "message_id": f"m-{number}",
                "position": position,
                "delivered_at": self._at(number / count) if number < late else "",
                "read_at": self._at(number / count) if number < late else "",
            }
            for number, position in places
        )
        self._add("message_receipts", receipts)

    def _rest(self, done: int) -> None:
        """Write checkpoints, evidence, gate runs and decisions."""
        saved = (
            {
                "checkpoint_id": f"c-{number}",
                "scope": "milestone",
                "scope_id": self._world.milestone_id,
                "label": f"auto:before t-{number}",
                "position": self._first + number * 100 + 1,
                "created_at": self._at(number / (CHECKPOINTS * self._world.scale)),
                "trees": "[]",
            }
            for number in range(CHECKPOINTS * self._world.scale)
        )
        self._add("agent_checkpoints", saved)
        proofs = ({"task_id": f"t-{n}", "kind": "report", "agent_id": self._agent(n)} for n in range(done))
        self._add("evidence", ({**one, "detail": "{}", "accepted_at": self._at(1)} for one in proofs))
        output = "ok\n" * 300
        result = json.dumps([{"gate": "tests", "outcome": "passed", "exit_code": 0, "seconds": 2.5, "output": output}])
        runs = (
            {
                "run_id": f"g-{number}",
                "task_id": f"t-{number}",
                "attempt": 1,
                "commit_id": f"{number:040x}",
                "status": "passed",
                "results": result,
                "started_at": self._at(number / done),
                "ended_at": self._at(number / done),
            }
            for number in range(done)
        )
        self._add("gate_runs", runs)
        texts = {"kind": "keep", "what": "the store", "reason": "it is tested", "source": "scope", "places": "[]"}
        self._add("decisions", ({"decision_id": f"d-{n}", "ordinal": n, **texts} for n in range(10)))
        links = ({"task_id": f"t-{n}", "decision_id": f"d-{n % 10}"} for n in range(self._world.tasks))
        self._add("task_decisions", links)
