"""A playbook that people write is read as they meant it, or refused with the line that is wrong."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from milestone.prompts.playbooks import BadPlaybook, Playbook, PlaybookTask, parse_playbook, read_playbook
from milestone.prompts.strict_yaml import LIMIT

PLANNING = Path(__file__).resolve().parents[2] / "playbooks" / "planning.yaml"

TASK = """\
  - id: first
    agent_type: infra-context-discovery
    title: Look around
    produces: [a-key]
    critical: true
    time_limit: 600
"""
GOOD = "mode: planning\ntasks:\n" + TASK


def test_the_planning_playbook_lets_three_explore_then_one_plan_then_one_record() -> None:
    playbook = read_playbook(PLANNING)
    assert playbook.mode == "planning"
    assert {task.id: (task.agent_type, task.needs, task.produces) for task in playbook.tasks} == {
        "scope": ("infra-context-discovery", (), ("planning-scope",)),
        "research": ("research-orchestrator", (), ("planning-research",)),
        "dependencies": ("infra-dependency-manager", (), ("planning-dependencies",)),
        "plan": (
            "project-milestone-planner",
            ("planning-scope", "planning-research", "planning-dependencies"),
            ("milestone-plan",),
        ),
        "record": (
            "doc-architecture-designer",
            ("planning-scope", "planning-research", "planning-dependencies", "milestone-plan"),
            ("planning-documentation", "planning-complete"),
        ),
    }


def test_planning_belongs_to_no_phase_and_weighs_nothing() -> None:
    assert {(task.phase, task.weight) for task in read_playbook(PLANNING).tasks} == {(None, 0)}


def test_what_is_left_out_is_nothing() -> None:
    assert parse_playbook(GOOD, "p.yaml") == Playbook(
        "planning",
        (PlaybookTask("first", "infra-context-discovery", "Look around", (), ("a-key",), True, 600, None, 0),),
    )


def test_phase_and_weight_are_taken() -> None:
    (task,) = parse_playbook(GOOD + "    phase: spec\n    weight: 30\n", "p.yaml").tasks
    assert (task.phase, task.weight) == ("spec", 30)


def test_several_tasks_may_save_the_same_key() -> None:
    second = TASK.replace("id: first", "id: second")
    third = TASK.replace("id: first", "id: third").replace("a-key", "b-key") + "    needs: [a-key]\n"
    assert len(parse_playbook(GOOD + second + third, "p.yaml").tasks) == 3


def changed(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new)


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("", 1, "a playbook has the fields mode and tasks"),
        ("- a\n", 1, "a playbook has the fields mode and tasks"),
        ("mode: planning\ntasks: []\n", 2, "tasks must be a list of at least one task"),
        ("mode: planning\ntasks:\n  - word\n", 2, "each task has the fields"),
        (changed("mode: planning", "mode: dreaming"), 1, "mode is 'dreaming'; allowed: planning, execution"),
        (GOOD + "extra: 1\n", 9, "unknown field extra; allowed: mode, tasks"),
        (GOOD + "    model: opus\n", 9, "unknown field model; allowed: id, agent_type"),
        (changed("    title: Look around\n", ""), 3, "the field title is missing"),
        (changed("title: Look around", "title: ''"), 5, "title must be one line of at most 120 characters"),
        (changed("title: Look around", 'title: "a\\nb"'), 5, "title must be one line"),
        (changed("id: first", "id: ../first"), 3, "id holds '../first', but a name has small letters"),
        (changed("[a-key]", "a-key"), 6, "produces must be a list of names"),
        (changed("[a-key]", "[a-key, a-key]"), 6, "produces names the same key twice"),
        (changed("[a-key]", "[]"), 6, "first produces nothing, so it could never be proven done"),
        (changed("critical: true", "critical: maybe"), 7, "critical must be true or false"),
        (changed("time_limit: 600", "time_limit: 0"), 8, "time_limit must be a whole number from 1 to 86400"),
        (changed("time_limit: 600", "time_limit: true"), 8, "time_limit must be a whole number"),
        (GOOD + "    phase: later\n", 9, "phase is 'later'; allowed: design, spec, task, execute"),
        (GOOD + "    weight: 101\n", 9, "weight must be a whole number from 0 to 100"),
        (GOOD + "    needs: [b-key]\n", 9, "first needs b-key, which no other task produces"),
        (GOOD + "    needs: [a-key]\n", 9, "first needs a-key, which no other task produces"),
        (GOOD + TASK, 3, "two tasks share the id first"),
        (GOOD + "    title: Again\n", 9, "title stands here for the second time, first in line 5"),
        (changed("title: Look around", "title: &t Look around"), 5, "anchors and aliases are not allowed"),
        (changed("title: Look around", "title: *t"), 5, "anchors and aliases are not allowed"),
        (
            changed("title: Look around", "title: 2026-01-01"),
            5,
            "a value of kind timestamp is not allowed: put it in quotes",
        ),
        (changed("title: Look around", "title: !!python/name:os.system x"), 5, "is not allowed: put it in quotes"),
        (changed("title: Look around", "1: Look around"), 5, "a field's name must be a plain text"),
        (changed("title: Look around", "title: [" + "[" * 30), 5, "nested more than 20 deep"),
        (changed("title: Look around", "title: [a"), 6, "expected ',' or ']'"),
        (changed("title: Look around", "title: a\x07b"), 5, "the character U+0007 is not allowed"),
        (GOOD + "---\nmode: planning\n", 9, "but found another document"),
        (GOOD + "#" * LIMIT, 1, "at most 262,144 bytes are allowed"),
    ],
)
def test_a_playbook_that_does_not_fit_is_refused_with_its_line(text: str, line: int, reason: str) -> None:
    with pytest.raises(BadPlaybook, match=re.escape(f"p.yaml, line {line}: ") + ".*" + re.escape(reason)):
        parse_playbook(text, "p.yaml")


def test_tasks_that_wait_for_each_other_are_refused_with_the_circle() -> None:
    text = "mode: planning\ntasks:\n" + "".join(
        TASK.replace("first", name).replace("a-key", f"k-{name}") + f"    needs: [k-{other}]\n"
        for name, other in (("one", "three"), ("two", "one"), ("three", "two"))
    )
    with pytest.raises(BadPlaybook, match="wait for each other in a circle: ") as refused:
        parse_playbook(text, "p.yaml")
    names = str(refused.value).split("circle: ")[1].split(" -> ")
    needed = {"one": "three", "two": "one", "three": "two"}
    assert [needed[name] for name in names[:-1]] == names[1:]
    assert names[0] == names[-1]


def test_a_file_that_is_not_there_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(BadPlaybook, match=r"none\.yaml: No such file"):
        read_playbook(tmp_path / "none.yaml")


def test_a_file_that_is_no_text_is_refused_with_the_line(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_bytes(b"mode: planning\n\xff\n")
    with pytest.raises(BadPlaybook, match=r"p\.yaml, line 2: this is no UTF-8"):
        read_playbook(tmp_path / "p.yaml")


def test_a_huge_file_is_refused_without_being_read_whole(tmp_path: Path) -> None:
    with (tmp_path / "p.yaml").open("wb") as file:
        file.truncate(1 << 33)
    with pytest.raises(BadPlaybook, match="at most 262,144 bytes are allowed"):
        read_playbook(tmp_path / "p.yaml")
