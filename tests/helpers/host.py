"""Claude Code on the raw wire: a main conversation and its sub-agents, with the hooks that tell of them."""

from __future__ import annotations

import itertools
import uuid
from typing import Any

from tests.helpers.wire import Wire

_uses = itertools.count(1)
TOOL_USE = "claudecode/toolUseId"


class Host:
    """One session of the host on a milestone of its own; the main conversation is its coordinator."""

    def __init__(self, wire: Wire) -> None:
        self.wire, self.session = wire, f"session-{uuid.uuid4()}"
        begun = self.call("initialize_agent_coordination", name=f"Goal {self.session}")
        self.milestone_id, self.coordinator = begun["milestone_id"], begun["agent_id"]

    @classmethod
    def on(cls, wire: Wire, milestone_id: str) -> Host:
        """Return another session of the host, on a milestone that is there already; it coordinates nothing yet."""
        host = cls.__new__(cls)
        host.wire, host.session, host.milestone_id, host.coordinator = wire, f"session-{uuid.uuid4()}", milestone_id, ""
        return host

    def event(self, event: str, **fields: Any) -> dict[str, Any]:
        """Return what the server answers to an event of this session."""
        return self.wire.call("host_event", event=event, session_id=self.session, **fields)

    def meta(self, agent: tuple[str, str] = ("", "")) -> dict[str, str]:
        """Announce a tool use of an agent (id and type; the main conversation has neither); return its `_meta`."""
        use = f"toolu_{next(_uses)}"
        name = "mcp__plugin_milestone_milestone__x"
        assert self.event("PreToolUse", agent_id=agent[0], agent_type=agent[1], tool_name=name, tool_use_id=use) == {}
        return {TOOL_USE: use}

    def call(self, tool: str, agent: tuple[str, str] = ("", ""), **arguments: Any) -> Any:
        """Return the answer of a call by an agent."""
        return self.wire.call(tool, self.meta(agent), **arguments)

    def refusal(self, tool: str, agent: tuple[str, str] = ("", ""), **arguments: Any) -> str:
        """Return the refusal of a call by an agent."""
        return self.wire.refusal(tool, self.meta(agent), **arguments)

    def actions(self, later: float = 0) -> dict[str, dict[str, Any]]:
        """Return what the coordinator is to start, by task; `later` seconds from now that is asked in this process."""
        if later:
            given = self.wire.project.operate("next_actions", later=later, milestone_id=self.milestone_id)
        else:
            given = self.call("next_actions")
        return {action.get("task_id", action["kind"]): action for action in given["actions"]}

    def spawn(self, action: dict[str, Any], agent_id: str) -> tuple[str, str]:
        """Start a sub-agent with a brief, as the Agent tool does, and return who it is."""
        who = (agent_id, action["agent_type"])
        self.event("SubagentStart", agent_id=who[0], agent_type=who[1])
        self.event("PostToolUse", tool_name="Agent", prompt=action["brief"], child_agent_id=agent_id)
        return who

    def row(self, agent_id: str) -> dict[str, Any]:
        """Return an agent of the registry."""
        return next(dict(row) for row in self.wire.project.rows("agent_registry") if row["agent_id"] == agent_id)

    def task(self, task_id: str) -> dict[str, Any]:
        """Return a task of the milestone."""
        known = self.wire.project.rows("tasks")
        return next(dict(row) for row in known if (row["milestone_id"], row["task_id"]) == (self.milestone_id, task_id))
