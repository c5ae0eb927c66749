"""The journal: what each transaction changed, in one row, so that the tables can be made anew from it.

A row holds entries in order. Most name a statement of ours with its values and how many rows it changed. Where the
journal has no beginning (a database of a version without one) or the tables have a new version, it holds a copy of all
rows of the project instead, in as many journal rows as that takes; what was before is not needed any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from milestone.store import queries
from milestone.store.engine import Entry, Row, Transaction
from milestone.store.layout import kept
from milestone.store.queries import Query
from milestone.store.tables import Tables, dump

_BEGINNING = ("log", "add_project")
_PART = 1 << 20


class Journal(Tables):
    """The journal of a project."""

    file = "journal"

    @property
    def number(self) -> int:
        """The number of the newest row; 0 where there is none."""
        return int(self._rows("ending")[0]["number"] or 0)

    @property
    def position(self) -> int:
        """Where the project stands."""
        return int(self._rows("ending")[0]["position"] or 0)

    def after(self, number: int, limit: int) -> Sequence[Row]:
        """Return the rows that follow a number, oldest first."""
        return self._rows("lines_after", number=number, limit=limit)

    def add(self, number: int, position: int, version: int, entries: str) -> None:
        """Write a row as it is."""
        self._change("add_line", number=number, position=position, schema_version=version, entries=entries)

    def append(self, entries: Sequence[Entry], version: int) -> None:
        """Write what a transaction changed in tables of a version."""
        end = self._rows("ending")[0]
        begins = end["number"] is None and (entries[0].group, entries[0].name) != _BEGINNING
        if begins or end["schema_version"] not in (None, version):
            texts = copied(self._transaction, self._project, version)
        else:
            texts = [dump([[one.group, one.name, one.values, one.changed] for one in entries])]
        for number, text in enumerate(texts, int(end["number"] or 0) + 1):
            self.add(number, int(end["position"] or 0), version, text)


def flush(transaction: Transaction) -> None:
    """Write into the journal what the transaction has changed, as the last thing before its commit.

    Raises:
        Refusal: a newer program has changed the tables since this one opened the database.
    """
    version = transaction.version()
    if version > queries.VERSION:
        raise queries.newer(version)
    for project in dict.fromkeys(entry.project for entry in transaction.entries):
        mine = [entry for entry in transaction.entries if entry.project == project]
        Journal(transaction, project).append(mine, version)


def copied(transaction: Transaction, project: str, version: int) -> list[str]:
    """Return the entries of as many journal rows as a copy of all rows of a project takes."""
    return in_parts(everything(transaction, project, kept(version)))


def in_parts(rows: Iterable[tuple[str, Sequence[Row]]]) -> list[str]:
    """Return the entries of a copy of these rows, by table."""
    parts = list(_parts(rows)) or [[]]
    return [dump([{"copy": [number, len(parts)]}, *part]) for number, part in enumerate(parts, 1)]


def everything(
    transaction: Transaction, project: str, chosen: Mapping[str, Sequence[str]]
) -> Iterator[tuple[str, Sequence[Row]]]:
    """Yield tables with all rows of a project; `chosen` are their columns by table."""
    for table, columns in chosen.items():
        sql = f"SELECT {', '.join(columns)} FROM {table} WHERE project_id = :project_id"  # noqa: S608 - names are the migrations'
        yield table, transaction.rows(Query(table, sql), project_id=project)


def insert(transaction: Transaction, table: str, row: Row) -> None:
    """Write a row of a copy; its table and columns must be known to be ours."""
    holes = ", ".join(f":{column}" for column in row)
    sql = f"INSERT INTO {table} ({', '.join(row)}) VALUES ({holes})"  # noqa: S608 - names are the migrations'
    transaction.change(Query(table, sql), **row)


def _parts(copied: Iterable[tuple[str, Sequence[Row]]]) -> Iterator[list[dict[str, Any]]]:
    part: list[dict[str, Any]] = []
    size = 0
    for table, rows in copied:
        for row in rows:
            if not part or part[-1]["table"] != table:
                part.append({"table": table, "columns": list(row), "rows": []})
            part[-1]["rows"].append(list(row.values()))
            size += sum(len(value) for value in row.values() if isinstance(value, str))
            if size > _PART:
                yield part
                part, size = [], 0
    if part:
        yield part
