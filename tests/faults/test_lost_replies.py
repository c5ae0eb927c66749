"""Calls whose answer never arrives, and that are made again with their request_id: what they do is done once."""

from __future__ import annotations

import random
import signal
import uuid
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from itertools import chain
from typing import Any

import pytest

from milestone.store.engine import run
from milestone.store.queries import Query
from tests.faults.amounts import of
from tests.helpers.agents import Agents
from tests.helpers.execution import git
from tests.helpers.projects import TABLES, Project
from tests.helpers.underway import InProcess
from tests.helpers.wire import Wire
from tests.operations.test_requests import IN_EXECUTION, OTHER, arguments, arguments_in_execution

ROUNDS = {"sqlite": 50, "postgres": 20}
FAULTS = ("cancelled", "vanished", "lost", "killed")
TRIES = {
    *("gate_runs", "events gates_started", "events gates_ended"),
    *("agent_checkpoints", "events checkpoint_created", "events checkpoint_captured"),
}
"""What tells of a try, or was kept before it: a call that broke off within its work outside leaves one more behind."""


class Here(Agents):
    """Agents that act in this process, which is quick."""

    def __init__(self, project: Project, milestone_id: str) -> None:
        self.project, self.milestone_id = project, milestone_id

    def call(self, tool: str, /, **arguments: Any) -> Any:
        """Return the answer of a call that must be carried out."""
        return self.project.operate(tool, **arguments)


def prepared(project: Project, tool: str) -> tuple[str, dict[str, Any]]:
    """Bring a milestone of its own to where a tool is called for; return it and good arguments with a request_id."""
    if tool in IN_EXECUTION:
        given = arguments_in_execution(InProcess(project), tool)  # pyright: ignore[reportArgumentType]
        milestone_id = given.get("milestone_id") or _milestone_of(project, given["agent_id"])
    else:
        milestone_id = project.operate("initialize_agent_coordination", name=f"Goal {uuid.uuid4()}")["milestone_id"]
        given = arguments(Here(project, milestone_id), tool)
    return milestone_id, {**given, "request_id": f"request-{uuid.uuid4()}"}


def _milestone_of(project: Project, agent_id: str) -> str:
    return next(row["milestone_id"] for row in project.rows("agent_registry") if row["agent_id"] == agent_id)


def effects(project: Project) -> dict[str, Counter[str]]:
    """Return how many rows of each kind there are, for each milestone."""
    found: dict[str, Counter[str]] = {}
    queries = {table: Query(table, f"SELECT * FROM {table}") for table in TABLES}  # noqa: S608 - names of tables
    tables = run(project.engine, lambda tx: {table: tx.rows(one) for table, one in queries.items()}, write=False)
    owner = {row["agent_id"]: row["milestone_id"] for row in tables["agent_registry"]}
    for table, rows in tables.items():
        for row in rows:
            milestone_id = row.get("milestone_id") or owner.get(row.get("agent_id", ""), "")
            kind = f"{table} {row['event']}" if table == "events" else table
            found.setdefault(milestone_id, Counter())[kind] += 1
    return found


def commits(project: Project) -> int:
    """Return how many commits the branches have, each counted for itself; 0 where there is no repository.

    What one second commits twice on the same ground, on a task's branch and on that of its milestone, is one object.
    """
    if not (project.folder / ".git" / "HEAD").exists():
        return 0
    branches = git(project.folder, "for-each-ref", "--format=%(refname)", "refs/heads").split()
    return sum(int(git(project.folder, "rev-list", "--count", branch)) for branch in branches)


