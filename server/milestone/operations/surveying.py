"""What a project offers to a milestone: its repositories, their branches, the gates that are committed, and the end."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from milestone.domain.errors import Refusal
from milestone.domain.gates import Gate
from milestone.git.locate import find
from milestone.operations.context import World
from milestone.prompts.configuration import BadConfiguration, RepositoryEntry, parse_gates, parse_repositories

if TYPE_CHECKING:
    from milestone.git.repository import Repository

GATES = ".milestones/config/gates.yaml"
_LIMIT = 256 * 1024
_NO_GATES = "no gates are configured, so no test of the project proves anything: " + GATES + ", committed, names them"


@dataclass(frozen=True)
class Found:
    """A project as an execution finds it: repositories, what keeps it from starting, what a person should know."""

    repositories: tuple[Place, ...]
    problems: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Place:
    """A repository of a milestone; `branch` and `base` are empty outside of Git."""

    name: str
    path: str
    branch: str
    base: str
    gates: tuple[Gate, ...]
    gates_from: str

    def columns(self, project: Path) -> dict[str, Any]:
        """Return what the table keeps of it: its place as seen from the project, which may lie elsewhere tomorrow."""
        return {
            "path": os.path.relpath(self.path, project.resolve()),
            "branch": self.branch,
            "base_commit": self.base,
            "gates": [gate.plain() for gate in self.gates],
            "gates_from": self.gates_from,
        }


@dataclass(frozen=True)
class Look:
    """A look at a project before an execution; `begin` makes the branches where nothing is in the way."""

    world: World
    branch: str
    wanted: tuple[str, ...]
    begin: bool


def look(job: Look) -> Found:
    """Return what a project offers, with every problem there is; branches are made only where there is none."""
    problems: list[str] = []
    warnings: list[str] = []
    entries = [("", job.world.project), *_further(job, problems)]
    places = [place for name, path in entries if (place := _place(job, name, path, problems, warnings))]
    missing = sorted(set(job.wanted) - {name for name, _ in entries})
    problems += [f"tasks name the repository {name}, which repositories.yaml does not list" for name in missing]
    if job.begin and not problems:
        places = [_begun(job, place) for place in places]
    return Found(tuple(places), tuple(problems), tuple(warnings))


def _place(job: Look, name: str, path: Path, problems: list[str], warnings: list[str]) -> Place | None:
    found = find(path)
    own = find(job.world.project)
    if name and (found is None or found.worktree != path or (own and found.common == own.common)):
        problems.append(f"repositories.yaml: {name}: there is no other repository whose top is {path}")
        return None
    try:
        return _in_git(job, name, path, warnings) if found else _outside(job, name, path, warnings)
    except (Refusal, BadConfiguration) as error:
        problems.append(str(error))
        return None


def _in_git(job: Look, name: str, path: Path, warnings: list[str]) -> Place:
    from milestone.git.repository import open_repository
    from milestone.git.trees import changes

    repository = open_repository(path, job.world.environ)
    head = repository.head()
    if not head:
        raise Refusal(f"The repository {name or 'of the project'} has no commit yet", remedy="Commit something first.")
    found = _committed(repository, head)
    if not found.gates:
        warnings.append(_NO_GATES)
    if (path / GATES).is_file() and _raw(path / GATES) != repository.file_at(head, GATES):
        warnings.append(f"{GATES} differs from what is committed: the gates are those of HEAD")
    dirty = changes(repository, repository.worktree)
    if dirty:
        count = "1 file is" if len(dirty) == 1 else f"{len(dirty)} files are"
        warnings.append(f"{count} changed and not committed: the milestone starts from HEAD, without them")
    return Place(name, str(path), job.branch, head, found.gates, found.origin)


def _outside(job: Look, name: str, path: Path, warnings: list[str]) -> Place:
    """Return a project without Git: its gates are those of the file as it is now, and nothing can be committed."""
    warnings.append("the project lies outside of Git: no commit can prove anything, and agents share one folder")
    found = _as_it_is(job.world.workspace)
    if not found.gates:
        warnings.append(_NO_GATES)
    return Place(name, str(path), "", "", found.gates, found.origin)


def _begun(job: Look, place: Place) -> Place:
    from milestone.git.repository import open_repository

    if not place.branch:
        return place
    repository = open_repository(Path(place.path), job.world.environ)
    base = repository.create_branch(place.branch, place.base)
    found = _committed(repository, base)
    return Place(place.name, place.path, place.branch, base, found.gates, found.origin)


def _further(job: Look, problems: list[str]) -> list[tuple[str, Path]]:
    file = job.world.workspace / "config" / "repositories.yaml"
    if not file.is_file():
        return []
    try:
        entries: Sequence[RepositoryEntry] = parse_repositories(_text(file), str(file))
    except BadConfiguration as error:
        problems.append(str(error))
        return []
    places = [(entry.name, (job.world.project / entry.path).resolve()) for entry in entries]
    twice = sorted({str(path) for _, path in places if sum(path == other for _, other in places) > 1})
    problems += [f"repositories.yaml names {path} twice" for path in twice]
    return places


@dataclass(frozen=True)
class GatesFound:
    """Gates, and where they were read."""

    gates: tuple[Gate, ...]
    origin: str


def gates_now(world: World, path: str, *, git: bool) -> GatesFound:
    """Return the gates as HEAD has them now, or as the file has them outside of Git.

    Raises:
        Refusal: the file cannot be used.
    """
    from milestone.git.repository import open_repository

    try:
        if not git:
            return _as_it_is(world.workspace)
        repository = open_repository(Path(path), world.environ)
        return _committed(repository, repository.head())
    except BadConfiguration as error:
        raise Refusal(str(error), remedy="Mend the file, commit it, then call again.") from None


def _committed(repository: Repository, commit: str) -> GatesFound:
    content = repository.file_at(commit, GATES)
    where = f"{GATES} at {commit[:12]}"
    if content is None:
        return GatesFound((), "none configured")
    return GatesFound(parse_gates(_decoded(content, where), where), where)


def _as_it_is(workspace: Path) -> GatesFound:
    file = workspace / "config" / "gates.yaml"
    return GatesFound(parse_gates(_text(file), GATES), GATES) if file.is_file() else GatesFound((), "none configured")


def _text(file: Path) -> str:
    return _decoded(_raw(file), file.name)


def _raw(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(_LIMIT + 1)


def _decoded(content: bytes, where: str) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise BadConfiguration(f"{where}, line {content.count(10, 0, error.start) + 1}: this is no UTF-8") from None


def existing(world: World, branch: str, paths: Sequence[str]) -> frozenset[str]:
    """Return which paths exist at the tip of a branch; in the project's folder where there is no branch."""
    from milestone.git.repository import open_repository

    if not paths:
        return frozenset()
    if not branch:
        return frozenset(path for path in paths if (world.project / path).exists())
    repository = open_repository(world.project, world.environ)
    tip = repository.tip(branch)
    return frozenset(path for path in paths if repository.exists_at(tip, path))


