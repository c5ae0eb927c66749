"""A task is held by a lease: signs of life renew it, a clock that does not jump ends it, a fence keeps others out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from milestone.domain.identity import Caller
from milestone.domain.leases import Clock
from milestone.operations.catalogue import REGISTRY
from milestone.operations.leading import LEAD_SECONDS
from milestone.store.engine import run
from tests.helpers.agents import Agents
from tests.helpers.host import Host
from tests.helpers.projects import Project
from tests.helpers.samples import SAMPLES
from tests.helpers.wire import Wire


def claim(project: Project, agent_id: str) -> dict[str, Any]:
    """Return the claim of an agent."""
    return next(dict(row) for row in project.rows("claims") if row["agent_id"] == agent_id)


def handed_out(agents: Agents, later: float = 0) -> list[str]:
    """Return the tasks that are handed out some seconds from now."""
    actions = agents.project.operate("next_actions", later=later, milestone_id=agents.milestone_id)["actions"]
    return [action["task_id"] for action in actions if action["kind"] == "spawn"]


def test_lease_token_and_brief_are_there_before_an_agent_can_be_started(agents: Agents) -> None:
    action = agents.actions()[0]
    held = claim(agents.project, action["agent_id"])
    assert held["lease_until"] > 0
    assert held["deadline"] > held["lease_until"]
    assert held["started_at"] == ""
    assert action["lease_seconds"] == 1_800
    brief = agents.call("load_agent_state", agent_id=action["agent_id"], key="brief")["value"]
    assert f"task_id: {action['task_id']}" in brief
    assert action["token"] not in brief


def test_a_later_holder_has_a_greater_token(agents: Agents) -> None:
    first = agents.actions()[0]
    again = agents.project.operate("next_actions", later=61, milestone_id=agents.milestone_id)["actions"][0]
    assert again["task_id"] == first["task_id"]
    assert int(again["token"].split("-")[0]) > int(first["token"].split("-")[0])


@pytest.mark.parametrize("call", ["save_agent_state", "update_agent_status", "receive_agent_messages"])
def test_every_call_of_an_agent_renews_its_lease(agents: Agents, call: str) -> None:
    """Planted and found: a `writer` that renews nothing."""
    scope = agents.actions()[0]
    agents.start(scope)
    who = {"agent_id": scope["agent_id"], "token": scope["token"]}
    given = {"save_agent_state": {"key": "k", "value": 1}, "update_agent_status": {"status": "active"}}
    agents.project.operate(call, later=1_700, **who, **given.get(call, {}))
    assert "scope" not in handed_out(agents, 3_400)
    assert "scope" not in handed_out(agents, 3_501), "it waits a little, since what made it silent may pass"
    assert "scope" in handed_out(agents, 3_507)


def test_tool_calls_that_the_host_tells_of_renew_the_lease_too(
    new_project: Callable[..., Project], connect: Callable[..., Wire]
) -> None:
    """Planted and found: a `_news` that renews nothing."""
    host = Host(connect(new_project()))
    action = host.actions()["scope"]
    who = host.spawn(action, "scout-1")
    told: dict[str, Any] = {"session_id": host.session, "agent_id": who[0], "agent_type": who[1], "tool_name": "Read"}
    host.wire.project.operate("host_event", later=1_700, event="PostToolUse", **told)
    assert "scope" not in host.actions(later=3_400)
    host.actions(later=3_501)
    assert "scope" in host.actions(later=3_507)


def test_the_time_of_day_decides_nothing(agents: Agents) -> None:
    """Planted and found: a `takeable` that compares times of day."""
    scope = agents.actions()[0]
    agents.start(scope)
    application = agents.project.application

    def at(days: int) -> list[str]:
        def look(transaction: Any) -> Any:
            context = application.context(transaction, Caller(), set())
            moved = replace(context, now=context.now.replace(year=context.now.year + days))
            return REGISTRY["next_actions"].function(moved, milestone_id=agents.milestone_id, wait_seconds=0)

        return [one["kind"] for one in run(agents.project.engine, look, write=True)["actions"]]

    assert at(1) == ["wait"]
    assert at(-1) == ["wait"]


def test_what_was_handed_out_before_the_machine_was_started_anew_is_free(agents: Agents) -> None:
    """Planted and found: a lease that compares the numbers of two different boots."""
    scope = agents.actions()[0]
    agents.start(scope)
    application = agents.project.application

    def after(transaction: Any) -> Any:
        context = replace(application.context(transaction, Caller(), set()), measure=lambda: Clock("another boot", 5))
        return REGISTRY["next_actions"].function(context, milestone_id=agents.milestone_id, wait_seconds=0)

    actions = run(agents.project.engine, after, write=True)["actions"]
    assert {one.get("task_id") for one in actions if one["kind"] == "spawn"} >= {"research", "dependencies"}
    assert "started anew" in agents.project.read(lambda store: store.tasks.get(agents.milestone_id, "scope"))["detail"]


@pytest.mark.parametrize("call", ["save_agent_state", "complete_task", "send_agent_message", "receive_agent_messages"])
def test_who_lost_its_lease_is_refused_and_told_who_holds_the_task_now(agents: Agents, call: str) -> None:
    """Planted and found: a `writer` without its fence says that the agent was retired, and not for whom."""
    first = agents.actions()[0]
    agents.start(first)
    agents.project.operate("next_actions", later=1_801, milestone_id=agents.milestone_id)
    again = agents.project.operate("next_actions", later=1_900, milestone_id=agents.milestone_id)["actions"]
    now = next(one for one in again if one.get("task_id") == "scope")
    before = agents.project.dump()["agent_state"]
    given: dict[str, dict[str, Any]] = {
        "save_agent_state": {"key": "planning-scope", "value": SAMPLES["planning-scope"]},
        "complete_task": {"task_id": "scope"},
        "send_agent_message": {"to": "*", "type": "done", "payload": "scope is done"},
    }
    who = "from_agent" if call == "send_agent_message" else "agent_id"
    told = agents.refusal(call, token=first["token"], **{who: first["agent_id"]}, **given.get(call, {}))
    assert f"Your lease on task 'scope' is over: {now['agent_id']!r} (attempt 2) holds it now" in told
    assert agents.project.dump()["agent_state"] == before


def test_a_lease_that_ran_out_unnoticed_still_holds_until_somebody_takes_the_task(agents: Agents) -> None:
    scope = agents.actions()[0]
    agents.start(scope)
    who: dict[str, Any] = {"agent_id": scope["agent_id"], "token": scope["token"]}
    value = {"key": "planning-scope", "value": SAMPLES["planning-scope"]}
    agents.project.operate("save_agent_state", later=5_000, **who, **value)
    assert agents.project.operate("complete_task", later=5_000, task_id="scope", **who)["status"] == "completed"


def test_a_claim_of_a_version_without_leases_gets_one(agents: Agents) -> None:
    """Planted and found: a `takeable` that takes an undated claim for one that ran out."""
    scope = agents.actions()[0]
    agents.start(scope)
    undated = "UPDATE claims SET era = '', lease_until = 0, deadline = 0 WHERE agent_id = :agent_id"
    agents.project.write(undated, agent_id=scope["agent_id"])
    assert "scope" not in handed_out(agents)
    assert claim(agents.project, scope["agent_id"])["lease_until"] > 0
    handed_out(agents, 1_801)
    assert "scope" in handed_out(agents, 1_810)


def test_a_coordinator_that_gives_no_sign_of_life_is_replaced_and_one_that_does_is_not(
    new_project: Callable[..., Project], connect: Callable[..., Wire]
) -> None:
    """Planted and found: a lead that is never renewed; a lead that never ends."""
    project = new_project()
    first = Host(connect(project))
    second = Host.on(connect(project), first.milestone_id)
    own = {"milestone_id": first.milestone_id}

    def asks(host: Host, later: float) -> str:
        caller = Caller(host.session)
        return project.operate("next_actions", later=later, caller=caller, **own)["actions"][0]["kind"]

    with pytest.raises(Exception, match="another live session"):
        asks(second, LEAD_SECONDS - 5)
    assert asks(first, LEAD_SECONDS - 4)
    with pytest.raises(Exception, match="another live session"):
        asks(second, 2 * LEAD_SECONDS - 10)
    assert asks(second, 2 * LEAD_SECONDS)
    with pytest.raises(Exception, match="another live session"):
        asks(first, 2 * LEAD_SECONDS + 1)
    changed = [row for row in project.rows("events") if row["event"] == "coordinator_changed"]
    assert len(changed) == 1
