"""Lock files that a killed git left: removed when nobody is left who could hold them, and only then."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import psutil
import pytest

from milestone.domain.errors import Refusal
from milestone.git import commits, locks
from milestone.git.branches import advance
from milestone.git.environment import MARK
from milestone.git.merging import squash
from milestone.git.repository import Repository
from milestone.git.worktrees import checkout_at
from tests.git import stuck
from tests.git.repositories import BRANCH, Sandbox, branch, said
from tests.helpers.following import until

HOOKS = {
    "pre-commit": ["worktrees/t-1/index.lock"],
    "reference-transaction": [
        *("refs/heads/milestone/m/t-1.lock", "worktrees/t-1/HEAD.lock", "worktrees/t-1/index.lock"),
    ],
}


def begun(sandbox: Sandbox) -> Path:
    """Return a worktree with something to commit."""
    path = sandbox.task("t-1", {"src/a.py": "2"})
    sandbox.write({"src/a.py": "3"}, path)
    return path


def committed(sandbox: Sandbox, path: Path) -> str:
    """Commit in it."""
    return commits.commit(sandbox.repository, path, said("t-1"), ["src"])


@pytest.mark.parametrize("hook", HOOKS)
def test_what_a_killed_git_left_is_removed_and_the_commit_goes_through(sandbox: Sandbox, hook: str) -> None:
    """Planted and found: recovery left out; run again only once for a commit that meets two locks."""
    path = begun(sandbox)
    with stuck.stuck_commit(sandbox, path, hook) as git:
        git.kill()
        git.wait()
        assert stuck.locks(sandbox) == HOOKS[hook]
        made = committed(sandbox, path)
    assert sandbox.repository.tip(branch("t-1")) == made
    assert stuck.locks(sandbox) == []
    sandbox.git("fsck", "--strict")


@pytest.mark.parametrize("number", [signal.SIGSTOP, signal.SIGCONT], ids=["stopped", "running"])
@pytest.mark.parametrize("hook", HOOKS)
def test_a_lock_whose_git_lives_is_left_alone_and_the_process_named(
    sandbox: Sandbox, hook: str, number: signal.Signals
) -> None:
    """Planted and found: stopped processes passed over; the search for processes left out."""
    path = begun(sandbox)
    with stuck.stuck_commit(sandbox, path, hook) as git:
        git.send_signal(number)
        with pytest.raises(Refusal, match=f"Process {git.pid} "):
            committed(sandbox, path)
        assert stuck.locks(sandbox) == HOOKS[hook]
        git.kill()
        git.wait()
    committed(sandbox, path)


def test_a_process_that_has_the_file_open_holds_it_whatever_it_is_called(sandbox: Sandbox) -> None:
    """Planted and found: only processes named git looked at."""
    path = begun(sandbox)
    lock = sandbox.root / ".git" / "worktrees" / "t-1" / "index.lock"
    with lock.open("w") as held:
        holder = subprocess.Popen(["sleep", "60"], stdout=held, cwd="/")
    try:
        with pytest.raises(Refusal, match=f"Process {holder.pid} "):
            committed(sandbox, path)
        assert lock.exists()
    finally:
        holder.kill()
        holder.wait()
    committed(sandbox, path)


@pytest.mark.parametrize("how", ["folder", "-C", "--git-dir", "--work-tree", "GIT_DIR"])
def test_a_git_counts_wherever_it_was_told_to_work(sandbox: Sandbox, how: str) -> None:
    """Planted and found: only working folders looked at; `--git-dir=` with an equals sign not read."""
    path, main = begun(sandbox), sandbox.root / ".git"
    (main / "worktrees" / "t-1" / "index.lock").touch()
    arguments = {"-C": ["-C", str(sandbox.root / "src")], "--git-dir": [f"--git-dir={main}"]}
    arguments["--work-tree"] = ["--work-tree", str(path)]
    more = {"GIT_DIR": str(main)} if how == "GIT_DIR" else {}
    where = path / "src" if how == "folder" else Path("/")
    refused = pytest.raises(Refusal, match="Process")
    with stuck.git_like(sandbox, arguments.get(how, []), where, more) as process, refused as refusal:
        committed(sandbox, path)
    assert f"Process {process.pid} " in str(refusal.value)
    committed(sandbox, path)


@pytest.mark.parametrize(("task", "counts"), [("t-1", True), ("t-2", False)])
@pytest.mark.parametrize("lock", ["worktrees/t-1/index.lock", "refs/heads/milestone/m/t-1.lock"])
def test_a_git_of_ours_counts_in_its_own_worktree_only(sandbox: Sandbox, task: str, counts: bool, lock: str) -> None:
    """Planted and found: ours never counted, though it may have outlived its server; ours counted everywhere."""
    path = begun(sandbox)
    sandbox.task("t-2")
    (sandbox.root / ".git" / lock).touch()
    arguments = [f"--git-dir={sandbox.root}/.git/worktrees/{task}", f"--work-tree={sandbox.folder(task)}"]
    with stuck.git_like(sandbox, arguments, sandbox.folder(task), {MARK: "1"}) as process:
        if counts:
            with pytest.raises(Refusal, match=f"Process {process.pid} "):
                committed(sandbox, path)
        else:
            committed(sandbox, path)
    assert (sandbox.root / ".git" / lock).exists() == counts


def test_gits_elsewhere_do_not_count(sandbox: Sandbox, tmp_path: Path) -> None:
    path = begun(sandbox)
    (sandbox.root / ".git" / "worktrees" / "t-1" / "index.lock").touch()
    with stuck.git_like(sandbox, ["-C", str(tmp_path / "home")], tmp_path / "home", {}):
        committed(sandbox, path)


@pytest.mark.parametrize("lock", ["index.lock", "HEAD.lock"])
def test_the_persons_own_locks_are_never_removed(sandbox: Sandbox, lock: str) -> None:
    """Planted and found: every lock of the repository recovered."""
    sandbox.task("t-1", {"src/a.py": "2"})
    sandbox.git("checkout", "-q", BRANCH)
    (sandbox.root / ".git" / lock).touch()
    made = squash(sandbox.repository, BRANCH, branch("t-1"), said("t-1"))
    with pytest.raises(Refusal, match=rf"\.git/{lock} is in the way"):
        advance(sandbox.repository, BRANCH, made.commit, made.tip)
    assert stuck.locks(sandbox) == [lock]
    (sandbox.root / ".git" / lock).unlink()
    advance(sandbox.repository, BRANCH, made.commit, made.tip)
    assert sandbox.repository.head() == made.commit


def test_stale_locks_of_branches_and_of_the_gates_are_recovered(sandbox: Sandbox) -> None:
    sandbox.task("t-1", {"src/a.py": "2"})
    checkout_at(sandbox.repository, sandbox.folder("gates"), sandbox.repository.head())
    made = squash(sandbox.repository, BRANCH, branch("t-1"), said("t-1"))
    for lock in (f"refs/heads/{BRANCH}.lock", "worktrees/gates/index.lock", "worktrees/gates/HEAD.lock"):
        (sandbox.root / ".git" / lock).touch()
    checkout_at(sandbox.repository, sandbox.folder("gates"), made.commit)
    advance(sandbox.repository, BRANCH, made.commit, made.tip)
    assert stuck.locks(sandbox) == []
    assert sandbox.repository.tip(BRANCH) == made.commit


def test_a_link_in_place_of_a_lock_is_not_followed(sandbox: Sandbox) -> None:
    path = begun(sandbox)
    lock = sandbox.root / ".git" / "worktrees" / "t-1" / "index.lock"
    lock.symlink_to(sandbox.root / "README.md")
    with pytest.raises(Refusal, match="is no file"):
        committed(sandbox, path)
    assert lock.is_symlink()


def test_turns_are_taken_one_at_a_time_and_waiting_ends(sandbox: Sandbox) -> None:
    """Planted and found: a shared lock for an exclusive one."""
    git = sandbox.repository.git
    refused = pytest.raises(Refusal, match="Another call")
    with git.turn("x"), git.turn("y"), refused, locks.turn(git.desk, "x", seconds=0):
        pass
    with locks.turn(git.desk, "x", seconds=0):
        pass


def has_ended(pid: int) -> bool:
    """Return whether a process has ended, though nobody may have asked for its exit code yet."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_git_that_takes_too_long_is_told_to_end_with_all_it_started(sandbox: Sandbox, tmp_path: Path) -> None:
    """Planted and found: only git itself killed."""
    fake = tmp_path / "bin" / "git"
    fake.parent.mkdir()
    ended, child = tmp_path / "ended", tmp_path / "child"
    lines = ('case "$*" in *config*) exit;; esac', f"trap 'echo x >{ended}; exit 0' TERM", "sleep 60 &")
    fake.write_text("\n".join(("#!/bin/sh", *lines, f"echo $! >{child}", "wait\n")))
    fake.chmod(0o755)
    git = sandbox.repository.git
    slow = Repository(
        type(git)(git.common, {**sandbox.environ, "PATH": f"{fake.parent}:{os.environ['PATH']}"}),
        git.common,
        sandbox.root,
    )
    with pytest.raises(Refusal, match="longer than"):
        slow.git.run("status", seconds=0.3)
    assert ended.exists()
    until(lambda: has_ended(int(child.read_text())))
