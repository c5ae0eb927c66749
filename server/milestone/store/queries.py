"""Named queries: SQL files read once, in the one dialect both engines understand."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from milestone.domain.errors import Refusal

_HERE = Path(__file__).parent
_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)
_HOLE = re.compile(r"(?<!:):([a-z_]+)")
_DAYS = re.compile(r"\bjulianday\((\w+)\)")
_WRITES = re.compile(r"^(?:INSERT INTO|UPDATE|DELETE FROM) (\w+)", re.MULTILINE)
_VOLATILE = re.compile(r"^-- volatile(?:: (.+))?$", re.MULTILINE)
VERSION = max(int(file.name[:3]) for file in (_HERE / "migrations").glob("*.sql"))
"""The version that this program brings a database to."""


@dataclass(frozen=True)
class Query:
    """One statement, with `:name` holes and the same with `%(name)s` holes.

    `writes` is the table it changes, empty for a read. `volatile` are the columns of it that the journal does not
    keep, because they only say that somebody is alive: `-- volatile: <columns>`, or `-- volatile`: whole rows.
    """

    name: str
    sql: str
    writes: str = ""
    volatile: tuple[str, ...] = ()

    @cached_property
    def pyformat(self) -> str:
        """The statement as psycopg wants its holes, with what PostgreSQL has for a time in days."""
        held = _HOLE.sub(r"%(\1)s", self.sql.replace("%", "%%"))
        return _DAYS.sub(r"(extract(epoch FROM \1::timestamptz) / 86400)", held)

    @cached_property
    def holes(self) -> frozenset[str]:
        """The names of the values it needs."""
        return frozenset(_HOLE.findall(self.sql))


def load(name: str) -> Mapping[str, Query]:
    """Return the queries of `sql/<name>.sql` by their names."""
    text = (_HERE / "sql" / f"{name}.sql").read_text("utf-8")
    parts = _NAME.split(text)[1:]
    return {title: _query(title, body) for title, body in zip(parts[::2], parts[1::2], strict=True)}


@cache
def catalogue() -> Mapping[str, Mapping[str, Query]]:
    """Return every statement there is, by table group and name."""
    return {file.stem: load(file.stem) for file in sorted((_HERE / "sql").glob("*.sql"))}


def migrations() -> list[tuple[int, str, list[str]]]:
    """Return the migrations in order: number, name, statements."""
    files = sorted((_HERE / "migrations").glob("*.sql"))
    return [(int(file.name[:3]), file.stem, _statements(file.read_text("utf-8"))) for file in files]


def newer(done: int) -> Refusal:
    """Return the refusal for data of a later version than this program knows."""
    return Refusal(
        f"The database is of version {done} and this program knows version {VERSION}",
        remedy="Update the plugin; nothing was changed.",
    )


def pending(done: int, upto: int = 0) -> list[tuple[int, list[str]]]:
    """Return number and statements of the migrations from version `done` to version `upto`, or to this program's.

    Raises:
        Refusal: the database is of a newer version than this program.
    """
    if done > VERSION:
        raise newer(done)
    return [(number, statements) for number, _, statements in migrations() if done < number <= (upto or VERSION)]


def _query(name: str, body: str) -> Query:
    table, volatile = _WRITES.search(body), _VOLATILE.search(body)
    columns = tuple(part.strip() for part in (volatile[1] or "*").split(",")) if volatile else ()
    return Query(name, body.strip().rstrip(";"), table[1] if table else "", columns)


def _statements(text: str) -> list[str]:
    lines = (line for line in text.splitlines() if not line.startswith("--"))
    return [part.strip() for part in ("\n".join(lines) + "\n").split(";\n") if part.strip()]
