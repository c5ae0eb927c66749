"""Branches at a checkpoint, and moving them back: all or none, and never under anybody's files."""

from __future__ import annotations

import pytest

from milestone.domain.errors import Conflict, Refusal
from milestone.git.capture import forget
from milestone.git.tips import branch_tips, move_back
from tests.git.repositories import BRANCH, Sandbox, branch


def test_branches_are_told_by_their_names_and_folders(sandbox: Sandbox) -> None:
    one, other = sandbox.task("t-1", {"src/a.py": "1"}), sandbox.task("t-2")
    sandbox.git("branch", "milestone/m-2/t-1")
    assert one != other
    assert branch_tips(sandbox.repository, BRANCH, "milestone/m") == {
        BRANCH: sandbox.first,
        branch("t-1"): sandbox.repository.tip(branch("t-1")),
        branch("t-2"): sandbox.first,
    }
    assert branch_tips(sandbox.repository) == {}
    with pytest.raises(Refusal):
        branch_tips(sandbox.repository, "--all")


def test_moved_and_deleted_branches_come_back_even_after_garbage_was_collected(sandbox: Sandbox) -> None:
    """Planted and found: commits that nothing holds on to."""
    start = sandbox.first
    sandbox.git("switch", "--quiet", "--create", "milestone/m/a")
    old = sandbox.commit({"a": "1"})
    sandbox.git("switch", "--quiet", "main")
    sandbox.git("branch", "milestone/m/b", old)
    tips = branch_tips(sandbox.repository, "milestone/m", checkpoint_id="one")
    sandbox.git("branch", "--quiet", "-D", "milestone/m/a")
    sandbox.git("branch", "--quiet", "--force", "milestone/m/b", start)
    sandbox.git("branch", "milestone/m/later")
    sandbox.git("reflog", "expire", "--expire=now", "--all")
    sandbox.git("gc", "--quiet", "--prune=now")
    assert move_back(sandbox.repository, tips) == ["milestone/m/a", "milestone/m/b"]
    assert move_back(sandbox.repository, tips) == []
    assert branch_tips(sandbox.repository, "milestone/m") == tips | {"milestone/m/later": start}
    forget(sandbox.repository, "one")
    assert not any(name.startswith("refs/milestone/") for name in sandbox.refs())


def test_a_branch_that_is_checked_out_is_refused_and_no_other_is_moved(sandbox: Sandbox) -> None:
    """Planted and found: branches moved one by one; worktrees not looked for."""
    path = sandbox.task("t-1", {"src/a.py": "1"})
    start = sandbox.first
    sandbox.git("branch", "milestone/m/free", branch("t-1"))
    before = sandbox.refs()
    with pytest.raises(Conflict, match="t-1"):
        move_back(sandbox.repository, {"milestone/m/free": start, branch("t-1"): start})
    assert sandbox.refs() == before
    sandbox.git("worktree", "remove", "--force", str(path))
    assert len(move_back(sandbox.repository, {"milestone/m/free": start, branch("t-1"): start})) == 2


def test_a_commit_that_is_not_there_moves_nothing(sandbox: Sandbox) -> None:
    sandbox.git("branch", "milestone/m/a")
    tip = sandbox.commit({"a": "1"})
    before = sandbox.refs()
    with pytest.raises(Refusal):
        move_back(sandbox.repository, {"milestone/m/a": tip, "milestone/m/b": "1" * 40})
    for tips in ({"milestone/m/a": "HEAD"}, {"milestone/m/a\0x": tip}):
        with pytest.raises(Refusal):
            move_back(sandbox.repository, tips)
    assert sandbox.refs() == before


def test_a_branch_that_somebody_moves_at_the_same_time_is_left_to_them(sandbox: Sandbox) -> None:
    """Planted and found: moved without comparing."""
    start = sandbox.first
    tip = sandbox.commit({"a": "1"})
    sandbox.git("branch", "milestone/m/a", tip)
    theirs = sandbox.commit({"a": "2"})
    program = sandbox.root.parent / "bin" / "git"
    script = f"""#!/bin/sh
PATH="{sandbox.environ["PATH"]}"
case "$*" in *"update-ref "*) git --git-dir="{sandbox.root}/.git" update-ref refs/heads/milestone/m/a {theirs} ;; esac
exec git "$@"
"""
    sandbox.write({"bin/git": script}, sandbox.root.parent)
    program.chmod(0o755)
    racing = Sandbox(sandbox.root, sandbox.home, {"PATH": f"{program.parent}:{sandbox.environ['PATH']}"})
    with pytest.raises(Conflict, match="milestone/m/a"):
        move_back(racing.repository, {"milestone/m/a": start})
    assert sandbox.repository.tip("milestone/m/a") == theirs
