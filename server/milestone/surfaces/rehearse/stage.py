"""Where a rehearsal plays: the real places of a project, or a temporary folder with copies of what it needs."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from milestone.surfaces.rehearse.clone import Unfit, look, make_clone
from milestone.surfaces.rehearse.gates import as_yaml, fitting_gates
from milestone.wiring import Settings, read_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

DATABASE = "milestone.db"
# Beside the database: the project's name in it, and which machine the claims in it belong to.
BESIDE = ("project", "place")
# What a project may set for itself; its gates come with a commit, and further repositories are not cloned.
_CONFIGURED = ("limits.yaml", "planning.yaml", "execution.yaml")


class Unusable(Exception):
    """The coordination data of a project cannot be copied; the message says why."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Where everything lies, and the variables that make a server of ours find it.

    `repository` is the one that is worked on, which stands at `head`, and at `origin` before gates were added to it;
    `left_out` says why a plan is not carried out.
    `clone` and `own_gates` tell whether that repository, and its gates, were made for the rehearsal.
    """

    settings: Settings
    variables: Mapping[str, str]
    folder: Path
    copied: bool
    repository: Path
    head: str = ""
    origin: str = ""
    left_out: str = ""
    clone: bool = False
    own_gates: bool = False

    @property
    def log(self) -> Path:
        """Where the server's own messages go."""
        return self.folder / "server.log"

    @property
    def executes(self) -> bool:
        """Whether the plan is carried out, too."""
        return bool(self.head)

    def clear(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)


def set_stage(path: Path, environ: Mapping[str, str], *, keep: bool, plan_only: bool = False) -> Stage:
    """Return the stage for a project: with `keep` its real places, else a new folder with copies.

    Raises:
        Unusable: there is data, and it cannot be copied.
    """
    real = {**environ, "MILESTONE_PROJECT_DIR": str(path)}
    folder = Path(tempfile.mkdtemp(prefix="milestone-rehearsal-"))
    settings = read_settings(real)
    if keep:
        stage = Stage(settings, real, folder, copied=False, repository=settings.project_dir)
    else:
        aside = {"MILESTONE_DATA_DIR": str(folder / "data"), "MILESTONE_WORKSPACE": str(folder / "milestones")}
        variables = {name: value for name, value in real.items() if name != "MILESTONE_DATABASE_URL"} | aside
        (folder / "data").mkdir(mode=0o700)
        copied = copy_data(settings.data, folder / "data")
        _copy_configuration(settings.workspace / "config", folder / "milestones" / "config")
        stage = Stage(read_settings(variables), variables, folder, copied, settings.project_dir)
    return stage if plan_only else _ready_to_execute(stage, environ, keep=keep)


def _ready_to_execute(stage: Stage, environ: Mapping[str, str], *, keep: bool) -> Stage:
    """Return the stage with a repository that may be written to, or with the reason why there is none."""
    try:
        origin = look(stage.repository, environ)
        if keep:
            return replace(stage, head=origin.head, origin=origin.head)
        clone = make_clone(origin, stage.folder / "clone", environ)
        variables = {**stage.variables, "MILESTONE_PROJECT_DIR": str(clone.folder)}
        settings = read_settings(variables)
        moved = replace(stage, settings=settings, variables=variables, repository=clone.folder, clone=True)
        if origin.gated:
            return replace(moved, head=origin.head, origin=origin.head)
        head = clone.commit_gates(as_yaml(fitting_gates(clone.folder, origin.files, environ)))
    except Unfit as reason:
        return replace(stage, left_out=str(reason))
    return replace(moved, head=head, origin=origin.head, own_gates=True)


def _copy_configuration(source: Path, target: Path) -> None:
    for name in _CONFIGURED:
        if (source / name).is_file():
            target.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / name, target / name)


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
