"""A host without a model: it calls the real server's tools, and its coordinator asks what to do until it is done."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol

import anyio

from milestone.surfaces.rehearse.listing import shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from anyio.abc import TaskGroup
    from mcp import Client

    from milestone.surfaces.rehearse.screen import Screen

Action = dict[str, Any]
WAIT_SECONDS = 10
CALL_SECONDS = 60.0
# The server frees a claim that nobody has started after 60 s, so a little longer than that is waited for nothing.
IDLE_ROUNDS = 8
_KNOWN = ("spawn", "run_gates", "transition", "wait")


class Stopped(Exception):
    """The rehearsal cannot go on; the message is one line for the person who started it."""


class Tools:
    """The server's tools as a host calls them."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def call(self, tool: str, tell: Callable[[str], None] | None = None, /, **arguments: Any) -> dict[str, Any]:
        """Return a tool's answer; with `tell`, which hears how far it is, it may take for as long as it likes.

        Raises:
            Stopped: the server refused, or is gone.
        """
        from mcp.shared.exceptions import MCPError

        async def told(progress: float, total: float | None, message: str | None) -> None:  # noqa: ARG001 - called so
            if tell and message:
                tell(message)

        try:
            seconds, hears = (None, told) if tell else (CALL_SECONDS, None)
            result = await self._client.call_tool(tool, arguments, seconds, hears)
        except (MCPError, anyio.ClosedResourceError, anyio.BrokenResourceError, TimeoutError) as reason:
            raise Stopped(f"The server did not answer {tool}: {reason or type(reason).__name__}") from reason
        text = "".join(block.text for block in result.content if block.type == "text")
        if result.is_error:
            raise Stopped(f"The server refused {tool}: {text}")
        try:
            answer: dict[str, Any] = json.loads(text)
        except ValueError as reason:
            raise Stopped(f"The answer of {tool} is no JSON: {text[:200]}") from reason
        return answer

    async def load(self, key: str, milestone_id: str, agent_id: str = "") -> Any:
        """Return a saved value, put together from its parts where it comes in several; the newest, if by nobody."""
        by = {"agent_id": agent_id} if agent_id else {"milestone_id": milestone_id}
        first = await self.call("load_agent_state", key=key, **by)
        if "part" not in first:
            return first["value"]
        text = str(first["part"])
        while len(text) < first["characters"]:
            page = await self.call("load_agent_state", key=key, agent_id=first["agent_id"], offset=len(text))
            if page["version"] != first["version"] or not page["part"]:
                raise Stopped(f"{key} was saved anew while it was read; run the rehearsal again.")
            text += page["part"]
        return json.loads(text)

    async def pages(self, milestone_id: str, about: str) -> list[str]:
        """Return all lines on one part of a milestone."""
        lines: list[str] = []
        while True:
            page = await self.call("get_milestone", milestone_id=milestone_id, about=about, offset=len(lines))
            lines += page[about]
            if len(lines) >= page["count"] or not page[about]:
                return lines


class Crew(Protocol):
    """Those who carry out what the coordinator is told."""

    def begin(self, spawns: list[Action]) -> None:
        """Get ready to start agents.

        Raises:
            Stopped: there is nobody who could play one.
        """
        ...

    async def play(self, spawn: Action) -> None:
        """Do one task as an agent would."""
        ...

    async def obey(self, action: Action) -> None:
        """Do what is not an agent's to do."""
        ...


class Coordinator:
    """Asks what to do, has it done, and waits, until there is nothing left."""

    def __init__(self, tools: Tools, screen: Screen, crew: Crew) -> None:
        self._tools, self._screen, self._crew = tools, screen, crew
        self._at_work: set[str] = set()

    async def finish(self, milestone_id: str) -> None:
        """Return once the server has nothing more to do for a milestone.

        Raises:
            Stopped: the server refused, failed, or asks a person.
        """
        async with anyio.create_task_group() as group:
            await self._loop(group, milestone_id)

    async def _loop(self, group: TaskGroup, milestone_id: str) -> None:
        wait, idle = 0, 0
        while idle < IDLE_ROUNDS:
            answer = await self._tools.call("next_actions", milestone_id=milestone_id, wait_seconds=wait)
            actions: list[Action] = answer["actions"]
            await self._act(group, actions)
            first = actions[0]
            if first["kind"] == "done":
                self._screen.say("coordinator", "done", f"({first['why']})")
                return
            if first["kind"] not in _KNOWN:
                raise Stopped(f"The server asks a person: {shown(str(first['why']), 500)}")
            waits = first["kind"] == "wait"
            wait = WAIT_SECONDS
            idle = idle + 1 if waits and not self._at_work else 0
        raise Stopped(
            "The server waits for agents of another host: end that session, or rehearse under another --name."
        )

    async def _act(self, group: TaskGroup, actions: list[Action]) -> None:
        """Start all agents, then have the rest done, side by side: as a host does it in one message."""
        spawns = [action for action in actions if action["kind"] == "spawn"]
        if spawns:
            self._crew.begin(spawns)
        for action in spawns:
            self._at_work.add(str(action["agent_id"]))
            group.start_soon(self._play, action)
        async with anyio.create_task_group() as at_once:
            for action in actions:
                if action["kind"] in ("run_gates", "transition"):
                    at_once.start_soon(self._crew.obey, action)

    async def _play(self, action: Action) -> None:
        await self._crew.play(action)
        self._at_work.discard(str(action["agent_id"]))
