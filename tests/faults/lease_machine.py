"""Agents that take, hold, lose and finish tasks while their clocks do what they want, and what must always be true."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from milestone.domain.errors import NotYours, Refusal
from milestone.domain.identity import Caller
from milestone.domain.leases import START_SECONDS, Clock
from milestone.operations import shared
from milestone.operations.catalogue import REGISTRY
from milestone.operations.context import Aside, Context, Outside
from milestone.store.engine import Transaction, run
from tests.helpers.agents import PRODUCTS
from tests.helpers.projects import Project
from tests.helpers.samples import SAMPLES

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
SILENCE = 1_800  # seconds: `time_limit` of the planning playbook
LONGEST = 14_400  # seconds: `task_seconds` of the limits
SLACK = 5  # seconds: how long an abandoned task may rest beyond its lease
ATTEMPTS = 3
CHOICE = st.integers(0, 10_000)
PASSING = st.sampled_from([0.5, 4, 30, START_SECONDS - 1, START_SECONDS + 1, 900, SILENCE - 1, SILENCE + 1, 5_000])
JUMPS = st.sampled_from([-86_400, -3_600, 3_600, 86_400])


@dataclass
class Hold:
    """What a holder should be able to rely on. Clock values are milliseconds."""

    task_id: str
    agent_id: str
    token: str
    era: int
    until: int
    deadline: int
    started: bool = False
    delivered: bool = False

    @property
    def who(self) -> dict[str, str]:
        """What the agent names itself with."""
        return {"agent_id": self.agent_id, "token": self.token}


class LeaseMachine(RuleBasedStateMachine):
    """One milestone after the other in one project; each step is one call, or something that a clock does."""

    project: ClassVar[Project]
    milestones = 0

    @initialize()
    def begin(self) -> None:
        """Start with a milestone of its own."""
        type(self).milestones += 1
        self.era, self.ms, self.wall = 1, 1_000_000, timedelta(0)
        self.holds: dict[str, Hold] = {}
        self.former: list[Hold] = []
        self.failures: dict[str, int] = {}
        given = {"name": f"Goal {type(self).milestones}"}
        self.milestone_id = self.operate("initialize_agent_coordination", **given)["milestone_id"]

    def moved(self, transaction: Transaction) -> Context:
        """Return the context of a call at the time that it is now here."""
        context = self.project.application.context(transaction, Caller(), set())
        clock = Clock(f"era-{self.era}", self.ms)
        return replace(context, now=NOON + timedelta(milliseconds=self.ms) + self.wall, measure=lambda: clock)

    def operate(self, tool: str, **given: Any) -> Any:
        """Return the answer of a tool."""
        operation = REGISTRY[tool]
        arguments = {name: value for name, value in operation.check(given).items() if name != "request_id"}
        answer = run(self.project.engine, lambda tx: operation.function(self.moved(tx), **arguments), write=True)
        while isinstance(answer, Aside):
            aside, result = answer, answer.work(Outside())
            answer = run(self.project.engine, lambda tx, a=aside, r=result: a.then(self.moved(tx), r), write=True)
        return answer

    def refused(self, tool: str, **given: Any) -> str:
        """Return why an agent may not do something; empty if it may."""
        try:
            self.operate(tool, **given)
        except NotYours as refusal:
            return str(refusal)
        return ""

    @rule(seconds=PASSING)
    def time_passes(self, seconds: float) -> None:
        """Let the clock that counts go on."""
        self.ms += round(seconds * 1000)

    @rule(seconds=JUMPS)
    def the_time_of_day_jumps(self, seconds: int) -> None:
        """Set the clock that is only shown."""
        self.wall += timedelta(seconds=seconds)

    @rule()
    def the_machine_starts_anew(self) -> None:
        """Begin another era."""
        self.era, self.ms = self.era + 1, 5_000

    def stands(self, hold: Hold) -> bool:
        """Return whether a holder is to be left alone."""
        return hold.era == self.era and self.ms < min(hold.until, hold.deadline if hold.started else hold.until)

    @rule()
    def somebody_asks_what_to_do(self) -> None:
        """Ask; whose lease stands keeps its task, whose lease is over loses it."""
        lost = self.ask()
        again = [hold for hold in lost if self.failures[hold.task_id] == 1]
        if again:
            self.ms += SLACK * 1000
            self.ask()
            assert [hold.task_id for hold in again if hold.task_id not in self.holds] == []

    def ask(self) -> list[Hold]:
        """Ask for the next actions and return the holds that ended by it, without a result."""
        over = [hold for hold in self.holds.values() if not self.stands(hold)]
        for hold in over:
            del self.holds[hold.task_id]
            if not hold.delivered:  # what was delivered is accepted, and its agent has ended well
                self.former.append(hold)
                self.failures[hold.task_id] = self.failures.get(hold.task_id, 0) + 1
        for action in self.operate("next_actions", milestone_id=self.milestone_id)["actions"]:
            if action["kind"] == "spawn":
                self.take(action)
        return [hold for hold in over if not hold.delivered]

    def take(self, action: dict[str, Any]) -> None:
        """Note who holds a task from now on."""
        task_id = action["task_id"]
        assert task_id not in self.holds, f"{task_id} was taken from a holder whose lease stands"
        assert self.failures.get(task_id, 0) < ATTEMPTS
        until, deadline = self.ms + START_SECONDS * 1000, self.ms + LONGEST * 1000
        self.holds[task_id] = Hold(task_id, action["agent_id"], action["token"], self.era, until, deadline)

    def chosen(self, number: int) -> Hold:
        """Return one of the holders."""
        return list(self.holds.values())[number % len(self.holds)]

    def alive(self, hold: Hold) -> None:
        """Note a sign of life: its lease holds anew, in this era."""
        hold.started, hold.era, hold.until = True, self.era, self.ms + SILENCE * 1000

    @precondition(lambda self: self.holds)
    @rule(number=CHOICE, tool=st.sampled_from(["update_agent_status", "save_agent_state", "send_agent_message"]))
    def a_holder_gives_a_sign_of_life(self, number: int, tool: str) -> None:
        """Let one that holds a task do something; it may, as long as nobody has taken the task."""
        hold = self.chosen(number)
        assert self.refused(tool, **acts(tool, hold)) == ""
        self.alive(hold)

    @precondition(lambda self: self.holds)
    @rule(number=CHOICE, whole=st.booleans())
    def a_holder_delivers(self, number: int, whole: bool) -> None:
        """Let one save what its task is to produce, and hand it in, or be lost before it can."""
        hold = self.chosen(number)
        for key in PRODUCTS[hold.task_id]:
            self.operate("save_agent_state", key=key, value=SAMPLES[key], **hold.who)
        hold.delivered = True
        self.alive(hold)
        if whole:
            assert self.operate("complete_task", task_id=hold.task_id, **hold.who)["status"] == "completed"
            del self.holds[hold.task_id]

    @precondition(lambda self: self.former)
    @rule(number=CHOICE, tool=st.sampled_from(["update_agent_status", "save_agent_state", "send_agent_message"]))
    def one_that_lost_its_task_comes_back(self, number: int, tool: str) -> None:
        """Let one whose task was taken go on as if nothing had happened; it is told who has it, if somebody has."""
        hold = self.former[number % len(self.former)]
        said = self.refused(tool, **acts(tool, hold))
        assert said
        now = self.holds.get(hold.task_id)
        assert now is None or f"{now.agent_id!r}" in said

    @invariant()
    def of_those_who_had_a_task_only_its_holder_may_write(self) -> None:
        """Let everybody try, and undo it."""
        for hold in self.former[-6:]:
            assert not self.may_write(hold)
        rows = run(self.project.engine, self.open_claims, write=False)
        assert sorted(rows) == sorted((hold.task_id, hold.agent_id) for hold in self.holds.values())

    def open_claims(self, transaction: Transaction) -> list[tuple[str, str]]:
        """Return who holds what, as the database has it."""
        held = self.project.application.store(transaction).tasks.held(self.milestone_id, "planning")
        return [(row["task_id"], row["held_by"]) for row in held]

    def may_write(self, hold: Hold) -> bool:
        """Return whether an agent would be let through now."""

        def attempt(transaction: Transaction) -> None:
            shared.writer(self.moved(transaction), hold.agent_id, hold.token)
            raise Undone

        try:
            run(self.project.engine, attempt, write=True)
        except Undone:
            return True
        except Refusal:
            return False
        raise AssertionError


class Undone(Exception):
    """Nothing of this is to stay."""


def acts(tool: str, hold: Hold) -> dict[str, Any]:
    """Return arguments with which an agent does something."""
    given: dict[str, dict[str, Any]] = {
        "update_agent_status": {"status": "active"},
        "save_agent_state": {"key": "notes", "value": 1},
        "send_agent_message": {"to": "*", "type": "note", "payload": 1},
    }
    who = {"from_agent": hold.agent_id, "token": hold.token} if tool == "send_agent_message" else hold.who
    return {**given[tool], **who}