class Round:
    """Tools that are called once each, all at the same time on one server."""

    def __init__(self, project: Project, tools: list[str], chance: random.Random) -> None:
        self.project = project
        self.tools = chance.sample(tools, len(tools))
        self.calls = {tool: prepared(project, tool) for tool in self.tools}
        self._effects, self._commits = effects(project), commits(project)

    def begin(self, wire: Wire) -> list[int]:
        """Call them all."""
        return [wire.begin_call(tool, **self.calls[tool][1]) for tool in self.tools]

    def answers(self, wire: Wire) -> dict[str, tuple[bool, str]]:
        """Call them all and return what they are told."""
        return dict(zip(self.tools, [wire.answer(number) for number in self.begin(wire)], strict=True))

    def settle(self, wire: Wire, answers: dict[str, tuple[bool, str]]) -> dict[str, tuple[bool, str]]:
        """Ask anew, as the answer says, where something was under way in the server that has ended since."""
        for tool in [tool for tool, (_, text) in answers.items() if '"result":"running"' in text]:
            self.calls[tool][1]["request_id"] = f"request-{uuid.uuid4()}"
            answers[tool] = wire.answer(wire.begin_call(tool, **self.calls[tool][1]))
        return answers

    def done(self) -> dict[str, Counter[str]]:
        """Return what the calls have brought about, by tool."""
        now, found = effects(self.project), {"git": Counter(commits=commits(self.project) - self._commits)}
        begun = {row["name"]: row["milestone_id"] for row in self.project.rows("milestones")}
        for tool, (own, given) in self.calls.items():
            milestone_id = begun[given["name"]] if tool == "initialize_agent_coordination" else own
            found[tool] = now[milestone_id] - self._effects.get(milestone_id, Counter[str]())
            if tool != "create_agent_checkpoint":
                found[tool] = Counter({kind: count for kind, count in found[tool].items() if kind not in TRIES})
        return found


def disturb(fault: str, wire: Wire, numbers: list[int], after: int) -> None:
    """Let the fault happen once some calls have been answered."""
    for number in numbers[:after]:
        wire.answer(number)
    if fault == "cancelled":
        for number in numbers[after:]:
            wire.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": number}})
    if fault == "vanished":
        assert wire.process.stdin is not None
        wire.process.stdin.close()
    if fault == "killed":
        wire.process.send_signal(signal.SIGKILL)


def wrong(one: Round, other: Wire, usual: dict[str, Counter[str]], fault: str, chance: random.Random) -> list[str]:
    """Disturb a round, make its calls again through another server; return what was done more or less than once."""
    with closing(Wire(one.project)) as doomed:
        disturb(fault, doomed, one.begin(doomed), chance.randrange(len(one.tools)))
        first = one.answers(other)
    answers = one.settle(other, first)
    found = [f"{fault} {tool}: {text}" for tool, (refused, text) in answers.items() if refused]
    done = one.done()
    found += [
        f"{fault} {tool}: {dict(done[tool])}, not {dict(usual[tool])}" for tool in usual if done[tool] != usual[tool]
    ]
    again = one.answers(other)
    found += [f"{fault} {tool}: answered differently" for tool in one.tools if again[tool] != answers[tool]]
    return found + ([] if one.done() == done else [f"{fault}: done again"])


def disturbed(project: Project, tools: list[str], rounds: int) -> list[str]:
    """Return what is wrong after rounds with one fault each."""
    chance = random.Random(6)
    with closing(Wire(project)) as other:
        undisturbed = Round(project, tools, chance)
        undisturbed.answers(other)
        usual = undisturbed.done()
        found = [
            wrong(Round(project, tools, chance), other, usual, FAULTS[number % len(FAULTS)], chance)
            for number in range(rounds)
        ]
    return list(chain(*found))


@pytest.mark.parametrize("engine", ROUNDS)
def test_whatever_becomes_of_its_answer_each_call_is_carried_out_once(
    new_project: Callable[..., Project], engine: str
) -> None:
    """Planted and found: a door that remembers answers and looks none of them up."""
    wrong_ = disturbed(new_project(engine), sorted(set(OTHER) - set(IN_EXECUTION)), of(ROUNDS[engine]))
    assert not wrong_, "\n".join(wrong_)


def test_whatever_becomes_of_its_answer_what_a_call_does_outside_of_the_database_is_done_once(
    new_repository: Callable[..., Project],
) -> None:
    wrong_ = disturbed(new_repository(), sorted(IN_EXECUTION), of(ROUNDS["sqlite"]))
    assert not wrong_, "\n".join(wrong_)
