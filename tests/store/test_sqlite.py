"""What SQLite needs beyond the contract: files for their owner alone, durability, and a fair queue of writers."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from milestone.store import sqlite
from milestone.store.engine import run
from milestone.store.queries import Query
from milestone.store.sqlite import SqliteEngine, Turn
from tests.helpers.worker import COUNT, SEEN, Workers


@pytest.fixture
def lite(database_path: Path) -> Iterator[SqliteEngine]:
    engine = SqliteEngine(database_path)
    engine.migrate()
    run(engine, lambda tx: tx.change(Query("q", "INSERT INTO projects VALUES ('p', 0, 'now')")), write=True)
    yield engine
    engine.close()


REMAINING = {"milestone.db", "milestone.db.lock", "milestone.db.room"}


def pragma(engine: SqliteEngine, name: str) -> object:
    """Return a setting of the connection."""
    return run(engine, lambda tx: tx.rows(Query(name, f"PRAGMA {name}")), write=False)[0].popitem()[1]  # pyright: ignore[reportAttributeAccessIssue]


def position(engine: SqliteEngine) -> int:
    """Return the number that the workers count up."""
    return run(engine, lambda tx: tx.rows(SEEN), write=False)[0]["position"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("wal_autocheckpoint", 0), ("secure_delete", 1)],
)
def test_an_acknowledged_write_survives_power_loss_and_deleted_text_is_gone(
    lite: SqliteEngine, name: str, value: object
) -> None:
    assert pragma(lite, name) == value


def test_nobody_else_may_read_the_files(lite: SqliteEngine, database_path: Path) -> None:
    run(lite, lambda tx: tx.rows(COUNT), write=True)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in database_path.parent.iterdir()}
    assert set(modes) == {"milestone.db-wal", "milestone.db-shm", *REMAINING}
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(database_path.parent.stat().st_mode) == 0o700


def test_a_turn_given_up_before_or_while_waiting_keeps_no_file_open(tmp_path: Path) -> None:
    """Planted and found: a `give_up` that closes nothing leaves the file open, and locked as soon as the wait ends."""
    path = tmp_path / "lock"
    holder, never_waited, waited = Turn(path), Turn(path), Turn(path)
    assert holder.now()
    assert not never_waited.now()
    never_waited.give_up()
    waiting = threading.Thread(target=waited.wait)
    waiting.start()
    while "0" not in _blocked(path):
        assert waiting.is_alive()
    waited.give_up()
    holder.end()
    waiting.join(10)
    assert path not in [entry.readlink() for entry in Path("/proc/self/fd").iterdir() if entry.exists()]
    after = Turn(path)
    assert after.now()
    after.end()


def _blocked(path: Path) -> str:
    """Return "0" when somebody blocks on the lock of a file, as the kernel tells it."""
    inode = f":{path.stat().st_ino} "
    blocked = [line for line in Path("/proc/locks").read_text().splitlines() if "->" in line and inode in line]
    return "0" if blocked else ""


@pytest.mark.parametrize("open_transaction", [False, True], ids=["turn", "transaction"])
def test_a_turn_ends_with_the_death_of_its_owner(
    lite: SqliteEngine, database_path: Path, open_transaction: bool
) -> None:
    """Planted and found: with a lock file that is merely created and deleted, the write below never gets its turn."""
    with Workers(1) as one:
        assert one.all("hold", place=str(database_path), open_transaction=open_transaction) == ["held"]
        one.processes[0].kill()
        one.processes[0].wait()
        assert run(lite, lambda tx: tx.rows(COUNT), write=True, patience=5)[0]["position"] == 1
    assert lite.maintain()["integrity"] == "ok"


@pytest.mark.usefixtures("lite")
def test_while_all_write_the_turn_goes_round(database_path: Path) -> None:
    """Planted and found: where writers only try again and again, five of six turns go to whoever wrote last. Without
    the waiting room it is one in five to three in four, which only some runs find; with it, one in a hundred.
    """
    with Workers(8) as workers:
        workers.all("count", place=str(database_path), times=1)
        written = workers.all("count", place=str(database_path), times=100)
    all_wrote, first_ended = max(numbers[0] for numbers in written), min(numbers[-1] for numbers in written)
    turns = [(before, after) for numbers in written for before, after in pairwise(numbers)]
    gaps = [after - before for before, after in turns if all_wrote <= before and after <= first_ended]
    assert gaps.count(1) / len(gaps) < 0.5


def test_a_writer_that_knows_nothing_of_the_queue_is_waited_for(lite: SqliteEngine, database_path: Path) -> None:
    stranger = sqlite3.connect(database_path, isolation_level=None, timeout=5, check_same_thread=False)
    stranger.execute("CREATE TABLE theirs (n INTEGER)")
    stranger.execute("BEGIN IMMEDIATE")
    stranger.execute("INSERT INTO theirs VALUES (1)")
    leaving = threading.Timer(0.2, stranger.execute, ("COMMIT",))
    leaving.start()
    assert run(lite, lambda tx: tx.rows(COUNT), write=True)[0]["position"] == 1
    leaving.join()
    stranger.close()


def test_the_log_is_folded_into_the_file_before_it_grows_without_bound(
    lite: SqliteEngine, database_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "_CHECKPOINT_BYTES", 100_000)
    log = database_path.with_name("milestone.db-wal")
    for _ in range(200):
        run(lite, lambda tx: tx.rows(COUNT), write=True)
    assert log.stat().st_size < 1_000_000


def test_closing_leaves_one_file_and_the_locks(lite: SqliteEngine, database_path: Path) -> None:
    lite.close()
    assert {path.name for path in database_path.parent.iterdir()} == REMAINING


def test_opening_and_writing_need_neither_pydantic_nor_sqlite_utils(database_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from milestone.store.sqlite import SqliteEngine as E;"
        f"e = E(Path({str(database_path)!r})); e.migrate(); e.close();"
        "print([name for name in ('pydantic', 'sqlite_utils', 'mcp', 'yaml', 'click') if name in sys.modules])"
    )
    server = str(Path(__file__).resolve().parents[2] / "server")
    shown = subprocess.run(
        [sys.executable, "-c", program], env={"PYTHONPATH": server}, capture_output=True, text=True, check=True
    )
    assert shown.stdout.strip() == "[]"
