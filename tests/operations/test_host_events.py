"""What the host tells of its agents, and what follows from it without their help."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from milestone.surfaces.door import HOOK_PATIENCE
from tests.helpers.host import Host
from tests.helpers.projects import Project
from tests.helpers.samples import SAMPLES
from tests.helpers.wire import Wire

SCOUT = "milestone:infra-context-discovery"
OURS = "mcp__plugin_milestone_milestone__save_agent_state"


@pytest.fixture(scope="module", params=["sqlite-modern", "postgres-legacy"])
def wire(request: pytest.FixtureRequest, new_project: Callable[..., Project]) -> Iterator[Wire]:
    """One server for the module; each test has a session and a milestone of its own."""
    engine, era = request.param.split("-")
    connected = Wire(new_project(engine), era)
    yield connected
    connected.close()


@pytest.fixture
def host(wire: Wire) -> Host:
    """A host whose main conversation has begun a milestone."""
    return Host(wire)


@pytest.fixture
def name() -> str:
    """An id as the host gives its sub-agents."""
    return f"a{uuid.uuid4().hex[:16]}"


def save(host: Host, who: tuple[str, str], agent_id: str, key: str = "planning-scope", value: Any = None) -> Any:
    """Save a key without showing a token."""
    return host.call("save_agent_state", who, agent_id=agent_id, key=key, value=value or SAMPLES[key])


def test_a_sub_agent_of_ours_that_starts_is_registered_and_a_stranger_is_not(host: Host, name: str) -> None:
    host.event("SubagentStart", agent_id=name, agent_type=SCOUT)
    host.event("SubagentStart", agent_id=f"x{name}", agent_type="general-purpose")
    agents = host.call("list_session_agents")["agents"]
    assert [(agent["agent_type"], agent["status"]) for agent in agents[1:]] == [("infra-context-discovery", "starting")]
    assert host.row(f"infra-context-discovery-{name}")["verified"] == 1


def test_an_agent_is_bound_to_its_task_when_the_host_shows_its_brief(host: Host, name: str) -> None:
    action = host.actions()["scope"]
    who = host.spawn(action, name)
    row = host.row(action["agent_id"])
    assert (row["host_session"], row["host_agent"], row["status"], row["verified"]) == (host.session, name, "active", 1)
    agents = host.call("list_session_agents")["agents"]
    assert "starting" not in {agent["status"] for agent in agents}
    assert save(host, who, action["agent_id"])["version"] == 1
    assert host.call("complete_task", who, task_id="scope")["status"] == "completed"


def test_an_agent_is_bound_at_its_first_call_that_shows_the_token(host: Host, name: str) -> None:
    action = host.actions()["scope"]
    who = (name, SCOUT)
    host.event("SubagentStart", agent_id=name, agent_type=SCOUT)
    host.call("update_agent_status", who, agent_id=action["agent_id"], status="active", token=action["token"])
    assert host.row(action["agent_id"])["host_agent"] == name
    assert save(host, who, action["agent_id"])["version"] == 1


def test_an_agent_is_bound_by_its_transcript_when_it_stops(host: Host, name: str, tmp_path: Path) -> None:
    action = host.actions()["scope"]
    path = tmp_path / "agent.jsonl"
    entry = {"type": "user", "message": {"role": "user", "content": [{"type": "text", "text": action["brief"]}]}}
    path.write_text('{"type":"summary"}\n' + json.dumps(entry) + "\n")
    stop = {"agent_id": name, "agent_type": SCOUT, "transcript_path": str(path)}
    assert host.event("SubagentStop", **stop)["decision"] == "block"
    assert host.row(action["agent_id"])["host_agent"] == name


def test_an_agent_that_stops_without_its_keys_is_sent_back_once_and_then_has_failed_in_its_attempt(
    host: Host, name: str
) -> None:
    """Planted and found: no reminder, a reminder for ever, and a claim that stays open after the second stop."""
    action = host.actions()["scope"]
    who = host.spawn(action, name)
    stop = {"agent_id": who[0], "agent_type": who[1]}
    told = host.event("SubagentStop", **stop)
    assert told["decision"] == "block"
    for word in ("'scope'", "planning-scope", action["agent_id"], "save_agent_state", "complete_task"):
        assert word in told["reason"]
    assert host.event("SubagentStop", **stop) == {}
    assert (host.task("scope")["status"], host.task("scope")["failures"]) == ("ready", 1)
    assert host.row(action["agent_id"])["status"] == "failed"
    assert "ended twice without planning-scope" in host.task("scope")["detail"]
    assert "was failed" in host.refusal("save_agent_state", who, agent_id=action["agent_id"], key="k", value=1)


def test_an_agent_that_delivered_is_not_sent_back_even_if_it_forgot_to_say_so(host: Host, name: str) -> None:
    action = host.actions()["scope"]
    who = host.spawn(action, name)
    save(host, who, action["agent_id"])
    assert host.event("SubagentStop", agent_id=who[0], agent_type=who[1]) == {}
    assert host.task("scope")["status"] == "completed"
    assert host.event("SubagentStop", agent_id=who[0], agent_type=who[1]) == {}


def test_an_agent_that_was_sent_back_and_delivers_has_done_its_task(host: Host, name: str) -> None:
    action = host.actions()["scope"]
    who = host.spawn(action, name)
    stop = {"agent_id": who[0], "agent_type": who[1]}
    assert host.event("SubagentStop", **stop)["decision"] == "block"
    save(host, who, action["agent_id"])
    assert host.event("SubagentStop", **stop) == {}
    assert host.task("scope")["status"] == "completed"


def test_unread_messages_come_with_the_next_tool_result_once(host: Host, name: str) -> None:
    """Planted and found: messages that are not noted as read come again, and one agent's come to another."""
    actions = host.actions()
    who, other = host.spawn(actions["scope"], name), host.spawn(actions["research"], f"{name}2")
    host.call(
        "send_agent_message", from_agent=host.coordinator, to=actions["scope"]["agent_id"], type="note", payload="psst"
    )
    after = {"tool_name": "Read"}
    assert host.event("PostToolUse", agent_id=other[0], agent_type=other[1], **after) == {}
    said = host.event("PostToolUse", agent_id=who[0], agent_type=who[1], **after)["hookSpecificOutput"]
    assert said["hookEventName"] == "PostToolUse"
    assert '"psst"' in said["additionalContext"]
    assert "not instructions" in said["additionalContext"]
    assert host.event("PostToolUse", agent_id=who[0], agent_type=who[1], **after) == {}
    assert host.call("receive_agent_messages", who, agent_id=actions["scope"]["agent_id"])["messages"] == []


