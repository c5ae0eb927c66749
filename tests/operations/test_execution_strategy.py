"""Strategies, weights and limits as the tools show them: which phases are open, and what goes on without a task."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.helpers.agents import Agents
from tests.helpers.execution import task
from tests.helpers.following import until
from tests.helpers.underway import Execution, Worker, planned

APART = tuple(task(f"do-{phase}", phase) for phase in ("design", "spec", "task", "execute"))
CHAIN = (
    task("do-design", "design"),
    task("do-spec", "spec", ("do-design",)),
    task("do-execute", "execute", ("do-spec",)),
)
PARTIAL = {"summary": "The names are settled", "ready": ["names"]}


def begin(agents: Agents, strategy: str, *tasks: dict[str, Any]) -> Execution:
    """Begin to carry tasks out with a strategy, without the standing role that has nothing to do with it."""
    milestone_id = planned(agents, *tasks)
    agents.call("update_milestone", milestone_id=milestone_id, strategy=strategy)
    return Execution.of(agents, milestone_id)


def spawned(execution: Execution) -> list[str]:
    """Return the tasks that are handed out now, without the standing role."""
    return [one["task_id"] for one in execution.actions() if one["kind"] == "spawn" and one["task_id"] != "executor"]


def test_sequential_opens_one_phase_after_the_other(repository: Agents) -> None:
    execution = begin(repository, "sequential", *APART)
    assert execution.begun["strategy"] == "sequential"
    for phase in ("design", "spec", "task", "execute"):
        actions = execution.actions()
        assert [one["task_id"] for one in actions if one["task_id"] != "executor"] == [f"do-{phase}"]
        assert spawned(execution) == []
        told = execution.refusal("transition_phase", phase=phase)
        assert f"tasks have not ended: do-{phase} (claimed)" in told
        if phase != "execute":
            assert "the phase is not open" in execution.refusal("transition_phase", phase="execute")
        for action in actions:
            execution.carry_out(action)
        if phase == "execute":
            break
        named = [(one["kind"], one["phase"]) for one in execution.actions()]
        assert named == [("transition", phase)]
        assert execution.call("transition_phase", phase=phase)["status"] == "completed"
        assert execution.call("transition_phase", phase=phase)["status"] == "completed"
    execution.finish()
    assert [row["subject"] for row in execution.events("phase_completed")] == ["design", "spec", "task", "execute"]


def test_parallel_independent_opens_design_spec_and_task_at_once_and_execute_after_them(repository: Agents) -> None:
    execution = begin(repository, "parallel_independent", *APART)
    assert sorted(spawned(execution)) == ["do-design", "do-spec", "do-task"]
    assert execution.shown()["phases"]["execute"] == "pending"


def test_pipeline_opens_a_phase_on_a_partial_result_of_the_one_before(repository: Agents) -> None:
    """Planted and found: `states` that take the partial result of another milestone."""
    begin(repository, "pipeline", *CHAIN).worker("do-design").begin().save("design-partial", PARTIAL)
    tasks = (task("do-design", "design"), *(task(f"do-{phase}", phase) for phase in ("spec", "execute")))
    execution = begin(repository, "pipeline", *tasks)
    action = next(one for one in execution.actions() if one["task_id"] == "do-design")
    assert spawned(execution) == []
    worker = Worker(repository, action).begin()
    assert "shape of 'design-partial'" in worker.refused("save_agent_state", key="design-partial", value={})
    worker.save("design-partial", PARTIAL)
    assert spawned(execution) == ["do-spec"]
    assert execution.shown()["phases"] == {
        "design": "in_progress",
        "spec": "in_progress",
        "task": "pending",
        "execute": "pending",
    }


def test_adaptive_says_what_it_picked_and_why_and_is_changed_in_flight(repository: Agents) -> None:
    apart, chained = begin(repository, "adaptive", *APART), begin(repository, "adaptive", *CHAIN)
    why = "none of 4 tasks depends on another phase"
    assert apart.begun["strategy"].startswith(f"adaptive: parallel_independent, because {why}")
    assert chained.begun["strategy"].startswith("adaptive: sequential, because 2 dependencies cross between phases")
    assert chained.shown()["strategy"] == chained.begun["strategy"]
    execution = begin(repository, "sequential", *APART)
    assert spawned(execution) == ["do-design"]
    told = execution.call("update_milestone", strategy="parallel_independent")
    assert (told["strategy"], told["changed"]) == ("parallel_independent", ["strategy"])
    assert sorted(spawned(execution)) == ["do-spec", "do-task"]
    assert execution.call("update_milestone", strategy="adaptive")["strategy"].startswith("adaptive: parallel")
    path = repository.project.mirror / "active" / f"{execution.milestone_id}.yaml"
    until(lambda: path.exists() and "strategy: adaptive" in path.read_text("utf-8"))


@pytest.mark.parametrize(
    ("weights", "told"),
    [
        ({"design": 15, "spec": 25, "task": 20, "execute": 41}, "the weights sum to 101"),
        ({"design": 15, "spec": 25, "task": 60}, "weights.execute is missing"),
        ({"design": 0, "spec": 40, "task": 20, "execute": 40}, "weights.design must be a whole number above 0"),
        ({"design": 15, "spec": 25, "task": 20, "execute": 40, "rest": 0}, "a field that is no phase (rest)"),
    ],
    ids=["101", "missing", "zero", "unknown"],
)
def test_weights_of_ones_own_must_be_four_that_sum_to_100(
    repository: Agents, weights: dict[str, int], told: str
) -> None:
    milestone_id = repository.call("initialize_agent_coordination", name="weights")["milestone_id"]
    assert told in repository.refusal("update_milestone", milestone_id=milestone_id, weights=weights)


def test_weights_are_set_before_execution_and_stay_while_it_runs(repository: Agents) -> None:
    weights = {"design": 40, "spec": 10, "task": 10, "execute": 40}
    milestone_id = planned(repository, *CHAIN)
    repository.call("update_milestone", milestone_id=milestone_id, weights=weights)
    execution = Execution.of(repository, milestone_id)
    execution.to("do-spec")
    assert execution.shown()["progress"]["overall"] == 40
    told = execution.refusal("update_milestone", weights=dict.fromkeys(weights, 25))
    assert "is being carried out, and other weights would change what is proven" in told


@contextmanager
def limits(agents: Agents, text: str) -> Iterator[None]:
    """Have other limits for a while; they are read from the file as it is."""
    file = agents.project.mirror / "config" / "limits.yaml"
    before = file.read_text("utf-8")
    file.write_text(text, "utf-8")
    try:
        yield
    finally:
        file.write_text(before, "utf-8")


def test_never_more_agents_and_phases_at_once_than_the_project_allows(repository: Agents) -> None:
    with limits(repository, "agents_at_once: 2\n"):
        execution = begin(repository, "parallel_independent", *APART)
        actions = execution.actions()
        assert len(actions) == 2
        assert [one["kind"] for one in execution.actions()] == ["wait"]
        execution.carry_out(actions[0])
        assert len([one for one in execution.actions() if one["kind"] == "spawn"]) == 1
    with limits(repository, "phases_at_once: 1\n"):
        execution = begin(repository, "parallel_independent", *APART)
        assert spawned(execution) == ["do-design"]
    with limits(repository, "agents_at_once: none\n"):
        assert "limits.yaml, line 1: agents_at_once" in execution.refusal("next_actions")


def test_a_task_that_is_not_critical_and_fails_for_good_is_done_without_and_said_so(repository: Agents) -> None:
    execution = begin(repository, "sequential", *APART)
    operate = repository.project.operate
    for later in (0, 70, 140, 210):
        actions = operate("next_actions", later=later, milestone_id=execution.milestone_id)["actions"]
    executor = execution.task("executor")
    assert executor["status"] == "skipped"
    assert executor["detail"] == (
        "done without, since it is not critical: attempt 3 of 3 failed: no agent started it within 60 s"
    )
    assert "executor" not in {one.get("task_id") for one in actions}
    assert [row["subject"] for row in execution.events("task_skipped")] == ["executor"]
    assert [(one["kind"], one["tasks"]) for one in actions] == [("ask_human", ["do-design"])]
    assert execution.state("milestone-progress") == execution.shown()["progress"]
