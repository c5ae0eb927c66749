"""Whatever was done, the journal alone leads to the same rows; and damage does not pass for data."""

from __future__ import annotations

import os
import random
import re
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from milestone.domain.errors import Refusal
from milestone.store.engine import run
from milestone.store.sqlite import SqliteEngine
from milestone.store.written import scan
from milestone.surfaces.mirroring import keep_journal
from milestone.surfaces.rebuilding import compared, rebuilt
from milestone.wiring import Application, read_settings
from tests.conftest import ENGINES
from tests.faults.amounts import of
from tests.helpers.histories import played
from tests.helpers.journals import all_rows, led_to, rows_of_file
from tests.helpers.postgres import Postgres
from tests.helpers.projects import Project
from tests.operations.test_execution_histories import Histories, place

__all__ = ["place"]
STEPS = 15
TOGETHER = 10
HISTORIES = {"sqlite": of(1_000), "postgres": of(100)}
FLIPS = of(500)


def journal_of(project: Project) -> Path:
    """Return the journal's file of a project, brought up to date."""
    keep_journal(project.application, project.engine)
    return project.application.journal


@pytest.mark.parametrize("engine", ENGINES)
def test_random_histories_lead_to_the_same_rows_again(
    engine: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Planted and found: statements that return rows are forgotten; lines that are there twice are done twice."""
    done = 0
    for first in range(0, HISTORIES[engine], TOGETHER):
        folder = tmp_path / str(first)
        server: Postgres | None = request.getfixturevalue("postgres") if engine == "postgres" else None
        project = Project(folder, server.new_database() if server else "")
        seeds = range(first, min(first + TOGETHER, HISTORIES[engine]))
        done += sum(played(project, folder, seed, STEPS).carried_out for seed in seeds)
        path = journal_of(project)
        lines = path.read_bytes().splitlines(keepends=True)
        lines += lines[: len(lines) // 3]
        random.Random(first).shuffle(lines)
        mixed = folder / "mixed.jsonl"
        mixed.write_bytes(b"".join(lines))
        name = scan(path).project
        assert rows_of_file(led_to(mixed, folder / "new.db"), name) == all_rows(project.engine, name), seeds
        project.close()
        shutil.rmtree(folder)
    assert done > HISTORIES[engine] * STEPS / 2


def test_an_execution_leads_to_the_same_rows_again(place: Project, tmp_path: Path) -> None:
    Histories.project = place
    run_state_machine_as_test(
        Histories,
        settings=settings(
            max_examples=3,
            stateful_step_count=25,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
        ),
    )
    path = journal_of(place)
    name = scan(path).project
    assert rows_of_file(led_to(path, tmp_path / "new.db"), name) == all_rows(place.engine, name)
    assert compared(place.application, path)["same"]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with a history on SQLite, closed, with its journal."""
    made = Project(tmp_path)
    played(made, tmp_path, 3, 40)
    journal_of(made)
    made.close()
    return made


def opened(project: Project) -> Application:
    """Return the product as another process would start it, with its database open."""
    application = Application(read_settings(project.environment))
    application.engine()
    return application


DAMAGE: dict[str, Callable[[Path], object]] = {
    "deleted": lambda path: path.unlink(),
    "emptied": lambda path: os.truncate(path, 0),
    "cut off": lambda path: os.truncate(path, path.stat().st_size // 2),
    "garbage at its beginning": lambda path: path.write_bytes(b"garbage " * 4 + path.read_bytes()[32:]),
    "another file": lambda path: path.write_bytes(b"\x89PNG" * 2_000),
    "an older database": lambda path: shutil.copy(path.with_name("older.db"), path),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_database_that_is_damaged_is_noticed_and_made_anew(
    damage: Callable[[Path], object], project: Project
) -> None:
    """Planted and found: a new database is begun beside the journal of the one that is gone."""
    name = scan(project.application.journal).project
    wanted = rows_of_file(project.database, name)
    led_to(project.application.journal, project.database.with_name("older.db"), upto=5)
    damage(project.database)
    before = project.database.read_bytes() if project.database.exists() else None
    application = Application(read_settings(project.environment))
    assert re.search("gone|damaged|no database|another one took its place", refusal_of(application))
    assert (project.database.read_bytes() if project.database.exists() else None) == before
    told = rebuilt(application, application.journal, 0, force=False)
    application.close()
    assert rows_of_file(project.database, name) == wanted
    if before is not None:
        assert Path(told["kept"]).read_bytes() == before
    assert compared(opened(project), project.application.journal)["same"]


def test_a_database_that_ends_earlier_than_its_journal_is_not_opened(project: Project) -> None:
    """Planted and found: only the size of the file is looked at."""
    older = project.database.with_name("older.db")
    led_to(project.application.journal, older, upto=5)
    older.replace(project.database)
    with pytest.raises(Refusal, match="another one took its place"):
        opened(project)


def refusal_of(application: Application) -> str:
    """Return why a database is not opened, or not taken for whole."""
    try:
        application.engine(create=True)
        return str(compared(application, application.journal))
    except Refusal as refusal:
        return str(refusal)


@pytest.mark.parametrize("damage", ["deleted", "an older database"])
def test_a_server_whose_database_is_taken_away_writes_no_more(damage: str, project: Project) -> None:
    engine = project.engine
    if damage == "deleted":
        project.database.unlink()
    else:
        new = project.database.with_name("new.db")
        led_to(project.application.journal, new, upto=5)
        new.replace(project.database)
    with pytest.raises(Refusal, match="deleted or replaced"):
        project.operate("log_milestone_event", event="noted")
    with pytest.raises(Refusal, match="deleted or replaced"):
        run(engine, lambda tx: project.application.store(tx).log.position, write=False)


def test_any_flipped_bit_is_noticed_or_changes_no_row(project: Project, tmp_path: Path) -> None:
    """A flip that SQLite cannot see in a row is seen by comparing with the journal."""
    whole = project.database.read_bytes()
    journal = project.application.journal
    name = scan(journal).project
    wanted = rows_of_file(project.database, name)
    made = led_to(journal, tmp_path / "made.db")
    assert rows_of_file(made, name) == wanted
    chance = random.Random(7)
    noticed = 0
    for number in range(FLIPS):
        place_, bit = chance.randrange(len(whole)), 1 << chance.randrange(8)
        flipped = bytearray(whole)
        flipped[place_] ^= bit
        path = tmp_path / f"{number}.db"
        path.write_bytes(flipped)
        noticed += told_of(path, name) != wanted
        path.unlink()
    assert noticed > FLIPS // 20


def told_of(path: Path, project: str) -> object:
    """Return the rows of a database, or what was noticed about it."""
    try:
        engine = SqliteEngine(path)
        try:
            engine.migrate()
            whole = engine.maintain()["integrity"]
            return all_rows(engine, project) if whole == "ok" else whole
        finally:
            engine.close()
    except (Refusal, sqlite3.Error) as error:
        return str(error)


def test_the_journal_says_which_line_of_it_is_damaged(project: Project) -> None:
    """Planted and found: checksums are not compared."""
    path = project.application.journal
    whole = path.read_bytes()
    chance = random.Random(11)
    for _ in range(FLIPS):
        flipped = bytearray(whole)
        flipped[chance.randrange(len(whole) - 1)] ^= 1 << chance.randrange(8)
        path.write_bytes(flipped)
        try:
            said = str(scan(path).flaws)
        except Refusal as refusal:
            said = str(refusal)
        assert re.search("damaged in the file: line|damaged_lines|holds no journal", said)
