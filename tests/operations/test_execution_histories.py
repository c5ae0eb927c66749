"""Random histories of an execution: tables, event log and the formula a person would use always say the same."""

from __future__ import annotations

import json
import uuid
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

EXAMPLES = {"sqlite": 10, "postgres": 3}
LONGEST = 40
STEPS = (*("go_on",) * 6, "start", "deliver", "lose", "let_time_pass", "waive", "retry", "choose", "keep", "go_back")
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
_FREE = {"claimed": "ready", "blocked": "ready"}  # what a rollback makes of what is being worked on
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
        self.points: list[str] = []

    @rule(what=st.sampled_from(STEPS), pick=st.integers(0, 99), good=st.integers(0, 3))
    def step(self, what: str, pick: int, good: int) -> None:
        """Do one thing; `pick` says with which task, `good` whether all is well with what is handed in."""
        getattr(self, what)(pick, good > 0)

    def call(self, tool: str, **arguments: Any) -> Any:
        """Return the answer of a call made now; nothing where it is refused."""
        try:
            return self.project.operate(tool, later=self.clock, **arguments)
        except Refusal:
            return {}

    def named(self, tool: str, **arguments: Any) -> Any:
        """Return the answer of a call about the milestone."""
        return self.call(tool, milestone_id=self.execution.milestone_id, **arguments)

    def tasks(self) -> list[dict[str, Any]]:
        """Return the tasks of the execution."""
        return self.execution.read(lambda store: store.tasks.all(self.execution.milestone_id, "execution"))

    def go_on(self, pick: int, good: bool) -> None:
        """Do all that is named now but one task, as a coordinator and its agents would."""
        self.clock += 1
        for number, action in enumerate(self.named("next_actions").get("actions", ())):
            if action["kind"] == "transition":
                self.named("transition_phase", phase=action["phase"])
            elif action["kind"] == "run_gates":
                self.run_gates(action["task_id"], good)
            elif action["kind"] == "spawn":
                self.hands.append(action)
                if number != pick % 4:
                    self.hand_in(action, good)

    def start(self, pick: int, _good: bool) -> None:
        """Let an agent begin, as the host's hooks tell of it."""
        for action in self.picked(pick):
            caller = Caller(self.host, action["agent_id"], action["agent_type"])
            who = {"agent_id": action["agent_id"], "token": action["token"]}
            self.call("update_agent_status", status="active", caller=caller, **who)

    def deliver(self, pick: int, good: bool) -> None:
        """Hand a task in, or try to, long after it was given to somebody else."""
        for action in self.picked(pick):
            self.hand_in(action, good)

    def lose(self, pick: int, good: bool) -> None:
        """Let the host lose an agent, or an agent end without what it owes."""
        for action in self.picked(pick):
            given = {"session_id": self.host, "agent_id": action["agent_id"], "agent_type": action["agent_type"]}
            self.start(pick, good)
            for event in ("StopFailure",) if good else ("SubagentStop", "SubagentStop"):
                self.call("host_event", event=event, **given)

    def let_time_pass(self, _pick: int, good: bool) -> None:
        """Let no agent be heard of, for longer than it may take to begin, or for longer than its limit."""
        self.clock += 65 if good else 2_000

    def waive(self, pick: int, good: bool) -> None:
        """Let a person waive a task that is not done; rarely, or there is nothing left to prove."""
        left = [row["task_id"] for row in self.tasks() if row["status"] not in ("completed", "skipped")]
        if left and not good:
            self.named("waive", task_id=left[pick % len(left)], by="Ada", reason="late")

    def retry(self, _pick: int, _good: bool) -> None:
        """Let a person ask for another try of all that failed."""
        failed = [row["task_id"] for row in self.tasks() if row["status"] == "failed"]
        self.named("update_milestone", retry_tasks=failed)

    def choose(self, pick: int, _good: bool) -> None:
        """Let a person change the strategy, or complete a phase by hand."""
        self.named("update_milestone", strategy=STRATEGIES[pick % 4])
        self.named("transition_phase", phase=("design", "spec", "task", "execute")[pick % 4])

    def keep(self, _pick: int, _good: bool) -> None:
        """Make a checkpoint."""
        made = self.call("create_agent_checkpoint", scope_id=self.execution.milestone_id, scope="milestone")
        self.points += [made["checkpoint_id"]] if made else []

    def go_back(self, pick: int, good: bool) -> None:
        """Roll back to a checkpoint, rarely, and mostly undo that again."""
        if self.points and pick % 3 == 0:
            wanted = self.points[pick % len(self.points)]
            before = {row["task_id"]: row["status"] for row in self.tasks()}
            done = self.call("restore_agent_checkpoint", checkpoint_id=wanted, dry_run=False)
            if done.get("undo") and good:
                self.call("restore_agent_checkpoint", checkpoint_id=done["undo"], dry_run=False)
                after = {row["task_id"]: row["status"] for row in self.tasks()}
                assert after == {name: _FREE.get(status, status) for name, status in before.items()}
            self.best = by_hand(self.execution)

    def picked(self, pick: int) -> list[dict[str, Any]]:
        """Return one of the tasks that are held, or of those that were handed out lately, retired ones among them."""
        held = {row["held_by"] for row in self.tasks() if row["held_by"]}
        choices = [one for one in self.hands if one["agent_id"] in held] or self.hands[-4:]
        return [choices[pick % len(choices)]] if choices else []

    def hand_in(self, action: dict[str, Any], good: bool) -> None:
        """Deliver what a task asks for; what is not good lacks a key, or is a review that asks for changes."""
        who, wanted = {"agent_id": action["agent_id"], "token": action["token"]}, action["task_id"]
        for key in self.execution.task(wanted)["produces"]:
            given = value(key, wanted)
            if good or key == "review":
                self.call("save_agent_state", key=key, value=given if good else given | CHANGES, **who)
        self.call("complete_task", task_id=wanted, **who)

    def run_gates(self, wanted: str, good: bool) -> None:
        """Run the gates of a task, on code that is broken or not."""
        (self.project.folder / "app" / "mark.py").write_text("" if good else "BROKEN\n", "utf-8")
        self.named("run_gates", task_id=wanted)

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


def test_whatever_happens_in_whatever_order_tables_log_and_formula_agree(place: Project) -> None:
    """Planted and found: a skip or a retry that is not logged; a send-back whose status is not in its event;
    progress that is not saved after a skip.
    """
    Histories.project = place
    examples = EXAMPLES["postgres" if place.url else "sqlite"]
    run_state_machine_as_test(
        Histories,
        settings=settings(
            max_examples=examples,
            stateful_step_count=LONGEST,
            deadline=None,
            database=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
        ),
    )
