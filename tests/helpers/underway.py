"""A milestone that is being carried out over one connection, and the agents that work on it, each in its folder."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

import pytest

from milestone.domain.errors import Refusal
from milestone.domain.identity import Caller
from milestone.domain.replay import Event
from milestone.operations.catalogue import REGISTRY
from milestone.operations.context import Aside, Outside
from milestone.store.engine import Transaction, run
from tests.helpers.execution import PLAN, carry_out, git, obey, play
from tests.helpers.execution import value as usual
from tests.helpers.host import Host
from tests.helpers.projects import Project


class Line(Protocol):
    """A connection over which tools are called."""

    project: Project

    def call(self, tool: str, /, **arguments: Any) -> Any:
        """Return the answer of a call that must be carried out."""
        ...

    def refusal(self, tool: str, /, **arguments: Any) -> str:
        """Return the text of a call that must be refused."""
        ...


def plan(*tasks: dict[str, Any], **sections: Any) -> dict[str, Any]:
    """Return a plan with these tasks; `sections` stand for others than the usual ones."""
    return {**PLAN, "tasks": list(tasks), **sections}


def planned(agents: Line, *tasks: dict[str, Any], name: str = "goal", **sections: Any) -> str:
    """Plan a milestone and return its id; in this process, since that is quick and other tests plan over the wire."""
    call, said = agents.project.operate, {"milestone-plan": plan(*tasks, **sections)}
    milestone_id = call("initialize_agent_coordination", milestone_id=f"{name}-{uuid.uuid4().hex[:8]}")["milestone_id"]
    assert play(call, milestone_id, said=said)[-1]["kind"] == "done"
    return milestone_id


class InProcess:
    """The operations carried out here, `later` seconds from now: for what only people call, and for time."""

    def __init__(self, project: Project, later: float = 0) -> None:
        self.project, self.later = project, later

    def call(self, tool: str, /, **arguments: Any) -> Any:
        """Return the answer of a call that must be carried out."""
        return self.project.operate(tool, later=self.later, **arguments)

    def refusal(self, tool: str, /, **arguments: Any) -> str:
        """Return the text of a call that must be refused."""
        with pytest.raises(Refusal) as refused:
            self.call(tool, **arguments)
        return str(refused.value)


class As:
    """A connection over which a sub-agent of the host calls."""

    def __init__(self, host: Host, agent: tuple[str, str]) -> None:
        self.project, self._host, self._agent = host.wire.project, host, agent

    def call(self, tool: str, /, **arguments: Any) -> Any:
        """Return the answer of a call that must be carried out."""
        return self._host.call(tool, self._agent, **arguments)

    def refusal(self, tool: str, /, **arguments: Any) -> str:
        """Return the text of a call that must be refused."""
        return self._host.refusal(tool, self._agent, **arguments)


class Worker:
    """An agent with the task of a spawn action."""

    def __init__(self, agents: Line, action: dict[str, Any]) -> None:
        self.agents, self.action, self.task_id = agents, action, action["task_id"]
        self.agent_id, self.brief = action["agent_id"], action["brief"]
        self.who = {"agent_id": action["agent_id"], "token": action["token"]}
        self.folder = Path()

    def begin(self) -> Worker:
        """Start, and take a folder to work in."""
        self.agents.call("update_agent_status", status="active", **self.who)
        self.tree()
        return self

    def tree(self) -> dict[str, Any]:
        """Return the folder as the tool tells of it."""
        told = self.agents.call("git_milestone", action="worktree", **self.who)
        self.folder = Path(told["path"])
        return told

    def write(self, path: str, text: str = "NAME = 1\n") -> None:
        """Write a file as an editor would."""
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_text(text, "utf-8")

    def commit(self, **more: Any) -> str:
        """Commit what was changed and return the commit's id."""
        given = {"summary": f"carry out {self.task_id}", **more}
        return self.agents.call("git_milestone", action="commit", **given, **self.who)["commit"]

    def save(self, key: str = "task-report", value: Any = None) -> None:
        """Save a value, the usual one if none is given."""
        value = usual(key, self.task_id) if value is None else value
        self.agents.call("save_agent_state", key=key, value=value, **self.who)

    def complete(self) -> dict[str, Any]:
        """Hand the task in."""
        return self.agents.call("complete_task", task_id=self.task_id, **self.who)

    def refused(self, tool: str = "complete_task", **arguments: Any) -> str:
        """Return why a call of the agent is refused."""
        given = {"task_id": self.task_id} if tool == "complete_task" else {}
        return self.agents.refusal(tool, **given, **arguments, **self.who)

    def do(self, path: str, text: str = "NAME = 1\n") -> dict[str, Any]:
        """Carry the task out with a change of one file, and hand it in."""
        self.begin()
        self.write(path, text)
        self.commit()
        self.save()
        return self.complete()


