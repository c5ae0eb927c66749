"""PostgreSQL: a pool of connections; writers of one project queue on its row."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Mapping, Sequence
from typing import Any, LiteralString, cast

import psycopg
from psycopg.rows import DictRow, dict_row
from psycopg_pool import ConnectionPool, PoolTimeout

from milestone.domain.errors import Refusal
from milestone.domain.leases import Clock
from milestone.store.engine import PATIENCE, Row, Step, Transaction, busy
from milestone.store.queries import Query, pending

_MIGRATION_LOCK = 7_305_211_942
_TURN_LOCK = 7_305_211_943
_CLOCK = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS ms"
_VERSIONS = (
    "CREATE TABLE IF NOT EXISTS schema_versions (version INTEGER NOT NULL PRIMARY KEY, applied_at TEXT NOT NULL)"
)


class PostgresTransaction:
    """A transaction on a connection of the pool."""

    def __init__(self, connection: psycopg.Connection[DictRow]) -> None:
        self.connection = connection

    def rows(self, query: Query, **values: object) -> Sequence[Row]:
        """Return every row of a query."""
        return self.connection.execute(_text(query.pyformat), values).fetchall()

    def change(self, query: Query, **values: object) -> int:
        """Carry out a statement and return how many rows it changed."""
        return self.connection.execute(_text(query.pyformat), values).rowcount

    def clock(self) -> Clock:
        """Return the database's own clock, whichever machine asks."""
        row = self.connection.execute(_CLOCK).fetchone() or {}
        return Clock("database", int(row["ms"]))


class PostgresEngine:
    """A database that many machines may share. `url` is a libpq address, `project` whose turn a writer takes."""

    blocking = True

    def __init__(self, url: str, project: str, *, size: int = 8) -> None:
        self._project = project
        self._pool: ConnectionPool[psycopg.Connection[DictRow]] = ConnectionPool(
            url,
            min_size=0,
            max_size=size,
            timeout=PATIENCE,
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
        connection = self._connection()
        try:
            connection.execute("BEGIN" if write else "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            if write:
                connection.execute("SELECT set_config('lock_timeout', %s, true)", (f"{int(patience * 1000)}ms",))
                connection.execute(
                    "SELECT pg_advisory_xact_lock(hashtextextended(%s, %s))", (self._project, _TURN_LOCK)
                )
        except psycopg.errors.LockNotAvailable:
            self._give_back(connection)
            raise busy(patience) from None
        except BaseException:
            self._give_back(connection)
            raise
        return PostgresTransaction(connection)
        yield  # a generator like its sibling, although nothing is waited for outside the database

    def leave(self, transaction: Transaction, *, commit: bool) -> None:
        """End a transaction and give its connection back."""
        assert isinstance(transaction, PostgresTransaction)
        try:
            if commit:
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
        self._pool.close()

    def _connection(self) -> psycopg.Connection[DictRow]:
        try:
            return self._pool.getconn()
        except PoolTimeout:
            raise Refusal(
                f"The PostgreSQL of MILESTONE_DATABASE_URL did not answer within {PATIENCE:g} s",
                remedy="Start it, or mend the address; nothing was written.",
            ) from None

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


def _text(sql: str) -> LiteralString:
    """Our own SQL files are the only source of statements."""
    return cast("LiteralString", sql)
