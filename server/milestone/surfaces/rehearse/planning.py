"""The planning of a milestone: stand-ins for its five roles, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import anyio.to_thread

from milestone.surfaces.rehearse.declared import table
from milestone.surfaces.rehearse.host import Action, Coordinator, Stopped, Tools
from milestone.surfaces.rehearse.listing import Project, shown
from milestone.surfaces.rehearse.standins import STAND_INS, NoIdentity, StandIn, identity

if TYPE_CHECKING:
    from milestone.surfaces.rehearse.screen import Screen

DESCRIPTION = "A rehearsal without a model: stand-ins list and compare, and all they save follows by rule."


@dataclass(frozen=True, slots=True)
class Planned:
    """A planned milestone: the three values that matter later on, and whether it is being carried out already."""

    milestone_id: str
    plan: Mapping[str, Any]
    scope: Mapping[str, Any]
    dependencies: Mapping[str, Any]
    under_way: bool


async def plan(tools: Tools, project: Project, screen: Screen, name: str) -> Planned:
    """Play the planning of a milestone to its end; one that is planned already is taken as it is.

    Raises:
        Stopped: the server refused, failed, or asks a person, or the milestone is no rehearsal.
    """
    opened = await tools.call("initialize_agent_coordination", name=name, description=DESCRIPTION, mode="planning")
    milestone_id = str(opened["milestone_id"])
    screen.say("coordinator", "opened" if opened["created"] else "continues", f"milestone {milestone_id}")
    if not opened["created"]:
        there = await tools.call("get_milestone", milestone_id=milestone_id)
        if there["description"] != DESCRIPTION:
            raise Stopped(
                f"{milestone_id} has this name and is no rehearsal, so it is left alone; rehearse under another --name."
            )
    under_way = opened["status"] == "active"
    if not under_way:
        await Coordinator(tools, screen, Planners(tools, project, screen)).finish(milestone_id)
    return Planned(
        milestone_id,
        plan=await tools.load("milestone-plan", milestone_id),
        scope=await tools.load("planning-scope", milestone_id),
        dependencies=await tools.load("planning-dependencies", milestone_id),
        under_way=under_way,
    )


class Planners:
    """The stand-ins of a planning, at work."""

    def __init__(self, tools: Tools, project: Project, screen: Screen) -> None:
        self._tools, self._project, self._screen = tools, project, screen

    def begin(self, spawns: list[Action]) -> None:
        """Say who starts.

        Raises:
            Stopped: there is a role that nobody plays.
        """
        for action in spawns:
            self._screen.say(_stand_in(action).name, "started", f"as {_role(action)}")

    async def play(self, spawn: Action) -> None:
        """Do one task as an agent would: show the token, load, work, save, complete."""
        stand_in = _stand_in(spawn)
        try:
            who = identity(str(spawn["brief"]))
        except NoIdentity as reason:
            raise Stopped(str(reason)) from reason
        own = {"agent_id": who.agent_id, "token": who.token}
        await self._tools.call("update_agent_status", status="active", **own)
        given = {key: await self._tools.load(key, who.milestone_id) for key in stand_in.needs}
        made = await anyio.to_thread.run_sync(stand_in.work, self._project, given, abandon_on_cancel=True)
        for key, value in made.items():
            await self._tools.call("save_agent_state", key=key, value=value, **own)
            self._screen.say(stand_in.name, "saved", key, _summary(value))
        await self._tools.call("complete_task", task_id=who.task_id, **own)
        self._screen.say(stand_in.name, "finished")

    async def obey(self, action: Action) -> None:
        """Refuse: a planning has neither gates nor phases."""
        raise Stopped(f"The server wants {action['kind']} in a planning.")


def _role(action: Mapping[str, Any]) -> str:
    return str(action["agent_type"]).rpartition(":")[2]


def _stand_in(action: Mapping[str, Any]) -> StandIn:
    found = STAND_INS.get(_role(action))
    if found is None:
        raise Stopped(f"The playbook names the role {_role(action)}, which no stand-in can play.")
    return found


def _summary(value: Any) -> str:
    return shown(str(table(value).get("summary", "")), 400)
