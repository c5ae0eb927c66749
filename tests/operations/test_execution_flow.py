"""A whole execution with every role of the playbook: what each step does to progress, and what is there at the end."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import anyio.from_thread
import pytest
import yaml

from milestone.domain.progress import overall, shown
from milestone.domain.replay import replay, tallies
from tests.conftest import REPOSITORIES
from tests.helpers.agents import Agents
from tests.helpers.execution import FILES, VALUES, git, obey, task
from tests.helpers.following import until
from tests.helpers.projects import Project
from tests.helpers.underway import Execution, by_hand, logged, planned

WEIGHTS = {"design": 10, "spec": 20, "task": 30, "execute": 40}
LIMITS = {".milestones/config/limits.yaml": "gate: {cpu_percent: 100}\nall_gates: {cpu_percent: 100}\n"}
FINDING = {
    "id": "stale-lock",
    "title": "The lock file is stale",
    "kind": "failing",
    "detail": "ci.yaml names a file that is gone",
    "paths": ["app/"],
    "proposal": "name the file that is there",
}
STATUS = {**VALUES["cicd-status"], "findings": [FINDING]}
TASKS = (
    task("decide-store", "design", weight=5),
    task("specify-store", "spec", ("decide-store",), ("docs/",)),
    task("build-store", "execute", ("specify-store",), ("app/", "tests/"), weight=60),
)


@dataclass
class Story:
    """What was seen while a milestone was carried out: after each action the progress that was shown and saved."""

    execution: Execution
    actions: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    seen: list[tuple[Fraction, dict[str, Any], dict[str, Any]]] = field(default_factory=list)  # by hand, shown, saved

    def go_on(self) -> None:
        """Carry the milestone out to its end."""
        while (actions := self.execution.actions())[0]["kind"] != "done":
            for action in actions:
                assert action["kind"] in ("spawn", "run_gates", "transition"), action
                obey(self.execution.agents.call, action, self.execution.milestone_id, said={"cicd-status": STATUS})
                self.actions.append(action)
                self.look()

    def look(self) -> None:
        """Note the progress."""
        run = self.execution
        self.seen.append((by_hand(run), run.shown()["progress"], run.state("milestone-progress")))


@pytest.fixture(scope="module", params=REPOSITORIES, ids="-".join)
def story(
    request: pytest.FixtureRequest,
    new_repository: Callable[..., Project],
    portal: anyio.from_thread.BlockingPortal,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Story]:
    """A milestone that was carried out from its beginning to its end, in a repository with a remote."""
    engine, era = request.param
    project = new_repository(engine, FILES | LIMITS)
    remote = tmp_path_factory.mktemp("remote")
    git(remote, "init", "-q", "--bare")
    git(project.folder, "remote", "add", "origin", str(remote))
    git(project.folder, "push", "-q", "origin", "main")
    with Agents(project, era, portal) as agents:
        milestone_id = planned(agents, *TASKS, name="story")
        agents.call("update_milestone", milestone_id=milestone_id, weights=WEIGHTS)
        told = Story(Execution.of(agents, milestone_id))
        told.look()
        told.go_on()
        yield told


def test_after_each_step_the_progress_is_that_of_the_hand_formula(story: Story) -> None:
    """Planted and found: a `standing` that counts a task in review, or one that was skipped."""
    expected = [shown(hand) for hand, _, _ in story.seen]
    assert [one["overall"] for _, one, _ in story.seen] == expected
    assert [one["percentage"] for _, one, _ in story.seen] == expected
    assert expected[0] == 0
    assert expected == sorted(expected)
    assert expected[-1] == 100
    assert len(set(expected)) > 12
    phases = story.execution.state("execution-state")["phases"]
    assert {phase: one["weight"] for phase, one in phases.items()} == WEIGHTS


def test_the_saved_progress_follows_each_step(story: Story) -> None:
    """Planted and found: a review that is added, or a task that is skipped, without saving the progress."""
    differ = [
        (action["kind"], action.get("task_id"))
        for action, (_, told, saved) in zip([{"kind": "begin"}, *story.actions], story.seen, strict=True)
        if told != saved
    ]
    assert differ == []


def test_pace_and_time_left_are_told_with_their_sample_and_never_from_too_small_a_one(story: Story) -> None:
    paces, times = ({one[field] for _, one, _ in story.seen} for field in ("velocity", "eta"))
    assert "insufficient data (0)" in paces & times
    for pace in paces - {"insufficient data (0)"}:
        assert re.fullmatch(r"[\d.]+ percent per active hour \(n=\d+\)", pace), pace
    for left in times:
        found = re.fullmatch(
            r"insufficient data \((\d)\)|[\d.]+ to [\d.]+ (?:h|min) of work \(P50 to P90, n=(\d+)\)", left
        )
        assert found, left
        assert int(found[1] or 0) < 5 <= int(found[2] or 5)


def test_the_strategy_of_tests_fills_in_one_level_and_skips_the_others(story: Story) -> None:
    unit, integration = story.execution.task("test-unit"), story.execution.task("test-integration")
    assert (unit["status"], unit["paths"], unit["acceptance"]) == ("completed", ("tests/",), ("a token",))
    assert unit["title"].endswith(": one function")
    assert (integration["status"], integration["detail"]) == ("skipped", "not needed: nothing to join")
    assert story.execution.task("test-api")["status"] == "skipped"


def test_a_finding_of_ci_becomes_the_task_of_a_fixer_with_a_commit_and_gates(story: Story) -> None:
    fix = story.execution.task("fix-stale-lock")
    assert (fix["agent_type"], fix["phase"], fix["status"]) == ("cicd-failure-fixer", "execute", "completed")
    assert (fix["paths"], fix["proof"]) == (("app/",), ("commit", "gates"))
    brief = next(one["brief"] for one in story.actions if one.get("task_id") == fix["task_id"] and "brief" in one)
    assert "ci.yaml names a file that is gone" in brief
    order = [one.get("task_id") for one in story.actions]
    assert order.index("fix-stale-lock") < order.index("execute-tests")


def test_the_language_chooses_the_transformer_and_every_role_has_its_turn(story: Story) -> None:
    types = {one["task_id"]: one["agent_type"] for one in story.actions if one["kind"] == "spawn"}
    assert types["build-store"] == "milestone:code-transformer"
    assert len({*types.values()}) >= 15
    for name in types:
        assert Path(story.execution.project.application.settings.assets / "agents" / f"{types[name][10:]}.md").is_file()


def test_the_completed_milestone_has_a_report_that_lists_the_evidence_of_every_task(story: Story) -> None:
    run = story.execution
    mirror = run.project.mirror
    ended = mirror / "completed" / f"{run.milestone_id}.yaml"
    report = mirror / "deliverables" / run.milestone_id / "final_report.md"
    until(lambda: ended.exists() and report.exists() and not (mirror / "active" / ended.name).exists())
    text = report.read_text("utf-8")
    rows = {line.split("`")[1]: line for line in text.splitlines() if line.startswith("| `")}
    tasks = [row for row in run.project.rows("tasks") if row["mode"] == "execution"]
    assert set(rows) == {str(row["task_id"]) for row in tasks}
    for row in tasks:
        proof = run.proof(str(row["task_id"]))
        for kind, mark in (
            ("keys", "version 1 by"),
            ("commit", "commit "),
            ("gates", "exit 0"),
            ("review", "review by"),
        ):
            assert (kind in proof) is (mark in rows[str(row["task_id"])]), (row["task_id"], kind)
    assert "is completed: 100 % proven" in text
    assert "Nothing was pushed." in text
    shown_file = yaml.safe_load(ended.read_text("utf-8"))
    assert shown_file["progress"]["percentage"] == 100
    assert {one["status"] for one in shown_file["phases"].values()} == {"completed"}
    commits = {one["task"] for one in shown_file["git"]["commits"]}
    assert commits == {"specify-store", "build-store", "test-unit", "fix-stale-lock"}


def test_the_branch_has_one_commit_for_each_task_that_owed_one_with_its_trailers(story: Story) -> None:
    run = story.execution
    listed = run.git("log", "--reverse", "--format=%s|%(trailers:key=Task,valueonly,separator=)", f"main..{run.branch}")
    assert sorted(listed.splitlines()) == [
        "docs(spec): carry out specify-store|specify-store",
        "feat(execute): carry out build-store|build-store",
        "feat(execute): carry out fix-stale-lock|fix-stale-lock",
        "feat(execute): carry out test-unit|test-unit",
    ]
    for proof in (run.proof(name) for name in ("build-store", "test-unit", "fix-stale-lock")):
        assert proof["gates"]["commit"] == proof["commit"]["commit"]
    assert run.git("worktree", "list", "--porcelain").count("worktree ") == 1


def test_nothing_was_pushed_and_nothing_of_the_person_was_touched(story: Story) -> None:
    folder = story.execution.project.folder
    assert git(folder, "ls-remote", "--refs", "origin").split() == [git(folder, "rev-parse", "main"), "refs/heads/main"]
    assert git(folder, "status", "--porcelain", "--untracked-files=no") == ""
    assert git(folder, "branch", "--show-current") == "main"


def test_the_event_log_alone_amounts_to_the_same_tasks_phases_and_progress(story: Story) -> None:
    """Planted and found: a completion that is not logged."""
    run = story.execution
    ledger = replay(logged(run))
    tasks = [row for row in run.project.rows("tasks") if row["milestone_id"] == run.milestone_id]
    assert {name: (one.status, one.attempts) for name, one in ledger.tasks.items()} == {
        row["task_id"]: (row["status"], row["attempts"]) for row in tasks
    }
    assert overall(WEIGHTS, tallies(ledger)) == 100
    assert (ledger.completed, set(ledger.phases.values())) == (True, {"completed"})


def test_the_twelve_checks_hold_at_the_end(story: Story) -> None:
    checks = story.execution.shown("checks")["checks"]
    assert len(checks) == 12
    assert [one for one in checks if not one.startswith("yes:")] == []
