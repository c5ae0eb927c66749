"""The commands that people type: they allow what is used, name tools as the host does, and take what was typed."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from tests.prompts.library import AGENTS, COORDINATOR, PREFIX, SKILLS, in_planning, listed_tools, text_of

FOR_PEOPLE = ["plan", "execute", "resume", "status"]
WORKTREES = "(.milestones/worktrees/**)"
IN_EXECUTION_ONLY = {
    *("Edit", "Write"),
    *(
        f"{PREFIX}{tool}"
        for tool in ("git_milestone", "run_gates", "transition_phase", "save_pattern", "find_patterns")
    ),
}

each_command = pytest.mark.parametrize("name", FOR_PEOPLE)


def test_people_can_plan_execute_resume_and_look() -> None:
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
    }


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
