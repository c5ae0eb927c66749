"""Starting a milestone, and who is there."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tests.helpers.agents import Agents
from tests.helpers.projects import Project
from tests.helpers.wire import Wire

GENERATED = r"milestone-\d{8}-\d{6}(-\d+)?"
START = "initialize_agent_coordination"


def test_a_milestone_gets_an_id_of_its_time_and_a_session_with_its_coordinator(agents: Agents) -> None:
    begun = agents.call(START, name="Another goal of this test", description="why")
    assert begun["created"] is True
    assert re.fullmatch(GENERATED, begun["milestone_id"])
    assert re.fullmatch(rf"planning-{begun['milestone_id']}-\d+", begun["session_id"])
    assert begun["agent_id"] == f"coordinator-{begun['session_id']}"
    shown = agents.call("list_session_agents", session_id=begun["session_id"])["agents"]
    assert [(agent["agent_id"], agent["agent_type"]) for agent in shown] == [
        (begun["agent_id"], "project-milestone-coordinator")
    ]
    agents.call("update_milestone", milestone_id=begun["milestone_id"], status="cancelled")


def test_beginning_twice_gives_the_same_milestone_and_session(agents: Agents) -> None:
    first = agents.call(START, milestone_id=agents.milestone_id)
    assert first["created"] is False
    assert agents.call(START, milestone_id=agents.milestone_id) == first
    assert first["milestone_id"] == agents.milestone_id


def test_the_same_name_continues_whatever_its_case_until_the_milestone_has_ended(agents: Agents) -> None:
    first = agents.call(START, name=f"Tea {agents.milestone_id}")
    again = agents.call(START, name=f"TEA {agents.milestone_id}", description="another text")
    assert (again["milestone_id"], again["session_id"], again["created"]) == (
        first["milestone_id"],
        first["session_id"],
        False,
    )
    agents.call("update_milestone", milestone_id=first["milestone_id"], status="cancelled")
    later = agents.call(START, name=f"Tea {agents.milestone_id}")
    assert later["created"] is True
    assert later["milestone_id"] != first["milestone_id"]


def test_an_id_that_is_given_is_kept(agents: Agents) -> None:
    wanted = f"own-{agents.milestone_id}"[:60]
    assert agents.call(START, milestone_id=wanted, name="Own id")["milestone_id"] == wanted
    agents.call("update_milestone", milestone_id=wanted, status="cancelled")


def test_two_processes_that_begin_at_once_get_one_milestone_and_one_session(
    project: Project, connect: Callable[..., Wire]
) -> None:
    wires = [connect(project), connect(project, "legacy")]
    for wire in wires:
        assert wire.request("tools/list", {})["result"]["tools"]  # both have started
    begun = [wire.answer(number) for wire, number in [(wire, wire.begin_call(START, name="Race")) for wire in wires]]
    assert not any(refused for refused, _ in begun), begun
    assert len(project.rows("milestones")) == 1
    assert len(project.rows("sessions")) == 1
    answers = [wire.call(START, name="Race") for wire in wires]
    assert answers[0]["session_id"] == answers[1]["session_id"]
    assert ["notice" in answer for answer in answers].count(True) == 1, "one of the two coordinates"
    folders = {path.name for path in project.mirror.iterdir() if path.is_dir()} if project.mirror.exists() else set()
    assert not folders or {"active", "completed", "config", "sessions", "deliverables", "logs"} <= folders


def test_registering_twice_confirms_and_keeps_one_agent(agents: Agents) -> None:
    given = {
        "agent_type": "research-orchestrator",
        "agent_id": f"r-{agents.milestone_id}",
        "milestone_id": agents.milestone_id,
    }
    first = agents.call("register_agent", **given, capabilities=["reads"])
    assert agents.call("register_agent", **given) == first
    assert first["verified"] is False
    listed = agents.call("list_session_agents", milestone_id=agents.milestone_id)["agents"]
    assert [agent["agent_id"] for agent in listed].count(given["agent_id"]) == 1


def test_an_agent_cannot_change_its_type_nor_be_a_coordinator_by_name(agents: Agents) -> None:
    known = agents.register("research-orchestrator")
    told = agents.refusal("register_agent", agent_type="infra-git-operator", agent_id=known)
    assert "is registered as 'research-orchestrator'" in told
    told = agents.refusal("register_agent", agent_type="x", agent_id="coordinator-x", milestone_id=agents.milestone_id)
    assert "is kept for a session's coordinator" in told


def test_the_session_tells_who_is_active_waiting_completed_and_failed(agents: Agents) -> None:
    for status in ("active", "waiting", "completed", "failed"):
        agents.call("update_agent_status", agent_id=agents.register(), status=status, detail=f"I am {status}")
    counted = agents.call("get_session_status", milestone_id=agents.milestone_id)["agents"]
    assert counted == {"active": 2, "waiting": 1, "completed": 1, "failed": 1}  # the coordinator is active
    waiting = agents.call("list_session_agents", milestone_id=agents.milestone_id, status="waiting")["agents"]
    assert [agent["detail"] for agent in waiting] == ["I am waiting"]


def test_an_agent_that_is_active_and_says_nothing_is_silent_since_its_last_word(agents: Agents) -> None:
    agent = agents.register()
    project = agents.project
    asked: dict[str, Any] = {"milestone_id": agents.milestone_id}
    assert project.operate("get_session_status", later=110, **asked)["silent"] == []
    silent = {
        one["agent_id"]: one["since"] for one in project.operate("get_session_status", later=130, **asked)["silent"]
    }
    seen = {row["agent_id"]: row["seen_at"] for row in project.rows("agent_registry")}
    assert silent[agent] == seen[agent]
    listed = project.operate("list_session_agents", later=130, **asked)["agents"]
    assert {one["agent_id"]: one.get("silent_since") for one in listed}[agent] == seen[agent]
    agents.call("update_agent_status", agent_id=agent, status="completed")
    assert agent not in [one["agent_id"] for one in project.operate("get_session_status", later=130, **asked)["silent"]]


def test_a_long_list_of_agents_comes_in_pages(agents: Agents) -> None:
    registered = {agents.register() for _ in range(30)}
    first = agents.call("list_session_agents", milestone_id=agents.milestone_id)
    assert len(first["agents"]) == 25
    assert "offset=25" in first["next"]
    second = agents.call("list_session_agents", milestone_id=agents.milestone_id, offset=25)
    listed = {agent["agent_id"] for agent in first["agents"] + second["agents"]}
    assert len(first["agents"] + second["agents"]) == 31
    assert registered < listed


def test_without_an_id_several_milestones_are_refused_and_listed(agents: Agents) -> None:
    other = agents.call(START, name=f"Second {agents.milestone_id}")["milestone_id"]
    told = agents.refusal("get_milestone")
    assert "several milestones are under way" in told
    assert other in told
    assert agents.milestone_id in told
    agents.call("update_milestone", milestone_id=other, status="cancelled")


def test_the_only_milestone_need_not_be_named(project: Project, connect: Callable[..., Wire]) -> None:
    wire = connect(project)
    assert "initialize_agent_coordination" in wire.refusal("get_milestone")
    begun = wire.call(START, name="Only")
    assert wire.call("get_milestone")["milestone_id"] == begun["milestone_id"]
    assert wire.call(START)["session_id"] == begun["session_id"]


def test_what_is_not_there_is_refused_with_what_is(agents: Agents) -> None:
    assert agents.milestone_id in agents.refusal("get_milestone", milestone_id="nowhere")
    assert "list_session_agents" in agents.refusal("update_agent_status", agent_id="nobody", status="active")
    assert "get_session_status" in agents.refusal("get_session_status", session_id="never")
