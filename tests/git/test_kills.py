"""Commits whose git is killed at any moment: the next call finds a way on, no commit is lost or made twice."""

from __future__ import annotations

import os
import random
from pathlib import Path

from milestone.domain.errors import Refusal
from milestone.git import commits
from tests.git.repositories import Sandbox, branch, said
from tests.git.stuck import locks

KILLS = int(os.environ.get("MILESTONE_KILLS", "12"))
# Kills each `git commit` that it starts after as many seconds as a file says, and tells whether it was in time.
IMPATIENT = """#!/bin/sh
PATH="{path}"
case "$*" in *" commit --quiet "*) ;; *) exec git "$@" ;; esac
git "$@" <&0 &
sleep $(cat {delay})
kill -9 $! && echo killed >>{killed}
wait $!
"""


def impatient(sandbox: Sandbox) -> Sandbox:
    """Return the same repository for a caller whose commits are killed."""
    folder = sandbox.root.parent
    script = IMPATIENT.format(path=sandbox.environ["PATH"], delay=folder / "delay", killed=folder / "killed")
    sandbox.write({"bin/git": script, "killed": ""}, folder)
    (folder / "bin" / "git").chmod(0o755)
    return Sandbox(sandbox.root, sandbox.home, {"PATH": f"{folder / 'bin'}:{sandbox.environ['PATH']}"})


def test_every_commit_that_was_killed_is_completed_by_the_next_call(sandbox: Sandbox) -> None:
    """Of 60 kills about one in three leaves locks.

    Planted and found: locks left in the way.
    """
    path, hurried, chance = sandbox.task("t-1"), impatient(sandbox), random.Random(7)
    folder, before, steps, stale = sandbox.root.parent, sandbox.first, 0, 0
    while (folder / "killed").read_text().count("killed") < KILLS:
        steps += 1
        assert steps < 20 * KILLS, "git is always faster"
        sandbox.write({f"src/{steps}": f"{steps}\n" * 50, "src/a.py": f"{steps}\n"}, path)
        (folder / "delay").write_text(f"{chance.uniform(0.001, 0.02):.4f}")
        broken = _broken_off(hurried, path, steps)
        stale += bool(locks(sandbox))
        if broken:  # what had gone through before it was killed is not committed again
            assert _broken_off(sandbox, path, steps).partition(".")[0] in ("", "There is nothing to commit")
        assert locks(sandbox) == []
        assert sandbox.git("status", "--porcelain", at=path) == ""
    found = sandbox.git("log", "--reverse", "--format=%s", f"{before}..{branch('t-1')}").splitlines()
    assert found == [f"feat(execute): step {number}" for number in range(1, steps + 1)]
    sandbox.git("fsck", "--strict")
    assert stale or KILLS < 60


def _broken_off(sandbox: Sandbox, path: Path, step: int) -> str:
    """Commit, and return what was refused."""
    try:
        commits.commit(sandbox.repository, path, said("t-1", f"step {step}"), ["src"])
    except Refusal as refusal:
        return str(refusal)
    return ""
