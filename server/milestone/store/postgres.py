"""PostgreSQL: a pool of connections; writers of one project queue on its row."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any, LiteralString, cast

import psycopg
from psycopg.rows import DictRow, dict_row
from psycopg_pool import ConnectionPool, PoolTimeout

from milestone.domain.errors import Refusal
from milestone.domain.leases import Clock
from milestone.store.engine import PATIENCE, Entry, Row, Step, Transaction, busy
from milestone.store.guard import forked
from milestone.store.queries import Query, pending

_IDLE = 60.0
_LOOK = 2
_MIGRATION_LOCK = 7_305_211_942
_TURN_LOCK = 7_305_211_943
_CLOCK = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS ms"
_TURN = """SELECT pg_advisory_xact_lock(hashtextextended(%s, %s)),
    (SELECT coalesce(max(version), 0) FROM schema_versions) AS version"""
_VERSIONS = (
    "CREATE TABLE IF NOT EXISTS schema_versions (version INTEGER NOT NULL PRIMARY KEY, applied_at TEXT NOT NULL)"
)


class PostgresTransaction:
    """A transaction on a connection of the pool."""

    def __init__(self, connection: psycopg.Connection[DictRow], check: Callable[[], None], version: int = 0) -> None:
        self.connection, self._check = connection, check
        self.entries: list[Entry] = []
        self._version = version

    def rows(self, query: Query, **values: object) -> Sequence[Row]:
        """Return every row of a query."""
        self._check()
        with _explained():
            return self.connection.execute(_text(query.pyformat), values).fetchall()

    def change(self, query: Query, **values: object) -> int:
        """Carry out a statement and return how many rows it changed."""
        self._check()
        with _explained():
            return self.connection.execute(_text(query.pyformat), values).rowcount

    def clock(self) -> Clock:
        """Return the database's own clock, whichever machine asks."""
        row = self.connection.execute(_CLOCK).fetchone() or {}
        return Clock("database", int(row["ms"]))

    def version(self) -> int:
        """Return which version the tables had when the writer's turn was asked for."""
        return self._version


