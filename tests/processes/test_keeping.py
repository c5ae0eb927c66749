"""Backup, restore and rebuild as people call them: plain answers, plain refusals, and nothing lost."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from milestone.store.lines import last
from milestone.store.queries import VERSION
from milestone.surfaces.cli import cli
from milestone.wiring import Application, read_settings
from tests.conftest import ENGINES
from tests.helpers.golden import lay
from tests.helpers.projects import PROGRAM, Project
from tests.helpers.wire import Wire


class Done(NamedTuple):
    """What became of a command."""

    returncode: int
    stdout: str
    stderr: str


BEGIN = ("initialize-agent-coordination", "--name", "Goal", "--json")


def milestone(project: Project, *arguments: str) -> Done:
    """Run a command in this process and return what became of it."""
    said, complained = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["milestone", *arguments])
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(complained):
            code = cli(Application(read_settings(project.environment)))
    return Done(code, said.getvalue(), complained.getvalue())


def told(project: Project, *arguments: str, code: int = 0) -> dict[str, Any]:
    """Return what a command answers with `--json`."""
    done = milestone(project, *arguments, "--json")
    assert done.returncode == code, done.stderr
    assert done.stdout.count("\n") == 1
    return json.loads(done.stdout)


def refused(project: Project, *arguments: str) -> str:
    """Return the one line with which a command is refused."""
    done = milestone(project, *arguments)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("milestone: ")
    return done.stderr


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


STRANGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "a text": (lambda path: path.write_text("hello"), "is no database of SQLite"),
    "nothing": (lambda path: path.write_text(""), "no database of ours"),
    "another database": (lambda path: script(path, "CREATE TABLE x (y)"), "no database of ours"),
    "a trigger": (
        lambda path: script(path, "CREATE TRIGGER t AFTER INSERT ON events BEGIN DELETE FROM events; END"),
        "no database of ours",
    ),
    "a view": (lambda path: script(path, "CREATE VIEW v AS SELECT * FROM events"), "no database of ours"),
    "a newer version": (lambda path: script(path, f"PRAGMA user_version={VERSION + 1}"), "Update the plugin"),
    "a row without what it refers to": (
        lambda path: script(path, "UPDATE phases SET milestone_id = 'x'", links=False),
        "is damaged",
    ),
}


def script(path: Path, text: str, *, links: bool = True) -> None:
    """Change a database."""
    with sqlite3.connect(path) as direct:
        direct.execute(f"PRAGMA foreign_keys={int(links)}")
        direct.execute(text)
    direct.close()


@pytest.mark.parametrize(("spoil", "said"), STRANGE.values(), ids=STRANGE)
def test_a_backup_that_is_none_of_ours_is_refused_and_changes_nothing(
    spoil: Callable[[Path], object], said: str, begun: Project
) -> None:
    """Planted and found: a database with a trigger of its own is taken."""
    made = Path(told(begun, "backup", str(begun.folder / "copy.db"))["file"])
    before = hashlib.sha256(begun.database.read_bytes()).digest()
    spoil(made)
    assert said in refused(begun, "restore", str(made))
    assert hashlib.sha256(begun.database.read_bytes()).digest() == before
    assert [path.name for path in begun.database.parent.iterdir() if path.name.startswith(".")] == []


def test_a_newer_database_is_refused_in_one_line_with_both_versions_and_not_written(begun: Project) -> None:
    script(begun.database, f"PRAGMA user_version={VERSION + 1}")
    before = hashlib.sha256(begun.database.read_bytes()).digest()
    wanted = f"of version {VERSION + 1} and this program knows version {VERSION}"
    for command in (("status",), BEGIN, ("backup",), ("rebuild", "--check")):
        assert wanted in refused(begun, *command)
    command = [*PROGRAM, "hook", "session-start"]
    hook = subprocess.run(command, env=begun.environment, input="{}", capture_output=True, text=True, check=False)
    assert (hook.returncode, hook.stdout) == (0, "")
    assert wanted in hook.stderr
    assert hashlib.sha256(begun.database.read_bytes()).digest() == before
    assert not begun.database.with_name("milestone.db-wal").exists()


def test_what_cannot_be_done_is_said_in_a_line(begun: Project, new_project: Callable[..., Project]) -> None:
    folder = begun.folder
    (folder / "there.db").touch()
    for command, said in (
        (("restore", "nowhere.db"), "There is no file"),
        (("backup", str(folder / "there.db")), "is there already"),
        (("rebuild", "--from", "nowhere.jsonl"), "There is no journal at"),
        (("rebuild", "--from", str(begun.database)), "holds no journal"),
    ):
        assert said in refused(begun, *command)
    empty = new_project()
    for command in (("backup",), ("rebuild", "--check")):
        assert "There is no database" in refused(empty, *command)
    assert "There is no journal" in refused(empty, "rebuild")
    other = new_project()
    assert milestone(other, *BEGIN).returncode == 0
    journal = begun.database.with_name("journal.jsonl")
    assert "this project is" in refused(other, "rebuild", "--from", str(journal))
    copied = told(begun, "backup", str(folder / "copy.db"))["file"]
    assert "this project is" in refused(other, "restore", copied)


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
