"""A rollback with a real repository: state and files come back byte for byte, and so does what was there before it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from milestone.domain.errors import Refusal
from milestone.domain.replay import replay
from tests.conftest import ENGINES
from tests.helpers.execution import git, task
from tests.helpers.projects import Project
from tests.helpers.underway import Execution, InProcess, Worker, logged

STRANGE = ("with space.txt", "tab\there.txt", "new\nline.txt", "quote'\".txt", "umläut.txt", "-dash.txt")
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


def point(execution: Execution, **more: Any) -> str:
    """Return a new checkpoint of the whole milestone."""
    given = {"scope_id": execution.milestone_id, "scope": "milestone", **more}
    return execution.agents.call("create_agent_checkpoint", **given)["checkpoint_id"]


def restore(execution: Execution, checkpoint_id: str, *, tree: bool = True, dry_run: bool = False) -> dict[str, Any]:
    """Roll back, with files if not said otherwise."""
    return execution.agents.call("restore_agent_checkpoint", checkpoint_id=checkpoint_id, dry_run=dry_run, tree=tree)


def workers(execution: Execution, *names: str) -> dict[str, Worker]:
    """Return the agents of tasks that are handed out now, begun, each in its folder."""
    found: dict[str, Worker] = {}
    for _ in range(9):
        for action in execution.actions() if set(names) - set(found) else ():
            if action["kind"] == "spawn" and action["task_id"] in names:
                found[action["task_id"]] = Worker(execution.agents, action).begin()
            elif action["kind"] == "transition":
                execution.call("transition_phase", phase=action["phase"])
    return found


def finished(execution: Execution, build: Worker) -> None:
    """Hand `build` in with a change, and let it be proven: by gates, and by a review."""
    build.write("app/build.py")
    build.commit()
    build.save()
    build.complete()
    execution.gates("build")
    review = next(one for one in execution.actions() if str(one.get("task_id")).startswith("review-build"))
    execution.carry_out(review)
    assert execution.task("build")["status"] == "completed"


def folder(root: Path) -> dict[str, Any]:
    """Return every file below a folder with content and mode, and what git has of it: HEAD, branch, index, status."""
    files: dict[str, Any] = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root)
        if ".git" in name.parts or name.parts[0] == ".milestones":
            continue
        if path.is_symlink():
            files[str(name)] = path.readlink()
        elif path.is_file():
            files[str(name)] = (path.read_bytes(), path.stat().st_mode)
    said = (("rev-parse", "HEAD"), ("symbolic-ref", "-q", "HEAD"), ("ls-files", "-s", "-z"), ("status", "--porcelain"))
    return files | {" ".join(one): git(root, *one) for one in said}


def everything(execution: Execution, *more: Path) -> dict[str, Any]:
    """Return all folders and all branches."""
    root = execution.project.folder
    return {str(one): folder(one) for one in (root, *more)} | {"branches": git(root, "for-each-ref", "refs/heads")}


def statuses(execution: Execution) -> dict[str, str]:
    """Return the tasks that are to be done; what was being worked on counts as ready, which it is after a rollback."""
    rows = execution.read(lambda store: store.tasks.all(execution.milestone_id, "execution"))
    return {
        row["task_id"]: {"claimed": "ready"}.get(row["status"], row["status"])
        for row in rows
        if row["status"] != "skipped"
    }


def agree(execution: Execution) -> None:
    """Tables and log say the same."""
    rows = execution.read(lambda store: store.tasks.all(execution.milestone_id))
    ledger = replay(logged(execution))
    assert {
        row["task_id"]: (row["status"], row["attempts"], row["held_by"] or "", row["failures"]) for row in rows
    } == {name: (one.status, one.attempts, one.held_by, one.failures) for name, one in ledger.tasks.items()}
    phases = execution.read(lambda store: store.milestones.phases(execution.milestone_id))
    assert {row["phase"]: row["status"] for row in phases} == dict(ledger.phases)
    for row in rows:
        waits = execution.read(lambda store, one=row: store.tasks.blocked_by(execution.milestone_id, one["task_id"]))
        assert (row["unmet"] > 0) is bool(waits), row["task_id"]


def disturb(root: Path, word: str) -> None:
    """Leave staged, unstaged, untracked and deleted files behind, some with unusual names."""
    (root / "app").mkdir(exist_ok=True)
    (root / "app" / "tokens.py").write_text(f"staged = {word!r}\n", "utf-8")
    git(root, "add", "app/tokens.py")
    (root / "app" / "tokens.py").write_text(f"unstaged = {word!r}\n", "utf-8")
    (root / "app" / "old.py").unlink()
    for name in STRANGE:
        (root / "app" / name).write_text(word, "utf-8")
    (root / "app" / "script").write_bytes(b"#!\xff\x00" + word.encode())
    (root / "app" / "script").chmod(0o755)
    (root / "app" / "link").symlink_to(f"nowhere-{word}")


def change(root: Path) -> None:
    """Change all of it again, and more."""
    git(root, "add", "-A", "app")
    for name in (*STRANGE[:3], "link"):
        (root / "app" / name).unlink()
    (root / "app" / "script").chmod(0o644)
    (root / "app" / "tokens.py").write_text("later\n", "utf-8")
    (root / "app" / "later.py").write_text("later\n", "utf-8")
    (root / "app" / "old.py").write_text("again\n", "utf-8")


def add_submodule(root: Path, source: Path) -> None:
    """Let a repository hold another one."""
    source.mkdir()
    git(source, "init", "-q")
    (source / "inner.txt").write_text("inner\n", "utf-8")
    git(source, "add", ".")
    git(source, "commit", "-qm", "Inner")
    git(root, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(source), "sub")
    git(root, "commit", "-qm", "A submodule")


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
    assert "was retired" in ship.refused("save_agent_state", key="task-report", value={})

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


def broken(project: Project, checkpoint_id: str) -> None:
    """Roll back with files, and die when these are back and before the state is."""
    from dataclasses import replace

    from milestone.domain.identity import Caller
    from milestone.operations.catalogue import REGISTRY
    from milestone.operations.context import Aside, Outside
    from milestone.store.engine import run

    operation = REGISTRY["restore_agent_checkpoint"]

    def context(transaction: Any) -> Any:
        return replace(project.application.context(transaction, Caller(), set()), server="gone")

    given = {"checkpoint_id": checkpoint_id, "dry_run": False, "tree": True}
    step = run(project.engine, lambda tx: operation.function(context(tx), **given), write=True)
    for _ in range(2):
        assert isinstance(step, Aside)
        came = step.work(Outside())
        step = run(project.engine, lambda tx, step=step, came=came: step.then(context(tx), came), write=True)
    assert isinstance(step, Aside)
    step.work(Outside())


def test_a_merge_that_began_before_a_rollback_does_not_come_after_it(execution: Execution) -> None:
    """Planted and found: a merge that does not ask whether the milestone was rolled back meanwhile."""
    there = point(execution)
    build = workers(execution, "build")["build"]
    build.write("app/build.py")
    build.commit()
    build.save()
    build.complete()
    tip = git(execution.project.folder, "rev-parse", execution.branch)
    merge = begun(execution, "run_gates", task_id="build")
    restore(execution, there)
    merge()
    assert git(execution.project.folder, "rev-parse", execution.branch) == tip
    assert execution.task("build")["status"] == "pending"
    assert execution.proof("build") == {}
    agree(execution)


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


def begun(execution: Execution, tool: str, **given: Any) -> Callable[[], Any]:
    """Begin an operation in a transaction; the rest of it is carried out when what is returned is called."""
    from milestone.domain.identity import Caller
    from milestone.operations.catalogue import REGISTRY
    from milestone.operations.context import Outside
    from milestone.store.engine import run

    project, operation = execution.project, REGISTRY[tool]
    checked = operation.check({"milestone_id": execution.milestone_id, **given})
    arguments = {name: value for name, value in checked.items() if name != "request_id"}

    def context(transaction: Any) -> Any:
        return project.application.context(transaction, Caller(), set())

    aside: Any = run(project.engine, lambda tx: operation.function(context(tx), **arguments), write=True)

    def rest() -> Any:
        came = aside.work(Outside())
        return run(project.engine, lambda tx: aside.then(context(tx), came), write=True)

    return rest
