"""The plugin's monitor: what it says, when it keeps quiet, what it costs and when it ends."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from milestone.domain.identity import Caller
from milestone.domain.leases import Clock
from milestone.domain.milestones import stamp
from milestone.store.engine import Transaction, run
from milestone.store.queries import Query
from milestone.surfaces.monitor import SILENT, Host, Needs, needed
from tests.helpers.agents import PRODUCTS
from tests.helpers.projects import PROGRAM, Project
from tests.helpers.samples import SAMPLES

HEAVY = ("mcp", "mcp_types", "pydantic", "sqlite_utils", "yaml", "click", "anyio", "asyncio")
HERE, MILESTONE = Caller("session-1"), "m-1"
LATER = SILENT + 5


class Watched:
    """A milestone that is coordinated from here, and its monitor."""

    def __init__(self, project: Project, environ: dict[str, str] | None = None) -> None:
        self.project = project
        begun = self.call("initialize_agent_coordination", milestone_id=MILESTONE)
        self.coordinator = begun["agent_id"]
        self.needs = Needs(Host(project.application, environ or {}))
        self.clock = run(project.engine, lambda tx: tx.clock(), write=False)
        self.now = datetime.now(UTC)

    def call(self, tool: str, /, later: float = 0, **given: Any) -> Any:
        """Return the answer to a call by the coordinator."""
        return self.project.operate(tool, later=later, caller=HERE, **given)

    def next(self, later: float = 0) -> dict[str, dict[str, Any]]:
        """Ask what to do, and return it by task."""
        actions = self.call("next_actions", later, milestone_id=MILESTONE)["actions"]
        return {action.get("task_id", action["kind"]): action for action in actions}

    def lines(self, later: float = LATER) -> list[str]:
        """Return what the monitor says some seconds from the beginning."""

        def look(transaction: Transaction) -> list[str]:
            store = self.project.application.store(transaction)
            return self.needs.lines(store, self.now + timedelta(seconds=later), self.clock.after(later))

        return run(self.project.engine, look, write=False)

    def line(self, later: float = LATER) -> str:
        """Return the one line that the monitor says now, and check that it says it once."""
        (line,) = self.lines(later)
        assert line.endswith(f"next_actions(milestone_id='{MILESTONE}', wait_seconds=100).")
        assert self.lines(later) == self.lines(later + 10) == []
        return line.partition(". Call ")[0].removeprefix(f"Milestone {MILESTONE}: ")

    def finish(self, action: dict[str, Any]) -> None:
        """Do what a spawn action asks for, as its agent."""
        who = {"agent_id": action["agent_id"], "token": action["token"]}
        self.project.operate("update_agent_status", status="active", **who)
        for key in PRODUCTS[action["task_id"]]:
            self.project.operate("save_agent_state", key=key, value=SAMPLES[key], **who)
        self.project.operate("complete_task", task_id=action["task_id"], **who)

    def write(self, sql: str, **values: object) -> None:
        """Change the milestone's rows."""
        query = Query("change", f"{sql} WHERE milestone_id = :milestone_id")
        run(self.project.engine, lambda tx: tx.change(query, milestone_id=MILESTONE, **values), write=True)

    def send(self, payload: str = "psst") -> None:
        """Send the coordinator a message."""
        sender = self.project.operate("register_agent", agent_type="research-orchestrator")["agent_id"]
        given = {"from_agent": sender, "to": self.coordinator, "type": "note", "payload": payload}
        self.project.operate("send_agent_message", **given)


@pytest.fixture
def watched(project: Project) -> Watched:
    """A milestone that has begun, and nothing has happened since its coordinator was told what to do."""
    begun = Watched(project)
    assert begun.lines() == []
    return begun


def test_a_message_is_announced_once_and_each_further_one(watched: Watched) -> None:
    """Planted and found: things that are not remembered, so that a line comes with every look."""
    watched.send()
    assert watched.line() == "a message waits"
    watched.send()
    assert watched.line() == "a message waits"


def test_nothing_is_announced_that_the_coordinator_has_been_told(watched: Watched) -> None:
    """Planted and found: next_actions that does not note what it has told."""
    actions = watched.next()
    watched.send()
    watched.finish(actions["scope"])
    assert watched.call("next_actions", milestone_id=MILESTONE)["messages"]
    assert watched.lines() == []


def test_an_agent_that_has_finished_is_announced(watched: Watched) -> None:
    actions = watched.next()
    watched.finish(actions["scope"])
    assert watched.line() == "task scope is completed"


def test_nothing_is_announced_to_a_coordinator_that_shows_signs_of_life(watched: Watched) -> None:
    """Planted and found: a monitor that does not look at them."""
    watched.send()
    assert watched.lines(later=SILENT - 5) == []
    assert watched.needs.pending
    assert watched.line(later=SILENT + 5)


def test_agents_that_were_lost_without_a_word_are_announced_once(watched: Watched) -> None:
    watched.next()
    assert watched.lines(later=50) == []
    tasks = ("scope", "research", "dependencies")
    assert watched.line(later=100) == ", ".join(f"task {task} lost its agent" for task in tasks)


def test_nothing_that_time_brought_about_is_announced_after_the_coordinator_has_asked(watched: Watched) -> None:
    """Planted and found: claims that are announced as lost although the answer went by the same clock."""
    watched.next()
    watched.write("UPDATE sessions SET told = told + 1")
    assert watched.lines(later=100) == []


