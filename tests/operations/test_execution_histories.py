"""Random histories of an execution: tables, event log and the formula a person would use always say the same."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from milestone.domain.errors import Refusal
from milestone.domain.identity import Caller
from milestone.domain.progress import overall, shown
from milestone.domain.replay import replay, tallies
from milestone.operations.reporting import progress, standing
from tests.conftest import ENGINES
from tests.helpers.execution import lean, task, value
from tests.helpers.postgres import Postgres
from tests.helpers.projects import Project
from tests.helpers.underway import Execution, InProcess, by_hand, logged

EXAMPLES = {"sqlite": 12, "postgres": 3}
STEPS = 35
EXTRA = {
    "id": "extra",
    "agent_type": "research-orchestrator",
    "title": "Look further",
    "phase": "design",
    "weight": 10,
    "produces": ["design-phase-results"],
    "critical": False,
    "time_limit": 600,
}
TASKS = (
    task("decide", "design", weight=7),
    task("specify", "spec", ("decide",), weight=3),
    task("name", "spec", weight=5),
    task("build", "execute", ("specify",), ("app/",), weight=11),
    task("ship", "execute", ("build",), weight=13),
)
STRATEGIES = ("sequential", "parallel_independent", "pipeline", "adaptive")
CHANGES = {
    "verdict": "changes_requested",
    "summary": "Not yet",
    "findings": [{"severity": "low", "statement": "a name", "places": []}],
}


class Histories(RuleBasedStateMachine):
    """One milestone in a folder without Git, so that an example takes few milliseconds; the gate is a real command."""

    project: ClassVar[Project]

    @initialize()
    def begin(self) -> None:
        """Begin to carry a milestone out."""
        self.clock = 0.0
        self.host = f"session-{uuid.uuid4()}"
        self.hands: list[dict[str, Any]] = []
        self.execution = Execution.begin(InProcess(self.project), *TASKS)
        self.best = by_hand(self.execution)
        self.done = False

    def call(self, tool: str, **arguments: Any) -> Any:
        """Return the answer of a call made now; nothing where it is refused."""
        try:
            return self.project.operate(tool, later=self.clock, **arguments)
        except Refusal:
            return None

    def named(self, tool: str, **arguments: Any) -> Any:
        """Return the answer of a call about the milestone."""
        return self.call(tool, milestone_id=self.execution.milestone_id, **arguments)

    def one_of(self, data: st.DataObject) -> dict[str, Any] | None:
        """Return one of the newest tasks that were handed out, retired ones among them."""
        return data.draw(st.sampled_from(self.hands[-6:])) if self.hands else None

    @precondition(lambda self: not self.done)
    @rule()
    def ask(self) -> None:
        actions = self.named("next_actions")["actions"]
        self.hands += [one for one in actions if one["kind"] == "spawn"]
        self.done = actions[0]["kind"] == "done"

    @rule(data=st.data())
    def start(self, data: st.DataObject) -> None:
        action = self.one_of(data)
        if action:
            caller = Caller(self.host, action["agent_id"], action["agent_type"])
            who = {"agent_id": action["agent_id"], "token": action["token"]}
            self.call("update_agent_status", status="active", caller=caller, **who)

    @rule(data=st.data(), good=st.sampled_from((True, True, True, False)))
    def deliver(self, data: st.DataObject, good: bool) -> None:
        action = self.one_of(data)
        if action is None:
            return
        who, wanted = {"agent_id": action["agent_id"], "token": action["token"]}, action["task_id"]
        row = self.execution.task(wanted)
        for key in row["produces"]:
            given = value(key, wanted)
            given = given | CHANGES if key == "review" and not good else given
            if good or key == "review":
                self.call("save_agent_state", key=key, value=given, **who)
        self.call("complete_task", task_id=wanted, **who)

    @rule(seconds=st.sampled_from((1, 30, 65, 2_000)))
    def let_time_pass(self, seconds: int) -> None:
        self.clock += seconds

    @rule(data=st.data(), event=st.sampled_from(("SubagentStop", "StopFailure")))
    def lose(self, data: st.DataObject, event: str) -> None:
        action = self.one_of(data)
        if action:
            given = {"session_id": self.host, "agent_id": action["agent_id"], "agent_type": action["agent_type"]}
            self.call("host_event", event=event, **given)

    @rule(wanted=st.sampled_from(("build", "ship")), broken=st.booleans())
    def run_gates(self, wanted: str, broken: bool) -> None:
        if self.execution.task(wanted)["status"] == "in_review":
            mark = self.project.folder / "app" / "mark.py"
            mark.write_text("BROKEN\n" if broken else "", "utf-8")
            self.named("run_gates", task_id=wanted)

    @rule(wanted=st.sampled_from((*(one["id"] for one in TASKS), "extra", "executor")), chance=st.integers(0, 5))
    def waive(self, wanted: str, chance: int) -> None:
        if not chance:
            self.named("waive", task_id=wanted, by="Ada", reason="late")

    @rule()
    def retry(self) -> None:
        failed = self.execution.read(
            lambda store: store.tasks.with_status(self.execution.milestone_id, "execution", "failed")
        )
        self.named("update_milestone", retry_tasks=[row["task_id"] for row in failed])

    @rule(phase=st.sampled_from(("design", "spec", "task", "execute")))
    def complete_phase(self, phase: str) -> None:
        self.named("transition_phase", phase=phase)

    @rule(strategy=st.sampled_from(STRATEGIES))
    def choose(self, strategy: str) -> None:
        self.named("update_milestone", strategy=strategy)

    @invariant()
    def tables_log_and_formula_agree(self) -> None:
        run = self.execution
        wanted, ledger = run.milestone_id, replay(logged(run))
        rows = run.read(lambda store: store.tasks.all(wanted, "execution"))
        said = {name: one for name, one in ledger.tasks.items() if one.mode == "execution"}
        assert {row["task_id"]: (row["status"], row["attempts"], row["held_by"] or "") for row in rows} == {
            name: (one.status, one.attempts, one.held_by) for name, one in said.items()
        }
        phases = run.read(lambda store: store.milestones.phases(wanted))
        assert {row["phase"]: row["status"] for row in phases} == dict(ledger.phases)
        milestone = run.read(lambda store: store.milestones.get(wanted))
        assert (milestone["strategy"], milestone["status"] == "completed") == (ledger.strategy, ledger.completed)
        hand = by_hand(run)
        weights = {row["phase"]: row["weight"] for row in phases}
        assert hand == overall(weights, tallies(ledger)) == run.read(lambda store: standing(store, wanted)).percentage
        assert self.best <= hand <= 100
        self.best = hand
        ended = {row["status"] for row in rows if not row["standing"] and row["weight"]} <= {"completed", "skipped"}
        empty = all(
            row["status"] == "completed" for row in phases if row["phase"] not in {one["phase"] for one in rows}
        )
        assert (hand == 100) is (ended and empty)
        self.saved_progress_is_current(shown(hand))

    def saved_progress_is_current(self, percentage: float) -> None:
        """The state says what the tables say, whatever happened last."""
        wanted = self.execution.milestone_id
        coordinator = f"coordinator-{self.execution.begun['session_id']}"
        now, saved = self.execution.read(
            lambda store: (progress(store, wanted), store.state.newest(coordinator, "milestone-progress"))
        )
        kept = json.loads(saved["value"])
        differs = {name for name in now if now[name] != kept[name]} - {"velocity", "eta"}
        assert (differs, now["overall"]) == (set(), percentage)


@pytest.fixture(params=ENGINES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """A project outside of Git whose gate fails where a file says so, with one task that may fail."""
    files = lean()
    playbook = yaml.safe_load(files[".milestones/config/execution.yaml"])
    playbook["tasks"].append(EXTRA)
    files[".milestones/config/execution.yaml"] = yaml.safe_dump(playbook)
    for name, text in files.items():
        (tmp_path / "place" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "place" / name).write_text(text, "utf-8")
    url = ""
    if request.param == "postgres":
        server: Postgres = request.getfixturevalue("postgres")
        url = server.new_database()
    project = Project(tmp_path / "place", url)
    yield project
    project.close()


def test_whatever_happens_in_whatever_order_tables_log_and_formula_agree(
    place: Project, record_property: Callable[[str, object], None]
) -> None:
    """Planted and found: a skip, a retry or a waiver that is not logged; a send-back whose status is not in its event;
    progress that is not saved after a skip.
    """
    Histories.project = place
    examples = EXAMPLES["postgres" if place.url else "sqlite"]
    record_property("examples", examples)
    run_state_machine_as_test(
        Histories,
        settings=settings(
            max_examples=examples,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
