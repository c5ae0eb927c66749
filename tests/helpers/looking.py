"""What the views show of a milestone, and a project that is filled with many rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from milestone.operations.context import Context
from milestone.operations.views import board
from milestone.store.engine import Transaction, run
from milestone.store.queries import Query
from milestone.store.tables import Tables
from milestone.surfaces.looking import look
from tests.helpers.projects import Project
from tests.helpers.underway import Execution

View = Callable[..., Any]


def seen(execution: Execution, view: View, *given: Any, **named: Any) -> Any:
    """Return what a view shows of a milestone."""
    return shown(execution.project, execution.milestone_id, view, *given, **named)


def shown(project: Project, milestone_id: str, view: View, *given: Any, **named: Any) -> Any:
    """Return what a view shows of a milestone of a project."""

    def work(ctx: Context) -> Any:
        row = board.find(ctx, milestone_id)
        assert row is not None
        return view(ctx, row, *given, **named)

    return look(project.application, work)


def multiply(project: Project, table: str, count: int, change: Callable[[int], dict[str, Any]], **like: Any) -> None:
    """Add rows to a table: copies of the first that is like this, each changed by its number."""
    first = next(row for row in project.rows(table) if all(row[name] == value for name, value in like.items()))
    columns = ", ".join(first)
    holes = ", ".join(f":{name}" for name in first)
    statement = Query("by hand", f"INSERT INTO {table} ({columns}) VALUES ({holes})")  # noqa: S608 - names of ours

    def add(transaction: Transaction) -> None:
        for number in range(count):
            transaction.change(statement, **{**first, **change(number)})

    run(project.engine, add, write=True)


@contextmanager
def counted() -> Iterator[dict[str, int]]:
    """Count the statements that are read and the rows that they give, by the name of the statement."""
    counts: dict[str, int] = {}
    rows = Tables._rows  # noqa: SLF001 - what is read is counted where it is read

    def counting(tables: Tables, query: str, **values: object) -> Any:
        found = rows(tables, query, **values)
        name = f"{tables.file}.{query}"
        counts[name] = counts.get(name, 0) + max(len(found), 1)
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Tables, "_rows", counting)
        yield counts
