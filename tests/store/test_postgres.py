"""What is said when PostgreSQL gives no connection: why, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from milestone.domain.errors import Refusal
from milestone.store.engine import Step, Transaction
from milestone.store.postgres import PostgresEngine
from tests.helpers.postgres import Postgres

SOON = 0.2


def entered(engine: PostgresEngine) -> Transaction:
    """Return a transaction that reads."""
    steps: Iterator[Step] = engine.enter(write=False)
    try:
        next(steps)
    except StopIteration as end:
        return end.value
    raise AssertionError("it waited outside of the database")


def refused(engine: PostgresEngine) -> str:
    """Return what is said instead of a transaction."""
    with pytest.raises(Refusal) as caught:
        entered(engine)
    return str(caught.value)


def test_a_server_that_is_not_there_is_named_with_what_the_machine_said(tmp_path: Path) -> None:
    with closing(PostgresEngine(f"postgresql://postgres@/none?host={tmp_path}", "p", patience=SOON)) as engine:
        said = refused(engine)
    assert said.startswith("The PostgreSQL of MILESTONE_DATABASE_URL gave no connection within 0.2 s: ")
    assert said.endswith("(max_connections); nothing was written.")


def test_a_server_that_takes_nobody_more_says_so(postgres: Postgres) -> None:
    url = postgres.new_database()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE ROLE narrow LOGIN CONNECTION LIMIT 1")
    narrow = url.replace("postgres@", "narrow@")
    with psycopg.connect(narrow), closing(PostgresEngine(narrow, "p", patience=SOON)) as engine:
        assert "too many connections" in refused(engine)


def test_who_finds_all_connections_in_use_is_told_to_call_again(postgres: Postgres) -> None:
    with closing(PostgresEngine(postgres.new_database(), "p", size=1, patience=SOON)) as engine:
        used = entered(engine)
        assert refused(engine).endswith("all of its connections are in use. Call again; nothing was written.")
        engine.leave(used, commit=False)
        engine.leave(entered(engine), commit=False)
