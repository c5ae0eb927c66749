"""How a task's commits come onto the milestone's branch: looked at, made one commit, merged one at a time."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from milestone.domain.errors import Conflict, Refusal
from milestone.domain.paths import outside
from milestone.operations.changes import Job, RolledBack

if TYPE_CHECKING:
    from milestone.git.merging import Preview
    from milestone.git.repository import Repository

_CLASHES = 10
_TRIES = 3
_NOTHING = "nothing is committed for it: change its files, then git_milestone(action='commit')"
_EMPTY = "its commits change nothing against the milestone's branch"


@dataclass(frozen=True)
class Checked:
    """Whether a task's commit counts: how it stands on the milestone's branch, or what is lacking."""

    merged: Mapping[str, Any] = field(default_factory=dict[str, Any])
    lacking: str = ""
    conflict: bool = False
    rolled_back: bool = False


@dataclass(frozen=True)
class Ready:
    """A commit made of a task's branch upon the milestone's tip; nothing has been moved yet."""

    commit: str
    tip: str


def check(job: Job, *, merge: bool) -> Checked:
    """Look at the commit of a task, and merge it where no gate has to pass before."""
    try:
        with job.merging() if merge else contextlib.nullcontext():
            return _check(job, merge=merge)
    except RolledBack as why:
        return Checked(lacking=str(why), rolled_back=True)
    except Refusal as refusal:
        return Checked(lacking=str(refusal))


def _check(job: Job, *, merge: bool) -> Checked:
    repository = job.open()
    for _ in range(_TRIES):
        made = ready(repository, job)
        if isinstance(made, Checked):
            return made
        if not merge:
            return Checked()
        if advance(repository, job, made):
            return Checked(on_branch(repository, job, made.commit))
    return Checked(lacking=f"branch {job.branch} was moved by somebody else again and again; call again")


def ready(repository: Repository, job: Job) -> Ready | Checked:
    """Return the commit that would be merged; or how the task stands already, or what is lacking."""
    from milestone.git import merging

    tip = repository.tip(job.branch)
    there = repository.commits_of(job.base, job.branch, job.task_id)
    own = repository.tip(job.own_branch)
    if not own or repository.is_ancestor(own, tip):
        return Checked(on_branch(repository, job, there[0])) if there else Checked(lacking=_NOTHING)
    seen = merging.preview(repository, job.branch, own)
    if seen.clashes:
        return Checked(lacking=_report(seen, job.task_id), conflict=True)
    problem = _problem(seen, job)
    if problem:
        return Checked(lacking=problem)
    if not seen.touched:
        return Checked(on_branch(repository, job, there[0])) if there else Checked(lacking=_EMPTY)
    own_commits = repository.commits_of(job.base, job.own_branch, job.task_id)
    text = repository.text_of(own_commits[0]) if own_commits else job.message("chore", job.title[:90])
    return Ready(merging.squash(repository, job.branch, own, text).commit, tip)


def _report(seen: Preview, task_id: str) -> str:
    """Return which files cannot be merged, and which two tasks changed each."""
    files = "; ".join(str(clash) for clash in seen.clashes[:_CLASHES])
    more = f"; and {len(seen.clashes) - _CLASHES} more" if len(seen.clashes) > _CLASHES else ""
    return (
        f"task {task_id} conflicts with what is on the milestone's branch by now: {files}{more}. "
        "git_milestone(action='worktree') merges the branch in; resolve the marks, commit"
    )


def advance(repository: Repository, job: Job, made: Ready) -> bool:
    """Move the milestone's branch on to a commit; false where somebody else moved it meanwhile.

    Raises:
        RolledBack: the milestone was rolled back since the job was made.
    """
    from milestone.git import branches

    job.refuse_if_rolled_back()
    try:
        branches.advance(repository, job.branch, made.commit, made.tip)
    except Conflict:
        return False
    return True


def on_branch(repository: Repository, job: Job, commit: str) -> dict[str, Any]:
    """Return what is kept of a commit as proof."""
    touched = [change.path for change in repository.touched(repository.parent(commit), commit)]
    return {"commit": commit, "branch": job.branch, "touched": touched[:500], "files": len(touched)}


def preview(job: Job) -> dict[str, Any]:
    """Return what a merge of a task would do; nothing is changed by asking."""
    from milestone.git import merging

    repository = job.open()
    own = repository.tip(job.own_branch)
    if not own:
        return {"task_id": job.task_id, "touched": [], "conflicts": [], "problem": _NOTHING}
    seen = merging.preview(repository, job.branch, own)
    return {
        "task_id": job.task_id,
        "touched": [change.path for change in seen.touched][:100],
        "deleted": list(seen.deleted)[:100],
        "conflicts": [f"{clash}; task {job.task_id} changed it, too" for clash in seen.clashes],
        "problem": _problem(seen, job),
    }


def _problem(seen: Preview, job: Job) -> str:
    from milestone.git import merging

    try:
        merging.guard(seen, job.declared)
    except Refusal as refusal:
        return str(refusal)
    beyond = outside([change.path for change in seen.touched], job.declared)
    return f"its commits change files that the task did not declare: {', '.join(beyond[:20])}" if beyond else ""
