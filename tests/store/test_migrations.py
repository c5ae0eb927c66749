"""Migrations: the same tables everywhere, from however many processes at once, and never backwards."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from milestone.domain.errors import Refusal
from milestone.store.engine import Engine, run
from milestone.store.queries import Query, migrations
from milestone.store.sqlite import SqliteEngine
from tests.helpers.postgres import Postgres
from tests.helpers.worker import Workers

COLUMNS = """
    SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns
     WHERE table_schema = 'public'"""
PRIMARY = """
    SELECT t.relname, a.attname FROM pg_index i
      JOIN pg_class t ON t.oid = i.indrelid
      JOIN pg_namespace n ON n.oid = t.relnamespace
      JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = ANY (i.indkey)
     WHERE i.indisprimary AND n.nspname = 'public'"""
INDEXES = "SELECT indexname FROM pg_indexes WHERE schemaname = 'public' AND indexname NOT LIKE '%_pkey'"
LINKS = """
    SELECT r.relname, t.relname FROM pg_constraint c
      JOIN pg_class r ON r.oid = c.conrelid
      JOIN pg_class t ON t.oid = c.confrelid
     WHERE c.contype = 'f'"""
TYPES = {"TEXT": "text", "BIGINT": "bigint", "INTEGER": "integer"}
NEWEST = migrations()[-1][0]


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    """Eight processes for the whole module."""
    with Workers(8) as eight:
        yield eight


def test_from_nothing_both_engines_end_with_the_same_tables(database_path: Path, postgres: Postgres) -> None:
    url = postgres.new_database()
    lite = SqliteEngine(database_path)
    lite.migrate()
    lite.close()
    from milestone.store.postgres import PostgresEngine

    big = PostgresEngine(url, "p")
    big.migrate()
    big.close()
    with sqlite3.connect(database_path) as one, psycopg.connect(url) as other:
        names = [name for (name,) in one.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        shape = {name: one.execute(f"PRAGMA table_info({name})").fetchall() for name in names}
        columns = {(name, row[1], TYPES[row[2]], "NO" if row[3] else "YES") for name in names for row in shape[name]}
        theirs = {row for row in other.execute(COLUMNS).fetchall() if row[0] != "schema_versions"}
        assert columns == theirs
        assert len(names) >= 14
        primary = {(name, row[1]) for name in names for row in shape[name] if row[5]}
        assert primary == {row for row in other.execute(PRIMARY).fetchall() if row[0] != "schema_versions"}
        indexes = {
            name for (name,) in one.execute("SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")
        }
        assert indexes == {name for (name,) in other.execute(INDEXES).fetchall()}
        links = sorted(
            (name, row[2]) for name in names for row in one.execute(f"PRAGMA foreign_key_list({name})") if row[1] == 0
        )
        assert links == sorted(other.execute(LINKS).fetchall())
    one.close()


def test_migrating_again_changes_nothing(engine: Engine, open_engine: Callable[[], Engine]) -> None:
    run(engine, lambda tx: tx.change(Query("q", "INSERT INTO projects VALUES ('p', 7, 'now')")), write=True)
    engine.migrate()
    open_engine().migrate()
    assert [
        row["position"] for row in run(engine, lambda tx: tx.rows(Query("q", "SELECT * FROM projects")), write=False)
    ] == [7]


def test_a_newer_database_is_refused_with_both_versions_and_left_alone(
    open_engine: Callable[[], Engine], engine: Engine
) -> None:
    later = "PRAGMA user_version=99" if not engine.blocking else "INSERT INTO schema_versions VALUES (99, 'later')"
    run(engine, lambda tx: tx.change(Query("later", later)), write=True)
    with pytest.raises(Refusal, match=rf"of version 99 and this program knows version {NEWEST}\. Update the plugin"):
        open_engine().migrate()


def test_a_hundred_and_sixty_first_starts_at_once_all_succeed(tmp_path: Path, workers: Workers) -> None:
    """Planted and found: without the turn around migrations some of them fail (the next test)."""
    answers = [workers.all("migrate", place=str(tmp_path / f"{round_}" / "milestone.db")) for round_ in range(20)]
    assert sum(answer == 1 for answered in answers for answer in answered) == 160, answers


def test_the_check_above_fails_when_migrations_take_no_turn(tmp_path: Path) -> None:
    with Workers(8) as workers:
        workers.all("plant", bug="no_lock")
        answers = [workers.all("migrate", place=str(tmp_path / f"{round_}" / "milestone.db")) for round_ in range(5)]
    assert any("locked" in str(answer) for answered in answers for answer in answered), answers


def test_first_starts_at_once_all_succeed_on_postgresql(postgres: Postgres, workers: Workers) -> None:
    answers = [workers.all("migrate", place=postgres.new_database()) for _ in range(3)]
    assert answers == [[1] * 8] * 3


def test_migrations_are_numbered_without_a_gap() -> None:
    assert [number for number, _, _ in migrations()] == list(range(1, NEWEST + 1))
