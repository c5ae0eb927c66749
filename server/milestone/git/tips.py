"""Where branches stood at a checkpoint, and moving them back there."""

from __future__ import annotations

from collections.abc import Mapping

from milestone.domain.errors import Conflict, Refusal
from milestone.git.kept import word
from milestone.git.names import branch as checked_branch
from milestone.git.names import commit_id, listed, shown
from milestone.git.repository import REFS, Repository
from milestone.git.trees import worktrees

TIPS = "refs/milestone/tips"
_HEADS = "refs/heads/"


def branch_tips(repository: Repository, *branches: str, checkpoint_id: str = "") -> dict[str, str]:
    """Return branches with the commits they are at; each name stands for a branch and for all below it (`milestone/m`
    for `milestone/m/t-1`). With a checkpoint's id the commits are kept, even if the branches are deleted, until the
    checkpoint is forgotten.

    Raises:
        Refusal: a name is none for a branch.
    """
    names = [f"{_HEADS}{checked_branch(name)}" for name in branches]
    found = _tips(repository, *names) if names else {}
    if checkpoint_id and found:
        place = f"{TIPS}/{word(checkpoint_id)}"
        given = "".join(f"update {place}/{name}\0{commit}\0\0" for name, commit in found.items())
        repository.git.run("update-ref", "-z", "--stdin", given=given)
    return found


def _tips(repository: Repository, *names: str) -> dict[str, str]:
    answer = repository.git.run("for-each-ref", "--format=%(objectname) %(refname)", *names, reads=True)
    lines = [line.partition(" ") for line in answer.text.splitlines()]
    return {name.removeprefix(_HEADS): commit for commit, _, name in lines}


def move_back(repository: Repository, tips: Mapping[str, str]) -> list[str]:
    """Return the branches that were moved to the commits in `tips`, or made there again: all of them or none. Branches
    that came after stay. Do it after `put_back`, which moves the branch of its worktree together with the files.

    Raises:
        Conflict: one that would move is checked out in a worktree, or was moved by somebody else meanwhile.
        Refusal: a commit is not here any more.
    """
    for name, commit in tips.items():
        commit_id(commit)
        if "\0" in name:
            raise Refusal(f"{shown(name)!r} is no name for a branch")
    git = repository.git
    with git.turn(REFS):
        now = _tips(repository, *(f"{_HEADS}{name}" for name in tips)) if tips else {}
        moving = [name for name, commit in tips.items() if now.get(name) != commit]
        _refuse_checked_out(repository, moving)
        given = "".join(
            f"update {_HEADS}{name}\0{tips[name]}\0{now.get(name) or '0' * len(tips[name])}\0" for name in moving
        )
        if not moving:
            return []
        answer = git.run("update-ref", "-m", "milestone: put back", "-z", "--stdin", given=given, codes=(0, 128))
        if answer.code:
            still = _tips(repository, *(f"{_HEADS}{name}" for name in moving))
            if any(still.get(name) != now.get(name) for name in moving):
                raise Conflict(f"Somebody else moved {listed(moving)}", remedy="Look at them, then call again.")
            raise Refusal(f"Branches cannot be moved back: {git.said(answer)}")
    return moving


def _refuse_checked_out(repository: Repository, moving: list[str]) -> None:
    taken = {tree.branch: tree for tree in worktrees(repository) if tree.branch and tree.there} if moving else {}
    for name in moving:
        if name in taken:
            raise Conflict(
                f"Branch {name!r} is checked out in {taken[name].path}", remedy="Put that worktree back first."
            )
