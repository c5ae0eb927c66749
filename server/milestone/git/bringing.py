"""Bringing a task's worktree up to its milestone's branch; conflicts are left there for the task's agent."""

from __future__ import annotations

from pathlib import Path

from milestone.domain.errors import Refusal
from milestone.git.commits import concluded, conflicted, merge_head
from milestone.git.door import TREE_SECONDS
from milestone.git.identity import identity
from milestone.git.merging import Clash, clashes
from milestone.git.names import commit_id, listed
from milestone.git.repository import Repository
from milestone.git.trees import Worktree, existing_worktree, uncommitted

MESSAGE = "chore: bring the milestone's branch in\n"


def bring_up(repository: Repository, path: Path, onto: str, text: str = MESSAGE) -> tuple[Clash, ...]:
    """Return the clashes of merging commit `onto` into a worktree's branch; where there are none, it is merged.

    Files that clash are left with marks, and `commit` ends the merge. A merge that is under way already is not begun
    again: its clashes are returned.

    Raises:
        Refusal: there are uncommitted changes, or the worktree has no branch.
    """
    commit_id(onto)
    tree = existing_worktree(repository, path)
    if not tree.branch:
        raise Refusal(f"{path} has no branch, so nothing is merged there")
    with tree.door(repository).turn():
        if merge_head(tree):
            left = _clashes(repository, tree)
            if left:
                return left
            concluded(repository, tree, text)  # its git ended between merging and committing
        return _merged(repository, tree, onto, text)


def _merged(repository: Repository, tree: Worktree, onto: str, text: str) -> tuple[Clash, ...]:
    door = tree.door(repository)
    changed = uncommitted(door)
    if changed:
        raise Refusal(
            f"{tree.path} has changes that are not committed: {listed([one.path for one in changed])}",
            remedy="Commit them, or undo them; then call again.",
        )
    head = door.run("rev-parse", "--verify", "HEAD^{commit}", reads=True).text
    if repository.is_ancestor(onto, head):
        return ()
    # Merging and committing are two steps, so that either can be repeated after its git was killed.
    how = ("--ff-only",) if repository.is_ancestor(head, onto) else ("--no-ff", "--no-commit")
    options = (*how, "--quiet", "--no-stat", "--no-autostash", "--no-verify-signatures", "--no-rerere-autoupdate")
    settings = (f"branch.{tree.branch}.mergeOptions=",)
    more = identity(repository.git)
    answer = door.run("merge", *options, onto, settings=settings, more=more, codes=(0, 1), seconds=TREE_SECONDS)
    if how == ("--ff-only",) and not answer.code:
        return ()
    found = _clashes(repository, tree)
    if answer.code and not found:
        raise Refusal(f"Merging failed: {door.said(answer)}", remedy="Mend that in the worktree, then call again.")
    if not found:
        concluded(repository, tree, text)
    return found


def _clashes(repository: Repository, tree: Worktree) -> tuple[Clash, ...]:
    """Return the clashes of the merge under way, each with the task on the milestone's side."""
    theirs = merge_head(tree)
    entries = conflicted(tree.door(repository)) if theirs else []
    if not entries:
        return ()
    head = tree.door(repository).run("rev-parse", "--verify", "HEAD^{commit}", reads=True).text
    base = repository.merge_base(head, theirs)
    return clashes(repository, base, theirs, entries, ("the task's branch", "the milestone's"))
