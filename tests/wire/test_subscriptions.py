"""Whoever follows a resource hears of its changes, and of nothing else, in both eras and whichever process wrote."""

from __future__ import annotations

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

OTHER, BOARD = "milestone://other", "milestone://goal"
TASKS, MESSAGES, GATES = (f"{BOARD}/{one}" for one in ("tasks", "messages", "gates"))
COORDINATOR = "project-milestone-coordinator"


@pytest.fixture(scope="module", params=["sqlite-modern", "postgres-legacy"])
def place(request: pytest.FixtureRequest, new_project: Callable[..., Project]) -> tuple[Project, str]:
    """A project, and the era in which it is listened to."""
    engine, era = request.param.split("-")
    return new_project(engine), era


@pytest.fixture(scope="module")
def writer(place: tuple[Project, str]) -> Iterator[Wire]:
    """A server process that writes; there are the milestones `goal` and `other`."""
    writes = Wire(place[0])
    for name in ("goal", "other"):
        writes.call("initialize_agent_coordination", milestone_id=name)
        writes.call("register_agent", agent_type="worker", agent_id=f"w-{name}", milestone_id=name)
    yield writes
    writes.close()


@pytest.fixture
def listener(place: tuple[Project, str], writer: Wire) -> Iterator[Listener]:
    """Another server process on the same database, and who listens to it; it follows the milestone `other`."""
    assert writer.project is place[0]
    listens = Listener(*place)
    listens.follow(OTHER)
    yield listens
    listens.close()


def send(writer: Wire, name: str = "goal") -> None:
    """Let an agent tell its coordinator something."""
    writer.call("send_agent_message", from_agent=f"w-{name}", to=COORDINATOR, type="note", payload="news")


def told_beside(listener: Listener, writer: Wire) -> list[str]:
    """Return what is told while the server looks at least once at everything; `other` is changed for that, twice."""
    heard: list[str] = []
    for _ in range(2):
        send(writer, "other")
        heard += listener.updates(lambda them: OTHER in them)
    return [uri for uri in heard if uri != OTHER]


def test_a_change_that_another_process_makes_is_told_once_for_each_address(listener: Listener, writer: Wire) -> None:
    """Planted and found: what was seen is not kept, so that every look tells the change again."""
    listener.follow(BOARD, TASKS, MESSAGES, GATES, ALL)
    send(writer)
    assert sorted(listener.updates(lambda heard: len(heard) >= 2)) == [BOARD, MESSAGES]
    assert told_beside(listener, writer) == []


def test_what_another_milestone_does_is_told_to_nobody(listener: Listener, writer: Wire) -> None:
    """Planted and found: every resource counts as changed as soon as the log has grown."""
    listener.follow(BOARD, MESSAGES)
    assert told_beside(listener, writer) == []


def test_what_moves_with_time_alone_is_no_change(listener: Listener, writer: Wire) -> None:
    """Planted and found: the end of the time line, which is now, made every event a change of it."""
    writer.call("next_actions", milestone_id="goal")
    listener.follow(BOARD, f"{BOARD}/agents", f"{BOARD}/progress", TASKS, ALL)
    writer.call("log_milestone_event", event="seen", milestone_id="goal")
    assert listener.updates(bool) == [BOARD]
    assert told_beside(listener, writer) == []


def test_a_new_milestone_changes_the_list(listener: Listener, writer: Wire) -> None:
    listener.follow(ALL)
    writer.call("initialize_agent_coordination", milestone_id="third")
    assert listener.updates(bool) == [ALL]
    assert {one["milestone_id"] for one in listener.read(ALL)} == {"goal", "other", "third"}


def test_who_leaves_hears_nothing_more(listener: Listener, writer: Wire) -> None:
    kept = listener.follow(MESSAGES)
    left = listener.follow(BOARD)
    listener.leave(left, BOARD)
    listener.read(BOARD)  # so that what was told before has come
    send(writer)
    assert listener.updates(bool) == [MESSAGES]
    listener.leave(kept, MESSAGES)
    listener.read(BOARD)
    send(writer)
    assert told_beside(listener, writer) == []


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


def test_an_address_at_which_nothing_lies_cannot_be_followed(listener: Listener) -> None:
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


def test_one_who_listens_follows_at_most_a_hundred_addresses(listener: Listener) -> None:
    many = [f"milestone://goal/events?before={number}" for number in range(1, MOST + 2)]
    if listener.era == "legacy":
        listener.leave(0, OTHER)
        answers = [listener.request("resources/subscribe", {"uri": uri}) for uri in [*many, many[0]]]
        assert ["error" in one for one in answers] == [False] * MOST + [True, False]
        assert "Unsubscribe one first" in answers[MOST]["error"]["message"]
    else:
        listener.begin("subscriptions/listen", {"notifications": {"resourceSubscriptions": many}})
        agreed = listener.hear("notifications/subscriptions/acknowledged")
        assert agreed["notifications"] == {"resourceSubscriptions": many[:MOST]}


def test_a_host_that_hangs_up_while_it_follows_ends_the_server(listener: Listener) -> None:
    other = Listener(listener.project, listener.era)
    other.follow(BOARD, MESSAGES)
    other.close()
    assert other.process.returncode == 0


@pytest.mark.filterwarnings("ignore:resources/subscribe is removed")
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
@pytest.mark.filterwarnings("ignore:resources/(un)?subscribe is removed")
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
            await anyio.wait_all_tasks_blocked()
            assert following.idle
        else:
            await client.subscribe_resource(BOARD)
            await client.subscribe_resource(BOARD)
            assert not following.idle
            await client.unsubscribe_resource(BOARD)
            assert following.idle
            await client.subscribe_resource(BOARD)
            assert not following.idle
    await anyio.wait_all_tasks_blocked()
    assert following.idle
    await door.close()
    door.application.close()
