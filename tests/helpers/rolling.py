"""What tests of rollbacks do and look at: checkpoints, work that is under way, and every byte of a working tree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from milestone.domain.identity import Caller
from milestone.domain.replay import replay
from milestone.operations.catalogue import REGISTRY
from milestone.operations.context import Aside, Outside
from milestone.store.engine import run
from tests.helpers.execution import git
from tests.helpers.projects import Project
from tests.helpers.underway import Execution, Worker, logged

STRANGE = ("with space.txt", "tab\there.txt", "new\nline.txt", "quote'\".txt", "umläut.txt", "-dash.txt")


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
    found = {row["task_id"]: str(row["status"]) for row in rows if row["status"] != "skipped"}
    return {name: "ready" if status == "claimed" else status for name, status in found.items()}


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


def broken(project: Project, checkpoint_id: str) -> None:
    """Roll back with files, and die when these are back and before the state is."""
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


def begun(execution: Execution, tool: str, **given: Any) -> Callable[[], Any]:
    """Begin an operation in a transaction; the rest of it is carried out when what is returned is called."""
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
