"""What an agent hands in: its keys are checked, and where a commit is owed, Git is asked before it counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from milestone.domain.recovery import Failure
from milestone.operations import changes, checkpoints, merges, tracking
from milestone.operations.context import Answer, Aside, Context


@dataclass(frozen=True)
class Outcome:
    """What came of a delivery: the task's status and its proof, or what is lacking, each with what is wrong."""

    status: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict[str, Any])
    lacking: Mapping[str, str] = field(default_factory=dict[str, str])


def deliver(
    ctx: Context, task: Mapping[str, Any], agent_id: str, then: Callable[[Context, Outcome], Answer | Aside]
) -> Answer | Aside:
    """Accept what an agent delivered, and return what `then` makes of the outcome.

    A task that owes a commit is looked at outside of the transaction: the commit must touch declared paths alone, and
    where no gates are owed it is merged into the milestone's branch.
    """
    owed = tracking.missing_keys(ctx, agent_id, task)
    if owed:
        return then(ctx, Outcome(lacking=owed))
    if "commit" not in task["proof"]:
        return then(ctx, _accepted(ctx, task, agent_id, None))
    job = changes.job(ctx, task)
    merge = "gates" not in task["proof"]
    look = Aside(
        lambda _: merges.check(job, merge=merge), lambda later, found: _looked_at(later, task, agent_id, found, then)
    )
    return checkpoints.before_merge(ctx, job, look) if merge else look


def _looked_at(
    ctx: Context,
    task: Mapping[str, Any],
    agent_id: str,
    found: merges.Checked,
    then: Callable[[Context, Outcome], Answer | Aside],
) -> Answer | Aside:
    claim = ctx.store.tasks.claim_of(agent_id)
    now = ctx.store.tasks.get(task["milestone_id"], task["task_id"])
    assert now is not None
    if claim is None or claim["ended_at"] or now["status"] != "claimed":
        return then(ctx, Outcome(now["status"], tracking.evidence(ctx, now)))
    if found.lacking:
        return then(ctx, Outcome(lacking={"commit": found.lacking}))
    return then(ctx, _accepted(ctx, now, agent_id, found.merged))


def _accepted(ctx: Context, task: Mapping[str, Any], agent_id: str, commit: Mapping[str, Any] | None) -> Outcome:
    status = tracking.accept(ctx, task, agent_id, commit)
    return Outcome(status, tracking.evidence(ctx, task))


def land(ctx: Context, task: Mapping[str, Any], then: Callable[[Context], Answer | Aside]) -> Aside:
    """Merge what a task in review has committed, where no gate has to pass any more, and go on with `then`."""
    job = changes.job(ctx, task)

    def landed(later: Context, found: merges.Checked) -> Answer | Aside:
        now = later.store.tasks.get(task["milestone_id"], task["task_id"])
        if now is None or now["status"] != "in_review":
            return then(later)
        if found.merged:
            author = next(
                (one["agent_id"] for one in later.store.evidence.all(now["milestone_id"], now["task_id"])), ""
            )
            later.store.evidence.add(now["milestone_id"], now["task_id"], "commit", author, found.merged, later.at)
            tracking.settle(later, now)
        elif not found.rolled_back:
            tracking.send_back(later, now, Failure("conflict" if found.conflict else "error", found.lacking))
        return then(later)

    return checkpoints.before_merge(ctx, job, Aside(lambda _: merges.check(job, merge=True), landed))
