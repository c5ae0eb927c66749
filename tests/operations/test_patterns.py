"""Patterns: saved by agents, fresh for a while, found by text and category, put into briefs where they fit."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.helpers.agents import Agents
from tests.helpers.execution import task
from tests.helpers.underway import Execution, InProcess

BUILD = task("build", "execute", title="Build the zeppelin hangar")
SAVED = {"name": "A door that closes by itself", "content": {"steps": ["hinge", "spring"]}}


def save(agents: Agents, agent: str, name: str, category: str = "architectural", **more: object) -> str:
    """Save a pattern and return its id."""
    given = {"content": {"about": name}, "name": f"{name} {uuid.uuid4().hex[:6]}", **more}
    return agents.call("save_pattern", agent_id=agent, category=category, **given)["pattern_id"]


def in_brief(brief: str) -> str:
    """Return the line of a brief that names patterns."""
    return next((line for line in brief.splitlines() if line.startswith("worth reusing")), "")


def test_a_pattern_needs_a_known_category_a_name_and_a_template_its_condition(repository: Agents) -> None:
    execution = Execution.begin(repository, BUILD)
    agent = repository.call("register_agent", agent_type="worker", milestone_id=execution.milestone_id)["agent_id"]
    refusals = (
        ({"category": "habit", **SAVED}, "argument 'category'"),
        ({"category": "architectural", **SAVED, "name": "  "}, "needs a name"),
        ({"category": "code_template", **SAVED}, "use_when has to state them"),
        ({"category": "architectural", **SAVED, "ttl_seconds": 0}, "argument 'ttl_seconds'"),
        ({"category": "architectural", **SAVED, "token": "x", "agent_id": "nobody"}, "is not registered"),
    )
    for given, told in refusals:
        assert told in repository.refusal("save_pattern", **{"agent_id": agent, **given})
    worker = execution.worker("build")
    assert "does not prove to come from it" in repository.refusal(
        "save_pattern", agent_id=worker.agent_id, category="architectural", **SAVED
    )


@pytest.mark.parametrize(
    ("category", "reuse"),
    [
        ("architectural", "always"),
        ("task_structure", "often"),
        ("code_template", "conditional"),
        ("specification", "rarely"),
    ],
)
def test_a_pattern_is_found_by_text_and_by_category_with_its_policy(
    repository: Agents, category: str, reuse: str
) -> None:
    execution = Execution.begin(repository, BUILD)
    agent = repository.call("register_agent", agent_type="worker", milestone_id=execution.milestone_id)["agent_id"]
    word = f"xylophone{uuid.uuid4().hex[:8]}"
    given = {"use_when": f"there is a {word}", "content": f"tune the {word} octave chord"}
    wanted = save(repository, agent, f"{word} octave chord", category, **given)
    own: dict[str, Any] = {"milestone_id": execution.milestone_id}
    for found in (
        repository.call("find_patterns", text=f"{word} octave chord"),
        repository.call("find_patterns", category=category, **own),
    ):
        first = found["patterns"][0]
        assert (first["pattern_id"], first["category"], first["reuse"]) == (wanted, category, reuse)
        assert first["content"] == given["content"]
    others = [c for c in ("architectural", "task_structure", "code_template", "specification") if c != category]
    for other in others:
        assert repository.call("find_patterns", category=other, **own)["patterns"] == []
    if category in ("code_template", "specification"):
        found = repository.call("find_patterns", text="something else entirely", **own)
        assert found["patterns"] == []


def test_a_pattern_is_fresh_for_an_hour_unless_it_says_otherwise(repository: Agents) -> None:
    """Planted and found: a `fresh` that does not look at the clock."""
    execution = Execution.begin(repository, BUILD)
    own: dict[str, Any] = {"milestone_id": execution.milestone_id}
    agent = repository.call("register_agent", agent_type="worker", **own)["agent_id"]
    hour, day = save(repository, agent, "hour"), save(repository, agent, "day", ttl_seconds=86_400)
    for later, there in ((0, {hour, day}), (3_590, {hour, day}), (3_610, {day}), (86_500, set[str]())):
        found = InProcess(repository.project, later).call("find_patterns", **own)["patterns"]
        assert {one["pattern_id"] for one in found} == there
        row = repository.project.operate("get_milestone", later=later, **own)
        assert row["status"] == "active"
    anew = repository.call(
        "save_pattern",
        agent_id=agent,
        category="architectural",
        name=name_of(repository, hour),
        content={"about": "new"},
    )
    assert anew["pattern_id"] == hour


def name_of(agents: Agents, pattern_id: str) -> str:
    """Return the name of a pattern."""
    return next(str(row["name"]) for row in agents.project.rows("patterns") if row["pattern_id"] == pattern_id)


def test_at_most_three_fitting_patterns_stand_in_a_brief_and_those_that_helped_are_counted(repository: Agents) -> None:
    """Planted and found: four of them; a success that is counted when a task is handed out."""
    execution = Execution.begin(repository, BUILD)
    own: dict[str, Any] = {"milestone_id": execution.milestone_id}
    agent = repository.call("register_agent", agent_type="worker", **own)["agent_id"]
    names = [f"Zeppelin hangar {number}" for number in range(4)]
    saved = [save(repository, agent, name, "task_structure") for name in names]
    strange = save(repository, agent, "Submarine dock", "code_template", use_when="there is a submarine")
    worker = execution.worker("build")
    line = in_brief(worker.brief)
    assert line.startswith("worth reusing (find_patterns shows them): ")
    shown = [pattern for pattern in saved if name_of(repository, pattern) in line]
    assert len(shown) == 3 == line.count("(task_structure)")
    assert "Submarine" not in line
    counts = {row["pattern_id"]: (row["uses"], row["successes"]) for row in repository.project.rows("patterns")}
    assert sorted(counts[pattern] for pattern in saved) == [(0, 0), (1, 0), (1, 0), (1, 0)]
    assert counts[strange] == (0, 0)
    worker.begin().save()
    worker.complete()
    execution.worker("review-build-1")
    counts = {row["pattern_id"]: (row["uses"], row["successes"]) for row in repository.project.rows("patterns")}
    assert {counts[pattern][1] for pattern in shown} == {0}
    assert execution.task("build")["status"] == "in_review"


def test_a_pattern_counts_as_a_success_once_the_task_that_was_given_it_is_completed(repository: Agents) -> None:
    execution = Execution.begin(repository, task("decide", "design", title="Decide about the quokka enclosure"))
    own: dict[str, Any] = {"milestone_id": execution.milestone_id}
    agent = repository.call("register_agent", agent_type="worker", **own)["agent_id"]
    pattern = save(repository, agent, "Quokka enclosure", "task_structure")
    first = execution.worker("decide")
    assert "Quokka enclosure" in in_brief(first.brief)
    anew = repository.project.operate("next_actions", later=70, **own)["actions"]
    again = next(action for action in anew if action.get("task_id") == "decide")
    execution.carry_out(again)
    found = repository.call("find_patterns", text="quokka enclosure")["patterns"][0]
    assert (found["pattern_id"], found["uses"], found["successes"]) == (pattern, 2, 1)
