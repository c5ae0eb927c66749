"""A host's connection to a real server through the SDK's client, and agents that act over it."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager
from typing import Any

import anyio
from anyio.from_thread import BlockingPortal
from mcp import Client, StdioServerParameters

from tests.helpers.projects import PROGRAM, Project
from tests.helpers.samples import SAMPLES

MODES = {"modern": "auto", "legacy": "legacy"}
PATIENCE = 60


class Agents:
    """Agents behind one connection. `milestone_id` is filled in where a tool takes it and a call leaves it out."""

    def __init__(self, project: Project, era: str, portal: BlockingPortal, **client: Any) -> None:
        self.project, self.era, self.milestone_id = project, era, ""
        self._portal = portal
        command = StdioServerParameters(command=PROGRAM[0], args=[*PROGRAM[1:], "mcp"], env=project.environment)
        self._client = Client(command, mode=MODES[era], **client)
        self._open: AbstractContextManager[Client] | None = None

    def __enter__(self) -> Agents:
        self._open = self._portal.wrap_async_context_manager(self._client)
        self._open.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._open is not None
        self._open.__exit__(None, None, None)

    def begin(self, tool: str, /, **arguments: Any) -> Future[tuple[bool, str]]:
        """Start a call and return what will become of it: whether it was refused, and the text."""
        return self._portal.start_task_soon(self._called, tool, arguments)

    def answer(self, tool: str, /, **arguments: Any) -> tuple[bool, str]:
        """Return whether a call was refused, and the text of the answer."""
        return self.begin(tool, **arguments).result(PATIENCE)

    def call(self, tool: str, /, **arguments: Any) -> Any:
        """Return the answer of a call that must be carried out."""
        refused, text = self.answer(tool, **arguments)
        assert not refused, text
        return json.loads(text)

    def refusal(self, tool: str, /, **arguments: Any) -> str:
        """Return the text of a call that must be refused."""
        refused, text = self.answer(tool, **arguments)
        assert refused, text
        return text

    async def _called(self, tool: str, arguments: dict[str, Any]) -> tuple[bool, str]:
        with anyio.fail_after(PATIENCE):
            result = await self._client.call_tool(tool, arguments)
        assert len(result.content) == 1
        return bool(result.is_error), result.content[0].text  # pyright: ignore[reportAttributeAccessIssue]

    def actions(self, **arguments: Any) -> list[dict[str, Any]]:
        """Return the next actions of the milestone."""
        return self.call("next_actions", milestone_id=self.milestone_id, **arguments)["actions"]

    def register(self, agent_type: str = "research-orchestrator", **arguments: Any) -> str:
        """Register an agent in the milestone and return its id."""
        return self.call("register_agent", agent_type=agent_type, milestone_id=self.milestone_id, **arguments)[
            "agent_id"
        ]

    def save(self, agent_id: str, key: str, value: Any, **arguments: Any) -> int:
        """Save a value and return its version."""
        return self.call("save_agent_state", agent_id=agent_id, key=key, value=value, **arguments)["version"]

    def send(self, sender: str, to: str, payload: Any = None, **arguments: Any) -> dict[str, Any]:
        """Send a message."""
        return self.call(
            "send_agent_message", **{"from_agent": sender, "to": to, "type": "note", "payload": payload, **arguments}
        )

    def receive(self, agent_id: str, **arguments: Any) -> list[dict[str, Any]]:
        """Return the messages an agent receives."""
        return self.call("receive_agent_messages", agent_id=agent_id, **arguments)["messages"]

    def start(self, action: dict[str, Any]) -> None:
        """Begin the task of a spawn action, as its brief says."""
        self.call("update_agent_status", agent_id=action["agent_id"], status="active", token=action["token"])

    def deliver(self, action: dict[str, Any]) -> dict[str, Any]:
        """Carry out a spawn action as its brief says."""
        return deliver(self.call, action)

    def play(self, until: str = "done") -> dict[str, Any]:
        """Carry out every task until an action of this kind, or the spawn of this task, comes; returns it."""
        while True:
            actions = self.actions()
            wanted = [action for action in actions if until in (action["kind"], action.get("task_id"))]
            if wanted:
                return wanted[0]
            for action in actions:
                self.deliver(action)


PRODUCTS = {
    "scope": ("planning-scope",),
    "research": ("planning-research",),
    "dependencies": ("planning-dependencies",),
    "plan": ("milestone-plan",),
    "record": ("planning-documentation", "planning-complete"),
}


def deliver(call: Callable[..., Any], action: dict[str, Any]) -> dict[str, Any]:
    """Do what the brief of a spawn action says, over any door."""
    who = {"agent_id": action["agent_id"], "token": action["token"]}
    call("update_agent_status", status="active", **who)
    for key in PRODUCTS[action["task_id"]]:
        call("save_agent_state", key=key, value=SAMPLES[key], **who)
    return call("complete_task", task_id=action["task_id"], **who)
