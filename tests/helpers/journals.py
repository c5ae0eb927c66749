"""What tests of the journal want to know: every row there is, and what a journal's file leads to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from milestone.store.engine import Engine, Transaction, run
from milestone.store.following import follow
from milestone.store.layout import volatile
from milestone.store.queries import Query
from milestone.store.replaying import rebuild
from milestone.store.sqlite import SqliteEngine
from milestone.store.store import Store
from milestone.store.written import scan
from tests.helpers.projects import TABLES

T = TypeVar("T")


def write(engine: Engine, work: Callable[[Store], T], project: str = "p") -> T:
    """Return what `work` returns, which may write."""
    return run(engine, lambda tx: work(Store(tx, project)), write=True)


def entries(engine: Engine, project: str = "p") -> list[dict[str, Any]]:
    """Return the rows of the journal."""
    return [dict(row) for row in run(engine, lambda tx: Store(tx, project).journal.after(0, 10_000), write=False)]


def all_rows(engine: Engine, project: str = "p") -> dict[str, list[list[Any]]]:
    """Return every row of every table, the journal too, without the columns that only say that somebody is alive."""

    def look(transaction: Transaction) -> dict[str, list[list[Any]]]:
        found: dict[str, list[list[Any]]] = {}
        for table in TABLES:
            without = volatile().get(table, frozenset())
            if "*" not in without:
                query = Query(table, f"SELECT * FROM {table} WHERE project_id = :project_id")  # noqa: S608 - a table's name
                rows = transaction.rows(query, project_id=project)
                some = ([row[name] for name in sorted(row) if name not in without] for row in rows)
                found[table] = sorted(some, key=str)
        return found

    return run(engine, look, write=False)


def rows_of_file(path: Path, project: str = "p") -> dict[str, list[list[Any]]]:
    """Return every row of a database file."""
    engine = SqliteEngine(path)
    try:
        return all_rows(engine, project)
    finally:
        engine.close()


def exported(engine: Engine, folder: Path, project: str = "p") -> Path:
    """Return a journal's file, brought up to date."""
    follow(folder / "journal.jsonl", project, engine)
    return folder / "journal.jsonl"


def led_to(journal: Path, target: Path, upto: int = 0) -> Path:
    """Return the database that a journal's file leads to."""
    rebuild(scan(journal, upto), target)
    return target
