"""What the journal relies on: statements whose effect follows from their values, and what the migrations make."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import psycopg
import pytest

from milestone.store.layout import JOURNAL, left_out, tables, volatile
from milestone.store.postgres import PostgresEngine
from milestone.store.queries import VERSION, Query, catalogue, pending
from tests.helpers.postgres import Postgres

STORE = Path(__file__).resolve().parents[2] / "server" / "milestone" / "store"
STATEMENTS = [(group, query) for group, found in catalogue().items() for query in found.values()]
KEPT = [(group, query) for group, query in STATEMENTS if query.writes and not query.volatile]
OWN_WILL = r"(?i)\b(random|randomblob|gen_random_uuid|now|clock_timestamp|current_\w+|datetime|strftime|rowid)\b"
BEGINS = {("SELECT", False), ("INSERT", True), ("UPDATE", True), ("DELETE", True)}


def test_whatever_changes_rows_is_known_to() -> None:
    """Planted and found: a statement that begins with WITH."""
    for group, query in STATEMENTS:
        begins = re.sub(r"^--.*\n", "", query.sql, flags=re.MULTILINE).split(None, 1)[0]
        assert (begins, bool(query.writes)) in BEGINS, (group, query.name)


def test_rows_are_asked_for_exactly_where_a_change_returns_some() -> None:
    """How many rows a change returned, or changed, is what the journal keeps of it."""
    for group, found in catalogue().items():
        source = (STORE / f"{group}.py").read_text("utf-8")
        for query in found.values():
            asked = set(re.findall(rf'_(rows|one|change)\(\s*"{query.name}"', source))
            wanted = {"change"} if query.writes and "RETURNING" not in query.sql else {"rows", "one"}
            assert asked <= wanted, (group, query.name)


@pytest.mark.parametrize(("group", "query"), KEPT, ids=lambda one: one.name if isinstance(one, Query) else one)
def test_what_a_statement_does_follows_from_its_values_and_what_the_journal_keeps(group: str, query: Query) -> None:
    """Planted and found: a condition on when an agent was last heard of; a time taken by the database."""
    sql = re.sub(r"(?m)^--.*$|'[^']*'", "", query.sql)
    assert not re.search(OWN_WILL, re.sub(r":\w+", "", sql)), group
    assert query.writes in tables(VERSION)
    assert not [table for table in left_out() if re.search(rf"\b{table}\b", sql)]
    looked_at = " ".join(re.split(r"\bWHERE\b", sql)[1:])
    for column in volatile().get(query.writes, ()):
        assert not re.search(rf"(?<!:)\b{column}\b", looked_at), f"{group}: {column} is not in the journal"


def test_the_journal_keeps_all_but_signs_of_life_and_the_threads_of_graphs() -> None:
    """What differs in a database made anew; docs/how-it-works.md names it."""
    assert {name for name in left_out() if not name.startswith("thread_")} == {"spend"}
    told = (STORE.parents[2] / "docs" / "how-it-works.md").read_text("utf-8")
    for table, columns in volatile().items():
        for column in columns - {"*"}:
            assert f"`{table}.{column}`" in told


@pytest.mark.parametrize("version", range(1, VERSION + 1))
def test_the_tables_and_columns_of_a_version_are_those_its_migrations_make(version: int) -> None:
    connection = sqlite3.connect(":memory:")
    for _, statements in pending(0, version):
        for statement in statements:
            connection.execute(statement)
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    made = {name: tuple(row[1] for row in connection.execute(f"PRAGMA table_info({name})")) for name in names}
    made.pop(JOURNAL, None)
    assert tables(version) == made
    connection.close()


def test_every_table_follows_those_it_refers_to(postgres: Postgres) -> None:
    url = postgres.new_database()
    engine = PostgresEngine(url, "p")
    engine.migrate()
    engine.close()
    order = list(tables(VERSION))
    linked = """SELECT r.relname, t.relname FROM pg_constraint c
        JOIN pg_class r ON r.oid = c.conrelid JOIN pg_class t ON t.oid = c.confrelid WHERE c.contype = 'f'"""
    with psycopg.connect(url) as connection:
        links = connection.execute(linked).fetchall()
    assert links
    assert [(one, other) for one, other in links if order.index(one) < order.index(other)] == []
