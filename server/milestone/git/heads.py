"""HEAD of a worktree and its branch: where a checkpoint says they were, and moving them there."""

from __future__ import annotations

from dataclasses import dataclass

from milestone.domain.errors import Conflict
from milestone.git.door import Git
from milestone.git.kept import About
from milestone.git.names import shown
from milestone.git.repository import REFS, Repository
from milestone.git.trees import Worktree, worktrees

_HEADS = "refs/heads/"
_WHY = ("-m", "milestone: put back")


@dataclass(frozen=True)
class Move:
    """What HEAD was and is: `branch` is empty where it was detached, `head` where there was no commit. `tip` is where
    that branch is now, empty where it is gone.
    """

    branch: str
    head: str
    tip: str
    from_branch: str
    from_head: str

    @property
    def said(self) -> list[str]:
        """What would move, as sentences."""
        found: list[str] = []
        if self.branch and self.tip != self.head:
            found.append(f"branch {shown(self.branch)} moves from {_short(self.tip)} to {_short(self.head)}")
        if self.branch != self.from_branch:
            place = f"branch {shown(self.branch)}" if self.branch else f"{_short(self.head)}, detached"
            found.append(f"HEAD moves from {shown(self.from_branch) or _short(self.from_head)} to {place}")
        elif not self.branch and self.head != self.from_head:
            found.append(f"HEAD moves from {_short(self.from_head)} to {_short(self.head)}, detached")
        return found


def _short(commit: str) -> str:
    return commit[:12] or "nothing"


def planned(repository: Repository, tree: Worktree, about: About) -> Move:
    """Return how HEAD of a worktree has to move.

    Raises:
        Conflict: the branch is checked out in another worktree, or another branch stands in its name's way.
    """
    tip = ""
    if about.branch:
        name = f"{_HEADS}{about.branch}"
        tip = repository.git.run("show-ref", "--verify", "--hash", name, codes=(0, 1, 128), reads=True).text
        other = next((one for one in worktrees(repository) if one.branch == about.branch), None)
        if other is not None and other.git_dir != tree.git_dir:
            raise Conflict(
                f"Branch {shown(about.branch)!r} is checked out in {other.path}",
                remedy="Remove that worktree, or check another branch out there; then call again.",
            )
        if about.head and not tip:
            _refuse_others(repository, about.branch)
    return Move(about.branch, about.head, tip, tree.branch, tree.head)


def _refuse_others(repository: Repository, branch: str) -> None:
    """Refuse where git cannot make a branch because its name is a folder of others, or it needs one that is none."""
    found = repository.git.run("for-each-ref", "--format=%(refname:lstrip=2)", _HEADS, reads=True).text.splitlines()
    other = next((one for one in found if f"{one}/".startswith(f"{branch}/") or branch.startswith(f"{one}/")), "")
    if other:
        raise Conflict(
            f"Branch {shown(other)!r} stands in the way of {shown(branch)!r}", remedy="Rename it, then call again."
        )


def make(door: Git, move: Move) -> None:
    """Move HEAD of a door's worktree, and the branch.

    Raises:
        Conflict: somebody else moved the branch meanwhile.
    """
    with door.turn(REFS):
        if not move.branch:
            if move.from_branch or move.from_head != move.head:
                door.run("update-ref", *_WHY, "--no-deref", "HEAD", move.head)
            return
        name = f"{_HEADS}{move.branch}"
        _move_branch(door, move, name)
        if move.branch != move.from_branch:
            door.run("symbolic-ref", *_WHY, "HEAD", name)


def _move_branch(door: Git, move: Move, name: str) -> None:
    if move.tip == move.head:
        return
    old = move.tip or "0" * len(move.head)
    change = (name, move.head, old) if move.head else ("-d", name, old)
    answer = door.run("update-ref", *_WHY, *change, codes=(0, 1, 128))
    if answer.code:
        raise Conflict(f"Branch {shown(move.branch)!r} cannot be moved back: {door.said(answer)}", remedy="Call again.")