class PostgresEngine:
    """A database that many machines may share. `url` is a libpq address, `project` whose turn a writer takes.

    A server allows a hundred connections unless told otherwise, and every session of every host has an engine: so one
    holds at most `size`, and gives back what it has not used for a minute. `patience`, in seconds, is for a connection.
    """

    blocking = True

    def __init__(self, url: str, project: str, *, size: int = 4, patience: float = PATIENCE) -> None:
        self._url, self._project, self._patience = url, project, patience
        self._process = os.getpid()
        self._pool: ConnectionPool[psycopg.Connection[DictRow]] = ConnectionPool(
            url,
            min_size=0,
            max_size=size,
            timeout=patience,
            max_idle=_IDLE,
            open=False,
            connection_class=psycopg.Connection[DictRow],
            kwargs={"row_factory": dict_row, "autocommit": True},
        )
        self._pool.open()

    def migrate(self) -> None:
        """Bring the tables to this program's version in one transaction, one process at a time."""
        with self._connected() as connection, connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (_MIGRATION_LOCK,))
            connection.execute(_VERSIONS)
            row = connection.execute("SELECT coalesce(max(version), 0) AS version FROM schema_versions").fetchone()
            for number, statements in pending(int(row["version"]) if row else 0):
                for statement in statements:
                    connection.execute(_text(statement))
                connection.execute("INSERT INTO schema_versions VALUES (%s, now()::text)", (number,))

    def enter(self, *, write: bool, patience: float = PATIENCE) -> Generator[Step, None, Transaction]:
        """Begin a transaction; a writer takes the project's lock first, so that writers see each other's work."""
        connection = self._begun("BEGIN" if write else "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        version = 0
        try:
            if write:
                connection.execute("SELECT set_config('lock_timeout', %s, true)", (f"{int(patience * 1000)}ms",))
                row = connection.execute(_TURN, (self._project, _TURN_LOCK)).fetchone()
                version = int(row["version"]) if row else 0
        except psycopg.errors.LockNotAvailable:
            self._give_back(connection)
            raise busy(patience) from None
        except psycopg.OperationalError as error:
            self._give_back(connection)
            raise _broken(error) from error
        except BaseException:
            self._give_back(connection)
            raise
        return PostgresTransaction(connection, self._must_be_ours, version)
        yield  # a generator like its sibling, although nothing is waited for outside the database

    def leave(self, transaction: Transaction, *, commit: bool) -> None:
        """End a transaction and give its connection back."""
        assert isinstance(transaction, PostgresTransaction)
        self._must_be_ours()
        try:
            if commit:
                with _explained():
                    transaction.connection.execute("COMMIT")
        finally:
            self._give_back(transaction.connection)

    def maintain(self) -> Mapping[str, object]:
        """Return version, tables with their estimated row counts and size."""
        with self._connected() as connection:
            version = connection.execute("SHOW server_version").fetchone() or {}
            tables = connection.execute(
                "SELECT relname, n_live_tup FROM pg_stat_user_tables ORDER BY relname"
            ).fetchall()
            size = connection.execute("SELECT pg_database_size(current_database()) AS bytes").fetchone() or {}
        counts: dict[str, Any] = {row["relname"]: row["n_live_tup"] for row in tables}
        return {
            "engine": f"PostgreSQL {version['server_version']}",
            "integrity": "ok",
            "tables": counts,
            "bytes": size["bytes"],
        }

    def close(self) -> None:
        """Close every connection."""
        with contextlib.suppress(Refusal):
            self._must_be_ours()
            self._pool.close()

    def _begun(self, begin: LiteralString) -> psycopg.Connection[DictRow]:
        """Return a connection with a transaction; the pool may hold some whose server has ended since."""
        while True:
            connection = self._connection()
            try:
                connection.execute(begin)
            except psycopg.OperationalError as error:
                broken = connection.broken
                self._give_back(connection)
                if not broken:
                    raise _broken(error) from error
            else:
                return connection

    def _must_be_ours(self) -> None:
        if os.getpid() != self._process:
            raise forked("The PostgreSQL of MILESTONE_DATABASE_URL", self._process)

    def _connection(self) -> psycopg.Connection[DictRow]:
        self._must_be_ours()
        try:
            return self._pool.getconn()
        except PoolTimeout:
            raise self._closed() from None

    def _closed(self) -> Refusal:
        """Return why there was no connection; the pool does not tell, so one more is asked for."""
        reason, remedy = "all of its connections are in use", "Call again"
        try:
            psycopg.connect(self._url, connect_timeout=_LOOK).close()
        except psycopg.OperationalError as error:
            reason = str(error).strip().splitlines()[-1].strip()
            remedy = "Start it, mend the address, or let it take more connections (max_connections)"
        return Refusal(
            f"The PostgreSQL of MILESTONE_DATABASE_URL gave no connection within {self._patience:g} s: {reason}",
            remedy=f"{remedy}; nothing was written.",
        )

    @contextlib.contextmanager
    def _connected(self) -> Generator[psycopg.Connection[DictRow], None, None]:
        connection = self._connection()
        try:
            yield connection
        finally:
            self._give_back(connection)

    def _give_back(self, connection: psycopg.Connection[DictRow]) -> None:
        if connection.info.transaction_status is not psycopg.pq.TransactionStatus.IDLE:
            try:
                connection.execute("ROLLBACK")
            except psycopg.OperationalError:
                connection.close()
        self._pool.putconn(connection)


@contextlib.contextmanager
def _explained() -> Generator[None, None, None]:
    try:
        yield
    except psycopg.OperationalError as error:
        raise _broken(error) from error


def _broken(error: psycopg.OperationalError) -> Refusal:
    """Return what an error of the database's surroundings means to people; a commit may have gone through all the same.

    What is our own mistake, a constraint or a wrong statement, is no such error.
    """
    said = (error.diag.message_primary or str(error)).strip().splitlines()
    wrong = "The disk of PostgreSQL is full" if isinstance(error, psycopg.errors.DiskFull) else "PostgreSQL broke off"
    return Refusal(
        f"{wrong}: {said[0] if said else type(error).__name__}",
        remedy="Call again with the same request_id: what was written after all is not written twice.",
    )


def _text(sql: str) -> LiteralString:
    """Our own SQL files are the only source of statements."""
    return cast("LiteralString", sql)
