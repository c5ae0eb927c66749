"""Backup, restore and rebuild as people call them: plain answers, plain refusals, and nothing lost."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from milestone.store.lines import last
from tests.conftest import ENGINES
from tests.helpers.commands import BEGIN, milestone, refused, told
from tests.helpers.golden import lay
from tests.helpers.projects import Project
from tests.helpers.wire import Wire


def noted(project: Project) -> list[str]:
    """Return what was noted with `note`, as another process would see it."""
    project.close()
    return [row["event"] for row in project.rows("events") if row["event"].startswith("noted")]


def note(project: Project, event: str) -> None:
    """Write something, in a process of its own."""
    assert milestone(project, "log-milestone-event", "--event", event).returncode == 0


@pytest.fixture
def begun(new_project: Callable[..., Project]) -> Project:
    """A project on SQLite with a milestone."""
    project = new_project()
    assert milestone(project, *BEGIN).returncode == 0
    return project


@pytest.fixture
def server(begun: Project) -> Iterator[Wire]:
    """A server that has the database open."""
    wire = Wire(begun)
    wire.call("log_milestone_event", event="noted-over-the-wire")
    yield wire
    wire.close()


def test_what_was_written_after_a_backup_is_gone_when_it_is_restored_and_kept_beside(begun: Project) -> None:
    note(begun, "noted-1")
    made = told(begun, "backup", str(begun.folder / "safe" / "copy.db"))
    assert Path(made["file"]).stat().st_mode & 0o777 == 0o600
    note(begun, "noted-2")
    done = told(begun, "restore", made["file"])
    assert (done["position"], done["project"]) == (made["position"], made["project"])
    assert noted(begun) == ["noted-1"]
    note(begun, "noted-3")
    assert told(begun, "rebuild", "--check")["same"] is True
    told(begun, "restore", done["kept"])
    assert noted(begun) == ["noted-1", "noted-2"]


def test_a_backup_is_whole_while_others_write(begun: Project) -> None:
    """Planted and found: a copy of the file alone, without its log."""
    stop, written = threading.Event(), threading.Event()
    wire = Wire(begun)
    acknowledged: list[int] = []

    def keep_writing() -> None:
        while not stop.is_set():
            wire.call("log_milestone_event", event="noted", detail="x" * 500)
            acknowledged.append(1)
            written.set()

    writer = threading.Thread(target=keep_writing)
    writer.start()
    try:
        for number in range(3):
            written.clear()
            assert written.wait(30)
            before = len(acknowledged)
            made = told(begun, "backup", str(begun.folder / f"{number}.db"))
            with sqlite3.connect(made["file"]) as copy:
                position = copy.execute("SELECT position FROM projects").fetchone()[0]
                newest = copy.execute("SELECT max(position) FROM events").fetchone()[0]
                assert position == newest == made["position"]
                counted = copy.execute("SELECT count(*) FROM events WHERE event = 'noted'").fetchone()[0]
                assert counted >= before
            copy.close()
    finally:
        stop.set()
        writer.join()
        wire.close()


def test_without_its_database_a_project_is_made_anew_from_its_journal(begun: Project) -> None:
    note(begun, "noted-1")
    project = (begun.database.parent / "project").read_text()
    for name in ("milestone.db", "milestone.db-wal", "milestone.db-shm", "project"):
        (begun.database.parent / name).unlink(missing_ok=True)
    for command in (("status",), BEGIN, ("backup",)):
        assert "`milestone rebuild`" in refused(begun, *command)
    assert not begun.database.exists()
    done = told(begun, "rebuild")
    assert (done["project"], done["kept"]) == (project, "")
    assert noted(begun) == ["noted-1"]
    assert told(begun, "rebuild", "--check")["same"] is True


def test_the_journal_of_a_killed_server_is_caught_up_with_by_the_next(begun: Project) -> None:
    """Planted and found: a server that only reads catches up with nothing."""
    wire = Wire(begun)
    for number in range(20):
        wire.call("log_milestone_event", event="noted", detail=number)
    wire.kill()
    wire.close()
    wanted = begun.read(lambda store: store.journal.number)
    begun.close()
    wire = Wire(begun)
    wire.call("get_milestone")
    wire.close()
    end = last(begun.database.with_name("journal.jsonl"))
    assert end is not None
    assert end.number >= wanted > 20


def test_a_backup_of_an_older_release_is_taken_by_a_folder_without_a_project(
    new_project: Callable[..., Project],
) -> None:
    project = new_project()
    lay("release2", project.folder / "old.db")
    done = told(project, "restore", str(project.folder / "old.db"))
    assert done["kept"] == ""
    assert json.loads(milestone(project, "status", "--json").stdout)["milestones"]
    assert project.application.project == done["project"]
    wanted = project.read(lambda store: store.milestones.all()[0]["milestone_id"])
    note = ("log-milestone-event", "--event", "noted", "--milestone-id", wanted)
    assert milestone(project, *note).returncode == 0
    assert told(project, "rebuild", "--check")["same"] is True


def test_a_row_that_was_changed_behind_our_back_is_found_and_put_right(begun: Project) -> None:
    note(begun, "noted-1")
    with sqlite3.connect(begun.database) as direct:
        direct.execute("UPDATE events SET event = 'forged' WHERE event = 'noted-1'")
    direct.close()
    found = told(begun, "rebuild", "--check", code=1)
    assert found["differences"] == {"events": {"not_in_journal": 1, "not_in_database": 1}}
    shown = milestone(begun, "rebuild", "--check")
    assert shown.returncode == 1
    assert "not_in_journal 1" in shown.stdout
    told(begun, "rebuild")
    assert noted(begun) == ["noted-1"]


def test_nothing_is_replaced_while_a_server_has_it_open_unless_a_person_insists(begun: Project, server: Wire) -> None:
    """Planted and found: the servers' locks are not looked at."""
    made = told(begun, "backup", str(begun.folder / "copy.db"))
    before = begun.database.stat().st_ino
    for command in (("restore", made["file"]), ("rebuild",)):
        assert "is open in 1 server" in refused(begun, *command)
    assert begun.database.stat().st_ino == before
    server.call("log_milestone_event", event="noted-and-gone")
    told(begun, "restore", made["file"], "--force")
    assert begun.database.stat().st_ino != before
    assert "deleted or replaced" in server.refusal("log_milestone_event", event="noted-too-late")
    assert noted(begun) == ["noted-over-the-wire"]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_project_moves_into_another_database_by_its_journal(engine: str, new_project: Callable[..., Project]) -> None:
    """A backup on PostgreSQL is such a journal; it is taken where the database holds nothing of the project."""
    first = new_project("postgres", MILESTONE_PROJECT="ours")
    assert milestone(first, *BEGIN).returncode == 0
    note(first, "noted-1")
    made = told(first, "backup", str(first.folder / "copy.jsonl"))
    assert "holds project 'ours' already" in refused(first, "rebuild")
    assert "PostgreSQL, whose own tools" in refused(first, "restore", made["file"])
    assert told(first, "rebuild", "--check")["same"] is True
    second = new_project(engine, MILESTONE_PROJECT="ours")
    if engine == "postgres":
        assert "holds no journal" in refused(second, "rebuild", "--from", __file__)
    assert told(second, "rebuild", "--from", made["file"])["project"] == "ours"
    assert shown(second) == shown(first) == ["noted-1"]
    note(second, "noted-2")
    assert told(second, "rebuild", "--check")["same"] is True


def shown(project: Project) -> list[str]:
    """Return what was noted, by whoever opens the project's database now."""
    project.close()
    found = project.read(lambda store: store.log.since(store.milestones.all()[0]["milestone_id"], 0))
    return [row["event"] for row in found if row["event"].startswith("noted")]
