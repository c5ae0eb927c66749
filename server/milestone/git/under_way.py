"""Merges, rebases and the like that are under way in a worktree: the files in which Git keeps where it is."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from milestone.git.names import decoded, encoded

_LIMIT = 1_048_576
_HEADS = ("MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "REBASE_HEAD", "MERGE_AUTOSTASH")
_FILES = frozenset((*_HEADS, "MERGE_MODE", "MERGE_MSG", "SQUASH_MSG", "AUTO_MERGE"))
_FOLDERS = ("rebase-merge", "rebase-apply", "sequencer")
_COMMIT = re.compile(r"^(?:[0-9a-f]{40}|[0-9a-f]{64})\b", re.MULTILINE)


def read(git_dir: Path) -> dict[str, str]:
    """Return the files with their content; larger ones than 1 MB are none of Git's."""
    return {name: decoded(content) for name, content in _read(git_dir)}


def _read(git_dir: Path) -> Iterator[tuple[str, bytes]]:
    for name in _names(git_dir):
        with suppress(OSError):
            path = git_dir / name
            seen = path.lstat()
            if stat.S_ISREG(seen.st_mode) and seen.st_size <= _LIMIT:
                yield name, path.read_bytes()


def _names(git_dir: Path) -> list[str]:
    """Return the files that are there, in an order in which the head of a merge comes last."""
    names = [name for name in sorted(_FILES) if os.path.lexists(git_dir / name)]
    for folder in _FOLDERS:
        if (git_dir / folder).is_dir() and not (git_dir / folder).is_symlink():
            names += sorted(f"{folder}/{path.name}" for path in (git_dir / folder).iterdir())
    return sorted(names, key=lambda name: name in _HEADS)


def commits(files: Mapping[str, str]) -> list[str]:
    """Return what they name as commits."""
    return [found for name in _HEADS for found in _COMMIT.findall(files.get(name, ""))]


def put(git_dir: Path, files: Mapping[str, str]) -> None:
    """Make the files what they were; those that came since go."""
    for name in reversed(_names(git_dir)):
        if name not in files:
            with suppress(OSError):  # a folder is none of Git's
                (git_dir / name).unlink()
    for folder in _FOLDERS:
        if not any(name.startswith(f"{folder}/") for name in files):
            with suppress(OSError):
                (git_dir / folder).rmdir()
    for name, content in sorted(files.items(), key=lambda item: item[0] in _HEADS):
        folder, _, last = name.rpartition("/")
        if (name in _FILES or folder in _FOLDERS) and last not in ("", ".", ".."):
            _write(git_dir / name, encoded(content))


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    with suppress(OSError):
        if not path.is_symlink() and path.read_bytes() == content:
            return
    beside = path.parent / f"{path.name}.milestone"
    beside.unlink(missing_ok=True)
    beside.write_bytes(content)
    beside.replace(path)
