"""Databases that released versions left behind: as text of SQL, and from the third release on with their journals.

A release adds its own with `python tests/helpers/golden.py N`, run with its code before it ships.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests" / "store" / "golden"
VERSIONS = {"release1": 1, "release2": 2}  # those from before the journal


def lay(name: str, path: Path) -> None:
    """Make the database of a release."""
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path)
    connection.executescript((GOLDEN / f"{name}.sql").read_text("utf-8"))
    connection.execute("PRAGMA journal_mode=WAL")
    connection.close()


def projection(path: Path, like: Path) -> str:
    """Return as text what a database has in the tables and columns of another one."""
    found: dict[str, list[str]] = {}
    with sqlite3.connect(path) as one, sqlite3.connect(like) as other:
        for (table,) in other.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall():
            columns = ", ".join(row[1] for row in other.execute(f"PRAGMA table_info({table})"))
            rows = one.execute(f"SELECT {columns} FROM {table}").fetchall()  # noqa: S608 - names out of a schema
            found[f"{table} ({columns})"] = sorted(json.dumps(row, ensure_ascii=False) for row in rows)
    one.close()
    other.close()
    return json.dumps(found, ensure_ascii=False, indent=0)


def record(number: int) -> None:
    """Write the database and the journal of a history that this code plays."""
    sys.path[:0] = [str(ROOT), str(ROOT / "server")]
    from milestone.surfaces.mirroring import keep_journal
    from tests.helpers.histories import played
    from tests.helpers.projects import Project

    folder = Path("/project")  # it stands in what is recorded
    folder.mkdir()
    try:
        project = Project(folder)
        played(project, folder, number, 60)
        keep_journal(project.application, project.engine)
        journal = project.application.journal.read_text("utf-8")
        project.close()
        connection = sqlite3.connect(project.database)
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        text = "\n".join((f"PRAGMA user_version={version};", *connection.iterdump(), ""))
        connection.close()
    finally:
        shutil.rmtree(folder)
    for end, content in (("sql", text), ("jsonl", journal)):
        (GOLDEN / f"release{number}.{end}").write_text(content, "utf-8")


if __name__ == "__main__":
    record(int(sys.argv[1]))