def clean(world: World, milestone_id: str, places: Sequence[str], merged: Sequence[str]) -> None:
    """Remove the working trees of a milestone that has ended, and the branches of the tasks that are merged.

    A task's tree with uncommitted changes stays, with its branch.
    """
    from milestone.git.branches import forget
    from milestone.git.names import task_branch
    from milestone.git.repository import open_repository
    from milestone.git.trees import worktrees
    from milestone.git.worktrees import remove_worktree

    root = world.worktrees / milestone_id
    for path in places:
        repository = open_repository(Path(path), world.environ)
        for tree in worktrees(repository):
            if tree.path.is_relative_to(root.resolve()):
                ours = tree.path.name.startswith("@")  # for reading and for gates: nobody works in these
                with contextlib.suppress(Refusal):
                    remove_worktree(repository, tree.path, force=ours)
        for task_id in merged:
            forget(repository, task_branch(milestone_id, task_id))
    if root.is_dir() and not any(root.iterdir()):
        shutil.rmtree(root, ignore_errors=True)


def survey(world: World, repositories: Sequence[Any]) -> list[dict[str, Any]]:
    """Return where each branch of a milestone stands."""
    from milestone.git.repository import open_repository

    shown: list[dict[str, Any]] = []
    for row in repositories:
        known = {"name": row["name"], "branch": row["branch"], "base": row["base_commit"], "pr_url": row["pr_url"]}
        if row["branch"]:
            repository = open_repository(Path(world.place(row["path"])), world.environ)
            tip = repository.tip(row["branch"])
            files = repository.touched(row["base_commit"], tip)
            known |= {"tip": tip, "files": len(files), "to_merge": f"git merge {row['branch']}"}
        shown.append(known)
    return shown
