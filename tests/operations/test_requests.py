"""A call that is repeated with its request_id is carried out once, whatever the tool."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from milestone.operations.catalogue import REGISTRY
from tests.helpers.agents import Agents
from tests.helpers.execution import git, task
from tests.helpers.samples import SAMPLES
from tests.helpers.underway import Execution

MUTATING = sorted(name for name, one in REGISTRY.items() if one.writes and one.listed)
OTHER = {
    "initialize_agent_coordination": {"name": "Something else"},
    "register_agent": {"capabilities": ["other"]},
    "update_agent_status": {"detail": "other"},
    "save_agent_state": {"value": "other"},
    "send_agent_message": {"payload": "other"},
    "receive_agent_messages": {"ack": ["msg-other"]},
    "create_agent_checkpoint": {"label": "other"},
    "restore_agent_checkpoint": {"dry_run": True},
    "log_milestone_event": {"subject": "other"},
    "update_milestone": {"duration": "other"},
    "next_actions": {"wait_seconds": 1},
    "complete_task": {"milestone_id": ""},
    "git_milestone": {"summary": "other"},
    "run_gates": {"agent_id": "other"},
    "save_pattern": {"content": "other"},
    "transition_phase": {"phase": "spec"},
    "report_failure": {"error": "other"},
    "steer_milestone": {"action": "resume"},
}
IN_EXECUTION = ("git_milestone", "run_gates", "transition_phase")


def arguments(agents: Agents, tool: str) -> dict[str, Any]:
    """Prepare what the tool needs and return good arguments."""
    milestone = {"milestone_id": agents.milestone_id}
    if tool in ("initialize_agent_coordination", "register_agent"):
        return {"name": f"Twice {uuid.uuid4()}"} if tool[0] == "i" else {"agent_type": "worker", **milestone}
    on_a_milestone: dict[str, dict[str, Any]] = {
        "log_milestone_event": {"event": "once"},
        "update_milestone": {"duration": "1 day"},
        "steer_milestone": {"action": "pause"},
        "next_actions": {},
    }
    if tool in on_a_milestone:
        return {**milestone, **on_a_milestone[tool]}
    if tool in ("complete_task", "report_failure"):
        action = agents.actions()[0]
        agents.save(action["agent_id"], "planning-scope", SAMPLES["planning-scope"], token=action["token"])
        who = {"agent_id": action["agent_id"], "token": action["token"]}
        return who | ({"error": "no such file"} if tool[0] == "r" else {"task_id": "scope", **milestone})
    agent, other = agents.register(), agents.register()
    if tool == "receive_agent_messages":
        agents.send(other, agent, "once")
        return {"agent_id": agent}
    if tool == "restore_agent_checkpoint":
        point = agents.call("create_agent_checkpoint", scope_id=agent)["checkpoint_id"]
        agents.save(agent, "k", 1)
        return {"checkpoint_id": point, "dry_run": False}
    return {
        "update_agent_status": {"agent_id": agent, "status": "active"},
        "save_agent_state": {"agent_id": agent, "key": "k", "value": 1},
        "send_agent_message": {"from_agent": agent, "to": other, "type": "note", "payload": 1},
        "create_agent_checkpoint": {"scope_id": agent},
        "save_pattern": {"agent_id": agent, "category": "architectural", "name": "once", "content": 1},
    }[tool]


def arguments_in_execution(agents: Agents, tool: str) -> dict[str, Any]:
    """Bring a milestone to where the tool is called for, and return good arguments."""
    if tool == "transition_phase":
        execution = Execution.begin(agents, task("decide", "design"), task("build", "execute", ("decide",)))
        return {"phase": execution.to("transition")["phase"], "milestone_id": execution.milestone_id}
    execution = Execution.begin(agents, task("build", "execute", paths=("app/",)))
    worker = execution.worker("build").begin()
    worker.write("app/build.py")
    if tool == "git_milestone":
        return {"action": "commit", "summary": "build it", **worker.who}
    worker.commit()
    worker.save()
    worker.complete()
    return {"task_id": "build", "milestone_id": execution.milestone_id}


def test_the_list_of_tools_above_is_whole() -> None:
    assert sorted(OTHER) == MUTATING
    assert all("request_id" in REGISTRY[name].schema["properties"] for name in MUTATING)


@pytest.mark.parametrize("tool", [name for name in MUTATING if name not in IN_EXECUTION])
def test_the_same_request_gives_the_same_answer_and_changes_nothing_again(agents: Agents, tool: str) -> None:
    """Planted and found: a door that does not remember, or remembers without comparing what was asked."""
    asked_twice(agents, tool, arguments(agents, tool))


@pytest.mark.parametrize("tool", IN_EXECUTION)
def test_the_same_request_in_execution_does_its_work_outside_once(repository: Agents, tool: str) -> None:
    """Planted and found: a door that remembers a call only if it has no work outside of its transaction."""
    given = arguments_in_execution(repository, tool)
    before = refs(repository)
    asked_twice(repository, tool, given)
    after = refs(repository)
    assert (after != before) is (tool != "transition_phase")
    assert len(set(after) - set(before)) <= 1


def refs(agents: Agents) -> list[str]:
    """Return every branch of the project with its commit."""
    return git(agents.project.folder, "for-each-ref", "refs/heads").splitlines()


def asked_twice(agents: Agents, tool: str, arguments: dict[str, Any]) -> None:
    """Call a tool twice with one request id, then for something else with it."""
    given = {**arguments, "request_id": f"request-{uuid.uuid4()}"}
    first = agents.answer(tool, **given)
    assert first[0] is False, first
    after = agents.project.dump()
    assert agents.answer(tool, **given) == first
    assert agents.project.dump() == after
    told = agents.refusal(tool, **{**given, **OTHER[tool]})
    assert f"was used for another call of {tool}" in told
    assert agents.project.dump() == after


def test_a_request_that_was_refused_may_be_made_again(agents: Agents) -> None:
    given = {
        "agent_id": f"later-{agents.milestone_id}",
        "key": "k",
        "value": 1,
        "request_id": f"request-{uuid.uuid4()}",
    }
    assert "is not registered" in agents.refusal("save_agent_state", **given)
    agents.register(agent_id=given["agent_id"])
    assert agents.call("save_agent_state", **given)["version"] == 1


def test_the_same_request_at_the_same_time_is_carried_out_once(agents: Agents) -> None:
    agent = agents.register()
    given = {"agent_id": agent, "key": "k", "value": 1, "request_id": f"request-{uuid.uuid4()}"}
    answers = {call.result(20)[1] for call in [agents.begin("save_agent_state", **given) for _ in range(10)]}
    assert [json.loads(answer)["version"] for answer in answers] == [1]
