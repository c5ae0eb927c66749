"""Whoever follows a resource hears of its changes, and of nothing else, in both eras and whichever process wrote."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import anyio
import pytest
from mcp import Client, StdioServerParameters
from mcp_types import ResourceUpdatedNotification
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from milestone.surfaces.door import Door
from milestone.surfaces.mcp import build
from milestone.surfaces.resources import ALL
from milestone.surfaces.subscriptions import MOST, Subscriptions
from milestone.wiring import Application, read_settings
from tests.helpers.agents import MODES
from tests.helpers.listening import UPDATED, Listener
from tests.helpers.projects import PROGRAM, Project
from tests.helpers.wire import PATIENCE, Wire

BOARD, TASKS, MESSAGES, GATES = ("milestone://goal", *(f"milestone://goal/{one}" for one in ("tasks", "messages", "gates")))
CONNECTIONS = ["sqlite-modern", "sqlite-legacy", "postgres-modern"]


@pytest.fixture(scope="module", params=CONNECTIONS)
def writer(request: pytest.FixtureRequest, new_project: Callable[..., Project]) -> Iterator[Wire]:
    """A server process that writes; there are the milestones `goal` and `other`. It says which era listens."""
    engine, era = request.param.split("-")
    writes = Wire(new_project(engine))
    for name in ("goal", "other"):
        writes.call("initialize_agent_coordination", milestone_id=name)
        writes.call("register_agent", agent_type="worker", agent_id=f"w-{name}", milestone_id=name)
    writes.listens = era  # pyright: ignore[reportAttributeAccessIssue]
    yield writes
    writes.close()


@pytest.fixture
def listener(writer: Wire) -> Iterator[Listener]:
    """Another server process on the same database, and who listens to it."""
    listens = Listener(writer.project, writer.listens)  # pyright: ignore[reportAttributeAccessIssue]
    yield listens
    listens.close()


def send(writer: Wire, name: str = "goal") -> None:
    """Let an agent tell its coordinator something."""
    to = "project-milestone-coordinator"
    writer.call("send_agent_message", from_agent=f"w-{name}", to=to, type="note", payload="news")


def test_a_change_that_another_process_makes_is_told_once_for_each_address(listener: Listener, writer: Wire) -> None:
    """Planted and found: marks that are not renewed tell every change again; a look that only sees this process."""
    listener.follow(BOARD, TASKS, MESSAGES, GATES, ALL)
    send(writer)
    assert sorted(listener.updates(lambda heard: len(heard) >= 2)) == [BOARD, MESSAGES]
    assert listener.silent(1.5)
    writer.call("next_actions", milestone_id="goal")
    heard = listener.updates(lambda heard: {BOARD, TASKS} <= set(heard))
    assert GATES not in heard
    assert len(heard) == len(set(heard))


def test_what_another_milestone_does_is_told_to_nobody(listener: Listener, writer: Wire) -> None:
    """Planted and found: every resource counts as changed as soon as the log has grown."""
    listener.follow(BOARD, MESSAGES)
    send(writer, "other")
    assert listener.silent(1.5)
    send(writer)
    assert sorted(listener.updates(lambda heard: len(heard) >= 2)) == [BOARD, MESSAGES]


def test_time_alone_is_no_change(listener: Listener, writer: Wire) -> None:
    writer.call("next_actions", milestone_id="goal")
    listener.follow(BOARD, "milestone://goal/agents", "milestone://goal/progress", ALL)
    assert listener.silent(2)


def test_a_new_milestone_changes_the_list(listener: Listener, writer: Wire) -> None:
    listener.follow(ALL)
    writer.call("initialize_agent_coordination", milestone_id="third")
    assert listener.updates(bool) == [ALL]
    assert {one["milestone_id"] for one in listener.read(ALL)} == {"goal", "other", "third"}


def test_who_leaves_hears_nothing_more(listener: Listener, writer: Wire) -> None:
    kept = listener.follow(MESSAGES)
    left = listener.follow(BOARD)
    listener.leave(left, BOARD)
    listener.read(BOARD)  # whatever was sent before is answered before
    send(writer)
    assert listener.updates(bool) == [MESSAGES]
    listener.leave(kept, MESSAGES)
    listener.read(BOARD)
    send(writer)
    assert listener.silent(1.5)


def test_many_changes_between_two_looks_are_one_update(listener: Listener, writer: Wire) -> None:
    listener.follow(MESSAGES)
    numbers = [
        writer.begin_call("send_agent_message", from_agent="w-goal", to="*", type="note", payload=number)
        for number in range(100)
    ]
    for number in numbers:
        writer.answer(number)
    listener.updates(bool)
    while listener.read(MESSAGES)["items"][0]["payload"] != "99":
        listener.updates(bool)
    assert len([one for one in listener.notes if one["method"] == UPDATED]) <= 4


def test_an_address_at_which_nothing_lies_cannot_be_followed(listener: Listener, writer: Wire) -> None:
    wrong = ["milestone://nobody", "milestone://goal/nothing", "file:///etc/passwd", "ui://milestone/board.html"]
    if listener.era == "legacy":
        for uri in wrong:
            error = listener.request("resources/subscribe", {"uri": uri})["error"]
            assert (error["code"], error["data"]) == (-32602, {"uri": uri})
            assert error["message"].startswith(f"Unknown resource: {uri}. ")
    else:
        listener.begin("subscriptions/listen", {"notifications": {"resourceSubscriptions": [*wrong, BOARD]}})
        agreed = listener.hear("notifications/subscriptions/acknowledged")
        assert agreed["notifications"] == {"resourceSubscriptions": [BOARD]}


def test_one_who_listens_follows_at_most_a_hundred_addresses(listener: Listener, writer: Wire) -> None:
    many = [f"milestone://goal/events?before={number}" for number in range(1, MOST + 2)]
    if listener.era == "legacy":
        answers = [listener.request("resources/subscribe", {"uri": uri}) for uri in [*many, many[0]]]
        assert ["error" in one for one in answers] == [False] * MOST + [True, False]
        assert "Unsubscribe one first" in answers[MOST]["error"]["message"]
    else:
        listener.begin("subscriptions/listen", {"notifications": {"resourceSubscriptions": many}})
        agreed = listener.hear("notifications/subscriptions/acknowledged")
        assert agreed["notifications"] == {"resourceSubscriptions": many[:MOST]}


def test_a_host_that_hangs_up_while_it_follows_ends_the_server(listener: Listener, writer: Wire) -> None:
    other = Listener(listener.project, listener.era)
    other.follow(BOARD, MESSAGES)
    other.close()
    assert other.process.returncode == 0


@pytest.mark.parametrize("era", MODES)
def test_the_sdks_own_client_hears_of_a_change(new_project: Callable[..., Project], era: str) -> None:
    project = new_project()
    writer = Wire(project)
    writer.call("initialize_agent_coordination", milestone_id="goal")
    writer.call("register_agent", agent_type="worker", agent_id="w-goal", milestone_id="goal")
    command = StdioServerParameters(command=PROGRAM[0], args=[*PROGRAM[1:], "mcp"], env=project.environment)
    assert anyio.run(_heard, command, MODES[era], writer) == MESSAGES
    writer.close()


async def _heard(command: StdioServerParameters, mode: str, writer: Wire) -> str:
    """Return the address that the SDK's client hears of."""
    told: list[str] = []
    came = anyio.Event()

    async def hear(message: Any) -> None:
        if isinstance(message, ResourceUpdatedNotification):
            told.append(str(message.params.uri))
            came.set()

    with anyio.fail_after(PATIENCE):
        async with Client(command, mode=mode, message_handler=hear) as client:
            capability = client.server_capabilities.resources
            assert capability is not None
            assert capability.subscribe
            if client.protocol_version in MODERN_PROTOCOL_VERSIONS:
                async with client.listen(resource_subscriptions=[MESSAGES]) as stream:
                    await anyio.to_thread.run_sync(send, writer)
                    async for event in stream:
                        return event.uri  # pyright: ignore[reportAttributeAccessIssue]
            await client.subscribe_resource(MESSAGES)
            await anyio.to_thread.run_sync(send, writer)
            await came.wait()
            return told[0]