class Execution:
    """A milestone that is being carried out."""

    def __init__(self, agents: Line, milestone_id: str, **begun: Any) -> None:
        self.agents, self.milestone_id, self.begun = agents, milestone_id, begun

    @classmethod
    def begin(cls, agents: Line, *tasks: dict[str, Any], name: str = "goal", **sections: Any) -> Execution:
        """Plan these tasks and begin to carry them out."""
        return cls.of(agents, planned(agents, *tasks, name=name, **sections))

    @classmethod
    def of(cls, agents: Line, milestone_id: str) -> Execution:
        """Begin to carry a planned milestone out."""
        begun = agents.call("initialize_agent_coordination", milestone_id=milestone_id, mode="execution")
        return cls(agents, begun.pop("milestone_id"), **begun)

    @property
    def project(self) -> Project:
        """The project of the milestone."""
        return self.agents.project

    @property
    def branch(self) -> str:
        """The milestone's branch."""
        return f"feature/milestone-{self.milestone_id}"

    def call(self, tool: str, /, **arguments: Any) -> Any:
        """Return the answer of a tool that is told the milestone."""
        return self.agents.call(tool, milestone_id=self.milestone_id, **arguments)

    def refusal(self, tool: str, /, **arguments: Any) -> str:
        """Return the refusal of a tool that is told the milestone."""
        return self.agents.refusal(tool, milestone_id=self.milestone_id, **arguments)

    def actions(self) -> list[dict[str, Any]]:
        """Return the next actions."""
        return self.call("next_actions")["actions"]

    def to(self, *names: str, **options: Any) -> dict[str, Any]:
        """Carry everything out until an action of one of these tasks, phases or kinds comes, and return that."""
        while True:
            actions = self.actions()
            found = [one for one in actions if {one["kind"], one.get("task_id"), one.get("phase")} & {*names}]
            assert found or actions[0]["kind"] not in ("done", "ask_human", "wait"), actions
            for action in actions:
                if action not in found:
                    obey(self.agents.call, action, self.milestone_id, **options)
            if found:
                return found[0]

    def worker(self, task_id: str, **options: Any) -> Worker:
        """Carry everything out until a task is handed out, and return its agent."""
        return Worker(self.agents, self.to(task_id, **options))

    def gates(self, task_id: str, result: str = "passed") -> dict[str, Any]:
        """Run the gates of a task as the coordinator does; they must come to this result."""
        ran = self.call("run_gates", task_id=task_id)
        assert ran["result"] == result, ran
        return ran

    def finish(self, **options: Any) -> dict[str, Any]:
        """Carry everything out that is left, and return the milestone as it is shown."""
        seen = play(self.agents.call, self.milestone_id, **options)
        assert seen[-1]["kind"] == "done", seen[-1]
        return self.shown()

    def shown(self, about: str = "") -> dict[str, Any]:
        """Return the milestone as it is shown."""
        return self.call("get_milestone", about=about)

    def read(self, look: Callable[[Any], Any]) -> Any:
        """Return what `look` sees in the data."""
        return self.project.read(look)

    def task(self, task_id: str) -> dict[str, Any]:
        """Return a task of the milestone."""
        return self.read(lambda store: store.tasks.get(self.milestone_id, task_id))

    def proof(self, task_id: str) -> dict[str, Any]:
        """Return what proves a task, by kind."""
        found = self.read(lambda store: store.evidence.all(self.milestone_id, task_id))
        return {one["kind"]: one["detail"] for one in found}

    def events(self, name: str) -> list[dict[str, Any]]:
        """Return the milestone's events of a name, oldest first."""
        known = [row for row in self.project.rows("events") if row["milestone_id"] == self.milestone_id]
        return sorted((dict(row) for row in known if row["event"] == name), key=lambda row: row["position"])

    def state(self, key: str) -> Any:
        """Return what the server saved last under a key of its own."""
        coordinator = f"coordinator-{self.begun['session_id']}"
        return self.agents.call("load_agent_state", agent_id=coordinator, key=key)["value"]

    def git(self, *arguments: str, folder: Path | None = None) -> str:
        """Return what git says in the project."""
        return git(folder or self.project.folder, *arguments)

    def carry_out(self, action: dict[str, Any], **options: Any) -> dict[str, Any]:
        """Do what the brief of an action says."""
        return carry_out(self.agents.call, action, **options)


def by_hand(execution: Execution) -> Fraction:
    """Return the progress as a person would count it from the rows: proven weight over weight, phase by phase."""
    wanted = execution.milestone_id
    rows, phases = execution.read(lambda store: (store.tasks.all(wanted, "execution"), store.milestones.phases(wanted)))
    done = Fraction(0)
    for phase in phases:
        counted = [row for row in rows if row["phase"] == phase["phase"] and not row["standing"]]
        whole = sum(row["weight"] for row in counted if row["status"] != "skipped")
        proven = sum(row["weight"] for row in counted if row["status"] == "completed")
        done += phase["weight"] * (Fraction(proven, whole) if whole else Fraction(phase["status"] == "completed"))
    return done


def logged(execution: Execution) -> list[Event]:
    """Return the milestone's events as the replay takes them."""

    def page(after: int) -> list[Event]:
        rows = execution.read(lambda store: store.log.since(execution.milestone_id, after))
        return [Event(row["position"], row["event"], row["subject"], json.loads(row["detail"])) for row in rows]

    found = page(0)
    while more := page(found[-1].position):
        found += more
    return found


def break_off(project: Project, tool: str, /, **given: Any) -> None:
    """Carry an operation out up to the end of its work outside, and die before a word of that is written down."""
    operation = REGISTRY[tool]
    server = f"{(project.application.settings.data / 'place').read_text('utf-8').strip()}.0-gone"
    arguments = {name: value for name, value in operation.check(given).items() if name != "request_id"}

    def begun(transaction: Transaction) -> Any:
        context = project.application.context(transaction, Caller(), set())
        return operation.function(replace(context, server=server), **arguments)

    aside = run(project.engine, begun, write=True)
    assert isinstance(aside, Aside)
    aside.work(Outside())
