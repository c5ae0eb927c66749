"""A worktree's index as it is: what is staged, what is in conflict, and the marks that files have there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from milestone.domain.errors import Conflict
from milestone.git import locks
from milestone.git.door import TREE_SECONDS, Git
from milestone.git.shadow import Shadow

_LINK = "160000"
_PLAIN = (b"DIRC\0\0\0\2", b"REUC")  # nothing but names and content; what a merge resolved


@dataclass(frozen=True)
class Entry:
    """A line of the index. `tag` is `H`, or `S` where the file is not to be there, or `M` in conflict; small letters
    are for files that are not looked at.
    """

    tag: str
    mode: str
    blob: str
    stage: str
    path: str


@dataclass(frozen=True)
class Staged:
    """An index. `tree` holds what is staged and not in conflict, `marks` the files with more to them than content
    (a tag, or `A` for one that is only meant to be added). `raw` is the file itself, empty where the tree says all;
    `missing` where there is no index at all.
    """

    entries: tuple[Entry, ...]
    tree: str
    marks: Mapping[str, str]
    raw: bytes = b""
    time: int = 0  # of the file, in nanoseconds: files that are as old must be compared by content
    missing: bool = False

    @property
    def links(self) -> list[str]:
        """The places of other repositories."""
        return sorted({entry.path for entry in self.entries if entry.mode == _LINK})

    @property
    def unmerged(self) -> list[Entry]:
        """What is in conflict."""
        return [entry for entry in self.entries if entry.stage != "0"]


def read(door: Git, shadow: Shadow) -> tuple[Staged, Mapping[str, str]]:
    """Return the index of a worktree without its tree, and the environment for git to read a copy of it."""
    copied = shadow.scratch / "index"
    more = {"GIT_INDEX_FILE": str(copied)}
    try:
        with (door.git_dir / "index").open("rb") as file:
            raw, time = file.read(), os.fstat(file.fileno()).st_mtime_ns
    except FileNotFoundError:
        return Staged((), "", {}, missing=True), more
    copied.write_bytes(raw)
    if b"link" in raw and any(door.git_dir.glob("sharedindex.*")):  # it is in two files
        settings = ("core.splitIndex=false",)
        door.run("update-index", "--no-split-index", settings=settings, more=more, seconds=TREE_SECONDS)
        raw = copied.read_bytes()
    os.utime(copied, ns=(time, time))
    options = ("ls-files", "-z", "--stage", "-v")
    fields = door.run(*options, reads=True, more=more, seconds=TREE_SECONDS).fields
    entries = tuple(_entry(field) for field in fields)
    marks = {entry.path: entry.tag for entry in entries if entry.tag != "H"}
    plain = not marks and raw.startswith(_PLAIN[0]) and _PLAIN[1] not in raw
    return Staged(entries, "", marks, b"" if plain else raw, time), more


def _entry(field: str) -> Entry:
    facts, _, path = field.partition("\t")
    tag, mode, blob, stage = facts.split(" ")
    return Entry(tag, mode, blob, stage, path)


def with_tree(door: Git, staged: Staged, more: Mapping[str, str]) -> Staged:
    """Return an index with the tree of what is not in conflict; the copy is used up for it."""
    paths = {entry.path: len(entry.blob) for entry in staged.unmerged}
    if paths:
        given = "".join(f"0 {'0' * length}\t{path}\0" for path, length in paths.items())
        door.run("update-index", "-z", "--index-info", given=given, more=more, seconds=TREE_SECONDS)
    return replace(staged, tree=door.run("write-tree", more=more, seconds=TREE_SECONDS).text)


def put(door: Git, shadow: Shadow, staged: Staged) -> None:
    """Make an index the worktree's own.

    Raises:
        Conflict: another git is writing it.
    """
    made = shadow.scratch / "made"
    if staged.missing:
        made.touch(mode=0o600)
    else:
        _make(door, made, staged)
    own, lock, ours = door.git_dir / "index", door.git_dir / "index.lock", _mark(shadow)
    made.rename(ours)
    _take(door, ours, lock)
    if staged.missing:
        own.unlink(missing_ok=True)
        lock.unlink()
    else:
        lock.rename(own)
    ours.unlink()


def _make(door: Git, made: Path, staged: Staged) -> None:
    more = {"GIT_INDEX_FILE": str(made)}
    if staged.raw:
        made.write_bytes(staged.raw)
        os.utime(made, ns=(staged.time, staged.time))
    else:
        door.run("read-tree", staged.tree, more=more, seconds=TREE_SECONDS)
    options = ("update-index", "-q", "--unmerged", "--ignore-submodules", "--refresh")
    door.run(*options, more=more, codes=(0, 1), seconds=TREE_SECONDS)
    with suppress(FileNotFoundError):
        shutil.copymode(door.git_dir / "index", made)


def _take(door: Git, ours: Path, lock: Path) -> None:
    try:
        os.link(ours, lock)
    except FileExistsError:
        locks.recover(lock, door.common, door.desk)
        try:
            os.link(ours, lock)
        except FileExistsError:
            raise Conflict(
                "Another git is writing the index of the worktree", remedy="Let it end, then call again."
            ) from None


def unlock(door: Git, shadow: Shadow) -> None:
    """Remove the lock of an index that was being put back when its process ended: it is the same file as ours."""
    lock, ours = door.git_dir / "index.lock", _mark(shadow)
    with suppress(FileNotFoundError):
        if lock.samefile(ours):
            lock.unlink()
    ours.unlink(missing_ok=True)


def _mark(shadow: Shadow) -> Path:
    return shadow.folder / "index.ours"
