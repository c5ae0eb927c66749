"""Makes the tables of a project anew from its journal, of which nothing is believed that cannot be checked.

An entry names a statement of ours, never SQL; its values are plain; a copy fills only tables and columns that our
migrations make; and what an entry changed once it has to change again.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from milestone.domain.errors import Refusal
from milestone.store import queries
from milestone.store.engine import Row, Transaction, run
from milestone.store.journal import Journal, everything, insert
from milestone.store.layout import kept, tables, volatile
from milestone.store.lines import Line
from milestone.store.sqlite import SqliteEngine
from milestone.store.tables import dump
from milestone.store.written import Written

_AT_ONCE = 200


def rebuild(written: Written, target: Path) -> None:
    """Make a new SQLite database by carrying a journal out.

    Raises:
        Refusal: an entry is not ours, or does not do what it did.
    """
    engine = SqliteEngine(target)
    try:
        if written.tail > written.begin:
            engine.migrate(upto=next(written.lines(written.begin, written.tail)).version)
            run(engine, lambda tx: carry_out(tx, written.lines(written.begin, written.tail)), write=True)
        engine.migrate()
        run(engine, lambda tx: carry_out(tx, written.lines(written.tail, written.end + 1)), write=True)
        run(engine, lambda tx: _keep(tx, written), write=True)
    finally:
        engine.close()


def carry_out(transaction: Transaction, lines: Iterable[Line]) -> None:
    """Do again what lines of a journal say was done.

    Raises:
        Refusal: an entry is not ours, or does not do what it did.
    """
    for line in lines:
        for entry in line.entries:
            try:
                _entry(transaction, line, entry)
            except (sqlite3.Error, OverflowError) as error:
                raise _wrong(line, f"cannot be carried out ({error})") from error


def pour(source: Transaction, target: Transaction, project: str) -> None:
    """Write everything that one database holds of a project, its journal too, into another that holds nothing of it.

    Raises:
        Refusal: the other one does hold something of it.
    """
    if any(rows for _, rows in everything(target, project, tables(queries.VERSION))):
        raise Refusal(
            f"The database holds project {project!r} already; nothing was written",
            remedy="`milestone rebuild --check` compares it with the journal.",
        )
    for table, rows in everything(source, project, tables(queries.VERSION)):
        for row in rows:
            insert(target, table, row)
    journal, number = Journal(source, project), 0
    while rows := journal.after(number, _AT_ONCE):
        for row in rows:
            Journal(target, project).add(row["number"], row["position"], row["schema_version"], row["entries"])
        number = rows[-1]["number"]


def differences(present: Transaction, made: Transaction, project: str) -> dict[str, dict[str, int]]:
    """Return by table how many rows the database has that its journal does not lead to, and the other way round.

    Columns that the journal does not keep are not looked at.
    """
    found: dict[str, dict[str, int]] = {}
    chosen = kept(queries.VERSION)
    for (table, rows), (_, others) in zip(
        everything(present, project, chosen), everything(made, project, chosen), strict=True
    ):
        has, leads_to = (Counter(_texts(some, volatile().get(table, ()))) for some in (rows, others))
        if has != leads_to:
            extra, missing = (has - leads_to).total(), (leads_to - has).total()
            found[table] = {"not_in_journal": extra, "not_in_database": missing}
    return found


def _texts(rows: Iterable[Row], without: Iterable[str]) -> list[str]:
    return [dump([value for column, value in row.items() if column not in without]) for row in rows]


def _keep(transaction: Transaction, written: Written) -> None:
    """Write the journal itself, and see that the tables stand where it ends."""
    journal = Journal(transaction, written.project)
    for line in written.lines(1, written.end + 1):
        journal.add(line.number, line.position, line.version, dump(line.entries))
        if line.number == written.end and journal.position != line.position:
            raise _wrong(line, f"leads to position {journal.position}, not to {line.position} as it says")


def _entry(transaction: Transaction, line: Line, entry: Any) -> None:
    given = cast("list[Any]", entry)
    match entry:
        case [str(group), str(name), dict(), int(changed)]:
            _statement(transaction, line, group, name, given[2], changed)
        case {"table": str(table), "columns": list(), "rows": list()} if line.copy[0]:
            _copy(transaction, line, table, cast("dict[str, Any]", entry))
        case {"copy": [int(), int()]} if line.copy[0]:
            pass
        case _:
            raise _wrong(line, "is of no known kind")


def _statement(transaction: Transaction, line: Line, group: str, name: str, given: Any, changed: int) -> None:
    """Carry out a statement of ours once more."""
    query = queries.catalogue().get(group, {}).get(name)
    if query is None or not query.writes or query.volatile:
        raise _wrong(line, f"names a statement that there is not: {group[:60]!r}, {name[:60]!r}")
    values = {**_plain(line, given), "project_id": line.project}
    if not query.holes <= values.keys():
        raise _wrong(line, f"lacks values for {name}: {', '.join(sorted(query.holes - values.keys()))}")
    values = {hole: values[hole] for hole in query.holes}
    returns = "RETURNING" in query.sql
    done = len(transaction.rows(query, **values)) if returns else transaction.change(query, **values)
    if done != changed:
        raise _wrong(line, f"changed {changed} rows by {name}, and changes {done} now")


def _copy(transaction: Transaction, line: Line, table: str, entry: Mapping[str, Any]) -> None:
    """Write the rows of a copy into their table."""
    columns = cast("list[Any]", entry["columns"])
    known = tables(line.version).get(table, ())
    if sorted(map(str, columns)) != sorted(known):
        raise _wrong(line, f"has another table than ours: {table[:60]!r}")
    for row in cast("list[Any]", entry["rows"]):
        if not isinstance(row, list) or len(cast("list[Any]", row)) != len(columns):
            raise _wrong(line, f"has a row of {table} that does not fit")
        values = _plain(line, dict(zip(columns, cast("Sequence[Any]", row), strict=True)))
        if values["project_id"] != line.project:
            raise _wrong(line, "has a row of another project")
        insert(transaction, table, values)


def _plain(line: Line, values: Mapping[Any, Any]) -> dict[str, Any]:
    """Return values that are all texts, numbers or nothing."""
    if not all(isinstance(value, str | int | float | None) for value in values.values()):
        raise _wrong(line, "has a value that is no text, no number and not nothing")
    if any(isinstance(value, str) and "\0" in value for value in values.values()):
        raise _wrong(line, "has a text that no database of ours can hold")
    return {str(name): value for name, value in values.items()}


def _wrong(line: Line, what: str) -> Refusal:
    return Refusal(f"Entry {line.number} of the journal {what}", remedy="Nothing was changed. Restore a backup.")
