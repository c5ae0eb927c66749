"""Live updates: one look at the log for all who listen, news soon after they happen, and an end without waiting."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack, aclosing

import pytest

from milestone.surfaces.web.live import LOOK_EVERY, MOST, Hub
from tests.helpers.projects import PROGRAM, Project
from tests.web.serving import Dashboard, serving


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_what_another_process_does_is_news_soon(new_project: Callable[..., Project], engine: str) -> None:
    project = new_project(engine)
    project.operate("initialize_agent_coordination", milestone_id="goal", name="Goal")
    with serving(project) as dashboard, dashboard.stream() as events:
        event, position = next(events)
        assert (event, int(position)) == ("position", project.read(lambda store: store.log.position))
        began = time.monotonic()
        project.operate("steer_milestone", action="pause", milestone_id="goal")
        event, after = next(events)
        assert (event, int(after)) == ("position", project.read(lambda store: store.log.position))
        assert time.monotonic() - began < 5, "it looks four times a second"
        assert "paused" in dashboard.get("/m/goal")


def test_a_project_gets_its_database_while_somebody_listens(new_project: Callable[..., Project]) -> None:
    project = new_project()
    with serving(project) as dashboard, dashboard.stream() as events:
        assert next(events) == ("position", "0")
        project.operate("initialize_agent_coordination", milestone_id="goal", name="Goal")
        assert int(next(events)[1]) > 0


def test_at_most_sixteen_listen_and_who_leaves_makes_room(new_project: Callable[..., Project]) -> None:
    with serving(new_project()) as dashboard, ExitStack() as stack:
        for _ in range(MOST - 1):
            next(stack.enter_context(dashboard.stream()))
        with dashboard.stream() as last:
            next(last)
            refused = dashboard.ask("GET", "/live")
            assert (refused.status, refused.headers["retry-after"]) == (503, "10")
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                with dashboard.stream() as again:
                    next(again)
                    return
            except AssertionError:
                continue
        pytest.fail("no room was made")


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly_with_open_streams(new_project: Callable[..., Project], how: signal.Signals) -> None:
    with serving(new_project()) as dashboard, dashboard.stream() as events:
        next(events)
        assert dashboard.process
        began = time.monotonic()
        dashboard.process.send_signal(how)
        assert list(events) == []
        assert dashboard.process.wait(20) == 0
        assert time.monotonic() - began < 10


def test_it_listens_on_this_machine_alone_and_says_where(new_project: Callable[..., Project]) -> None:
    project = new_project()
    with serving(project) as dashboard:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.2", dashboard.port), timeout=5)
        busy = subprocess.run(
            [*PROGRAM, "dashboard", "--port", str(dashboard.port)],
            env=project.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (busy.returncode, busy.stdout) == (1, "")
        assert "Leave --port out" in busy.stderr


def test_the_link_is_printed_for_people_and_nothing_else_is_said(new_project: Callable[..., Project]) -> None:
    command = [*PROGRAM, "dashboard"]
    environment = new_project().environment
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as one:
        assert one.stdout
        lines = [one.stdout.readline() for _ in range(5)]
        link = lines[2].strip()
        port = int(link.split(":")[2].split("/")[0])
        dashboard = Dashboard(link, port, one)
        assert dashboard.get("/")
        assert dashboard.ask("GET", "/m/none").status == 404
        one.send_signal(signal.SIGINT)
        rest = one.communicate(timeout=20)
    assert (one.returncode, rest) == (0, ("", "")), "no log names what was asked for"


async def listened(hub: Hub, count: int) -> list[tuple[str, int]]:
    """Return the first things that a listener is told."""
    told = []
    async with aclosing(hub.listen()) as news:
        async for one in news:
            told.append(one)
            if len(told) == count:
                break
    return told


@pytest.mark.anyio
async def test_all_listeners_share_one_look_at_the_log_and_nobody_looks_for_nobody() -> None:
    """Planted and found: a look for each listener."""
    positions, looks = iter(range(10_000)), []

    async def position() -> int:
        looks.append(time.monotonic())
        return next(positions) // 3

    hub = Hub(position)
    began = time.monotonic()
    await asyncio.gather(*(listened(hub, 3) for _ in range(10)))
    took = time.monotonic() - began
    assert len(looks) <= took / LOOK_EVERY + 11, "ten that begin at once may each look once, then all share one"
    assert hub.looking
    await asyncio.wait_for(hub.looking, 20)
    assert hub.listeners == 0, "it ends by itself"


@pytest.mark.anyio
async def test_news_that_come_while_a_listener_is_busy_are_not_lost() -> None:
    """Planted and found: news that are forgotten before they are looked at."""
    moved = asyncio.Event()
    seen = asyncio.Event()

    async def position() -> int:
        if moved.is_set():
            seen.set()
        return 2 if moved.is_set() else 1

    async with aclosing(Hub(position, beat=3_600).listen()) as news:
        assert await anext(news) == ("position", 1)
        moved.set()
        await seen.wait()
        await asyncio.sleep(0)  # the hub tells, while this listener still deals with what it heard last
        assert await asyncio.wait_for(anext(news), 20) == ("position", 2)


@pytest.mark.anyio
async def test_however_many_come_at_once_no_more_are_taken_in_than_there_is_room_for() -> None:
    async def position() -> int:
        return 1

    hub = Hub(position, most=2)
    streams = [hub.listen() for _ in range(5)]
    first = await asyncio.gather(*(anext(one, None) for one in streams))
    assert first == [("position", 1)] * 2 + [None] * 3
    hub.close()
    for one in streams:
        await one.aclose()


@pytest.mark.anyio
async def test_a_sign_of_life_comes_where_there_is_no_news_and_a_database_that_is_busy_is_none() -> None:
    async def position() -> int:
        raise OSError(json.dumps("busy"))

    assert await listened(Hub(position, beat=0.01), 3) == [("position", 0), ("beat", 0), ("beat", 0)]


@pytest.mark.anyio
async def test_a_hub_that_closes_ends_every_stream() -> None:
    async def position() -> int:
        return 1

    hub = Hub(position)

    heard: list[asyncio.Event] = [asyncio.Event() for _ in range(3)]

    async def all_of_it(first: asyncio.Event) -> list[tuple[str, int]]:
        told: list[tuple[str, int]] = []
        async for one in hub.listen():
            told.append(one)
            first.set()
        return told

    streams = [asyncio.create_task(all_of_it(first)) for first in heard]
    for first in heard:
        await first.wait()
    hub.close()
    assert await asyncio.gather(*streams) == [[("position", 1)]] * 3
    assert hub.full
