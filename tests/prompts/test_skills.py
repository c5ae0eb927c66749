"""The commands that people type: they allow what is used, name tools as the host does, and take what was typed."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from milestone.operations.catalogue import REGISTRY
from tests.prompts.library import AGENTS, COORDINATOR, PREFIX, SKILLS, in_planning, listed_tools, text_of

GREAT = ["plan", "execute", "resume"]
STEERING = {  # the tools of each, and what of them changes something
    "pause": {"steer_milestone"},
    "stop": {"steer_milestone"},
    "checkpoint": {"get_milestone", "create_agent_checkpoint"},
    "rollback": {"get_milestone", "restore_agent_checkpoint"},
}
LOOKING = {
    "status": "Bash(milestone status:*)",
    "report": "Bash(milestone report:*)",
    "doctor": "Bash(milestone doctor --json)",
}
"""Skills that run a command, and the only one that needs no permission: what mends something is asked for."""

BY_PEOPLE_ALONE = {"pause", "stop", "rollback"}
FOR_PEOPLE = [*GREAT, *STEERING, *LOOKING]
WORKTREES = "(.milestones/worktrees/**)"
IN_EXECUTION_ONLY = {
    *("Edit", "Write"),
    *(
        f"{PREFIX}{tool}"
        for tool in ("git_milestone", "run_gates", "transition_phase", "save_pattern", "find_patterns")
    ),
}

each_command = pytest.mark.parametrize("name", FOR_PEOPLE)


def test_people_can_plan_execute_steer_and_look() -> None:
    assert set(SKILLS) == {*FOR_PEOPLE, "protocol", "execution", "judgement"}


def test_the_skill_plan_allows_what_the_coordinator_and_the_agents_of_planning_use_and_no_more() -> None:
    used = {tool for name in (COORDINATOR, *in_planning()) for tool in AGENTS[name].tools}
    assert set(SKILLS["plan"].tools) == used - IN_EXECUTION_ONLY


def test_the_skill_execute_allows_all_that_the_coordinator_and_the_agents_it_may_start_use() -> None:
    granted = {tool.removesuffix(WORKTREES) for tool in SKILLS["execute"].tools}
    assert granted == {tool for agent in AGENTS.values() for tool in agent.tools} | {"Workflow"}


def test_the_skill_resume_allows_what_execute_does_but_no_workflow() -> None:
    assert set(SKILLS["resume"].tools) == set(SKILLS["execute"].tools) - {"Workflow"}


@pytest.mark.parametrize("name", ["execute", "resume"])
def test_agents_may_write_in_worktrees_alone(name: str) -> None:
    """Planted and found: a bare `Write`, which the host takes for every place of the machine."""
    tools = SKILLS[name].tools
    assert {tool for tool in tools if tool.startswith(("Edit", "Write"))} == {f"Edit{WORKTREES}", f"Write{WORKTREES}"}


def test_the_skill_status_changes_nothing() -> None:
    assert {tool.removeprefix(PREFIX) for tool in SKILLS["status"].tools} == {
        "get_milestone",
        "get_session_status",
        "list_session_agents",
        LOOKING["status"],
    }


@pytest.mark.parametrize("name", STEERING)
def test_a_skill_that_steers_may_use_the_tools_that_it_names_and_no_other(name: str) -> None:
    assert {tool.removeprefix(PREFIX) for tool in SKILLS[name].tools} == STEERING[name]
    assert set(re.findall(PREFIX + r"(\w+)", SKILLS[name].body)) == STEERING[name]


@pytest.mark.parametrize("name", LOOKING)
def test_a_skill_that_looks_may_run_one_command_and_no_shell(name: str) -> None:
    """Planted and found: a bare `Bash`, which allows every command there is."""
    assert [tool for tool in SKILLS[name].tools if tool.startswith("Bash")] == [LOOKING[name]]
    command = LOOKING[name].removeprefix("Bash(").rstrip(":*)")
    assert f"`{command}" in SKILLS[name].body


@each_command
def test_what_stops_something_is_begun_by_a_person_alone(name: str) -> None:
    assert ("disable-model-invocation: true" in text_of(SKILLS[name])) == (name in BY_PEOPLE_ALONE)


def test_a_rollback_is_looked_at_and_asked_for_before_it_is_done() -> None:
    body = SKILLS["rollback"].body
    assert body.index("`dry_run` true") < body.index("Ask the person") < body.index("`dry_run` false")


@each_command
def test_no_skill_gives_a_persons_answer(name: str) -> None:
    """Approving, rejecting and waiving are commands of people; a skill may neither call nor run them."""
    decided = {one.name for one in REGISTRY.values() if one.people}
    granted = " ".join(SKILLS[name].tools).replace("-", "_")
    assert {"approve", "reject", "waive"} <= decided
    assert not [one for one in decided if re.search(rf"\b{one}\b", granted.replace(PREFIX, " "))]
    assert not re.search(
        r"^\d?\.?.*(?:[Rr]un|[Cc]all) `milestone (?:approve|reject|waive|answer)", SKILLS[name].body, re.M
    )


@each_command
def test_a_skill_for_people_takes_what_they_typed(name: str) -> None:
    assert SKILLS[name].user_invocable
    assert SKILLS[name].body.count("$ARGUMENTS") == 1
    assert SKILLS[name].argument_hint


@each_command
def test_a_skill_for_people_names_our_tools_in_full(name: str) -> None:
    body = SKILLS[name].body.replace(PREFIX, "")
    full = re.findall(PREFIX + r"\w+", SKILLS[name].body)
    named = [tool for tool in listed_tools() for _ in re.findall(rf"\b{tool}\b", body)]
    assert Counter(tool.removeprefix(PREFIX) for tool in full) == Counter(named)


@each_command
def test_a_skill_for_people_sends_only_to_files_that_are_there(name: str) -> None:
    root = SKILLS[name].path.parents[2]
    for path in re.findall(r"\$\{CLAUDE_PLUGIN_ROOT\}/([\w./-]+\w)", text_of(SKILLS[name])):
        assert (root / path).is_file()
