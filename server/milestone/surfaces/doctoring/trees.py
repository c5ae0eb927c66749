"""The folders in which agents work looked at: each belongs to a task, and each that Git knows is there."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from milestone.domain.errors import Missing, Refusal
from milestone.domain.health import Finding
from milestone.domain.milestones import ENDED
from milestone.git.repository import Repository, open_repository
from milestone.git.trees import worktrees
from milestone.git.worktrees import remove_worktree
from milestone.operations.health import some
from milestone.store.engine import Engine, Transaction, run
from milestone.surfaces.doctoring.patient import Checkup, Patient

_OURS = "@"  # begins the names of folders that are for reading and for gates
_FIX = "`milestone doctor --fix` "


def checkups(patient: Patient) -> Iterator[Checkup]:
    """Yield what there is to look at."""
    if patient.engine is not None:
        yield Checkup("worktrees", partial(_look, patient, patient.engine), partial(_mend, patient, patient.engine))


def _look(patient: Patient, engine: Engine) -> Finding:
    stray = [str(path.relative_to(_root(patient))) for path in _stray(patient, engine)]
    gone = [str(path.relative_to(_root(patient))) for _, path in _gone(patient, engine)]
    said = [f"belong to no task: {some(stray)}"] if stray else []
    said += [f"known to Git, and gone: {some(gone)}"] if gone else []
    if not said:
        return Finding("worktrees", "ok", "each belongs to a task, and each is there")
    remedy = _FIX + "removes those without changes; branches stay. Look at what is left, and remove it yourself."
    return Finding("worktrees", "warning", "; ".join(said), remedy)


def _mend(patient: Patient, engine: Engine) -> list[str]:
    """Remove what is gone, and what belongs to no task and has no change that is not committed."""
    done: list[str] = []
    for repository, path in _gone(patient, engine):
        remove_worktree(repository, path)
        done.append(f"made Git forget {path.name}")
    for path in _stray(patient, engine):
        for repository in _repositories(patient, engine):
            try:
                remove_worktree(repository, path)
            except Refusal:
                continue
            if not path.exists():
                done.append(f"removed {path.name}")
                break
    return done


def _stray(patient: Patient, engine: Engine) -> list[Path]:
    """Return the folders of milestones that have ended, and those of tasks that there are not."""
    known = run(engine, lambda tx: _known(patient, tx), write=False)
    folders = [one for one in sorted(_root(patient).glob("*/*")) if one.is_dir() and not one.is_symlink()]
    return [one for one in folders if not _belongs(one, known)]


def _belongs(folder: Path, known: dict[str, set[str]]) -> bool:
    tasks = known.get(folder.parent.name)
    return tasks is not None and (folder.name.startswith(_OURS) or folder.name in tasks)


def _known(patient: Patient, transaction: Transaction) -> dict[str, set[str]]:
    store = patient.application.store(transaction)
    live = [row["milestone_id"] for row in store.milestones.all() if row["status"] not in ENDED]
    return {one: {task["task_id"] for task in store.tasks.all(one)} for one in live}


def _gone(patient: Patient, engine: Engine) -> list[tuple[Repository, Path]]:
    """Return the worktrees under our folder that Git knows, and that are not there."""
    root = _root(patient)
    return [
        (repository, tree.path)
        for repository in _repositories(patient, engine)
        for tree in worktrees(repository)
        if tree.path.is_relative_to(root) and not tree.there
    ]


def _repositories(patient: Patient, engine: Engine) -> list[Repository]:
    """Return the repositories that milestones take part in, as far as they can be opened."""

    def paths(transaction: Transaction) -> set[str]:
        store = patient.application.store(transaction)
        return {
            one["path"] for row in store.milestones.all() for one in store.evidence.repositories(row["milestone_id"])
        }

    found: dict[Path, Repository] = {}
    for path in {str(patient.settings.project_dir), *run(engine, paths, write=False)}:
        try:
            repository = open_repository(Path(path), patient.settings.environ)
        except (Missing, Refusal):
            continue
        found[repository.common] = repository
    return list(found.values())


def _root(patient: Patient) -> Path:
    return patient.settings.workspace.resolve() / "worktrees"
