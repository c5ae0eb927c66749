"""The journal's file follows the database, and no database is taken for whole beside a file that knows more."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

from milestone.domain.errors import Refusal
from milestone.store.engine import Engine, Transaction, run
from milestone.store.journal import Journal
from milestone.store.lines import End, encode, end_of, last, opened

_AT_ONCE = 200


def follow(path: Path, project: str, engine: Engine) -> int:
    """Add to the file the entries of a project's journal that it does not have, and return how many.

    The caller sees to it that one process at a time does this.

    Raises:
        Refusal: the file belongs to another project, or goes on where the database does not.
    """
    with opened(path, "a") as file:
        end = _mended(file, path)
        if end and end.project != project:
            raise Refusal(f"{path} is the journal of project {end.project!r}, not of {project!r}")
        number = end.number if end else 0
        if end and _after(engine, project, number - 1, 1) != [(number, end.text)]:
            raise _ahead(path, number)
        added = 0
        while found := _after(engine, project, number, _AT_ONCE):
            file.writelines(text for _, text in found)
            number, added = found[-1][0], added + len(found)
        if added:
            file.flush()
            os.fsync(file.fileno())
        return added


def expect(path: Path, database: Path) -> None:
    """See that a database is there if its journal is.

    Raises:
        Refusal: it is gone, or nothing is in it.
    """
    if last(path) and not (database.exists() and database.stat().st_size):
        raise Refusal(
            f"The database {database} is gone, and its journal {path.name} is not",
            remedy="`milestone rebuild` makes it anew from the journal; move the journal away to begin without it.",
        )


def reaches(path: Path, project: str, engine: Engine) -> None:
    """See that a database reaches as far as its journal did when this was asked.

    Raises:
        Refusal: it ends earlier, so that it is another one.
    """
    end = last(path)
    if end and run(engine, lambda tx: Journal(tx, project).number, write=False) < end.number:
        raise _ahead(path, end.number)


def _after(engine: Engine, project: str, number: int, limit: int) -> list[tuple[int, bytes]]:
    def look(transaction: Transaction) -> list[tuple[int, bytes]]:
        rows = Journal(transaction, project).after(number, limit)
        return [(row["number"], encode(project, row)) for row in rows]

    return run(engine, look, write=False)


def _ahead(path: Path, number: int) -> Refusal:
    return Refusal(
        f"The database does not have entry {number} as its journal {path} has it: another one took its place",
        remedy="`milestone rebuild` brings back what the journal has; move the journal away to go on without it.",
    )


def _mended(file: BinaryIO, path: Path) -> End | None:
    """Return the newest whole line, having cut off what follows it, and leave the file at its end."""
    end, size = end_of(file)
    if end is None and size:
        raise Refusal(f"{path} ends with a line that is damaged", remedy="Look with `milestone rebuild --check`.")
    file.truncate(size)
    file.seek(size)
    return end
