"""The copy of the coordination data that a rehearsal works in."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Generator
from pathlib import Path

import pytest

from milestone.surfaces.rehearse.stage import copy_data


@pytest.fixture
def ledger(tmp_path: Path) -> Generator[sqlite3.Connection, None, None]:
    """A database in WAL mode with one row, held open."""
    (tmp_path / "real").mkdir()
    with contextlib.closing(sqlite3.connect(tmp_path / "real" / "milestone.db")) as connection:
        connection.executescript("PRAGMA journal_mode=WAL; CREATE TABLE t (x); INSERT INTO t VALUES (7);")
        yield connection


def copied_rows(folder: Path) -> list[tuple[int]]:
    """Return the rows in a copy of the database in `real`."""
    (folder / "copy").mkdir()
    assert copy_data(folder / "real", folder / "copy")
    with contextlib.closing(sqlite3.connect(folder / "copy" / "milestone.db")) as copy:
        return copy.execute("SELECT x FROM t").fetchall()


def test_a_database_at_rest_is_copied_and_nothing_is_left_beside_it(ledger: sqlite3.Connection, tmp_path: Path) -> None:
    ledger.close()
    before = {file.name: file.read_bytes() for file in (tmp_path / "real").iterdir()}
    assert copied_rows(tmp_path) == [(7,)]
    assert {file.name: file.read_bytes() for file in (tmp_path / "real").iterdir()} == before


@pytest.mark.usefixtures("ledger")
def test_what_a_running_server_has_not_yet_moved_into_its_database_is_copied_too(tmp_path: Path) -> None:
    assert (tmp_path / "real" / "milestone.db-wal").stat().st_size > 0
    assert copied_rows(tmp_path) == [(7,)]


def test_where_there_is_no_database_nothing_is_copied(tmp_path: Path) -> None:
    assert not copy_data(tmp_path, tmp_path / "copy")
