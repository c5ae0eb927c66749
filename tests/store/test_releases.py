"""Upgrades from each release: nothing of it is lost, whenever the program dies on the way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from milestone.store.engine import run
from milestone.store.files import examine
from milestone.store.queries import VERSION
from milestone.store.replaying import differences
from milestone.store.sqlite import SqliteEngine
from milestone.store.store import Store
from milestone.store.written import scan
from tests.helpers.golden import GOLDEN, VERSIONS, lay, projection
from tests.helpers.journals import all_rows, exported, led_to, rows_of_file
from tests.helpers.projects import ROOT

AT = "2026-12-01T00:00:00.000Z"
RELEASES = sorted(file.stem for file in GOLDEN.glob("*.sql"))

# Each child goes as far as the k-th statement of the migrations and dies there; the last one, asked for more, finishes.
DYING = """
import json, os, shutil, sqlite3, sys
from pathlib import Path
from milestone.store import sqlite

source, folder = Path(sys.argv[1]), Path(sys.argv[2])
connect = sqlite3.connect


def die_at(wanted, path):
    seen = [0]

    def traced(statement):
        seen[0] += not statement.startswith("PRAGMA") or "user_version=" in statement
        if seen[0] == wanted:
            os._exit(9)

    def connected(*given, **named):
        connection = connect(*given, **named)
        connection.set_trace_callback(traced)
        return connection

    sqlite.sqlite3.connect = connected
    engine = sqlite.SqliteEngine(path)
    engine.migrate()
    os._exit(0)


code, number = 9, 0
while code == 9:
    number += 1
    path = folder / str(number) / "milestone.db"
    path.parent.mkdir(parents=True)
    if source.exists():
        shutil.copy(source, path)
    child = os.fork()
    if not child:
        die_at(number, path)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
print(json.dumps([number, code]))
"""


@pytest.fixture(params=RELEASES)
def released(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The database of a release."""
    lay(request.param, tmp_path / "released.db")
    return tmp_path / "released.db"


def test_every_release_before_this_one_is_here() -> None:
    assert set(VERSIONS) <= set(RELEASES)


def test_an_upgrade_keeps_every_byte_of_what_was_there(released: Path, tmp_path: Path) -> None:
    """Planted and found: a migration that leaves out rows of a table it makes anew."""
    before = projection(released, released)
    upgraded = tmp_path / "upgraded.db"
    upgraded.write_bytes(released.read_bytes())
    engine = SqliteEngine(upgraded)
    engine.migrate()
    engine.migrate()
    engine.close()
    assert projection(upgraded, released) == before
    assert examine(upgraded).version == VERSION
    assert len(before) > 20_000


def test_an_upgraded_database_can_be_made_anew_from_its_journal(released: Path, tmp_path: Path) -> None:
    engine = SqliteEngine(released)
    engine.migrate()
    (project,) = examine(released).positions
    for text in ("first", "second"):
        run(engine, lambda tx, text=text: Store(tx, project).log.add(text, milestone_id="", at=AT), write=True)
    path = exported(engine, tmp_path, project)
    first, *rest = path.read_text("utf-8").splitlines()
    if "release1" in str(tmp_path) or "release2" in str(tmp_path):
        assert json.loads(first)["entries"][0] == {"copy": [1, 1]}
        assert len(rest) == 1
    assert rows_of_file(led_to(path, tmp_path / "new.db"), project) == all_rows(engine, project)
    engine.close()


def test_the_journal_of_a_release_leads_to_its_database(tmp_path: Path) -> None:
    """There is one from the third release on; a statement that was released keeps its name and its meaning."""
    for journal in sorted(GOLDEN.glob("*.jsonl")):
        database = tmp_path / journal.stem / "released.db"
        lay(journal.stem, database)
        engine, made = SqliteEngine(database), SqliteEngine(led_to(journal, tmp_path / f"{journal.stem}.db"))
        engine.migrate()
        project = scan(journal).project
        assert run(engine, lambda a: run(made, lambda b: differences(a, b, project), write=False), write=False) == {}  # noqa: B023
        engine.close()
        made.close()


@pytest.mark.parametrize("release", ["", *RELEASES])
def test_killed_at_any_statement_of_an_upgrade_it_is_finished_by_the_next_start(release: str, tmp_path: Path) -> None:
    """Planted and found: migrations outside of a transaction."""
    source = tmp_path / "released.db"
    if release:
        lay(release, source)
    done = dying(source, tmp_path / "at")
    assert done[1] == 0
    assert done[0] > (3 if release else 40)
    wanted = examine(finished(tmp_path / "at" / str(done[0]) / "milestone.db"))
    for number in range(1, done[0]):
        path = finished(tmp_path / "at" / str(number) / "milestone.db")
        assert examine(path) == wanted, number
        if release:
            assert projection(path, source) == projection(source, source), number


def dying(source: Path, folder: Path) -> Any:
    """Return how many statements an upgrade has, and how the child ended that was not killed."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "server")}
    command = [sys.executable, "-c", DYING, str(source), str(folder)]
    return json.loads(subprocess.run(command, env=environment, capture_output=True, check=True).stdout)


def finished(path: Path) -> Path:
    """Return a database that the next start has brought up to date."""
    engine = SqliteEngine(path)
    engine.migrate()
    engine.close()
    return path
