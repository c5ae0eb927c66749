"""Looks at what Git has of tasks before they are handed out: where they begin, and what lost attempts left behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from milestone.domain.errors import Refusal
from milestone.domain.resuming import Left, resume
from milestone.domain.scheduling import SENT_BACK, Decision, Spawn
from milestone.operations import changes
from milestone.operations.context import Context

if TYPE_CHECKING:
    from milestone.git.repository import Repository

Found = Mapping[str, Left]
_SHOWN = 50


def unknown(ctx: Context, milestone_id: str, decisions: Sequence[Decision], known: Found) -> list[changes.Job]:
    """Return the tasks that are about to be handed out and of which nobody has looked what Git has of them."""
    jobs: list[changes.Job] = []
    for one in decisions:
        if isinstance(one, Spawn) and one.task.task_id not in known:
            task = ctx.store.tasks.get(milestone_id, one.task.task_id)
            job = changes.job(ctx, task) if task and "commit" in task["proof"] else None
            if job and job.branch:
                jobs.append(job)
    return jobs


def scout(jobs: Sequence[changes.Job]) -> dict[str, Left]:
    """Return what Git has of tasks; nothing of one whose repository cannot be read, which its agent will be told."""
    tips: dict[tuple[str, str], str] = {}
    found: dict[str, Left] = {}
    for job in jobs:
        try:
            found[job.task_id] = _look(job, tips)
        except (Refusal, OSError):
            found[job.task_id] = Left()
    return found


def _look(job: changes.Job, tips: dict[tuple[str, str], str]) -> Left:
    from milestone.git import trees

    repository = job.open()
    where = (job.path, job.branch)
    tip = tips[where] = tips.get(where) or repository.tip(job.branch) or job.base
    own = repository.tip(job.own_branch)
    if not own:
        return Left(base=tip)
    ahead = () if repository.is_ancestor(own, tip) else tuple(repository.commits_of(tip, job.own_branch, job.task_id))
    there = _has_tree(repository, job.tree)
    changed = tuple(one.path for one in trees.changes(repository, job.tree)) if there else ()
    return Left(base=own, commits=ahead, changed=changed)


def _has_tree(repository: Repository, tree: Path) -> bool:
    from milestone.git.trees import find_worktree

    found = find_worktree(repository, tree)
    return found is not None and found.there


def hold_back(ctx: Context, milestone_id: str, decisions: Sequence[Decision], found: Found) -> bool:
    """Keep back the tasks whose lost attempts left files that nobody committed, and ask; true where there are any.

    A person who has decided about these very files is not asked again.
    """
    held = False
    for one in decisions:
        left = found.get(one.task.task_id) if isinstance(one, Spawn) else None
        task = ctx.store.tasks.get(milestone_id, one.task.task_id) if isinstance(one, Spawn) else None
        if left is None or task is None or not task["attempts"]:
            continue
        how = resume(left, sent_back=task["detail"].startswith(SENT_BACK))
        before = task["left_behind"]
        if how == "salvage" and before.get("how") == "kept" and before.get("attempts") == task["attempts"]:
            how = "kept"
        kept = {"how": how, "attempts": task["attempts"], **_plain(left)}
        ctx.store.tasks.set_left(milestone_id, task["task_id"], kept)
        if how == "salvage":
            held = True
            _ask(ctx, task, left)
    return held


def _ask(ctx: Context, task: Mapping[str, Any], left: Left) -> None:
    names = ", ".join(left.changed[:5]) + (" …" if len(left.changed) > 5 else "")  # noqa: PLR2004
    why = f"a lost attempt left files that are not committed: {names}"
    ctx.store.tasks.set(task["milestone_id"], task["task_id"], "blocked", why)
    where = {"subject": task["task_id"], "topic": "tasks"}
    ctx.record("task_blocked", task["milestone_id"], **where, detail={"why": why, "files": list(left.changed[:_SHOWN])})


def _plain(left: Left) -> dict[str, Any]:
    plain = asdict(left)
    return {**plain, "commits": list(left.commits[:_SHOWN]), "changed": list(left.changed[:_SHOWN])}
