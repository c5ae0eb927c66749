"""A program that dies in the middle of an upgrade leaves the old tables or the new ones, and the next start goes on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from milestone.store.files import examine
from milestone.store.sqlite import SqliteEngine
from tests.faults.amounts import of
from tests.helpers.golden import VERSIONS, lay, projection
from tests.helpers.projects import ROOT

# Each child goes as far as the k-th statement of the migrations and dies there; the first dies nowhere and counts them.
DYING = """
import json, os, shutil, sqlite3, sys
from pathlib import Path
from milestone.store import sqlite

source, folder, share = Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])
connect = sqlite3.connect


def upgrade(path, last):
    seen = []

    def traced(statement):
        seen.append(statement)
        if len(seen) == last:
            os._exit(9)

    def connected(*given, **named):
        connection = connect(*given, **named)
        connection.set_trace_callback(traced)
        return connection

    sqlite.sqlite3.connect = connected
    engine = sqlite.SqliteEngine(path)
    engine.migrate()
    (path.parent / "count").write_text(str(len(seen)))
    os._exit(0)


def child(number):
    path = folder / str(number) / "milestone.db"
    path.parent.mkdir(parents=True)
    if source.exists():
        shutil.copy(source, path)
    forked = os.fork()
    if not forked:
        upgrade(path, number)
    return os.waitstatus_to_exitcode(os.waitpid(forked, 0)[1])


assert child(0) == 0
count = int((folder / "0" / "count").read_text())
step = max(1, round(1 / share))
tried = range(count % step or step, count + 1, step)
assert {child(number) for number in tried} == {9}
print(json.dumps([count, *tried]))
"""


@pytest.mark.parametrize("release", ["", *VERSIONS])
def test_killed_at_a_statement_of_an_upgrade_it_is_finished_by_the_next_start(release: str, tmp_path: Path) -> None:
    """Planted and found: migrations outside of a transaction."""
    source = tmp_path / "released.db"
    if release:
        lay(release, source)
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "server")}
    command = [sys.executable, "-c", DYING, str(source), str(tmp_path / "at"), str(of(1_000) / 1_000)]
    said = subprocess.run(command, env=environment, capture_output=True, check=True).stdout
    count, *tried = json.loads(said)
    assert count > 50
    assert tried
    wanted = examine(tmp_path / "at" / "0" / "milestone.db")
    for number in tried:
        path = tmp_path / "at" / str(number) / "milestone.db"
        engine = SqliteEngine(path)
        engine.migrate()
        engine.close()
        assert examine(path) == wanted, number
        if release:
            assert projection(path, source) == projection(source, source), number
