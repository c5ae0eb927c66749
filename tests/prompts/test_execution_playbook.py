"""A playbook of execution says where each task belongs, what it owes and what it waits for, or is refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from milestone.prompts.playbooks import BadPlaybook, PlanTasks, parse_playbook, read_playbook

SHIPPED = Path(__file__).resolve().parents[2] / "playbooks" / "execution.yaml"
PLAN_TASKS = """\
mode: execution
plan_tasks:
  design: {agent_type: architect, proof: [commit], time_limit: 1800}
  spec: {agent_type: writer, proof: [commit], time_limit: 1800}
  task: {agent_type: sorter, proof: [], time_limit: 900}
  execute: {agent_type: transformer, proof: [commit, gates, review], time_limit: 3600}
tasks:
"""


def task(name: str, produces: str, *more: str) -> str:
    """Return a task of seven lines, and one for each further field."""
    return (
        f"  - id: {name}\n    agent_type: helper\n    title: Do it\n    produces: [{produces}]\n"
        "    critical: false\n    time_limit: 60\n" + "".join(f"    {field}\n" for field in more)
    )


PLANNING = "mode: planning\ntasks:\n" + task("first", "a-key")


def execution(*tasks: str) -> str:
    """Return a playbook for execution; its tasks begin in line 8."""
    return PLAN_TASKS + "".join(tasks)


def test_the_playbook_of_execution_says_who_carries_out_the_plan() -> None:
    text = execution(
        task("brief", "a-brief", "standing: true"),
        task("strategy", "a-strategy", "standing: true", "needs: [a-brief]"),
        task("contracts", "spec-results", "phase: spec", "weight: 10"),
        task("unit", "a-report", "phase: execute", "after: plan", "decided_by: a-strategy", "proof: [commit, gates]"),
        task("whole", "a-verdict", "phase: execute", "after: [plan, phase]", "needs: [spec-results]", "paths: [docs/]"),
    )
    playbook = parse_playbook(text, "p.yaml")
    assert playbook.mode == "execution"
    assert playbook.plan_tasks == {
        "design": PlanTasks("architect", ("commit",), 1800),
        "spec": PlanTasks("writer", ("commit",), 1800),
        "task": PlanTasks("sorter", (), 900),
        "execute": PlanTasks("transformer", ("commit", "gates", "review"), 3600),
    }
    tasks = {one.id: one for one in playbook.tasks}
    assert tasks["strategy"].standing
    assert (tasks["strategy"].phase, tasks["strategy"].weight, tasks["strategy"].paths) == (None, 0, ())
    assert not tasks["unit"].standing
    assert (tasks["unit"].proof, tasks["unit"].after) == (("commit", "gates"), ("plan",))
    assert (tasks["unit"].decided_by, tasks["unit"].waits_for) == ("a-strategy", ("a-strategy",))
    assert (tasks["whole"].after, tasks["whole"].paths) == (("plan", "phase"), ("docs/",))


def test_the_shipped_playbook_of_execution_is_taken() -> None:
    playbook = read_playbook(SHIPPED)
    assert {one.phase for one in playbook.tasks if not one.standing} == {"design", "spec", "task", "execute"}


def test_a_task_does_not_wait_for_itself_where_others_save_the_same_key() -> None:
    first = task("first", "notes", "phase: design")
    second = task("second", "notes", "phase: design", "needs: [notes]")
    assert len(parse_playbook(execution(first, second), "p.yaml").tasks) == 2


def test_a_phase_may_use_what_an_earlier_one_or_a_standing_role_saved() -> None:
    text = execution(
        task("early", "a", "phase: design", "needs: [z]"),
        task("same", "b", "phase: execute", "needs: [a]"),
        task("late", "c", "phase: execute", "needs: [a, b]"),
        task("always", "z", "standing: true"),
    )
    assert len(parse_playbook(text, "p.yaml").tasks) == 4


ONE = task("one", "k-one", "phase: spec")


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("mode: execution\ntasks:\n" + ONE, 1, "the field plan_tasks is missing: it says who carries out the plan's"),
        (PLANNING + "plan_tasks: {}\n", 9, "plan_tasks belongs to mode execution"),
        (PLANNING + "    standing: true\n", 9, "standing belongs to mode execution"),
        (PLANNING + "    proof: [commit]\n", 9, "proof belongs to mode execution"),
        (PLANNING + "    after: [plan]\n", 9, "after belongs to mode execution"),
        (PLANNING + "    decided_by: a-key\n", 9, "first is decided by a-key, which no other task produces"),
        (PLANNING + "    paths: [docs]\n", 9, "paths belongs to mode execution"),
        (
            execution(ONE).replace("  task: {", "  test: {"),
            5,
            "unknown field test; allowed: design, spec, task, execute",
        ),
        (re.sub("  spec: .*\n", "", execution(ONE)), 3, "the field spec is missing"),
        (re.sub("spec: .*", "spec: writer", execution(ONE)), 4, "spec has the fields agent_type, proof, time_limit"),
        (execution(ONE).replace("proof: [], ", ""), 5, "the field proof is missing"),
        (execution(ONE).replace("proof: []", "proof: [vote]"), 5, "proof is 'vote'; allowed: commit, gates, review"),
        (execution(ONE).replace("proof: []", "after: []"), 5, "unknown field after; allowed: agent_type, proof"),
        (execution(ONE).replace("time_limit: 900", "time_limit: 0"), 5, "time_limit must be a whole number"),
        (execution(task("one", "k")), 8, "one needs a phase, or standing: true"),
        (execution(task("one", "k", "standing: false")), 8, "one needs a phase, or standing: true"),
        (execution(task("one", "k", "standing: maybe")), 14, "standing must be true or false"),
        (execution(task("one", "k", "standing: true", "phase: spec")), 15, "one is standing, so it has no phase"),
        (execution(task("one", "k", "standing: true", "weight: 5")), 15, "one is standing, so it has no weight"),
        (execution(task("one", "k", "standing: true", "after: plan")), 15, "one is standing, so it has no after"),
        (execution(task("one", "k", "phase: spec", "after: [later]")), 15, "after is 'later'; allowed: plan, phase"),
        (execution(task("one", "k", "phase: spec", "after: [plan, plan]")), 15, "after names the same word twice"),
        (execution(task("one", "k", "phase: spec", "proof: [gates, gates]")), 15, "proof names the same word twice"),
        (
            execution(task("one", "k", "phase: spec", "proof: {a: b}")),
            15,
            "proof must be a list; allowed in it: commit",
        ),
        (execution(task("one", "k", "phase: spec", "decided_by: k")), 15, "one is decided by k, which no other task"),
        (execution(task("one", "k", "phase: spec", "decided_by: [k]")), 15, "decided_by holds ['k'], but a name has"),
        (execution(task("one", "k", "phase: spec", "paths: docs")), 15, "paths must be a list of texts"),
        (
            execution(task("one", "k", "phase: spec", "paths: [a, ../b]")),
            15,
            "one names the path '../b'; allowed: paths",
        ),
        (execution(task("one", "k", "phase: spec", "paths: [/etc]")), 15, "one names the path '/etc'; allowed: paths"),
        (
            execution(ONE, task("two", "k-two", "phase: design", "needs: [k-one]")),
            22,
            "two of design waits for k-one of one, which comes later: spec",
        ),
        (
            execution(
                ONE, task("two", "k-one", "phase: design"), task("three", "k", "needs: [k-one]", "phase: design")
            ),
            28,
            "three of design waits for k-one of one, which comes later: spec",
        ),
        (
            execution(ONE, task("two", "k-two", "phase: design", "decided_by: k-one")),
            22,
            "two of design waits for k-one of one, which comes later: spec",
        ),
        (
            execution(
                task("one", "k-one", "phase: spec", "after: phase"), task("two", "k", "phase: spec", "after: phase")
            ),
            15,
            "the tasks wait for each other in a circle: one -> two -> one",
        ),
        (
            execution(
                task("one", "k-one", "phase: spec", "after: phase"), task("two", "k", "phase: spec", "needs: [k-one]")
            ),
            15,
            "the tasks wait for each other in a circle: one -> two -> one",
        ),
        (
            execution(
                task("one", "k-one", "phase: spec", "decided_by: k"), task("two", "k", "phase: spec", "needs: [k-one]")
            ),
            15,
            "the tasks wait for each other in a circle: one -> two -> one",
        ),
    ],
)
def test_a_playbook_of_execution_that_does_not_fit_is_refused_with_its_line(text: str, line: int, reason: str) -> None:
    with pytest.raises(BadPlaybook) as refused:
        parse_playbook(text, "p.yaml")
    assert str(refused.value).startswith(f"p.yaml, line {line}: ")
    assert reason in str(refused.value)
