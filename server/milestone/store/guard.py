"""What stands around every use of a SQLite connection: it must be ours, and its errors must say how to mend them."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from types import TracebackType

from milestone.domain.errors import Refusal

_AGAIN = "then call again with the same request_id: what was written after all is not written twice."
_DAMAGED = "`milestone rebuild` makes it anew from its journal; nothing of ours repairs it unasked."
_TROUBLES = {
    sqlite3.SQLITE_FULL: ("The disk is full: {path} could not be written", f"Make room there, {_AGAIN}"),
    sqlite3.SQLITE_IOERR: (
        "The disk is full or failing: {path} could not be read or written ({name})",
        f"Make room there or mend the disk, {_AGAIN}",
    ),
    sqlite3.SQLITE_READONLY: ("{path} may not be written ({name})", f"Let its owner write it and its folder, {_AGAIN}"),
    sqlite3.SQLITE_CANTOPEN: ("{path} cannot be opened", f"See that its folder is there and yours, {_AGAIN}"),
    sqlite3.SQLITE_CORRUPT: ("{path} seems damaged ({name})", _DAMAGED),
    sqlite3.SQLITE_NOTADB: ("{path} is no database of SQLite", _DAMAGED),
}


class Guard:
    """Refuses a connection that is not this process's own, and explains what SQLite raises."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._process = os.getpid()
        self._file = _identity(path)

    def check_file(self) -> None:
        """Let nothing be done in a file that nobody finds again.

        Raises:
            Refusal: the database was deleted or replaced since it was opened.
        """
        if _identity(self._path) != self._file:
            raise Refusal(
                f"{self._path} was deleted or replaced while this server had it open; nothing was read or written",
                remedy="If it is gone, `milestone rebuild` brings it back; then start this server anew.",
            )

    def __enter__(self) -> None:
        if os.getpid() != self._process:
            raise forked(str(self._path), self._process)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, sqlite3.Error):
            explained = explain(error, self._path)
            if explained is not None:
                raise explained from error


def _identity(path: Path) -> tuple[int, int]:
    try:
        found = os.stat(path)  # noqa: PTH116 - before every transaction
    except FileNotFoundError:
        return (0, 0)
    return (found.st_dev, found.st_ino)


def forked(place: str, owner: int) -> Refusal:
    """Return the refusal for a process that was forked off after the database was opened.

    Going on would end the parent's transactions and drop its locks.
    """
    return Refusal(
        f"{place} was opened by process {owner}, and this one was forked off from it; nothing was read or written",
        remedy="Open the database anew in this process, or start programs instead of forking.",
    )


def explain(error: sqlite3.Error, path: Path) -> Refusal | None:
    """Return what an error means to people; nothing where it is a mistake of ours.

    An error of a commit does not say that nothing was committed: hence the request_id.
    """
    found = _TROUBLES.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)
    if found is None:
        return None
    wrong, remedy = found
    return Refusal(wrong.format(path=path, name=error.sqlite_errorname), remedy=remedy)
