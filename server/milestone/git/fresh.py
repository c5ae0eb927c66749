"""Worktrees begun anew: as if nobody had worked in them, with what is ignored left in place."""

from __future__ import annotations

from pathlib import Path

from milestone.git.door import TREE_SECONDS
from milestone.git.names import commit_id
from milestone.git.repository import Repository
from milestone.git.trees import existing_worktree


def begin_anew(repository: Repository, path: Path, commit: str) -> None:
    """Let a worktree and the branch it is on hold a commit and nothing else but ignored files; capture it before.

    Raises:
        Missing: there is no worktree at `path`.
    """
    door = existing_worktree(repository, path).door(repository)
    with door.turn():
        options = ("--quiet", "--hard", "--no-recurse-submodules")
        door.run("reset", *options, commit_id(commit), "--", seconds=TREE_SECONDS)
        door.run("clean", "--quiet", "-ffd", seconds=TREE_SECONDS)