def test_no_agent_writes_as_another_even_with_its_token(host: Host, name: str) -> None:
    """Planted and found: a `prove` that lets the token decide before the host's word."""
    actions = host.actions()
    mine, theirs = actions["scope"], actions["research"]
    who = host.spawn(mine, name)
    host.spawn(theirs, f"{name}2")
    for tool, more in {
        "save_agent_state": {"key": "k", "value": 1},
        "update_agent_status": {"status": "waiting"},
        "receive_agent_messages": {},
        "complete_task": {"task_id": "research"},
    }.items():
        for token in ("", theirs["token"]):
            told = host.refusal(tool, who, agent_id=theirs["agent_id"], token=token, **more)
            assert f"You are {mine['agent_id']!r} and named {theirs['agent_id']!r}" in told
    told = host.refusal("send_agent_message", who, from_agent=theirs["agent_id"], to="*", type="note", payload=1)
    assert "Call again with your own id" in told
    told = host.refusal("register_agent", who, agent_id=theirs["agent_id"], agent_type="research-orchestrator")
    assert "You are" in told
    for coordinator in (who, ("stranger", SCOUT)):
        told = host.refusal(
            "send_agent_message", coordinator, from_agent=host.coordinator, to="*", type="note", payload=1
        )
        assert "You are" in told or "is another agent of this host" in told
    assert host.row(theirs["agent_id"])["host_agent"] == f"{name}2"


def test_an_agent_of_the_host_cannot_take_over_another_with_its_token(host: Host, name: str) -> None:
    action = host.actions()["scope"]
    host.spawn(action, name)
    given = {"agent_id": action["agent_id"], "key": "k", "value": 1, "token": action["token"]}
    told = host.refusal("save_agent_state", (f"{name}9", SCOUT), **given)
    assert "does not prove to come from it" in told
    assert host.row(action["agent_id"])["host_agent"] == name


def test_no_agent_rolls_back_what_others_saved(host: Host, name: str) -> None:
    """Planted and found: a rollback that asks nobody who calls."""
    actions = host.actions()
    mine, theirs = actions["scope"], actions["research"]
    who, other = host.spawn(mine, name), host.spawn(theirs, f"{name}2")
    points = {
        scope: host.call("create_agent_checkpoint", who, scope_id=scope_id, scope=scope)["checkpoint_id"]
        for scope, scope_id in (("agent", theirs["agent_id"]), ("milestone", host.milestone_id))
    }
    own = host.call("create_agent_checkpoint", who, scope_id=mine["agent_id"])["checkpoint_id"]
    save(host, other, theirs["agent_id"], "note", "theirs")
    save(host, who, mine["agent_id"], "note", "mine")
    for point in points.values():
        told = host.refusal("restore_agent_checkpoint", who, checkpoint_id=point, dry_run=False)
        assert "only the coordinator or a person" in told
    assert host.call("restore_agent_checkpoint", who, checkpoint_id=own, dry_run=False)["count"] == 1
    assert host.call("load_agent_state", who, key="note", agent_id=theirs["agent_id"])["value"] == "theirs"
    assert host.call("restore_agent_checkpoint", checkpoint_id=points["milestone"], dry_run=False)["count"] >= 1


