"""What operations ask of Git: jobs of plain values, carried out outside of any transaction."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import threading
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from milestone.domain.errors import Conflict, Refusal
from milestone.domain.paths import outside
from milestone.operations.context import Context, World

if TYPE_CHECKING:
    from milestone.git.repository import Repository

_STEP = 0.05  # seconds between two looks whether a place is free
_PAGE = 5_000
_SHORT = 12


@dataclass(frozen=True)
class Job:
    """A task as Git sees it: its repository, the milestone's branch, its own branch and folder, what it may change.

    `rolled` is where the last rollback of the milestone began that was over when this was made.
    `landed`: work has been accepted onto the milestone's branch.
    """

    world: World
    milestone_id: str
    task_id: str
    title: str
    phase: str
    path: str
    branch: str
    base: str
    declared: tuple[str, ...]
    writes: bool
    source: str
    landed: bool
    repository: str = ""
    rolled: int = 0

    @property
    def tree(self) -> Path:
        """The folder in which the task's agent works."""
        return self.world.worktrees / self.milestone_id / self.task_id

    @property
    def own_branch(self) -> str:
        """The branch of the task's own commits."""
        from milestone.git.names import task_branch

        return task_branch(self.milestone_id, self.task_id)

    def open(self) -> Repository:
        """Return the repository."""
        from milestone.git.repository import open_repository

        return open_repository(Path(self.path), self.world.environ)

    def message(self, kind: str, summary: str) -> str:
        """Return a semantic commit text that names milestone, phase and task."""
        from milestone.git.commits import message

        return message(kind, self.phase, summary, milestone=self.milestone_id, task=self.task_id)

    def merging(self) -> contextlib.AbstractContextManager[None]:
        """Hold the place of whoever moves the milestone's branch; one at a time, over all processes."""
        return merging(self.world, self.milestone_id)

    def refuse_if_rolled_back(self) -> None:
        """Keep whoever began before a rollback of the milestone from moving its branch afterwards.

        Raises:
            RolledBack: one has begun, or was carried out, since this job was made.
        """
        if rolled_back(self.world, self.milestone_id) > self.rolled:
            raise RolledBack(
                f"Milestone {self.milestone_id!r} was rolled back, or is being, since this began", remedy="next_actions"
            )

    def proving(self, cancelled: threading.Event) -> contextlib.AbstractContextManager[None]:
        """Hold the place of whoever runs gates on what would be merged; others may merge meanwhile.

        Raises:
            GivenUp: `cancelled` was set before the place was free.
        """
        return _alone(self.world, "proving", self.milestone_id, cancelled)


class GivenUp(Exception):
    """Whoever waited for a place is not wanted any more."""


class RolledBack(Conflict):
    """The milestone was rolled back since the work began."""


def merging(world: World, milestone_id: str) -> contextlib.AbstractContextManager[None]:
    """Hold the place of whoever moves a milestone's branch, forward or back; one at a time, over all processes."""
    return _alone(world, "merging", milestone_id, threading.Event())


def rolled_back(world: World, milestone_id: str) -> int:
    """Return where the last rollback began that touched Git here; whoever began before it may not merge any more."""
    with contextlib.suppress(FileNotFoundError):
        return int((world.data / "merging" / f"{milestone_id}.rolled").read_text("utf-8"))
    return 0


def note_rollback(world: World, milestone_id: str, began: int) -> None:
    """Let nobody merge any more who began before this rollback; hold the place of those who merge meanwhile."""
    file = world.data / "merging" / f"{milestone_id}.rolled"
    file.with_suffix(".new").write_text(str(began), "utf-8")
    file.with_suffix(".new").replace(file)


@contextlib.contextmanager
def _alone(world: World, name: str, milestone_id: str, cancelled: threading.Event) -> Generator[None, None, None]:
    folder = world.data / name
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder / f"{milestone_id}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        while not _locked(descriptor):
            if cancelled.wait(_STEP):
                raise GivenUp
        yield
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def job(ctx: Context, task: Mapping[str, Any]) -> Job:
    """Return what Git has to know of a task."""
    repository = ctx.store.evidence.repository(task["milestone_id"], task["repository"])
    known = repository or {"path": ".", "branch": "", "base_commit": ""}
    return Job(
        world=ctx.world,
        milestone_id=task["milestone_id"],
        task_id=task["task_id"],
        title=task["title"],
        phase=task["phase"] or "execute",
        path=ctx.world.place(known["path"]),
        branch=known["branch"],
        base=known["base_commit"],
        declared=tuple(task["paths"]),
        writes="commit" in task["proof"],
        source=task["source"],
        landed=bool(ctx.store.evidence.of_kind(task["milestone_id"], "commit", 1)),
        repository=task["repository"],
        rolled=ctx.store.rollbacks.under_way(task["milestone_id"])[1],
    )


