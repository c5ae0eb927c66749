"""Hooks that have nothing to say, or are not to say it."""

from __future__ import annotations

from collections.abc import Callable

from tests.helpers.host import Host
from tests.helpers.projects import Project
from tests.helpers.wire import Wire

SCOUT = "milestone:infra-context-discovery"
OURS = "mcp__plugin_milestone_milestone__save_agent_state"


def test_hooks_do_not_make_a_database_where_nobody_asked_for_one(
    new_project: Callable[..., Project], connect: Callable[..., Wire]
) -> None:
    project = new_project()
    wire = connect(project)
    for event in ("SubagentStart", "PreToolUse", "PostToolUse", "SubagentStop", "PermissionRequest"):
        assert wire.call("host_event", event=event, session_id="s", agent_id="a", agent_type=SCOUT) == {}
    assert not project.database.exists()
    assert not project.mirror.exists()


def test_hooks_can_be_switched_off(new_project: Callable[..., Project], connect: Callable[..., Wire]) -> None:
    wire = connect(new_project(MILESTONE_HOOKS="off"))
    host = Host(wire)
    action = host.actions()["scope"]
    host.spawn(action, "a1")
    assert host.row(action["agent_id"])["host_agent"] == ""
    assert host.event("SubagentStop", agent_id="a1", agent_type=SCOUT) == {}
    assert host.event("PermissionRequest", agent_id="a1", agent_type=SCOUT, tool_name=OURS) == {}
