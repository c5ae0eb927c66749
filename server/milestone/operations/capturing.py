"""The Git side of checkpoints: what belongs to one, kept, looked at, and put back; plain values in and out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from milestone.domain.errors import Conflict, Refusal
from milestone.git.locate import find
from milestone.operations.changes import Job
from milestone.operations.context import Context, World

if TYPE_CHECKING:
    from milestone.git.repository import Repository

PROJECT, TASK = "project", "task-"
Tree = dict[str, Any]
_SHOWN = 50


@dataclass(frozen=True)
class Place:
    """A repository of a milestone; `branch` is the milestone's, empty before it is carried out."""

    name: str
    path: str
    branch: str


@dataclass(frozen=True)
class Side:
    """The repositories of a scope; `only` names the task whose folder is meant, where it is not all there are."""

    world: World
    milestone_id: str
    places: tuple[Place, ...]
    only: str = ""

    @property
    def whole(self) -> bool:
        """Whether the branches of the milestone belong to it."""
        return not self.only

    def folder(self, place: Place, name: str) -> Path:
        """Return where the worktree lies that a checkpoint keeps under a name."""
        if name == PROJECT:
            found = find(Path(place.path))
            return found.worktree if found else Path(place.path)
        return self.world.worktrees / self.milestone_id / name.removeprefix(TASK)

    def open(self, place: Place) -> Repository:
        """Return a repository."""
        from milestone.git.repository import open_repository

        return open_repository(Path(place.path), self.world.environ)

    def place(self, tree: Tree) -> Place:
        """Return the repository that something was kept of."""
        return next((one for one in self.places if one.name == tree["repository"]), Place("", tree["path"], ""))


@dataclass
class Found:
    """What was kept, one entry for each repository, and what could not be."""

    trees: list[Tree] = field(default_factory=list[Tree])
    failed: list[str] = field(default_factory=list[str])

    @property
    def worktrees(self) -> int:
        """How many folders are kept."""
        return sum(len(tree["worktrees"]) for tree in self.trees)


@dataclass
class Difference:
    """What putting back would change, in words; `problems` keep it from being done."""

    files: list[str] = field(default_factory=list[str])
    branches: list[str] = field(default_factory=list[str])
    problems: list[str] = field(default_factory=list[str])


def side(ctx: Context, milestone_id: str, scope: str, scope_id: str) -> Side:
    """Return what of Git belongs to a scope: all of a milestone and of its sessions, of an agent its task's folder."""
    rows = ctx.store.evidence.repositories(milestone_id)
    known = [Place(row["name"], ctx.world.place(row["path"]), row["branch"]) for row in rows]
    places = tuple(known) or (Place("", str(ctx.world.project), ""),)
    if scope != "agent":
        return Side(ctx.world, milestone_id, places)
    claim = ctx.store.tasks.claim_of(scope_id)
    task = ctx.store.tasks.get(milestone_id, claim["task_id"]) if claim and not claim["ended_at"] else None
    if task is None or "commit" not in task["proof"]:
        return Side(ctx.world, milestone_id, ())
    return Side(
        ctx.world, milestone_id, tuple(one for one in places if one.name == task["repository"]), task["task_id"]
    )


def capture(side: Side, checkpoint_id: str, before: Sequence[Tree] = ()) -> Found:
    """Keep every folder and branch of a scope, and return what came of it; what cannot be kept is only told.

    `before` is what is about to be put back: what that would overwrite is kept even where it is ignored.
    """
    also = {(tree["repository"], one["name"]): one["ref"] for tree in before for one in tree["worktrees"]}
    found = Found()
    for place in side.places:
        if find(Path(place.path)) is not None:
            _capture(side, place, checkpoint_id, also, found)
    return found


def _capture(side: Side, place: Place, checkpoint_id: str, also: Mapping[tuple[str, str], str], found: Found) -> None:
    from milestone.git.capture import capture as keep
    from milestone.git.tips import branch_tips

    tree: Tree = {"repository": place.name, "path": place.path, "full": side.whole, "worktrees": [], "tips": {}}
    try:
        repository = side.open(place)
        names = _folders(side, repository)
        if side.whole:
            tree["tips"] = branch_tips(repository, *_branches(side, place), checkpoint_id=checkpoint_id)
    except (Refusal, OSError) as error:
        found.failed.append(f"{place.name or 'the repository'}: {error}")
        return
    for name in names:
        try:
            kept = keep(
                repository, side.folder(place, name), checkpoint_id, name, also=also.get((place.name, name), "")
            )
        except (Refusal, OSError) as error:
            found.failed.append(f"{name}: {error}")
        else:
            plain = kept.plain()
            tree["worktrees"].append({**plain, "left_out": plain["left_out"][:_SHOWN]})
    found.trees.append(tree)