@dataclass(frozen=True)
class Tree:
    """A folder to work in; `branch` is empty where it is only for reading."""

    path: str
    branch: str
    commit: str
    conflicts: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()


def worktree(job: Job) -> Tree:
    """Return the folder of a task, made if need be, with the milestone's branch merged in."""
    from milestone.git import bringing, trees, worktrees

    repository = job.open()
    tip = _tip(repository, job)
    if not job.writes:
        shared = job.world.worktrees / job.milestone_id / f"@{tip[:_SHORT]}"  # whoever reads this commit reads it here
        worktrees.reading_worktree(repository, shared, tip)
        return Tree(str(shared), "", tip)
    worktrees.writing_worktree(repository, job.tree, job.own_branch, tip)
    left = tuple(change.path for change in trees.changes(repository, job.tree))
    conflicts = () if left else tuple(str(clash) for clash in bringing.bring_up(repository, job.tree, tip))
    return Tree(str(job.tree), job.own_branch, repository.tip(job.own_branch), conflicts, left)


def _tip(repository: Repository, job: Job) -> str:
    """Return the end of the milestone's branch; in a clone that never had it, it is made anew from the base.

    Raises:
        Refusal: it is not here, and there is work on it elsewhere.
    """
    tip = repository.tip(job.branch)
    if tip:
        return tip
    if job.landed:
        raise Refusal(
            f"Branch {job.branch!r} is not in this clone, and work was accepted on it in another",
            remedy=f"The person pushes it there and fetches it here: git fetch <remote> {job.branch}:{job.branch}",
        )
    return repository.create_branch(job.branch, job.base)


def commit(job: Job, kind: str, summary: str, remove: Sequence[str] = ()) -> str:
    """Return the id of a new commit with everything that was changed in the task's folder, and without `remove`.

    Raises:
        Refusal: nothing was changed, or something that the task did not declare.
    """
    from milestone.git import commits, trees

    repository = job.open()
    changed = trees.changes(repository, job.tree) if remove else []
    new = {change.path for change in changed if change.status == "?"}
    lost = outside([path for path in remove if path not in new], job.declared)
    if lost:
        raise Refusal(
            f"The task did not declare what you want to remove: {', '.join(lost[:20])}",
            allowed="files within the declared paths, and files of yours that were never committed",
        )
    for target in [_removable(job.tree, path) for path in remove]:
        _remove(target)
    return commits.commit(repository, job.tree, job.message(kind, summary), job.declared)


def _removable(tree: Path, path: str) -> Path:
    """Return where a file or folder of a worktree lies; no link on the way is followed, and nothing of Git's is meant.

    Raises:
        Refusal: there is none.
    """
    parts = PurePosixPath(path).parts
    target = tree.joinpath(*parts) if parts and not path.startswith("/") else tree
    strange = any(part in ("..", ".git") for part in parts) or parts[:1] == (".milestones",)
    inside = target != tree and target.parent.resolve() == tree.resolve().joinpath(*parts[:-1])
    if strange or not inside or not os.path.lexists(target):
        raise Refusal(f"There is no {path!r} in your worktree", remedy="Name files as the repository has them.")
    return target


def _remove(target: Path) -> None:
    if target.is_dir() and not target.is_symlink():
        shutil.rmtree(target)
    else:
        target.unlink()


@dataclass(frozen=True)
class Diff:
    """A page of what a task changed."""

    files: tuple[str, ...]
    text: str
    offset: int
    characters: int


def diff(job: Job, offset: int) -> Diff:
    """Return a page of what a task changed: its own commits, or what of it is on the milestone's branch."""
    repository = job.open()
    there = repository.commits_of(job.base, job.branch, job.task_id)
    own = repository.tip(job.own_branch)
    if own and not repository.is_reachable(own, job.branch) and not there:
        before, after = repository.merge_base(own, repository.tip(job.branch)), own
    elif there:
        before, after = repository.parent(there[-1]), there[0]
    else:
        return Diff((), "", 0, 0)
    files = tuple(f"{change.status} {change.path}" for change in repository.touched(before, after))
    text = repository.patch(before, after)
    return Diff(files, text[offset : offset + _PAGE], offset, len(text))


def put_away(job: Job, label: str) -> str:
    """Return the ref under which the files of a task's folder are kept; the folder is as its branch has it."""
    from milestone.git import capture, worktrees

    repository = job.open()
    kept = capture.capture(repository, job.tree, label, job.task_id)
    worktrees.cleared(repository, job.tree)
    return kept.ref
