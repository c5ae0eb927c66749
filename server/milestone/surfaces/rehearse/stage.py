"""Where a rehearsal plays: the real places of a project, or a temporary folder with a copy of its coordination data."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from milestone.wiring import Settings, read_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

DATABASE = "milestone.db"
# Beside the database: the project's name in it, and which machine the claims in it belong to.
BESIDE = ("project", "place")


class Unusable(Exception):
    """The coordination data of a project cannot be copied; the message says why."""


@dataclass(frozen=True, slots=True)
class Stage:
    """The settings a server is started with, the variables that make it read them, and a folder for what it says."""

    settings: Settings
    variables: Mapping[str, str]
    folder: Path
    copied: bool

    @property
    def log(self) -> Path:
        """Where the server's own messages go."""
        return self.folder / "server.log"

    def clear(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)


def set_stage(path: Path, environ: Mapping[str, str], *, keep: bool) -> Stage:
    """Return the stage for a project: with `keep` its real places, else a new folder with a copy of its data.

    Raises:
        Unusable: there is data, and it cannot be copied.
    """
    ours = {name: value for name, value in environ.items() if name.startswith("MILESTONE_")}
    real = {**ours, "MILESTONE_PROJECT_DIR": str(path)}
    folder = Path(tempfile.mkdtemp(prefix="milestone-rehearsal-"))
    if keep:
        return Stage(read_settings(real), real, folder, copied=False)
    del_url = {name: value for name, value in real.items() if name != "MILESTONE_DATABASE_URL"}
    aside = {"MILESTONE_DATA_DIR": str(folder / "data"), "MILESTONE_WORKSPACE": str(folder / "milestones")}
    (folder / "data").mkdir(mode=0o700)
    copied = copy_data(read_settings(real).data, folder / "data")
    variables = {**del_url, **aside}
    return Stage(read_settings(variables), variables, folder, copied)


def copy_data(source: Path, target: Path) -> bool:
    """Copy a database and what names it, and return whether there was one; the source is left byte for byte as it was.

    Raises:
        Unusable: there is one, and it cannot be read.
    """
    database = source / DATABASE
    if not database.is_file():
        return False
    try:
        for name in BESIDE:
            if (source / name).is_file():
                shutil.copyfile(source / name, target / name)
        if not _copied_asleep(database, target / DATABASE):
            _backup(database, target / DATABASE, "mode=ro")
    except (OSError, sqlite3.Error) as reason:
        raise Unusable(f"{database} cannot be copied: {reason}") from reason
    return True


def _copied_asleep(source: Path, target: Path) -> bool:
    """Copy a database that nobody has open; return False where somebody has, or opened it meanwhile.

    Even a reader leaves a -wal and a -shm file behind, unless it is told that the file does not change.
    """
    journal = source.with_name(f"{source.name}-wal")
    if journal.exists():
        return False
    _backup(source, target, "mode=ro&immutable=1")
    with closing(sqlite3.connect(target)) as copy:
        whole = copy.execute("PRAGMA quick_check").fetchone() == ("ok",)
    if whole and not journal.exists():
        return True
    target.unlink()
    return False


def _backup(source: Path, target: Path, how: str) -> None:
    with (
        closing(sqlite3.connect(f"{source.resolve().as_uri()}?{how}", uri=True)) as old,
        closing(sqlite3.connect(target)) as new,
    ):
        old.backup(new)
