"""A rollback with a real repository: state and files come back byte for byte, and so does what was there before it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from milestone.domain.errors import Refusal
from tests.conftest import ENGINES
from tests.helpers.execution import git, task
from tests.helpers.projects import Project
from tests.helpers.rolling import (
    add_submodule,
    agree,
    begun,
    broken,
    change,
    disturb,
    everything,
    finished,
    folder,
    point,
    restore,
    statuses,
    workers,
)
from tests.helpers.underway import Execution, InProcess

TASKS = (
    task("decide", "execute", weight=10),
    task("build", "execute", paths=("app/",), weight=20),
    task("spec-ship", "execute", ("build",), paths=("docs/",), weight=20),
)


@pytest.fixture(params=ENGINES)
def execution(request: pytest.FixtureRequest, new_repository: Callable[..., Project]) -> Execution:
    """A milestone that is carried out in a repository of its own, all phases open at once."""
    project: Project = new_repository(request.param)
    found = Execution.begin(InProcess(project), *TASKS)
    found.call("update_milestone", strategy="parallel_independent")
    return found


def test_state_and_files_come_back_byte_for_byte_and_so_does_what_was_before(
    execution: Execution, tmp_path: Path
) -> None:
    root = execution.project.folder
    add_submodule(root, tmp_path / "source")
    at_work = workers(execution, "build", "decide")
    build = at_work["build"]
    disturb(root, "one")
    (root / "sub" / "inner.txt").write_text("changed within\n", "utf-8")
    disturb(build.folder, "two")
    before, tasks = everything(execution, build.folder), statuses(execution)
    there = point(execution)
    assert everything(execution, build.folder) == before

    change(root)
    git(root, "commit", "-qam", "On the person's branch")
    (root / "sub" / "inner.txt").write_text("changed again\n", "utf-8")
    git(build.folder, "checkout", "-q", "HEAD", "--", "app/old.py")
    at_work["decide"].save()
    at_work["decide"].complete()
    finished(execution, build)
    ship = workers(execution, "spec-ship")["spec-ship"]
    ship.write("docs/new.md")
    ship.commit()
    ship.write("docs/dirty.md")
    after = everything(execution, build.folder, ship.folder)
    done = statuses(execution)
    assert (done["build"], done["decide"]) == ("completed", "in_review")

    seen = restore(execution, there, dry_run=True)
    assert {"build: completed -> ready", "decide: in_review -> ready"} <= set(seen["tasks"])
    assert f"spec-ship: {ship.agent_id}" in seen["claims_end"]
    assert any("app/later.py" in line for line in seen["files"])
    assert any(line.startswith(execution.branch) for line in seen["branches"])
    assert everything(execution, build.folder, ship.folder) == after

    undo = restore(execution, there)["undo"]
    assert everything(execution, build.folder).pop(str(root)) == before[str(root)]
    assert folder(build.folder) == before[str(build.folder)]
    assert git(root, "rev-parse", execution.branch) in before["branches"]
    assert statuses(execution) == tasks
    assert not (ship.folder / "docs" / "dirty.md").exists()
    agree(execution)
    assert "was retired" in ship.refused("save_agent_state", key="note", value=1)

    restore(execution, undo)
    assert everything(execution, build.folder, ship.folder) == after
    assert statuses(execution) == done
    assert execution.proof("build")["commit"]["commit"] in git(root, "rev-list", execution.branch)
    agree(execution)


def test_after_a_rollback_the_work_is_done_again_and_once(execution: Execution) -> None:
    """Planted and found: attempts that are numbered anew after a rollback, and a task that keeps its old commits."""
    there = point(execution)
    build = workers(execution, "build")["build"]
    build.write("app/build.py", "FIRST = 1\n")
    build.commit()
    build.save()
    build.complete()
    execution.gates("build")
    assert "FIRST" in execution.git("show", f"{execution.branch}:app/build.py")
    restore(execution, there)
    agree(execution)
    assert execution.proof("build") == {}
    with pytest.raises(Exception, match="returned non-zero"):
        execution.git("show", f"{execution.branch}:app/build.py")
    own = f"milestone/{execution.milestone_id}/build"
    assert execution.git("rev-parse", own) == execution.git("rev-parse", execution.branch)
    again = workers(execution, "build")["build"]
    assert again.tree().get("left_by_the_attempt_before") is None
    again.write("app/build.py", "SECOND = 2\n")
    again.commit()
    again.save()
    again.complete()
    execution.gates("build")
    assert execution.git("show", f"{execution.branch}:app/build.py") == "SECOND = 2"
    merged = execution.git("log", "--format=%b", execution.branch).splitlines()
    assert merged.count("Task: build") == 1
    agree(execution)


def test_a_rollback_that_is_broken_off_after_the_files_is_completed_by_the_same_call(execution: Execution) -> None:
    """Planted and found: state first, so that the files of the time after stay; an undo that is taken anew."""
    there = point(execution)
    build = workers(execution, "build")["build"]
    finished(execution, build)
    after = everything(execution, build.folder)
    broken(execution.project, there)
    action = execution.actions()
    assert [one["kind"] for one in action] == ["roll_back"]
    assert action[0]["checkpoint_id"] == there
    undo = restore(execution, there)["undo"]
    agree(execution)
    assert execution.task("build")["status"] == "pending"
    assert [one["kind"] for one in execution.actions()] != ["roll_back"]
    restore(execution, undo)
    assert everything(execution, build.folder) == after
    assert execution.task("build")["status"] == "completed"


def test_a_merge_that_began_before_a_rollback_does_not_come_after_it(execution: Execution) -> None:
    """Planted and found: a merge that does not ask whether the milestone was rolled back meanwhile."""
    build = workers(execution, "build")["build"]
    build.write("app/build.py")
    build.commit()
    build.save()
    build.complete()
    there = point(execution)
    tip = git(execution.project.folder, "rev-parse", execution.branch)
    merge = begun(execution, "run_gates", task_id="build")
    restore(execution, there)
    assert merge()["result"] == "cancelled"
    assert git(execution.project.folder, "rev-parse", execution.branch) == tip
    assert (execution.task("build")["status"], set(execution.proof("build"))) == ("in_review", {"keys"})
    agree(execution)
    execution.gates("build")
    assert git(execution.project.folder, "rev-parse", execution.branch) != tip


def test_a_rollback_while_work_is_being_accepted_leaves_all_of_it_or_nothing(execution: Execution) -> None:
    """Whoever comes first: what is rolled back has no proof, and nothing of it is on the branch."""
    there, project = point(execution), execution.project
    tip = git(project.folder, "rev-parse", execution.branch)
    for pause in (0.0, 0.05, 0.15, 0.4):
        build = workers(execution, "build")["build"]
        build.write("app/build.py", f"PAUSE = {pause}\n")
        build.commit()
        build.save()
        build.complete()
        other = threading.Thread(target=gates_elsewhere, args=(project, execution.milestone_id))
        other.start()
        threading.Event().wait(pause)  # so that each round meets the gates somewhere else
        restore(execution, there)
        other.join()
        assert execution.task("build")["status"] == "pending"
        assert execution.proof("build") == {}
        assert git(project.folder, "rev-parse", execution.branch) == tip
        agree(execution)


def gates_elsewhere(project: Project, milestone_id: str) -> None:
    """Run the gates of `build` as another process would."""
    own = Project(project.folder, project.url, project.more)
    try:
        own.operate("run_gates", task_id="build", milestone_id=milestone_id)
    except Refusal:
        pass  # the rollback was first
    finally:
        own.close()
