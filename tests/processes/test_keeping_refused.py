"""What backup, restore and rebuild do not take: it is said in a line, and nothing is changed."""

from __future__ import annotations

import hashlib
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from milestone.store.queries import VERSION
from tests.helpers.commands import BEGIN, milestone, refused, told
from tests.helpers.projects import PROGRAM, Project

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


@pytest.fixture
def begun(new_project: Callable[..., Project]) -> Project:
    """A project on SQLite with a milestone."""
    project = new_project()
    assert milestone(project, *BEGIN).returncode == 0
    return project


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
