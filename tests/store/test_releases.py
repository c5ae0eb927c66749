"""Upgrades from each release: nothing of it is lost."""

from __future__ import annotations

import json
from pathlib import Path

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

AT = "2026-12-01T00:00:00.000Z"
RELEASES = sorted(file.stem for file in GOLDEN.glob("*.sql"))


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


@pytest.mark.parametrize("release", VERSIONS)
def test_a_database_of_before_the_journal_can_be_made_anew_from_its_journal(release: str, tmp_path: Path) -> None:
    released = tmp_path / "released.db"
    lay(release, released)
    engine = SqliteEngine(released)
    engine.migrate()
    (project,) = examine(released).positions
    for text in ("first", "second"):
        run(engine, lambda tx, text=text: Store(tx, project).log.add(text, milestone_id="", at=AT), write=True)
    path = exported(engine, tmp_path, project)
    first, *rest = path.read_text("utf-8").splitlines()
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
