"""Database files as a whole: copied while in use, looked at when they come from elsewhere, put in another's place."""

from __future__ import annotations

import contextlib
import os
import re
import sqlite3
from collections.abc import Generator
from pathlib import Path
from typing import NamedTuple

from milestone.domain.errors import Refusal
from milestone.store import queries
from milestone.store.guard import explain
from milestone.store.sqlite import Turn

_SCHEMA = "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite|_%' ESCAPE '|'"
_POSITIONS = "SELECT project_id, position FROM projects ORDER BY project_id"


class Seen(NamedTuple):
    """What a database file holds: its version, and the position of each project."""

    version: int
    positions: dict[str, int]


def copy(source: Path, target: Path) -> None:
    """Make a file of its own with what a database holds at this moment; others may go on writing.

    Raises:
        Refusal: the source cannot be read as a database, or the target is there already or cannot be written.
    """
    if not source.is_file():
        raise Refusal(f"There is no file {source}")
    try:
        os.close(os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        raise Refusal(f"{target} is there already", remedy="Name another file; nothing was written.") from None
    try:
        with _open(source) as read:
            read.execute(_SCHEMA).fetchall()
            with _open(target, write=True) as written:
                read.backup(written)
                written.execute("PRAGMA journal_mode=DELETE").fetchall()
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def examine(path: Path, name: Path | None = None) -> Seen:
    """Return what a database file from elsewhere holds, having seen that it is one of ours and whole.

    `name` is what people know it by.

    Raises:
        Refusal: it is not, or it is of a newer version than this program.
    """
    name = name or path
    with _open(path) as connection:
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        if version > queries.VERSION:
            raise queries.newer(version)
        if version < 1 or _schema(connection) != _made(version):
            raise Refusal(f"{name} is no database of ours: its tables are not those of version {version}")
        for check in ("integrity_check(1)", "foreign_key_check"):
            found = connection.execute(f"PRAGMA {check}").fetchall()
            if found not in ([], [("ok",)]):
                raise Refusal(f"{name} is damaged: {found[0]}", remedy="Use another backup, or `milestone rebuild`.")
        return Seen(version, dict(connection.execute(_POSITIONS).fetchall()))


def exchange(new: Path, path: Path, kept: Path) -> None:
    """Put a database file in the place of another, which is kept under another name with what belongs to it.

    A process that has the other one open notices before its next transaction.
    """
    turn = Turn(path.with_name(path.name + ".lock"))
    if not turn.now():
        turn.wait()
    try:
        if path.exists():
            with contextlib.suppress(Refusal), _open(path, write=True) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            for end in ("", "-wal"):
                with contextlib.suppress(FileNotFoundError):
                    os.link(f"{path}{end}", f"{kept}{end}")
        for end in ("-wal", "-shm"):
            Path(f"{path}{end}").unlink(missing_ok=True)
        new.replace(path)
        _settle(path.parent)
    finally:
        turn.end()


@contextlib.contextmanager
def _open(path: Path, *, write: bool = False) -> Generator[sqlite3.Connection, None, None]:
    address = f"{path.absolute().as_uri()}?mode={'rw' if write else 'ro'}"
    try:
        connection = sqlite3.connect(address, uri=True, isolation_level=None, timeout=5)
        try:
            connection.execute("PRAGMA trusted_schema=OFF")
            yield connection
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise explain(error, path) or Refusal(f"{path} cannot be used: {error}") from error


def _schema(connection: sqlite3.Connection) -> set[tuple[str, ...]]:
    """Return everything a database is made of; quotes and spaces are put differently by versions of SQLite."""
    rows = connection.execute(_SCHEMA).fetchall()
    return {(kind, name, table, re.sub(r'["\s]', "", sql or "")) for kind, name, table, sql in rows}


def _made(version: int) -> set[tuple[str, ...]]:
    connection = sqlite3.connect(":memory:")
    try:
        for _, statements in queries.pending(0, version):
            for statement in statements:
                connection.execute(statement)
        return _schema(connection)
    finally:
        connection.close()


def _settle(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
