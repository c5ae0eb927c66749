"""What agents save and load, and what can be brought back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.helpers.agents import Agents
from tests.helpers.samples import SAMPLES


def load(agents: Agents, key: str, **arguments: Any) -> dict[str, Any]:
    """Load a key of the milestone."""
    return agents.call("load_agent_state", key=key, milestone_id=agents.milestone_id, **arguments)


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        0,
        -1.5,
        "",
        "text",
        '{"a": 1}',
        "[1,2]",
        "null",
        [],
        {},
        {"a": [1, {"b": None}]},
        2**53,
        "ü 漢 \U0001f9d1\u200d\U0001f680",
        "line\nline",
    ],
    ids=repr,
)
def test_any_json_comes_back_as_it_was_and_a_string_stays_a_string(agents: Agents, value: Any) -> None:
    agent = agents.register()
    agents.save(agent, "thing", value)
    loaded = load(agents, "thing", agent_id=agent)["value"]
    assert loaded == value
    assert type(loaded) is type(value)


def test_each_save_is_a_new_version(agents: Agents) -> None:
    agent = agents.register()
    assert [agents.save(agent, "k", number) for number in range(3)] == [1, 2, 3]
    loaded = load(agents, "k", agent_id=agent)
    assert (loaded["version"], loaded["value"]) == (3, 2)


def test_a_save_on_an_old_version_is_refused_and_changes_nothing(agents: Agents) -> None:
    agent = agents.register()
    agents.save(agent, "k", "mine", expected_version=0)
    told = agents.refusal("save_agent_state", agent_id=agent, key="k", value="late", expected_version=0)
    assert "has version 1, not 0" in told
    assert "load_agent_state" in told
    assert load(agents, "k")["value"] == "mine"
    assert agents.save(agent, "k", "next", expected_version=1) == 2


def test_without_an_agent_the_newest_is_given_with_the_other_authors(agents: Agents) -> None:
    first, second, third = (agents.register() for _ in range(3))
    for agent in (first, second, third, second):
        agents.save(agent, "shared", agent)
    loaded = load(agents, "shared")
    assert (loaded["agent_id"], loaded["value"], loaded["version"]) == (second, second, 2)
    assert loaded["others"] == [third, first]


def test_another_milestones_values_are_not_seen(agents: Agents) -> None:
    agents.save(agents.register(), "secret", 1)
    other = agents.call("initialize_agent_coordination", name=f"Other {agents.milestone_id}")["milestone_id"]
    assert "Nothing new is saved under 'secret'" in agents.refusal("load_agent_state", key="secret", milestone_id=other)
    agents.call("update_milestone", milestone_id=other, status="cancelled")


def test_a_large_value_comes_in_parts_that_join_to_the_value(agents: Agents) -> None:
    agent = agents.register()
    value = {"text": 'äöü\\"\n' * 3_000, "n": list(range(500))}
    agents.save(agent, "large", value)
    parts, offset = [], 0
    while True:
        loaded = load(agents, "large", agent_id=agent, offset=offset)
        parts.append(loaded["part"])
        offset += len(loaded["part"])
        if "offset=" not in loaded["next"]:
            break
        assert f"offset={offset}" in loaded["next"]
    assert len(parts) > 1
    assert json.loads("".join(parts)) == value


def test_a_key_that_nobody_saved_is_refused_with_those_that_are_there(agents: Agents) -> None:
    agents.save(agents.register(), "here", 1)
    told = agents.refusal("load_agent_state", key="elsewhere", milestone_id=agents.milestone_id)
    assert "keys saved so far: here" in told
    assert "wait_seconds" in told


def test_who_waits_for_a_key_gets_it_when_it_is_saved(agents: Agents) -> None:
    agent = agents.register()
    waiting = agents.begin("load_agent_state", key="late", milestone_id=agents.milestone_id, wait_seconds=30)
    agents.save(agent, "other", 1)
    assert not waiting.done()
    agents.save(agent, "late", "there")
    assert json.loads(waiting.result(20)[1])["value"] == "there"


def test_who_waits_for_a_newer_version_is_not_given_the_old_one(agents: Agents) -> None:
    agent = agents.register()
    agents.save(agent, "k", "old")
    waiting = agents.begin("load_agent_state", key="k", agent_id=agent, after_version=1, wait_seconds=30)
    agents.save(agent, "k", "new")
    assert json.loads(waiting.result(20)[1])["value"] == "new"


@pytest.mark.parametrize("key", sorted(SAMPLES))
def test_a_key_with_a_shape_takes_its_shape_and_names_what_does_not_fit(agents: Agents, key: str) -> None:
    agent = agents.register()
    assert agents.save(agent, key, SAMPLES[key]) == 1
    told = agents.refusal("save_agent_state", agent_id=agent, key=key, value=json.dumps(SAMPLES[key]))
    assert f"does not have the shape of {key!r}" in told
    if isinstance(SAMPLES[key], dict):
        field = sorted(set(SAMPLES[key]) - {"unknowns", "dependencies"})[0]
        told = agents.refusal("save_agent_state", agent_id=agent, key=key, value={**SAMPLES[key], field: 7, "extra": 1})
        assert f"value.{field}" in told
        assert "value.extra" in told
    assert load(agents, key, agent_id=agent)["version"] == 1


def test_a_plan_whose_parts_contradict_each_other_is_refused(agents: Agents) -> None:
    agent, plan = agents.register(), SAMPLES["milestone-plan"]
    circle = [{**plan["tasks"][0], "depends_on": ["t-2"]}, plan["tasks"][1]]
    told = agents.refusal("save_agent_state", agent_id=agent, key="milestone-plan", value={**plan, "tasks": circle})
    assert "circle: t-1 -> t-2 -> t-1" in told
    unknown = [{**plan["tasks"][0], "decisions": ["d-9"]}]
    told = agents.refusal("save_agent_state", agent_id=agent, key="milestone-plan", value={**plan, "tasks": unknown})
    assert "decisions names d-9, which is no decision of the plan" in told


@pytest.mark.parametrize("scope", ["agent", "session", "milestone"])
def test_a_rollback_shows_first_then_writes_new_versions_and_can_be_undone(agents: Agents, scope: str) -> None:
    agent = agents.register()
    session = agents.call("get_session_status", milestone_id=agents.milestone_id)["session_id"]
    scope_id = {"agent": agent, "session": session, "milestone": agents.milestone_id}[scope]
    agents.save(agent, "k", "before")
    point = agents.call("create_agent_checkpoint", scope_id=scope_id, scope=scope, label="here")["checkpoint_id"]
    agents.save(agent, "k", "after")
    agents.save(agent, "added", 1)

    dry = agents.call("restore_agent_checkpoint", checkpoint_id=point)
    assert dry["dry_run"] is True
    assert [(one["key"], one["from_version"], one["to_version"]) for one in dry["changes"]] == [
        ("added", 1, 0),
        ("k", 2, 1),
    ]
    assert load(agents, "k", agent_id=agent)["value"] == "after"

    done = agents.call("restore_agent_checkpoint", checkpoint_id=point, dry_run=False)
    loaded = load(agents, "k", agent_id=agent)
    assert (loaded["value"], loaded["version"]) == ("before", 3)
    assert "Nothing new is saved" in agents.refusal("load_agent_state", key="added", agent_id=agent)

    agents.call("restore_agent_checkpoint", checkpoint_id=done["undo"], dry_run=False)
    loaded = load(agents, "k", agent_id=agent)
    assert (loaded["value"], loaded["version"]) == ("after", 4)
    assert load(agents, "added", agent_id=agent)["value"] == 1


def test_a_checkpoint_of_one_agent_leaves_the_others_alone(agents: Agents) -> None:
    one, other = agents.register(), agents.register()
    agents.save(one, "k", "one")
    point = agents.call("create_agent_checkpoint", scope_id=one)["checkpoint_id"]
    agents.save(one, "k", "changed")
    agents.save(other, "k", "stays")
    agents.call("restore_agent_checkpoint", checkpoint_id=point, dry_run=False)
    assert load(agents, "k", agent_id=one)["value"] == "one"
    assert load(agents, "k", agent_id=other)["value"] == "stays"
    assert agents.call("restore_agent_checkpoint", checkpoint_id=point)["changes"] == []