def test_the_end_of_a_usage_limit_is_announced_and_nothing_before_it(watched: Watched) -> None:
    """Planted and found: a monitor that calls although next_actions would hand out nothing."""

    def park(until: Clock) -> None:
        times = {"at": stamp(watched.now + timedelta(seconds=300)), "ms": until.ms, "era": until.era}
        watched.write("UPDATE milestones SET parked_until = :at, parked_clock = :ms, parked_era = :era", **times)

    park(watched.clock.after(300))
    watched.send()
    assert watched.lines(later=299) == []
    assert watched.line(later=301) == "a message waits, the usage limit is over"


def test_a_task_that_may_be_tried_again_is_announced_when_its_time_has_come(watched: Watched) -> None:
    watched.next()
    due = watched.clock.after(300)
    watched.write("UPDATE claims SET ended_at = 'now'")
    watched.write("UPDATE tasks SET status = 'ready', not_before = :ms, era = :era", ms=due.ms, era=due.era)
    assert watched.lines(later=299) == []
    assert "may be tried again" in watched.line(later=301)


@pytest.mark.parametrize(
    "change", ["UPDATE milestones SET steering = 'paused'", "UPDATE milestones SET status = 'blocked'"]
)
def test_what_a_person_has_stopped_is_left_alone(watched: Watched, change: str) -> None:
    watched.write(change)
    watched.send()
    assert watched.lines() == []


def test_an_answer_of_a_person_is_announced(watched: Watched) -> None:
    watched.next()
    watched.write("UPDATE claims SET ended_at = 'now'")
    watched.write("UPDATE tasks SET status = 'failed'")
    watched.project.operate("update_milestone", milestone_id=MILESTONE, retry_tasks=["scope"])
    assert watched.line() == "a person wants task scope tried again"


@pytest.mark.parametrize(
    ("environ", "heard"),
    [
        ({}, True),
        ({"CLAUDE_CODE_SESSION_ID": "session-1", "CLAUDE_PID": "1"}, True),
        ({"CLAUDE_CODE_SESSION_ID": "session-2", "CLAUDE_PID": "1"}, False),
    ],
    ids=["any host", "this conversation", "another conversation"],
)
def test_only_the_conversation_that_coordinates_is_told(
    new_project: Callable[..., Project], environ: dict[str, str], heard: bool
) -> None:
    watched = Watched(new_project(), environ)
    watched.send()
    assert bool(watched.lines()) == heard


def test_a_conversation_that_was_cleared_is_known_by_the_process_its_server_belongs_to(
    new_project: Callable[..., Project],
) -> None:
    """Planted and found: a monitor that goes by the id of the conversation alone, which is another after that."""
    environ = {"CLAUDE_CODE_SESSION_ID": "before-clear", "CLAUDE_PID": str(os.getppid())}
    watched = Watched(new_project(), environ)
    watched.send()
    assert watched.lines() == []
    watched.write("UPDATE sessions SET server = :server", server=f"place.{os.getpid()}-00")
    assert watched.line() == "a message waits"


@pytest.fixture
def started(watched: Watched) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts the command itself, on the project of the milestone."""
    running: list[subprocess.Popen[str]] = []

    def start(*command: str, **environment: str) -> subprocess.Popen[str]:
        running.append(
            subprocess.Popen(
                command or (*PROGRAM, "monitor", "0"),
                env={**watched.project.environment, **environment},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def test_the_command_prints_its_line_and_ends_when_nobody_listens(
    watched: Watched, started: Callable[..., subprocess.Popen[str]]
) -> None:
    monitor = started()
    assert monitor.stdout is not None
    watched.send()
    assert monitor.stdout.readline().startswith(f"Milestone {MILESTONE}: a message waits. Call ")
    monitor.stdout.close()
    assert monitor.wait(20) == 0


def test_the_command_ends_with_its_host(started: Callable[..., subprocess.Popen[str]]) -> None:
    """Planted and found: a monitor that looks at its parent alone, which may be a shell that outlives the host."""
    host = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert host.stdin is not None
    monitor = started(CLAUDE_PID=str(host.pid))
    assert monitor.poll() is None
    host.stdin.close()
    host.wait()
    assert monitor.wait(20) == 0


def test_the_command_says_nothing_where_the_hooks_are_switched_off(
    started: Callable[..., subprocess.Popen[str]],
) -> None:
    monitor = started(MILESTONE_HOOKS="off")
    assert monitor.communicate(timeout=20)[0] == ""
    assert monitor.returncode == 0


def test_where_there_is_no_database_the_command_waits_for_one(new_project: Callable[..., Project]) -> None:
    project = new_project()
    command = (*PROGRAM, "monitor", "0")
    with subprocess.Popen(command, env=project.environment, stdout=subprocess.PIPE, text=True) as monitor:
        assert monitor.stdout is not None
        watched = Watched(project)
        watched.send()
        assert "a message waits" in monitor.stdout.readline()
        monitor.kill()


def test_the_command_loads_nothing_that_only_the_server_needs() -> None:
    code = "import sys; import milestone.surfaces.monitor; print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert "milestone" in loaded
    assert not loaded & set(HEAVY)


def test_an_idle_monitor_costs_next_to_nothing(watched: Watched) -> None:
    """At most eight seconds of CPU for the looks of an hour, while nothing happens."""
    looks = 400
    began = time.process_time()
    assert list(needed(watched.project.application, watched.needs, itertools.repeat(None, looks))) == []
    assert (time.process_time() - began) / looks * 3600 < 8
