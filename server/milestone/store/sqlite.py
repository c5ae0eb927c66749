"""SQLite: one file, a fair queue of writers before `BEGIN IMMEDIATE`, one checkpointer at a time."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Generator, Mapping, Sequence
from functools import cache, partial
from pathlib import Path

from milestone.domain.errors import Refusal
from milestone.domain.leases import Clock
from milestone.store.engine import PATIENCE, Entry, Row, Step, Transaction, busy
from milestone.store.guard import Guard
from milestone.store.queries import Query, pending

BEGIN_WRITE = "BEGIN IMMEDIATE"
_CHECKPOINT_BYTES = 8 << 20
_RETRY_SECONDS = 0.002


class Turn:
    """A place in the queue of writers: an exclusive lock on a file beside the database.

    The kernel drops the lock when its holder dies. Each turn opens the file anew, because the lock belongs to the open
    file and two turns of one process must not share it. Whoever waits does so in a waiting room, a lock of its own that
    every writer passes through: else whoever just wrote would be back before the one it woke has begun to run.
    """

    def __init__(self, path: Path) -> None:
        self._turn = _lock_file(path)
        self._room = _lock_file(path.with_suffix(".room"))
        self._guard = threading.Lock()
        self._inside = False
        self._given_up = False
        self._blocked = False

    def now(self) -> bool:
        """Return whether the turn came without waiting; if not, the waiting room may have been entered."""
        if not self._inside and not _try_lock(self._room):
            return False
        self._inside = True
        if not _try_lock(self._turn):
            return False
        self._leave_room()
        return True

    def wait(self) -> None:
        """Block until the turn comes; gives it back at once when nobody wants it any more."""
        with self._guard:
            if self._given_up:
                return
            self._blocked = True
        if not self._inside:
            fcntl.flock(self._room, fcntl.LOCK_EX)
        fcntl.flock(self._turn, fcntl.LOCK_EX)
        self._leave_room()
        with self._guard:
            self._blocked = False
            if self._given_up:
                self.end()

    def end(self) -> None:
        """Give the turn back, also where a process that was forked off meanwhile has the same open file."""
        for held in (self._turn, self._room):
            fcntl.flock(held, fcntl.LOCK_UN)
            os.close(held)

    def give_up(self) -> None:
        """Leave the queue; a thread still blocked in `wait` lets go as soon as it comes through."""
        with self._guard:
            self._given_up = True
            if not self._blocked:
                self.end()

    def _leave_room(self) -> None:
        fcntl.flock(self._room, fcntl.LOCK_UN)
        self._inside = False


class SqliteTransaction:
    """A transaction on the one connection of an engine."""

    def __init__(self, connection: sqlite3.Connection, guard: Guard, turn: Turn | None) -> None:
        self._connection, self._guard, self.turn = connection, guard, turn
        self.entries: list[Entry] = []

    def rows(self, query: Query, **values: object) -> Sequence[Row]:
        """Return every row of a query."""
        with self._guard:
            cursor = self._connection.execute(query.sql, values)
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def change(self, query: Query, **values: object) -> int:
        """Carry out a statement and return how many rows it changed."""
        with self._guard:
            return self._connection.execute(query.sql, values).rowcount

    def clock(self) -> Clock:
        """Return the milliseconds since this machine booted, sleep included."""
        return Clock(_boot(), time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000)

    def version(self) -> int:
        """Return which version the tables have now."""
        return int(self._connection.execute("PRAGMA user_version").fetchone()[0])


class SqliteEngine:
    """The database in one file. Use it from the thread that made it."""

    blocking = False

    def __init__(self, path: Path) -> None:
        self._path = path
        self._queue = path.with_name(path.name + ".lock")
        self._log = path.with_name(path.name + "-wal")
        _private(path)
        self._guard = Guard(path)
        with self._guard:
            self._connection = sqlite3.connect(path, timeout=0, isolation_level=None, cached_statements=256)
            with self._first_turn():
                self._prepare()

    def migrate(self, *, upto: int = 0) -> None:
        """Bring the tables to this program's version, or only `upto` one: an immediate transaction per step."""
        with self._guard, self._first_turn():
            done = self._connection.execute("PRAGMA user_version").fetchone()[0]
            for number, statements in pending(done, upto):
                self._apply(number, statements)

    def enter(self, *, write: bool, patience: float = PATIENCE) -> Generator[Step, None, Transaction]:  # noqa: ARG002 - who drives the steps keeps it
        """Begin a transaction; a writer first waits for its turn."""
        turn = None
        with self._guard:
            self._guard.check_file()
            if write:
                turn = yield from self._begin_write()
            else:
                self._connection.execute("BEGIN")
        return SqliteTransaction(self._connection, self._guard, turn)

    def _begin_write(self) -> Generator[Step, None, Turn]:
        turn = Turn(self._queue)
        entered = False
        waiting = False
        try:
            if not turn.now():
                waiting = True
                yield turn.wait
                waiting = False
            self._guard.check_file()
            while not self._begun():
                yield partial(time.sleep, _RETRY_SECONDS)
            entered = True
        finally:
            if waiting:
                turn.give_up()
            elif not entered:
                turn.end()
        return turn

    def leave(self, transaction: Transaction, *, commit: bool) -> None:
        """End a transaction; a commit is on disk when this returns."""
        assert isinstance(transaction, SqliteTransaction)
        with self._guard:
            try:
                if commit:
                    self._connection.execute("COMMIT")
                if commit and transaction.turn:
                    self._checkpoint()
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                if transaction.turn:
                    transaction.turn.end()

    def maintain(self) -> Mapping[str, object]:
        """Return version, integrity, tables with their row counts and size, read through sqlite-utils."""
        with self._guard:
            return self._maintain()

    def _maintain(self) -> Mapping[str, object]:
        import sqlite_utils

        database = sqlite_utils.Database(self._connection, recursive_triggers=False, execute_plugins=False)
        return {
            "engine": f"SQLite {sqlite3.sqlite_version}",
            "integrity": self._connection.execute("PRAGMA integrity_check(1)").fetchone()[0],
            "tables": {name: database.table(name).count for name in database.table_names()},
            "bytes": self._path.stat().st_size,
        }

    def close(self) -> None:
        """Close the connection; the last one folds the log into the file, so it takes a turn for that."""
        with contextlib.suppress(Refusal), self._guard:
            with contextlib.suppress(FileNotFoundError), self._first_turn():
                self._connection.close()
            self._connection.close()  # where the lock is gone with its folder

    def _prepare(self) -> None:
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "wal_autocheckpoint=0",
            "secure_delete=ON",
        ):
            self._connection.execute(f"PRAGMA {pragma}")

    def _apply(self, number: int, statements: Sequence[str]) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            for statement in statements:
                self._connection.execute(statement)
            self._connection.execute(f"PRAGMA user_version={number}")
            self._connection.execute("COMMIT")
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def _begun(self) -> bool:
        try:
            self._connection.execute(BEGIN_WRITE)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
                return False
            raise
        return True

    def _checkpoint(self) -> None:
        """Fold the log into the file once it is long; the turn is held, so nobody writes meanwhile.

        What was committed stays committed where that fails, so that the caller must not hear of it; the next commit
        tries again.
        """
        try:
            size = os.stat(self._log).st_size  # noqa: PTH116 - after every commit
        except FileNotFoundError:
            return
        if size > _CHECKPOINT_BYTES:
            with contextlib.suppress(sqlite3.OperationalError):
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    @contextlib.contextmanager
    def _first_turn(self) -> Generator[None, None, None]:
        turn = Turn(self._queue)
        deadline = time.monotonic() + PATIENCE
        while not turn.now():
            if time.monotonic() > deadline:
                turn.end()
                raise busy(PATIENCE)
            time.sleep(_RETRY_SECONDS)
        try:
            yield
        finally:
            turn.end()


@cache
def _boot() -> str:
    """Return which boot of the machine this is."""
    return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()


def _lock_file(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _private(path: Path) -> None:
    """Create the folder for its owner alone and the file before SQLite would with everybody's permissions."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
