"""A host without a model: it starts the real server, lets a coordinator ask what to do, and stand-ins do it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread

from milestone.surfaces.rehearse.declared import table
from milestone.surfaces.rehearse.listing import Project, shown
from milestone.surfaces.rehearse.standins import STAND_INS, Identity, NoIdentity, StandIn, identity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from anyio.abc import TaskGroup
    from mcp import Client

    from milestone.surfaces.rehearse.screen import Screen

WAIT_SECONDS = 10
CALL_SECONDS = 60.0
# The server frees a claim that nobody has started after 60 s, so a little longer than that is waited for nothing.
IDLE_ROUNDS = 8
DESCRIPTION = "A rehearsal without a model: stand-ins list and compare, and all they save follows by rule."


class Stopped(Exception):
    """The rehearsal cannot go on; the message is one line for the person who started it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was planned, and what of it matters for the last screen."""

    milestone_id: str
    plan: Mapping[str, Any]
    dependencies: Mapping[str, Any]


class Tools:
    """The server's tools as a host calls them."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Return a tool's answer.

        Raises:
            Stopped: the server refused, or is gone.
        """
        from mcp.shared.exceptions import MCPError

        try:
            result = await self._client.call_tool(tool, arguments, read_timeout_seconds=CALL_SECONDS)
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

    async def load(self, key: str, milestone_id: str) -> Any:
        """Return a saved value, put together from its parts where it comes in several."""
        first = await self.call("load_agent_state", key=key, milestone_id=milestone_id)
        if "part" not in first:
            return first["value"]
        text = str(first["part"])
        while len(text) < first["characters"]:
            page = await self.call("load_agent_state", key=key, agent_id=first["agent_id"], offset=len(text))
            if page["version"] != first["version"] or not page["part"]:
                raise Stopped(f"{key} was saved anew while it was read; run the rehearsal again.")
            text += page["part"]
        return json.loads(text)


class Coordinator:
    """Asks what to do, starts who is named, and waits, until there is nothing left."""

    def __init__(self, tools: Tools, project: Project, screen: Screen) -> None:
        self._tools, self._project, self._screen = tools, project, screen
        self._at_work: set[str] = set()

    async def plan(self, name: str) -> Outcome:
        """Play the planning of a milestone to its end.

        Raises:
            Stopped: the server refused, failed, or asks a person.
        """
        opened = await self._tools.call(
            "initialize_agent_coordination", name=name, description=DESCRIPTION, mode="planning"
        )
        milestone_id = str(opened["milestone_id"])
        self._screen.say("coordinator", "opened" if opened["created"] else "continues", f"milestone {milestone_id}")
        async with anyio.create_task_group() as group:
            await self._loop(group, milestone_id)
        plan = await self._tools.load("milestone-plan", milestone_id)
        return Outcome(milestone_id, plan, await self._tools.load("planning-dependencies", milestone_id))

    async def _loop(self, group: TaskGroup, milestone_id: str) -> None:
        wait, idle = 0, 0
        while idle < IDLE_ROUNDS:
            answer = await self._tools.call("next_actions", milestone_id=milestone_id, wait_seconds=wait)
            actions: list[dict[str, Any]] = answer["actions"]
            spawns = [action for action in actions if action["kind"] == "spawn"]
            for action in spawns:
                self._start(group, action)
            first = actions[0]
            if first["kind"] == "done":
                self._screen.say("coordinator", "done", f"({first['why']})")
                return
            if first["kind"] not in ("spawn", "wait"):
                raise Stopped(f"The server asks a person: {first['why']}")
            wait = WAIT_SECONDS
            idle = 0 if spawns or self._at_work else idle + 1
        raise Stopped(
            "The server waits for agents of another host: end that session, or rehearse under another --name."
        )

    def _start(self, group: TaskGroup, action: Mapping[str, Any]) -> None:
        role = str(action["agent_type"]).rpartition(":")[2]
        stand_in = STAND_INS.get(role)
        if stand_in is None:
            raise Stopped(f"The playbook names the role {role}, which no stand-in can play.")
        try:
            who = identity(str(action["brief"]))
        except NoIdentity as reason:
            raise Stopped(str(reason)) from reason
        self._at_work.add(who.agent_id)
        self._screen.say(stand_in.name, "started", f"as {role}")
        group.start_soon(self._play, stand_in, who)

    async def _play(self, stand_in: StandIn, who: Identity) -> None:
        """Do one task as an agent would: show the token, load, work, save, complete."""
        own = {"agent_id": who.agent_id, "token": who.token}
        await self._tools.call("update_agent_status", status="active", **own)
        given = {key: await self._tools.load(key, who.milestone_id) for key in stand_in.needs}
        made = await anyio.to_thread.run_sync(stand_in.work, self._project, given, abandon_on_cancel=True)
        for key, value in made.items():
            await self._tools.call("save_agent_state", key=key, value=value, **own)
            self._screen.say(stand_in.name, "saved", key, _summary(value))
        await self._tools.call("complete_task", task_id=who.task_id, **own)
        self._at_work.discard(who.agent_id)
        self._screen.say(stand_in.name, "finished")


def _summary(value: Any) -> str:
    return shown(str(table(value).get("summary", "")), 400)
