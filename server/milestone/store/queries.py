"""Named queries: SQL files read once, in the one dialect both engines understand."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from milestone.domain.errors import Refusal

_HERE = Path(__file__).parent
_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)
_HOLE = re.compile(r"(?<!:):([a-z_]+)")


@dataclass(frozen=True)
class Query:
    """One statement, with `:name` holes and the same with `%(name)s` holes."""

    name: str
    sql: str

    @property
    def pyformat(self) -> str:
        """The statement as psycopg wants its holes."""
        return _HOLE.sub(r"%(\1)s", self.sql.replace("%", "%%"))


def load(name: str) -> Mapping[str, Query]:
    """Return the queries of `sql/<name>.sql` by their names."""
    text = (_HERE / "sql" / f"{name}.sql").read_text("utf-8")
    parts = _NAME.split(text)[1:]
    return {title: Query(title, body.strip().rstrip(";")) for title, body in zip(parts[::2], parts[1::2], strict=True)}


def migrations() -> list[tuple[int, str, list[str]]]:
    """Return the migrations in order: number, name, statements."""
    files = sorted((_HERE / "migrations").glob("*.sql"))
    return [(int(file.name[:3]), file.stem, _statements(file.read_text("utf-8"))) for file in files]


def pending(done: int) -> list[tuple[int, list[str]]]:
    """Return number and statements of the migrations that a database of version `done` still needs.

    Raises:
        Refusal: the database is of a newer version than this program.
    """
    known = migrations()
    if done > known[-1][0]:
        raise Refusal(
            f"The database is of version {done} and this program knows version {known[-1][0]}",
            remedy="Update the plugin; nothing was changed.",
        )
    return [(number, statements) for number, _, statements in known if number > done]


def _statements(text: str) -> list[str]:
    lines = (line for line in text.splitlines() if not line.startswith("--"))
    return [part.strip() for part in "\n".join(lines).split(";\n") if part.strip()]
