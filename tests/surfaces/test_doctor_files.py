"""What the doctor finds around the data: damaged databases, files for people that drifted, stray worktrees."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from milestone.store.queries import VERSION
from milestone.surfaces.mirroring import keep_journal
from tests.helpers.execution import git, make_repository, task
from tests.helpers.mirrored import Mirrored, command
from tests.helpers.patients import Report, change, everything, mended
from tests.helpers.projects import Project
from tests.helpers.underway import Execution, InProcess


@pytest.fixture
def plan(new_project: Callable[..., Project]) -> Mirrored:
    """A milestone that is planned and well."""
    found = Mirrored.planned(new_project())
    assert Report(found.project).wrong == {}
    return found


@pytest.fixture
def closed(new_project: Callable[..., Project]) -> Project:
    """A project whose database nobody has open, with a backup."""
    found = Mirrored.planned(new_project()).project
    keep_journal(found.application, found.engine)
    command(found, "backup")
    found.close()
    return found


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda path: path.unlink(), "is gone, and its journal"),
        (lambda path: path.write_bytes(b"no database" * 1000), "is no database of SQLite"),
        (lambda path: os.truncate(path, 8192), "damaged"),
        (lambda path: path.write_bytes(b""), "is gone, and its journal"),
    ],
    ids=["deleted", "garbage", "truncated", "empty"],
)
def test_a_database_that_cannot_be_used_is_told_with_what_brings_it_back(
    closed: Project, damage: Callable[[Path], object], said: str
) -> None:
    damage(closed.database)
    was = closed.database.read_bytes() if closed.database.exists() else None
    for arguments in ((), ("--fix",)):
        report = Report(closed, *arguments)
        closed.close()
        assert (report.code, report["database"]["state"]) == (1, "broken")
        assert said in report["database"]["said"]
        assert "`milestone restore FILE`" in report["database"]["remedy"]
        assert "`milestone rebuild`" in report["database"]["remedy"]
        assert "The newest backup is " in report["database"]["remedy"]
        assert "leases" not in report
        assert (closed.database.read_bytes() if closed.database.exists() else None) == was
    assert command(closed, "doctor").stdout.startswith("broken   database:")


def test_a_database_without_a_journal_that_is_gone_is_missed_by_the_files_for_people(closed: Project) -> None:
    for path in (closed.database, closed.application.journal):
        path.unlink()
    shutil.rmtree(closed.application.settings.data)
    closed.close()
    report = Report(closed)
    assert (report.code, report["database"]["state"]) == (1, "broken")
    assert "tells of milestones" in report["database"]["said"]
    assert not closed.database.exists()


def test_a_database_of_a_newer_program_is_told_with_both_versions(closed: Project) -> None:
    with closing(sqlite3.connect(closed.database)) as connection:
        connection.execute(f"PRAGMA user_version={VERSION + 2}")
    report = Report(closed)
    assert (report.code, report["database"]["state"]) == (1, "broken")
    assert f"version {VERSION + 2}" in report["database"]["said"]
    assert f"version {VERSION}" in report["database"]["said"]
    assert "Update the plugin" in report["database"]["remedy"]


def test_a_database_that_others_can_read_is_closed_to_them(closed: Project) -> None:
    closed.database.chmod(0o644)
    closed.database.parent.chmod(0o755)
    done = mended(closed, "permissions", "others can read or write")
    assert "closed milestone.db" in done
    modes = [path.stat().st_mode & 0o777 for path in (closed.database.parent, closed.database)]
    assert modes == [0o700, 0o600]


def test_a_long_log_of_writes_raises_an_alarm(closed: Project) -> None:
    log = closed.database.with_name("milestone.db-wal")
    log.touch(mode=0o600)
    os.truncate(log, 65 << 20)
    from milestone.surfaces.doctoring import database
    from milestone.surfaces.doctoring.patient import Patient

    [checkup] = [one for one in database.checkups(Patient(closed.application)) if one.name == "log of writes"]
    found = checkup.result(fix=True)
    assert (found.state, "68.2 MB" in found.said) == ("warning", True)


@pytest.mark.parametrize(
    ("damage", "check", "said"),
    [
        (lambda plan: plan.path.unlink(), "mirror", "active/"),
        (lambda plan: plan.row() and _stale(plan), "mirror", "active/"),
        (lambda plan: _session(plan).unlink(), "mirror", "sessions/"),
        (lambda plan: _session(plan).write_text("x: 1\n"), "mirror", "sessions/"),
        (lambda plan: plan.replace("owner: current_user", "owner: Ada"), "edits", "edited: active/"),
        (lambda plan: plan.replace("owner: current_user", "owner: ["), "edits", "cannot be taken in: active/"),
        (lambda plan: (plan.path.unlink(), os.mkfifo(plan.path)), "edits", "it is a pipe, no file"),
        (lambda plan: (plan.path.parent / ".x.yaml.0123abcd.tmp").touch(), "unfinished files", "left by writers"),
        (lambda plan: _memory(plan).touch(), "unfinished files", "left by writers"),
        (lambda plan: _log(plan).unlink(), "event logs", "lacks events"),
        (lambda plan: os.truncate(_log(plan), 100), "event logs", "damaged"),
        (lambda plan: _log(plan).write_text(_log(plan).read_text().replace("task", "fish")), "event logs", "damaged"),
        (lambda plan: _log(plan).write_text(_log(plan).read_text().split("\n", 3)[3]), "event logs", "lacks events"),
    ],
    ids=(
        *("gone", "stale", "gone session", "other session", "edit", "bad edit", "pipe", "unfinished"),
        *("unfinished note", "gone log", "torn log", "other log", "log without its head"),
    ),
)
def test_files_for_people_that_drifted_are_found_and_mended(
    plan: Mirrored, damage: Callable[[Mirrored], object], check: str, said: str
) -> None:
    damage(plan)
    mended(plan.project, check, said)
    assert Report(plan.project).wrong == {}


def _stale(plan: Mirrored) -> None:
    plan.project.operate("update_milestone", milestone_id=plan.milestone_id, duration="9 weeks")


def _session(plan: Mirrored) -> Path:
    return next(iter(plan.project.mirror.glob("sessions/*.yaml")))


def _memory(plan: Mirrored) -> Path:
    return plan.project.application.settings.data / "mirror" / plan.milestone_id / ".12.0123abcd.tmp"


def _log(plan: Mirrored) -> Path:
    return plan.project.mirror / "logs" / f"events-{plan.milestone_id}.jsonl"


def test_a_log_that_knows_more_than_the_database_is_never_written_over(plan: Mirrored) -> None:
    """Planted and found: a fix that writes every log anew that differs."""
    entry = json.dumps({"position": 10_000, "at": "", "event": "x", "subject": "", "actor": "", "detail": None})
    _log(plan).write_text(_log(plan).read_text() + entry + "\n")
    before = everything(plan.project)
    report = Report(plan.project, "--fix")
    assert (report.code, report["event logs"]["state"]) == (1, "broken")
    assert "`milestone rebuild`" in report["event logs"]["remedy"]
    assert everything(plan.project) == before


@pytest.fixture
def execution(new_repository: Callable[..., Project]) -> Mirrored:
    """A milestone that is being carried out, with a worktree of its first task."""
    found = Mirrored.planned(new_repository(), task("build", "execute", paths=("app/",))).execute()
    Execution(InProcess(found.project), found.milestone_id).worker("build").begin()
    found.write()
    assert Report(found.project).wrong == {}
    return found


def _tree(execution: Mirrored, name: str = "build") -> Path:
    return execution.project.mirror / "worktrees" / execution.milestone_id / name


def test_a_worktree_that_git_knows_and_that_is_gone_is_forgotten(execution: Mirrored) -> None:
    shutil.rmtree(_tree(execution))
    assert mended(execution.project, "worktrees", "known to Git, and gone: ") == "made Git forget build"
    assert str(_tree(execution)) not in git(execution.project.folder, "worktree", "list")


def test_a_worktree_without_a_task_is_removed_and_its_branch_stays(execution: Mirrored) -> None:
    git(execution.project.folder, "worktree", "add", "-q", "-b", "stray", str(_tree(execution, "stray")))
    assert mended(execution.project, "worktrees", "belong to no task: ") == "removed stray"
    assert not _tree(execution, "stray").exists()
    assert _tree(execution).exists()
    assert git(execution.project.folder, "branch", "--list", "stray")


def test_what_is_not_committed_in_a_stray_worktree_is_never_removed(execution: Mirrored) -> None:
    """Planted and found: a fix that removes with force."""
    git(execution.project.folder, "worktree", "add", "-q", "-b", "stray", str(_tree(execution, "stray")))
    (_tree(execution, "stray") / "new.txt").write_text("work")
    _tree(execution, "notes").mkdir()
    report = Report(execution.project, "--fix")
    assert report["worktrees"]["state"] == "warning"
    assert (_tree(execution, "stray") / "new.txt").read_text() == "work"
    assert _tree(execution, "notes").is_dir()


def test_a_project_outside_of_git_has_no_worktrees(plan: Mirrored) -> None:
    assert Report(plan.project)["worktrees"]["state"] == "ok"


def test_a_repository_whose_folder_is_gone_hides_nothing_else(execution: Mirrored, tmp_path: Path) -> None:
    make_repository(tmp_path / "web", {"a.txt": "a"})
    sql = "UPDATE repositories SET path = :path WHERE project_id = :project_id"
    change(execution.project, sql, path=str(tmp_path / "nowhere"))
    assert Report(execution.project)["worktrees"]["state"] == "ok"
