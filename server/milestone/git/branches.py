"""A milestone's branch, moved only from where the caller knows it to be."""

from __future__ import annotations

from milestone.domain.errors import Conflict, Refusal
from milestone.git.door import TREE_SECONDS
from milestone.git.identity import identity
from milestone.git.names import commit_id
from milestone.git.repository import REFS, Repository
from milestone.git.trees import worktrees


def forget(repository: Repository, branch: str) -> None:
    """Delete a branch whose work is kept elsewhere; one that a worktree has checked out stays."""
    tip = repository.tip(branch)
    if tip and all(tree.branch != branch for tree in worktrees(repository)):
        with repository.git.turn(REFS):
            repository.git.run("update-ref", "-d", f"refs/heads/{branch}", tip, codes=(0, 128))


def advance(repository: Repository, branch: str, new: str, old: str) -> None:
    """Move a branch from `old` on to `new`; where a worktree has it checked out, that worktree's files move along.

    Nothing happens where it is at `new` already.

    Raises:
        Conflict: it is no longer at `old`.
        Refusal: `new` does not follow `old`, or changes in the worktree stand in the way; they stay as they are.
    """
    for one in (old, new):
        commit_id(one)
    tip = repository.existing_tip(branch)
    if tip == new:
        return
    if tip != old:
        raise Conflict(
            f"Branch {branch!r} is at {tip[:12]}, not at {old[:12]}", remedy="Merge again, onto its new end."
        )
    if not repository.is_ancestor(old, new):
        raise Refusal(f"{new[:12]} does not follow {old[:12]}, so branch {branch!r} cannot move on to it")
    if not _moved_in_its_worktree(repository, branch, new):
        with repository.git.turn(REFS):
            name = f"refs/heads/{branch}"
            repository.git.run("update-ref", "-m", "milestone: merged", name, new, old, codes=(0, 128))
    if repository.tip(branch) != new:
        raise Conflict(f"Branch {branch!r} was moved by somebody else", remedy="Merge again, onto its new end.")


def _moved_in_its_worktree(repository: Repository, branch: str, new: str) -> bool:
    holder = next((one for one in worktrees(repository) if one.branch == branch and one.there), None)
    if holder is None:
        return False
    door = holder.door(repository)
    with door.turn():
        options = ("--ff-only", "--quiet", "--no-stat", "--no-autostash", "--no-verify-signatures")
        settings, more = (f"branch.{branch}.mergeOptions=",), identity(repository.git)
        codes = (0, 1, 2, 128)
        answer = door.run("merge", *options, new, settings=settings, more=more, codes=codes, seconds=TREE_SECONDS)
    if answer.code:
        raise Refusal(
            f"Branch {branch!r} is checked out in {holder.path} and cannot move on there: {door.said(answer)}",
            remedy="Commit or stash there, then call again.",
        )
    return True
