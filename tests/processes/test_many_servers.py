"""Many server processes on one project at the same time: nothing is lost, nothing is done twice."""

from __future__ import annotations

import json
import sqlite3
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.agents import PRODUCTS
from tests.helpers.host import TOOL_USE
from tests.helpers.projects import Project
from tests.helpers.samples import SAMPLES
from tests.helpers.wire import Wire

PLANTED = (sys.executable, str(Path(__file__).parents[1] / "helpers" / "planted.py"))
SERVERS = 8
EACH = 40
ROUNDS = 20
COORDINATOR = {TOOL_USE: "a use of the one conversation that coordinates"}


class Stranger:
    """A program that writes to the same SQLite file, briefly and often, and knows nothing of our queue."""

    def __init__(self, project: Project) -> None:
        self.written, self._path = 0, project.database
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._write)

    def __enter__(self) -> Stranger:
        with closing(sqlite3.connect(self._path, timeout=30)) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS strangers (n INTEGER)")
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        self._thread.join()

    def _write(self) -> None:
        with closing(sqlite3.connect(self._path, timeout=30, isolation_level=None)) as connection:
            while not self._enough.wait(0.001):
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("INSERT INTO strangers VALUES (?)", (self.written,))
                connection.execute("COMMIT")
                self.written += 1


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def servers(request: pytest.FixtureRequest, new_project: Callable[..., Project]) -> Iterator[list[Wire]]:
    """Eight servers on one project, half of them in each era."""
    with ExitStack() as stack:
        yield start(stack, new_project(request.param))


def start(stack: ExitStack, project: Project, count: int = SERVERS, command: tuple[str, ...] = ()) -> list[Wire]:
    """Start servers on a project and wait until all of them answer."""
    wires = [stack.enter_context(closing(Wire(project, ("modern", "legacy")[n % 2], command))) for n in range(count)]
    for wire in wires:
        wire.call("initialize_agent_coordination", name="Base")
        told: dict[str, Any] = {"session_id": "one", "tool_name": "mcp__plugin_milestone_milestone__x"}
        wire.call("host_event", event="PreToolUse", tool_use_id=COORDINATOR[TOOL_USE], **told)
    return wires


def worker(wire: Wire) -> str:
    """Register an agent in the milestone that all servers began."""
    milestone_id = wire.call("initialize_agent_coordination", name="Base")["milestone_id"]
    return wire.call("register_agent", agent_type="worker", milestone_id=milestone_id)["agent_id"]


def outside(project: Project) -> ExitStack:
    """Return a stranger at work where the engine is a file."""
    stack = ExitStack()
    if not project.url:
        stack.enter_context(Stranger(project))
    return stack


def save_and_send(wires: list[Wire]) -> list[str]:
    """Let one agent of each server save and send at once; return what is wrong afterwards."""
    agents = [worker(wire) for wire in wires]
    calls: list[tuple[Wire, int]] = []
    for number in range(EACH):
        for wire, agent, to in zip(wires, agents, agents[1:] + agents[:1], strict=True):
            calls.append(
                (wire, wire.begin_call("save_agent_state", agent_id=agent, key=f"k{number}", value={"n": number}))
            )
            calls.append(
                (wire, wire.begin_call("send_agent_message", from_agent=agent, to=to, type="note", payload=number))
            )
    wrong = [text for refused, text in (wire.answer(call) for wire, call in calls) if refused]
    project = wires[0].project
    saved = Counter(
        (row["agent_id"], row["key"], row["value"]) for row in project.rows("agent_state") if row["agent_id"] in agents
    )
    expected = Counter(
        (agent, f"k{n}", json.dumps({"n": n}, separators=(",", ":"))) for agent in agents for n in range(EACH)
    )
    wrong += [] if saved == expected else [f"{saved.total()} of {expected.total()} values"]
    for wire, agent in zip(wires, agents, strict=True):
        got: list[int] = []
        while messages := wire.call("receive_agent_messages", agent_id=agent)["messages"]:
            got += [message["payload"] for message in messages]
        wrong += [] if sorted(got) == list(range(EACH)) else [f"{len(got)} of {EACH} messages"]
    events = sorted(row["position"] for row in project.rows("events"))
    wrong += [] if len(set(events)) == len(events) else ["two events at one position"]
    return wrong


