"""Where a folder's repository lies, read from its files: no process is started and nothing of the repository runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Repository:
    """A working tree and the Git folder that all working trees of the repository share."""

    worktree: Path
    common: Path

    @property
    def main_worktree(self) -> Path:
        """The repository's first working tree; this one where the repository has a Git folder of another name."""
        return self.common.parent if self.common.name == ".git" else self.worktree


def find(folder: Path) -> Repository | None:
    """Return the repository `folder` lies in, or nothing."""
    start = folder.resolve()
    for place in (start, *start.parents):
        entry = place / ".git"
        if entry.is_dir():
            return Repository(place, _common(entry))
        if entry.is_file():
            pointer = entry.read_text("utf-8", "surrogateescape").removeprefix("gitdir:").strip()
            return Repository(place, _common((place / pointer).resolve()))
    return None


def _common(git_dir: Path) -> Path:
    pointer = git_dir / "commondir"
    if pointer.is_file():
        return (git_dir / pointer.read_text("utf-8", "surrogateescape").strip()).resolve()
    return git_dir