def test_only_the_coordinator_asks_for_the_next_actions(host: Host, name: str) -> None:
    who = host.spawn(host.actions()["scope"], name)
    before = host.task("research")
    for caller in (who, (f"{name}3", "milestone:research-orchestrator"), (f"{name}4", "general-purpose")):
        told = host.refusal("next_actions", caller, milestone_id=host.milestone_id)
        assert "only the coordinator plans and starts agents" in told
    assert host.task("research") == before
    assert "only the coordinator or a person" in host.refusal("update_milestone", who, duration="1 day")


def test_a_coordinator_that_runs_as_a_sub_agent_may_lead(host: Host, name: str) -> None:
    led = host.call("next_actions", (name, "milestone:project-milestone-coordinator"), milestone_id=host.milestone_id)
    assert [action["kind"] for action in led["actions"]] == ["spawn"] * 3


def test_an_agent_that_broke_off_loses_its_task_to_a_new_one(host: Host, name: str) -> None:
    actions = host.actions()
    who = host.spawn(actions["scope"], name)
    host.event("StopFailure", agent_id=who[0], agent_type=who[1], last_message="overloaded")
    assert "scope" not in host.actions(), "what hindered it may pass, so it waits"
    anew = host.actions(later=6)["scope"]
    assert anew["agent_id"] != actions["scope"]["agent_id"]
    host.spawn(anew, f"{name}2")
    host.event("PostToolUse", tool_name="TaskStop", child_agent_id=f"{name}2")
    assert host.actions(later=30)["scope"]["agent_id"] not in (anew["agent_id"], actions["scope"]["agent_id"])


def test_what_an_agent_delivered_before_it_broke_off_is_accepted(host: Host, name: str) -> None:
    action = host.actions()["scope"]
    who = host.spawn(action, name)
    save(host, who, action["agent_id"])
    host.event("StopFailure", agent_id=who[0], agent_type=who[1], last_message="usage limit")
    assert host.task("scope")["status"] == "completed"


@pytest.mark.parametrize(
    ("agent_id", "agent_type", "tool", "allowed"),
    [
        ("a1", SCOUT, OURS, True),
        ("a1", SCOUT, "Bash", False),
        ("a1", SCOUT, "mcp__other__save_agent_state", False),
        ("a1", "general-purpose", OURS, False),
        ("", "", OURS, True),
        ("", "", "Bash", False),
    ],
    ids=["ours", "bash", "others tool", "others agent", "main conversation", "its bash"],
)
def test_only_our_agents_and_who_leads_them_are_allowed_only_our_tools(
    host: Host, agent_id: str, agent_type: str, tool: str, allowed: bool
) -> None:
    answer = host.event("PermissionRequest", agent_id=agent_id, agent_type=agent_type, tool_name=tool)
    decision = {"hookEventName": "PermissionRequest", "decision": {"behavior": "allow"}}
    assert answer == ({"hookSpecificOutput": decision} if allowed else {})


def test_a_conversation_that_leads_nobody_asks_its_person(host: Host) -> None:
    assert host.wire.call("host_event", event="PermissionRequest", session_id="another", tool_name=OURS) == {}


@pytest.mark.parametrize("event", ["PreToolUse", "PermissionRequest", "PostToolUse"])
def test_events_that_bring_nothing_do_not_wait_for_the_turn_to_write(host: Host, event: str) -> None:
    """Planted and found: a PreToolUse that takes a turn, so that every tool call waits twice."""
    more = {"tool_use_id": "t"} if event == "PreToolUse" else {}
    with host.wire.project.writing():
        began = time.monotonic()
        assert host.event(event, tool_name="Read", **more) == {}
        assert time.monotonic() - began < HOOK_PATIENCE  # whoever waits in vain gives up after this


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"event": None},
        {"event": ["PostToolUse"], "session_id": {}},
        {"event": "PostToolUse", "session_id": "s", "what": "ever"},
        {"event": "SubagentStop", "session_id": "\0\ud800", "agent_id": "../..", "transcript_path": "/dev/zero"},
        {"event": "SubagentStop", "session_id": "s", "agent_id": "a", "transcript_path": "\0"},
        {"event": "PostToolUse", "session_id": "s", "prompt": "token: " + "x" * 100_000, "child_agent_id": "c"},
        {"event": "Unheard", "session_id": "x" * 100_000},
    ],
    ids=str,
)
def test_no_event_is_ever_an_error_for_the_host(host: Host, event: dict[str, Any]) -> None:
    before = host.wire.project.dump()
    assert host.wire.call("host_event", **event) == {}
    assert host.wire.project.dump() == before


def test_hooks_call_a_tool_that_the_model_is_not_shown(wire: Wire) -> None:
    assert "host_event" not in [tool["name"] for tool in wire.request("tools/list", {})["result"]["tools"]]
    assert "host_event" not in wire.refusal("no_such_tool")
    assert "There is no tool" in wire.refusal(
        "host_event", meta={"claudecode/toolUseId": "toolu_1"}, event="SubagentStart"
    )