def hand_out(wires: list[Wire], rounds: int = ROUNDS) -> list[str]:
    """Let all servers ask for the next actions at once, round after round; return what is wrong."""
    wrong: list[str] = []
    for number in range(rounds):
        begun = wires[0].call("initialize_agent_coordination", COORDINATOR, name=f"Race {number}")
        milestone_id = begun["milestone_id"]
        calls = [(wire, wire.begin_call("next_actions", COORDINATOR, milestone_id=milestone_id)) for wire in wires]
        answers = [wire.answer(call) for wire, call in calls]
        wrong += [text for refused, text in answers if refused]
        given = [task["task_id"] for refused, text in answers if not refused for task in spawned(json.loads(text))]
        wrong += [] if sorted(given) == ["dependencies", "research", "scope"] else [f"handed out: {sorted(given)}"]
        wires[0].call("update_milestone", milestone_id=milestone_id, status="cancelled")
    return wrong


def spawned(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the spawn actions of an answer."""
    return [action for action in answer["actions"] if action["kind"] == "spawn"]


def test_six_hundred_and_forty_saves_and_messages_at_once_are_all_there(servers: list[Wire]) -> None:
    """Planted and found (below, each time this runs): a plain BEGIN, alone and with the queue off."""
    with outside(servers[0].project):
        assert save_and_send(servers) == []


def test_every_task_is_handed_out_exactly_once(servers: list[Wire]) -> None:
    """Planted and found (below, each time this runs): a plain BEGIN, alone and with the queue off."""
    with outside(servers[0].project):
        assert hand_out(servers) == []


def test_a_whole_planning_is_handed_out_once_though_everybody_asks_all_the_time(servers: list[Wire]) -> None:
    milestone_id = servers[0].call("initialize_agent_coordination", COORDINATOR, name="Whole")["milestone_id"]
    handed: list[str] = []
    while True:
        calls = [(wire, wire.begin_call("next_actions", COORDINATOR, milestone_id=milestone_id)) for wire in servers]
        answers = [json.loads(wire.answer(call)[1]) for wire, call in calls]
        actions = [(wire, task) for (wire, _), answer in zip(calls, answers, strict=True) for task in spawned(answer)]
        handed += [task["task_id"] for _, task in actions]
        if not actions:
            break
        for wire, task in actions:
            who = {"agent_id": task["agent_id"], "token": task["token"]}
            for key in PRODUCTS[task["task_id"]]:
                wire.call("save_agent_state", key=key, value=SAMPLES[key], **who)
            wire.call("complete_task", task_id=task["task_id"], **who)
    assert {answer["actions"][0]["kind"] for answer in answers} == {"done"}
    assert sorted(handed) == ["dependencies", "plan", "record", "research", "scope"]


def test_of_all_who_save_on_the_same_version_one_succeeds(servers: list[Wire]) -> None:
    """Planted and found: a save that does not compare."""
    agent = worker(servers[0])
    for version in range(15):
        given = {"agent_id": agent, "key": "counter", "expected_version": version}
        calls = [(wire, wire.begin_call("save_agent_state", value=n, **given)) for n, wire in enumerate(servers)]
        answers = [wire.answer(call) for wire, call in calls]
        winners = [n for n, (refused, _) in enumerate(answers) if not refused]
        assert len(winners) == 1, answers
        assert all(f"has version {version + 1}, not {version}" in text for refused, text in answers if refused)
        loaded = servers[-1].call("load_agent_state", agent_id=agent, key="counter")
        assert (loaded["version"], loaded["value"]) == (version + 1, winners[0])


def test_a_message_sent_through_one_server_wakes_who_waits_at_another(servers: list[Wire]) -> None:
    one, other = servers[:2]
    sender, receiver = (worker(wire) for wire in (one, other))
    waiting = other.begin_call("receive_agent_messages", agent_id=receiver, wait_seconds=60)
    one.call("send_agent_message", from_agent=sender, to=receiver, type="note", payload="over there")
    assert [message["payload"] for message in json.loads(other.answer(waiting)[1])["messages"]] == ["over there"]


@pytest.mark.parametrize("bugs", [("begin",), ("begin", "queue")], ids="-".join)
def test_the_checks_above_fail_when_begin_immediate_becomes_begin(
    new_project: Callable[..., Project], bugs: tuple[str, ...]
) -> None:
    project = new_project()
    with ExitStack() as stack:
        project.operate("initialize_agent_coordination", name="Base")
        wires = start(stack, project, 4, (*PLANTED, *bugs))
        with outside(project):
            wrong = [*_tried(save_and_send, wires), *_tried(hand_out, wires)]
    assert wrong


def _tried(check: Callable[[list[Wire]], list[str]], wires: list[Wire]) -> list[str]:
    """Return what a check finds wrong; a check that cannot even be carried out has found something."""
    try:
        return check(wires)
    except AssertionError as error:
        return [str(error)]
