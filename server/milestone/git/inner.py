"""Repositories that lie within a worktree, submodules and others: which of them are entered, and how."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from milestone.git.names import decoded, encoded
from milestone.git.places import reached_by_link
from milestone.git.repository import Repository
from milestone.git.trees import Worktree

_POINTER_LIMIT = 4096
_POINTS = "gitdir: "


def inner(repository: Repository, tree: Worktree, path: str) -> Repository | None:
    """Return the repository in a folder of a worktree, or nothing where it is not to be entered.

    Its Git folder must be its own: it lies in that folder, or is one of the worktree's submodules. An agent can write
    any place into a `.git` file, and a checkpoint must not reach what lies there.
    """
    folder = tree.path / path
    git_dir = folder / ".git"
    if reached_by_link(tree.path, f"{path}/.git"):
        return None
    if git_dir.is_file():
        found = pointed(tree, folder, pointer(folder))
        if found is None:
            return None
        git_dir = found
    if not _own(git_dir):
        return None
    real = Path(os.path.realpath(git_dir))
    return Repository(repository.git.beside(real), real, folder)


def pointer(folder: Path) -> str:
    """Return what the `.git` file in a folder says; empty where it is none."""
    with suppress(OSError), (folder / ".git").open("rb") as file:
        return decoded(file.read(_POINTER_LIMIT))
    return ""


def pointed(tree: Worktree, folder: Path, said: str) -> Path | None:
    """Return the Git folder that a `.git` file leads to, if it is one of the worktree's submodules."""
    if not said.startswith(_POINTS):
        return None
    found = Path(os.path.realpath(folder / said.removeprefix(_POINTS).rstrip("\n")))
    modules = tree.git_dir / "modules"
    return found if found.is_relative_to(modules) and found != modules else None


def lead(folder: Path, said: str) -> None:
    """Write a `.git` file where there is none."""
    if not os.path.lexists(folder / ".git"):
        (folder / ".git").write_bytes(encoded(said))


def _own(git_dir: Path) -> bool:
    """Whether a folder is a whole Git folder of its own: no part of it leads elsewhere."""
    try:
        entries = list(os.scandir(git_dir))
    except OSError:
        return False
    names = {entry.name for entry in entries}
    linked = any(entry.is_symlink() for entry in entries)
    return not linked and "commondir" not in names and {"HEAD", "objects", "refs"} <= names
