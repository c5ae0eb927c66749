"""What lies at the places of a worktree, whose names are bytes; links are seen and never followed."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Collection, Iterable
from enum import Enum
from functools import cache
from pathlib import Path

from milestone.git.names import decoded, encoded

_FILES = (stat.S_IFREG, stat.S_IFLNK)


class _State(Enum):
    """A folder is there, or nothing is (or only what goes), or something else is and stays."""

    THERE = 1
    FREE = 2
    BARRED = 3


def there(top: Path, paths: Iterable[str]) -> dict[str, None]:
    """Return the paths at which there is a file or a link, with no link on the way to it."""
    state = _states(top, ())
    return {path: None for path in paths if state(_parent(path)) is _State.THERE and _kind(_bytes(top, path)) in _FILES}


def reached_by_link(top: Path, path: str) -> bool:
    """Return whether there is a link on the way to a path below a folder, or in its place."""
    parts = path.split("/")
    return any(_kind(_bytes(top, "/".join(parts[: count + 1]))) == stat.S_IFLNK for count in range(len(parts)))


def taken(top: Path, paths: Iterable[str], going: Collection[str]) -> list[str]:
    """Return the paths where no file can be made since something is in the way that is not among those `going`."""
    state = _states(top, going)
    return [path for path in paths if _is_taken(top, path, state(_parent(path)), going)]


def _is_taken(top: Path, path: str, parent: _State, going: Collection[str]) -> bool:
    if parent is not _State.THERE:
        return parent is _State.BARRED
    place = _bytes(top, path)
    kind = _kind(place)
    return kind != 0 if kind != stat.S_IFDIR else _holds(place, encoded(path), going)


def _holds(place: bytes, path: bytes, going: Collection[str]) -> bool:
    """Whether a folder holds anything beside folders and what goes."""
    with os.scandir(place) as entries:
        for entry in entries:
            name = path + b"/" + entry.name
            if entry.name == b".git":
                return True
            if entry.is_dir(follow_symlinks=False):
                if _holds(entry.path, name, going):
                    return True
            elif decoded(name) not in going:
                return True
    return False


def _states(top: Path, going: Collection[str]) -> Callable[[str], _State]:
    @cache
    def state(folder: str) -> _State:
        if not folder:
            return _State.THERE
        above = state(_parent(folder))
        if above is not _State.THERE:
            return above
        kind = _kind(_bytes(top, folder))
        if kind == stat.S_IFDIR:
            return _State.THERE
        return _State.FREE if kind == 0 or folder in going else _State.BARRED

    return state


def _parent(path: str) -> str:
    return path.rpartition("/")[0]


def _bytes(top: Path, path: str) -> bytes:
    return os.fsencode(top) + b"/" + encoded(path)


def _kind(place: bytes) -> int:
    """Return what lies at a place; zero where nothing does."""
    try:
        return stat.S_IFMT(os.lstat(place).st_mode)
    except OSError:
        return 0
