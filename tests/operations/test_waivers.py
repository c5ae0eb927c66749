"""Waivers: only a person lets a task count without its proof, by name and with a reason, and everybody sees it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from milestone.operations.catalogue import REGISTRY
from tests.helpers.agents import Agents
from tests.helpers.execution import FILES, lean, task
from tests.helpers.following import until
from tests.helpers.projects import Project
from tests.helpers.underway import Execution, InProcess
from tests.helpers.wire import Wire
from tests.processes.test_commands import milestone

BUILD = task("build", "execute", paths=("app/",))
PEOPLE = sorted(name for name, one in REGISTRY.items() if one.people)
SPELLINGS = ("{}", "{}_", " {}", "{} ", "Milestone.{}", "mcp__plugin_milestone_milestone__{}", "{}\n", "./{}")


def test_what_only_people_decide_is_a_command_and_no_tool_however_it_is_written(
    repository: Agents, wired: Wire
) -> None:
    """Planted and found: a door that carries out whatever the registry knows."""
    assert PEOPLE == ["accept_gates", "answer", "approve", "reject", "waive"]
    execution = Execution.begin(repository, BUILD)
    listed = {tool["name"] for tool in wired.request("tools/list", {})["result"]["tools"]}
    assert listed == {name for name, one in REGISTRY.items() if one.listed}
    assert not listed & {*PEOPLE}
    before = repository.project.dump()
    given: dict[str, Any] = {"task_id": "build", "by": "Ada", "reason": "late", "milestone_id": execution.milestone_id}
    for name in PEOPLE:
        for written in (name, name.replace("_", "-"), name.upper(), name.title(), *(s.format(name) for s in SPELLINGS)):
            for arguments in (given, {}, {**given, "people": True}):
                assert "There is no tool" in wired.refusal(written, **arguments)
    assert repository.project.dump() == before


def test_a_waiver_needs_a_name_and_a_reason_and_a_task_that_is_open(repository: Agents) -> None:
    execution = Execution.begin(repository, task("decide", "design"), BUILD)
    door = InProcess(repository.project)
    where, by = {"milestone_id": execution.milestone_id}, {"by": "Ada", "reason": "late"}
    for given in ({"by": "Ada"}, {"reason": "late"}, {**by, "by": " "}, {**by, "reason": ""}):
        told = door.refusal("waive", task_id="build", **given, **where)
        assert "'by'" in told or "'reason'" in told
    execution.worker("decide")
    for wanted, told in (
        ("nothing", "has no task 'nothing'"),
        ("plan", "Task 'plan' is completed"),
        ("executor", "Task 'executor' is completed"),
    ):
        assert told in door.refusal("waive", task_id=wanted, **by, **where)
    assert execution.events("task_waived") == []


def test_a_waiver_shows_wherever_progress_shows(
    new_repository: Callable[..., Project], connect: Callable[..., Wire]
) -> None:
    wire = connect(new_repository(files=lean()))
    execution = Execution.begin(wire, task("decide", "design"), BUILD)
    worker = execution.worker("build").begin()
    done = milestone(wire.project, "waive", "--task-id", "build", "--by", "Ada", "--reason", "no time for it", "--json")
    assert json.loads(done.stdout) == {
        "task_id": "build",
        "status": "completed",
        "waived_by": "Ada",
        "next": "next_actions goes on.",
    }
    assert "was retired" in worker.refused()
    waived = [{"task_id": "build", "by": "Ada", "reason": "no time for it"}]
    shown = execution.shown()["progress"]
    assert (shown["waived"], shown["by_phase"]["execute"]) == (waived, 100.0)
    assert execution.state("milestone-progress")["waived"] == waived
    assert "build: waived by Ada: no time for it" in execution.shown("evidence")["evidence"]
    accepted = milestone(wire.project, "accept-gates", "--by", "Ada", "--json")
    assert json.loads(accepted.stdout)["gates"] == ["check"]
    screen = milestone(wire.project, "status", execution.milestone_id).stdout
    assert "waived   build by Ada: no time for it" in screen
    path = wire.project.mirror / "active" / f"{execution.milestone_id}.yaml"
    until(lambda: yaml.safe_load(path.read_text("utf-8"))["progress"]["waived"] == waived)
    execution.finish()
    ended = wire.project.mirror / "completed" / path.name
    report = wire.project.mirror / "deliverables" / execution.milestone_id / "final_report.md"
    until(lambda: ended.exists() and report.exists())
    assert "- build: Ada: no time for it" in report.read_text("utf-8")
    assert yaml.safe_load(ended.read_text("utf-8"))["progress"]["waived"] == waived
    assert [row["actor"] for row in execution.events("task_waived")] == ["Ada"]


def test_a_milestone_goes_on_where_the_tasks_are_waived_whose_results_others_wait_for(
    new_repository: Callable[..., Project],
) -> None:
    """Planted and found: a `follow` that reads what a waived task never delivered."""
    door = InProcess(new_repository(files=FILES))
    execution = Execution.begin(door, BUILD)
    given = {"by": "Ada", "reason": "late", "milestone_id": execution.milestone_id}
    for wanted in ("executor", "testing", "ci", "execute-docs"):
        assert door.call("waive", task_id=wanted, **given)["status"] == "completed"
    assert execution.task("test-unit")["status"] == "skipped"
    review = execution.worker("review-build-1")
    assert "Waive that task itself" in door.refusal("waive", task_id="review-build-1", **given)
    review.save("review")
    review.complete()
    assert execution.finish()["progress"]["overall"] == 100


def test_a_task_that_is_waived_while_its_gates_run_leaves_nothing_open(repository: Agents, tmp_path: Path) -> None:
    """Planted and found: an `_ended` that raises, and so forgets how the run ended."""
    signal = tmp_path / "go"
    execution = Execution.begin(repository, BUILD)
    worker = execution.worker("build").begin()
    worker.write("app/hold", str(signal))
    worker.commit()
    worker.save()
    worker.complete()
    given: dict[str, Any] = {"task_id": "build", "milestone_id": execution.milestone_id}
    run = repository.begin("run_gates", **given)
    until((tmp_path / "go.begun").exists)
    repository.project.operate("waive", by="Ada", reason="late", **given)
    signal.touch()
    assert "The task is completed by now" in run.result(60)[1]
    runs = execution.read(lambda store: store.evidence.runs(execution.milestone_id, "build"))
    assert [row["status"] for row in runs] == ["passed"]
    tip = execution.git("rev-parse", execution.branch)
    assert (execution.proof("build")["commit"]["commit"], execution.proof("build")["waiver"]["by"]) == (tip, "Ada")
    assert execution.finish()["status"] == "completed"


@pytest.mark.parametrize("name", PEOPLE)
def test_in_a_shell_of_a_coding_agent_the_commands_of_people_are_refused(repository: Agents, name: str) -> None:
    """Planted and found: a command that looks at nothing but its arguments."""
    given = {
        "accept_gates": (),
        "answer": ("--tasks", '["build"]', "--decision", "retry"),
        "approve": ("--phase", "design"),
        "reject": ("--phase", "design", "--reason", "vague"),
        "waive": ("--task-id", "build", "--reason", "late"),
    }[name]
    repository.call("initialize_agent_coordination", name="Goal")
    project = replace(repository.project, more={**repository.project.more, "CLAUDECODE": "1"})
    before = repository.project.dump()
    done = milestone(project, name.replace("_", "-"), *given, "--by", "Ada")
    assert done.returncode == 1
    assert "in a terminal of your own" in done.stderr
    assert repository.project.dump() == before