@pytest.mark.anyio
@pytest.mark.parametrize("era", MODES)
async def test_nobody_looks_while_nobody_follows(
    new_project: Callable[..., Project], era: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted and found: a look that goes on after the last session; one that begins with a stream of other news."""
    project = new_project()
    project.operate("initialize_agent_coordination", milestone_id="goal")
    kept: list[Subscriptions] = []
    begin = Subscriptions.__init__
    monkeypatch.setattr(Subscriptions, "__init__", lambda one, door: (kept.append(one), begin(one, door))[1])
    door = Door(Application(read_settings(project.environment)))
    server = build(door)
    (following,) = kept
    async with Client(server, mode=MODES[era]) as client:
        assert following.idle
        if client.protocol_version in MODERN_PROTOCOL_VERSIONS:
            async with client.listen(tools_list_changed=True, prompts_list_changed=True):
                assert following.idle
            async with client.listen(resource_subscriptions=[BOARD]):
                assert not following.idle
            await _until(lambda: following.idle)
        else:
            await client.subscribe_resource(BOARD)
            await client.subscribe_resource(BOARD)
            assert not following.idle
            await client.unsubscribe_resource(BOARD)
            assert following.idle
            await client.subscribe_resource(BOARD)
            assert not following.idle
    await _until(lambda: following.idle)
    await door.close()
    door.application.close()


async def _until(true: Callable[[], bool]) -> None:
    with anyio.fail_after(PATIENCE):
        while not true():
            await asyncio.sleep(0.01)
