"""Putting a worktree back, killed anywhere on the way: the next call completes it, and it can still be undone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from milestone.domain.errors import Refusal
from milestone.git.capture import Captured, capture
from milestone.git.environment import MARK
from milestone.git.putting_back import put_back
from tests.git import states
from tests.git.repositories import Sandbox
from tests.git.states import Picture, picture
from tests.git.stuck import locks
from tests.helpers.following import until

KILLS = int(os.environ.get("MILESTONE_KILLS", "4"))
GOING_BACK = Path(__file__).with_name("going_back.py")
# Kills whoever called it at its n-th call, and then the git that it has just started.
DEADLY = """#!/bin/sh
PATH="{path}"
n=$(($(cat {count}) + 1))
echo $n >{count}
[ "$n" = "$(cat {at})" ] || exec git "$@"
git "$@" &
kill -9 $PPID
kill -9 $!
"""


class Journey:
    """A worktree in one state with checkpoints of it and of an earlier one, to go back and forth between."""

    def __init__(self, sandbox: Sandbox, at: Path) -> None:
        self.sandbox, self.at = sandbox, at
        states.prepare(sandbox, at)
        states.mess(sandbox, at)
        self.then = picture(sandbox, at)
        self.first = capture(sandbox.repository, at, "one", "main")
        sandbox.git("switch", "--quiet", "--create", "elsewhere", at=at)
        sandbox.write({"after.ignored": "tracked though ignored"}, at)
        sandbox.git("add", "--force", "after.ignored", at=at)
        sandbox.commit({"more": "x", ".gitignore": "*.ignored\nlate\n"}, "later", at=at)
        states.mess(sandbox, at, mark="2")
        sandbox.write({"late": "not to be lost"}, at)
        self.now = picture(sandbox, at)
        self.second = capture(sandbox.repository, at, "two", "main", also=self.first.ref)

    def killed(self, lines: int, programs: str = "") -> int:
        """Let a process go back to the first state; return how many lines it counted, zero where it was killed."""
        arguments = (str(self.sandbox.root), str(self.sandbox.home), str(self.at), self.first.ref, str(lines), programs)
        command = [sys.executable, str(GOING_BACK), *arguments]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        assert ran.returncode in (0, -signal.SIGKILL), ran.stderr
        return int(ran.stdout) if ran.returncode == 0 else 0

    def completed(self, ref: Captured, wanted: Picture) -> None:
        """Go to a state, whatever was left, and compare."""
        put_back(self.sandbox.repository, self.at, ref.ref)
        assert (self.at / "after.ignored").exists() == (ref is self.second)
        found = picture(self.sandbox, self.at)
        late = found.pop("file late", None)
        assert b"not to be lost" in (self.at / "late").read_bytes(), late
        found["status"] = str(found["status"]).replace("?? late\0", "")
        assert found == wanted


@pytest.mark.parametrize("where", ["main", "linked"])
def test_a_process_killed_at_any_line_is_completed_by_the_next_call(sandbox: Sandbox, where: str) -> None:
    """Planted and found: the index put back before the files; what is ignored not written down."""
    journey = Journey(sandbox, sandbox.root if where == "main" else sandbox.task("t-1"))
    lines = journey.killed(0)
    assert lines > 100
    journey.completed(journey.second, journey.now)
    for number in range(KILLS):
        assert journey.killed(1 + lines * number // KILLS) == 0
        journey.completed(journey.first, journey.then)
        assert locks(sandbox) == []
        journey.completed(journey.second, journey.now)
    sandbox.git("fsck", "--strict")


def test_a_git_killed_with_its_caller_is_completed_by_the_next_call(sandbox: Sandbox) -> None:
    """Planted and found: a lock of the second index taken for a person's."""
    journey = Journey(sandbox, sandbox.task("t-1"))
    folder = sandbox.root.parent
    programs = {name: folder / name for name in ("count", "at")}
    sandbox.write({"bin/git": DEADLY.format(path=sandbox.environ["PATH"], **programs)}, folder)
    (folder / "bin" / "git").chmod(0o755)
    sandbox.write({"count": "0", "at": "0"}, folder)
    journey.killed(0, str(folder / "bin"))
    calls = int((folder / "count").read_text())
    assert calls > 20
    journey.completed(journey.second, journey.now)
    for number in range(KILLS):
        sandbox.write({"count": "0", "at": str(1 + calls * number // KILLS)}, folder)
        assert journey.killed(0, str(folder / "bin")) == 0
        until(lambda: not _running(folder))
        journey.completed(journey.first, journey.then)
        journey.completed(journey.second, journey.now)
    assert locks(sandbox) == []
    sandbox.git("fsck", "--strict")


@pytest.mark.parametrize("where", ["main", "linked"])
def test_a_lock_that_was_left_at_the_second_index_is_removed_though_a_person_uses_git(
    sandbox: Sandbox, where: str
) -> None:
    """Planted and found: the lock taken for a person's; a person's git taken for its holder."""
    at = sandbox.root if where == "main" else sandbox.task("t-1")
    capture(sandbox.repository, at, "one", "main")
    git_dir = Path(sandbox.git("rev-parse", "--absolute-git-dir", at=at))
    lock = git_dir / "milestone" / "shadow" / "index.lock"
    lock.touch()
    command = ["git", "cat-file", "--batch"]
    with subprocess.Popen(
        command, cwd=at, env=sandbox.environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as theirs:
        capture(sandbox.repository, at, "two", "main")
        theirs.communicate()
    assert not lock.exists()
    lock.touch()
    environ = sandbox.environ | {MARK: "1"}
    own = ["git", f"--git-dir={lock.parent}", "cat-file", "--batch"]
    (lock.parent / "objects").mkdir(exist_ok=True)
    with subprocess.Popen(own, cwd=at, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as ours:
        with pytest.raises(Refusal, match=str(ours.pid)):
            capture(sandbox.repository, at, "three", "main")
        ours.communicate()
    assert lock.exists()


@pytest.mark.parametrize("done", [False, True], ids=["locked", "renamed"])
def test_an_index_that_was_being_put_back_does_not_stay_locked(sandbox: Sandbox, done: bool) -> None:
    """Planted and found: a lock that nobody knows to be ours."""
    first = capture(sandbox.repository, sandbox.root, "one", "main")
    git = sandbox.root / ".git"
    index = git / "index"
    (git / "milestone" / "shadow" / "index.ours").write_bytes(index.read_bytes())
    (git / ("index.new" if done else "index.lock")).hardlink_to(git / "milestone" / "shadow" / "index.ours")
    if done:
        (git / "index.new").rename(index)
    sandbox.write({"README.md": "changed"})
    put_back(sandbox.repository, sandbox.root, first.ref)
    assert locks(sandbox) == []
    assert sandbox.git("status", "--porcelain") == ""


def test_an_index_lock_of_somebody_else_is_left_alone(sandbox: Sandbox) -> None:
    first = capture(sandbox.repository, sandbox.root, "one", "main")
    sandbox.write({"README.md": "changed"})
    lock = sandbox.root / ".git" / "index.lock"
    lock.touch()
    with pytest.raises(Refusal, match=r"index\.lock"):
        put_back(sandbox.repository, sandbox.root, first.ref)
    assert lock.exists()
    lock.unlink()
    put_back(sandbox.repository, sandbox.root, first.ref)
    assert sandbox.git("status", "--porcelain") == ""


def _running(folder: Path) -> list[int]:
    import psutil

    found: list[int] = []
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and any(str(folder) in word for word in process.cmdline()):
                found.append(process.pid)
        except psutil.Error:
            continue
    return found