def tips(job: Job, checkpoint_id: str) -> Found:
    """Keep where the milestone's branch stands before something is merged into it; quick, files are not looked at."""
    from milestone.git.tips import branch_tips

    found = Found()
    try:
        kept = branch_tips(job.open(), job.branch, checkpoint_id=checkpoint_id)
    except (Refusal, OSError) as error:
        found.failed.append(str(error))
    else:
        tree: Tree = {"repository": job.repository, "path": job.path, "full": False, "worktrees": [], "tips": kept}
        found.trees.append(tree)
    return found


def forget(side: Side, checkpoints: Sequence[str]) -> list[str]:
    """Let go of what is kept with checkpoints, and return those of which nothing is kept any more."""
    from milestone.git.capture import forget as let_go

    gone: list[str] = []
    for checkpoint_id in checkpoints:
        try:
            for place in side.places:
                let_go(side.open(place), checkpoint_id)
        except (Refusal, OSError):
            continue  # the next checkpoint tries again
        gone.append(checkpoint_id)
    return gone


def preview(side: Side, trees: Sequence[Tree]) -> Difference:
    """Return what `put_back` would change. Changes nothing."""
    found = Difference()
    for tree in trees:
        try:
            _preview(side, tree, found)
        except (Refusal, OSError) as error:
            found.problems.append(str(error))
    return found


def _preview(side: Side, tree: Tree, found: Difference) -> None:
    from milestone.git.putting_back import preview as look
    from milestone.git.tips import branch_tips
    from milestone.git.trees import find_worktree

    place = side.place(tree)
    repository = side.open(place)
    for one in tree["worktrees"]:
        there = find_worktree(repository, side.folder(place, one["name"]))
        if there is None or not there.there:
            found.files.append(f"{one['name']}: its folder comes back")
            continue
        change = look(repository, there.path, one["ref"])
        found.files += [f"{one['name']}: {file.status} {file.path}" for file in change.files]
        found.files += [f"{one['name']}: {file.status} {file.path} in what is staged" for file in change.index]
        found.branches += [f"{one['name']}: {move}" for move in change.moves]
    for name in _newer(side, tree, repository):
        found.files.append(f"{name}: begins anew, its files and commits stay in the checkpoint before")
    now = branch_tips(repository, *tree["tips"]) if tree["tips"] else {}
    for name, commit in tree["tips"].items():
        if now.get(name) != commit:
            found.branches.append(f"{name}: {now.get(name, 'gone')[:12]} -> {commit[:12]}")


def put_back(side: Side, trees: Sequence[Tree]) -> None:
    """Put folders and branches back to what was kept: folders first, since their branches move with their files.

    Folders of tasks that began later begin anew. Called again it goes on where it was broken off.

    Raises:
        Conflict: something is in the way; nothing more is put back.
    """
    for tree in trees:
        _put_back(side, tree)


def _put_back(side: Side, tree: Tree) -> None:
    from milestone.git.branches import forget as drop
    from milestone.git.fresh import begin_anew
    from milestone.git.putting_back import put_back as put
    from milestone.git.tips import branch_tips, move_back
    from milestone.git.trees import find_worktree
    from milestone.git.worktrees import writing_worktree

    place = side.place(tree)
    repository = side.open(place)
    for one in tree["worktrees"]:
        folder = side.folder(place, one["name"])
        there = find_worktree(repository, folder)
        if (there is None or not there.there) and one["branch"] and one["head"]:
            writing_worktree(repository, folder, one["branch"], one["head"])
        put(repository, folder, one["ref"])
    for name in _newer(side, tree, repository):
        begin_anew(repository, side.folder(place, name), tree["tips"][place.branch])
    move_back(repository, tree["tips"])
    if tree["full"]:
        for name in branch_tips(repository, *_branches(side, place)):
            if name not in tree["tips"]:
                drop(repository, name)  # stays where a folder has it checked out


def _newer(side: Side, tree: Tree, repository: Repository) -> list[str]:
    """Return the folders of tasks that began after the checkpoint."""
    place = side.place(tree)
    if not tree["full"] or place.branch not in tree["tips"]:
        return []
    kept = {one["name"] for one in tree["worktrees"]}
    return [name for name in _folders(side, repository) if name not in kept]


def _branches(side: Side, place: Place) -> list[str]:
    from milestone.git.names import TASKS

    return [*([place.branch] if place.branch else []), f"{TASKS}{side.milestone_id}"]


def _folders(side: Side, repository: Repository) -> list[str]:
    """Return the names of the worktrees of a scope that are there: the project's own, and those of tasks."""
    from milestone.git.trees import worktrees

    root = (side.world.worktrees / side.milestone_id).resolve()
    tasks = sorted(
        one.path.name
        for one in worktrees(repository)
        if one.there and one.path.parent.resolve() == root and not one.path.name.startswith("@")
    )
    own = [] if side.only else [PROJECT]
    return [*own, *(f"{TASK}{name}" for name in tasks if side.only in ("", name))]


def refuse(problems: Sequence[str]) -> None:
    """Refuse to go on where something is in the way.

    Raises:
        Conflict: there is something.
    """
    if problems:
        raise Conflict(
            f"It cannot be put back: {'; '.join(problems[:5])}",
            remedy="Mend that, then call again; with tree=false state alone is rolled back.",
        )
