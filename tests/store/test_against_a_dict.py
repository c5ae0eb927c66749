"""The store next to plain dicts: whatever is done in whatever order, both hold the same."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from milestone.domain.leases import Lease
from milestone.domain.milestones import new_sections
from milestone.domain.text import scrub
from milestone.store.engine import Engine, Transaction, run
from milestone.store.store import Store

AT = "2026-01-01T00:00:00.000Z"
HELD = Lease("boot", 1_000)
AGENTS: tuple[str, ...] = ("ann", "bob", "cleo")
KEYS: tuple[str, ...] = ("plan", "notes")
TASKS: tuple[str, ...] = ("scope", "plan")
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


class LedgerMachine(RuleBasedStateMachine):
    """State, messages and claims of one milestone."""

    engine: ClassVar[Engine]
    projects = 0

    @initialize()
    def begin(self) -> None:
        """Start with a new project: one milestone, three agents, two tasks."""
        type(self).projects += 1
        self.project = f"project-{self.projects}"
        self.versions: dict[tuple[str, str], list[Any]] = defaultdict(list)
        self.unread: dict[str, list[str]] = {agent: [] for agent in AGENTS}
        self.acked: set[tuple[str, str]] = set()
        self.sent: list[str] = []
        self.holder: dict[str, str] = {}
        self.attempts = dict.fromkeys(TASKS, 0)
        self.marks: list[tuple[str, dict[tuple[str, str], Any]]] = []
        self.write(self.lay_out)

    def lay_out(self, store: Store) -> None:
        store.log.open_project(AT)
        store.milestones.add("m", "name", "", new_sections(), AT, store.log.advance())
        store.milestones.add_session("s", "m", "planning", AT)
        for agent in AGENTS:
            store.agents.add(agent, "worker", "m", "s", AT)
        task = {
            "mode": "planning",
            "agent_type": "worker",
            "title": "",
            "phase": "",
            "weight": 0,
            "produces": ("k",),
            "critical": 1,
        }
        for ordinal, name in enumerate(TASKS):
            store.tasks.add("m", ordinal, task_id=name, time_limit=60, **task)

    def write(self, work: Callable[[Store], Any]) -> Any:
        return run(self.engine, lambda tx: work(Store(tx, self.project)), write=True)

    def read(self, work: Callable[[Store], Any]) -> Any:
        return run(self.engine, lambda tx: work(Store(tx, self.project)), write=False)

    @rule(agent=st.sampled_from(AGENTS), key=st.sampled_from(KEYS), value=JSON)
    def save(self, agent: str, key: str, value: Any) -> None:
        self.versions[agent, key].append(value)
        number, text = len(self.versions[agent, key]), json.dumps(value, ensure_ascii=False)
        self.write(lambda store: store.state.add("m", agent, key, number, store.log.advance(), text, AT))

    @rule(agent=st.sampled_from(AGENTS), key=st.sampled_from(KEYS), value=JSON)
    def save_and_break_off(self, agent: str, key: str, value: Any) -> None:
        """A transaction that fails leaves the dict as it is."""

        def half(transaction: Transaction) -> None:
            store = Store(transaction, self.project)
            number = len(self.versions[agent, key]) + 1
            store.state.add("m", agent, key, number, store.log.advance(), json.dumps(value, ensure_ascii=False), AT)
            raise LookupError

        with pytest.raises(LookupError):
            run(self.engine, half, write=True)

    @rule()
    def mark(self) -> None:
        name = f"checkpoint-{len(self.marks)}"
        self.write(lambda store: store.state.add_checkpoint(name, "milestone", "m", "", store.log.advance(), AT))
        self.marks.append((name, {where: values[-1] for where, values in self.versions.items() if values}))

    @rule(sender=st.sampled_from(AGENTS), to=st.sampled_from((*AGENTS, "worker", "*", "nobody")))
    def send(self, sender: str, to: str) -> None:
        name = f"message-{len(self.sent)}"
        self.sent.append(name)

        def work(store: Store) -> list[str]:
            found = store.agents.recipients("m", to, sender)
            position = store.log.advance()
            store.messages.add(name, "m", sender, to, kind="note", payload="1", reply_to="", position=position, at=AT)
            for agent in found:
                store.messages.queue(name, agent, position)
            return found

        expected = [agent for agent in AGENTS if agent != sender and to in (agent, "worker", "*")]
        assert self.write(work) == expected
        for agent in expected:
            self.unread[agent].append(name)

    @rule(agent=st.sampled_from(AGENTS), limit=st.integers(1, 3))
    def receive(self, agent: str, limit: int) -> None:
        def work(store: Store) -> list[str]:
            names = [row["message_id"] for row in store.messages.undelivered(agent, limit)]
            for name in names:
                store.messages.deliver(agent, name, AT)
            return names

        expected, self.unread[agent] = self.unread[agent][:limit], self.unread[agent][limit:]
        assert self.write(work) == expected

    @rule(agent=st.sampled_from(AGENTS), number=st.integers(0, 5))
    def acknowledge(self, agent: str, number: int) -> None:
        name = f"message-{number}"
        got = self.write(lambda store: store.messages.ack(agent, name, AT))
        has = bool(self.read(lambda store: [1 for row in self.receipts(store) if row == (agent, name)]))
        assert got == (has and (agent, name) not in self.acked)
        if got:
            self.acked.add((agent, name))
            self.unread[agent] = [other for other in self.unread[agent] if other != name]

    def receipts(self, store: Store) -> list[tuple[str, str]]:
        from milestone.store.queries import Query

        query = Query("receipts", "SELECT agent_id, message_id FROM message_receipts WHERE project_id = :project_id")
        rows = store.messages._transaction.rows(query, project_id=self.project)  # noqa: SLF001 - the test looks behind the queries
        return [(row["agent_id"], row["message_id"]) for row in rows]

    @rule(task=st.sampled_from(TASKS), agent=st.sampled_from(AGENTS))
    def claim(self, task: str, agent: str) -> None:
        if task in self.holder or agent in self.holder.values():
            return
        self.attempts[task] += 1
        self.holder[task] = agent
        assert (
            self.write(lambda store: store.tasks.claim("m", task, agent, "server", AT, lease=HELD, deadline=HELD))
            == self.attempts[task]
        )

    @rule(task=st.sampled_from(TASKS), agent=st.sampled_from(AGENTS))
    def claim_what_is_held(self, task: str, agent: str) -> None:
        """Two open claims of one task cannot be written, whoever tries."""
        if task in self.holder:
            with pytest.raises(Exception, match=r"(?i)unique"):
                self.write(lambda store: store.tasks.claim("m", task, agent, "server", AT, lease=HELD, deadline=HELD))

    @rule(agent=st.sampled_from(AGENTS))
    def end_claim(self, agent: str) -> None:
        self.write(lambda store: store.tasks.end_claim(agent, "over", AT))
        self.holder = {task: holder for task, holder in self.holder.items() if holder != agent}

    @invariant()
    def holds_the_same(self) -> None:
        if hasattr(self, "project"):
            self.read(self.compare)

    def compare(self, store: Store) -> None:
        for (agent, key), values in self.versions.items():
            row = store.state.newest(agent, key)
            seen = (json.loads(row["value"]), row["version"]) if row else (None, 0)
            assert seen == ((values[-1], len(values)) if values else (None, 0))
        for key in KEYS:
            authors = {row["agent_id"] for row in store.state.newest_of_all("m", key)}
            assert authors == {agent for agent in AGENTS if self.versions[agent, key]}
        for agent in AGENTS:
            assert store.messages.count_undelivered(agent) == len(self.unread[agent])
        for task in store.tasks.all("m"):
            assert (task["held_by"], task["attempts"]) == (
                self.holder.get(task["task_id"]),
                self.attempts[task["task_id"]],
            )
        for name, then in self.marks:
            found = store.state.checkpoint(name)
            assert found is not None
            for (agent, key), values in self.versions.items():
                row = store.state.at(found["position"], agent, key)
                assert (json.loads(row["value"]) if row else None) == then.get((agent, key)), values


def test_whatever_is_done_the_store_holds_what_a_dict_would(engine: Engine) -> None:
    """Planted and found: messages in disorder, `newest` by its value, one end for all claims, an undo that commits."""
    LedgerMachine.engine = engine
    run_state_machine_as_test(
        LedgerMachine,
        settings=settings(
            max_examples=12,
            stateful_step_count=25,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )


def test_what_no_database_can_hold_is_replaced_before_it_gets_there() -> None:
    assert scrub({"a\0": ["x\ud800", 1, None, "fine"]}) == ({"a\ufffd": ["x\ufffd", 1, None, "fine"]}, 2)
