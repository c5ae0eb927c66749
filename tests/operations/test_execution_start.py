"""The transition from a plan to its execution: what keeps it from beginning, and what it begins with."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import yaml

from tests.helpers.agents import Agents
from tests.helpers.execution import PLAN, committed, git, play, task
from tests.helpers.projects import Project
from tests.helpers.underway import Execution, InProcess, Line, planned

ONE_TASK = {
    "mode": "planning",
    "tasks": [
        {
            "id": "scope",
            "agent_type": "infra-context-discovery",
            "title": "Look around",
            "produces": ["planning-scope"],
            "critical": True,
            "time_limit": 600,
        }
    ],
}
GATES = ".milestones/config/gates.yaml"
BASED = task("decide", "design", weight=7, paths=("docs/",))
NEXT = task("build", "execute", ("decide",), paths=("app/",), weight=30)


def refused(wire: Line, milestone_id: str) -> str:
    """Return why a milestone cannot be executed."""
    return wire.refusal("initialize_agent_coordination", milestone_id=milestone_id, mode="execution")


def test_a_refusal_lists_every_problem_of_the_plan_and_of_the_project_at_once(repository: Agents) -> None:
    """Planted and found: a start that raises the first problem it meets."""
    folder = repository.project.folder
    milestone_id = planned(
        repository,
        task("decide", "design", ("build",), repository="elsewhere", decisions=[]),
        task("build", "execute", paths=("../outside",), decisions=[]),
        dependencies={"requires": ["accounts"], "blocks": []},
    )
    with committed(folder, {GATES: "gates:\n  - name: check\n    run: sh check.sh\n"}):
        told = refused(repository, milestone_id)
    for problem in (
        "Problems: 6.",
        "decisions[0] (d-1): no task serves this originate decision",
        "depends_on names 'build' of the later phase execute",
        "paths holds '../outside'",
        "dependencies.requires names 'accounts', which is no milestone of this project",
        ", line 3: run must be a list",
        "tasks name the repository elsewhere, which repositories.yaml does not list",
    ):
        assert problem in told, problem
    assert f"{GATES} at " in told
    assert repository.call("get_milestone", milestone_id=milestone_id)["status"] == "planning"
    assert git(folder, "branch", "--list", f"feature/*{milestone_id}") == ""


def test_without_a_plan_and_without_a_commit_every_field_and_every_estimate_is_named(
    new_project: Callable[..., Project],
) -> None:
    project = new_project()
    git(project.folder, "init", "-q")
    (project.mirror / "config").mkdir(parents=True)
    (project.mirror / "config" / "planning.yaml").write_text(yaml.safe_dump(ONE_TASK))
    door = InProcess(project)
    milestone_id = door.call("initialize_agent_coordination", name="Goal")["milestone_id"]
    assert play(door.call, milestone_id)[-1]["kind"] == "done"
    told = refused(door, milestone_id)
    fields = ["objectives.primary", "scope.included", "decisions", "tasks"]
    for name in (*fields, *(f"estimates.{phase}" for phase in ("design", "spec", "task", "execute"))):
        assert f"{name} must be" in told, name
    assert "The repository of the project has no commit yet" in told


def test_what_was_not_planned_to_the_end_is_not_carried_out(repository: Agents) -> None:
    milestone_id = repository.call("initialize_agent_coordination", name=f"Goal {uuid.uuid4()}")["milestone_id"]
    assert "nothing is planned yet: /milestone:plan" in refused(repository, milestone_id)
    action = play(repository.call, milestone_id, until="plan")[-1]
    assert "planning has not ended: plan (claimed)" in refused(repository, milestone_id)
    unknown = {**PLAN, "tasks": [task("decide", "design", ("nothing",))]}
    given = {"agent_id": action["agent_id"], "token": action["token"]}
    told = repository.refusal("save_agent_state", key="milestone-plan", value=unknown, **given)
    assert "task decide: depends_on names nothing, which is no task of the plan" in told
    assert "There is no milestone 'nothing'" in refused(repository, "nothing")


def test_execution_begins_with_a_session_rows_decisions_and_states_of_its_own(repository: Agents) -> None:
    execution = Execution.begin(repository, BASED, NEXT)
    assert execution.begun["status"] == "active"
    assert execution.begun["session_id"].startswith(f"execution-{execution.milestone_id}-")
    assert execution.state("ready-for-execution") is True
    state = execution.state("execution-state")
    assert state["session_id"] == execution.begun["session_id"]
    assert {phase: one["weight"] for phase, one in state["phases"].items()} == {
        "design": 15,
        "spec": 25,
        "task": 20,
        "execute": 40,
    }
    assert state["repositories"] == [
        {"name": "", "branch": execution.branch, "base": execution.git("rev-parse", "main")}
    ]
    decide, build = execution.task("decide"), execution.task("build")
    assert [(row["phase"], row["weight"], row["source"], row["status"]) for row in (decide, build)] == [
        ("design", 7, "plan", "pending"),
        ("execute", 30, "plan", "pending"),
    ]
    assert (build["paths"], build["proof"]) == (("app/",), ("commit", "gates", "review"))
    needs = execution.read(lambda store: store.tasks.dependencies(execution.milestone_id))
    assert [(row["task_id"], row["needs_task"]) for row in needs if row["task_id"] == "build"] == [("build", "decide")]
    decisions = execution.read(lambda store: store.evidence.decisions(execution.milestone_id))
    assert [(one["decision_id"], one["kind"], one["places"]) for one in decisions] == [
        (one["id"], one["kind"], one["places"]) for one in PLAN["decisions"]
    ]
    cited = execution.read(lambda store: store.evidence.citations(execution.milestone_id))
    assert {(row["task_id"], row["decision_id"]) for row in cited} == {("decide", "d-1"), ("build", "d-1")}
    assert execution.git("rev-parse", execution.branch) == execution.git("rev-parse", "main")


def test_beginning_again_and_at_the_same_time_returns_the_one_session(repository: Agents) -> None:
    """Planted and found: an `_execute` that does not look again whether a session was opened meanwhile."""
    milestone_id = planned(repository, BASED)
    given = {"milestone_id": milestone_id, "mode": "execution"}
    calls = [repository.begin("initialize_agent_coordination", **given) for _ in range(4)]
    answers = [yaml.safe_load(call.result(60)[1]) for call in calls]
    again = repository.call("initialize_agent_coordination", **given)
    assert {answer["session_id"] for answer in answers} == {again["session_id"]}
    sessions = [row for row in repository.project.rows("sessions") if row["milestone_id"] == milestone_id]
    assert sorted(row["mode"] for row in sessions) == ["execution", "planning"]


def test_a_milestone_waits_for_the_one_it_requires_says_so_and_goes_on_once_that_is_completed(
    repository: Agents,
) -> None:
    """Planted and found: a `waits_for` that takes an active milestone for a completed one."""
    first = Execution.begin(repository, task("decide", "design"), name="first")
    second = Execution.begin(repository, BASED, dependencies={"requires": [first.milestone_id], "blocks": []})
    why = f"milestone {first.milestone_id!r} has to be completed first; it is active"
    assert [(one["kind"], one["why"]) for one in second.actions()] == [("wait", why)]
    assert second.shown()["waits_for"] == why
    first.finish()
    assert "spawn" in {one["kind"] for one in second.actions()}
    assert "waits_for" not in second.shown()


def test_a_milestone_cannot_require_itself_by_its_name(repository: Agents) -> None:
    milestone_id = planned(repository, BASED)
    given = {"name": f"Named {milestone_id}", "dependencies": {"requires": [f"Named {milestone_id}"]}}
    repository.call("update_milestone", milestone_id=milestone_id, **given)
    assert f"dependencies.requires names 'Named {milestone_id}'" in refused(repository, milestone_id)


def test_gates_are_those_of_the_commit_until_a_person_accepts_others(repository: Agents) -> None:
    """Planted and found: gates read from the working tree; gates read anew from each commit."""
    folder, lax = repository.project.folder, {GATES: "gates:\n  - {name: lax, run: ['true']}\n"}
    before = (folder / GATES).read_text("utf-8")
    (folder / GATES).write_text(lax[GATES], "utf-8")
    execution = Execution.begin(repository, task("build", "execute", paths=("app/",)))
    (folder / GATES).write_text(before, "utf-8")
    execution.worker("build").do("app/build.py", "BROKEN = 1\n")
    with committed(folder, lax):
        assert [one["gate"] for one in execution.gates("build", "failed")["gates"]] == ["check"]
        told = repository.project.operate("accept_gates", by="Ada", milestone_id=execution.milestone_id)
    assert (told["gates"], told["from"].endswith("accepted by Ada")) == (["lax"], True)
    execution.worker("build").do("app/build.py", "BROKEN = 2\n")
    assert [(one["gate"], one["outcome"]) for one in execution.gates("build")["gates"]] == [("lax", "passed")]
    assert "accepted by Ada" in execution.shown("gates")["gates"][0]
    assert [row["actor"] for row in execution.events("gates_accepted")] == ["Ada"]


def test_a_gates_file_that_differs_from_its_commit_is_told_as_a_warning(repository: Agents) -> None:
    file = repository.project.folder / GATES
    before = file.read_text("utf-8")
    milestone_id = planned(repository, BASED)
    file.write_text("gates:\n  - {name: lax, run: ['true']}\n", "utf-8")
    try:
        execution = Execution.of(repository, milestone_id)
    finally:
        file.write_text(before, "utf-8")
    assert any(GATES in one for one in execution.begun.get("warnings", []))


def test_what_a_project_lacks_is_told_as_a_warning_and_shown_with_the_milestone(repository: Agents) -> None:
    with committed(repository.project.folder, {GATES: "gates: []\n"}):
        execution = Execution.begin(repository, NEXT, BASED)
    assert any("no gates are configured" in one for one in execution.begun["warnings"])
    assert "no gates are configured in this repository" in execution.shown()["warning"]
    assert execution.task("build")["proof"] == ("commit", "review")
