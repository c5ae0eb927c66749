"""Checkpoints: a position in the history of a milestone, and what Git had then; asked for, or made by themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from milestone.domain.errors import Refusal
from milestone.domain.milestones import ENDED
from milestone.domain.text import clip
from milestone.operations import capturing, outcomes, reporting, shared
from milestone.operations.arguments import AgentId, Line
from milestone.operations.changes import Job
from milestone.operations.context import Answer, Aside, Context, Outside
from milestone.operations.registry import operation
from milestone.store.state import AUTO, MERGE

Scope = Literal["agent", "session", "milestone"]
Then = Callable[[Context], Answer | Aside]
NEWEST = 20
_QUARTERS = (75, 50, 25)
_TOLD = 600
_LET_GO = f"its files are not kept any more: {NEWEST} newer ones are"


@operation()
def create_agent_checkpoint(
    ctx: Context, scope_id: AgentId, label: Line = "", scope: Scope = "agent"
) -> Answer | Aside:
    """Keep the state of an agent, a session or a milestone (scope_id is its id), and its files in Git;
    restore_agent_checkpoint brings it back.
    """
    if label.startswith(AUTO):
        raise Refusal(f"A label that begins with {AUTO!r} is the server's", remedy="Choose another label.")
    milestone_id = milestone_of(ctx, scope, scope_id)
    checkpoint_id, position = note(ctx, milestone_id, scope, scope_id, label)
    answer: Answer = {
        "checkpoint_id": checkpoint_id,
        "position": position,
        "next": f"restore_agent_checkpoint(checkpoint_id={checkpoint_id!r}) shows what a rollback would change.",
    }
    side = capturing.side(ctx, milestone_id, scope, scope_id)
    if not side.places:
        return answer | {"git": "nothing: the agent has no folder of its own now"}

    def kept(later: Context, found: capturing.Found) -> Answer:
        keep(later, milestone_id, checkpoint_id, found)
        return answer | {"git": told(found)}

    return Aside(lambda _: capturing.capture(side, checkpoint_id), kept)


def milestone_of(ctx: Context, scope: str, scope_id: str) -> str:
    """Return the milestone of a scope.

    Raises:
        Missing: there is no such agent, session or milestone.
    """
    if scope == "agent":
        return shared.agent(ctx, scope_id).milestone_id
    if scope == "session":
        return str(shared.session(ctx, scope_id, "")["milestone_id"])
    return str(shared.milestone(ctx, scope_id)["milestone_id"])


def note(ctx: Context, milestone_id: str, scope: str, scope_id: str, label: str) -> tuple[str, int]:
    """Name the present position; return the checkpoint's id and the position. Costs the same however much is saved."""
    checkpoint_id = f"checkpoint-{ctx.chance(5)}"
    detail = {"scope": scope, "scope_id": scope_id, "label": label}
    position = ctx.record("checkpoint_created", milestone_id, subject=checkpoint_id, detail=detail)
    ctx.store.state.add_checkpoint(checkpoint_id, scope, scope_id, label, position, ctx.at, milestone_id)
    return checkpoint_id, position


def keep(ctx: Context, milestone_id: str, checkpoint_id: str, found: capturing.Found) -> None:
    """Write down what of Git is kept with a checkpoint, and what could not be."""
    said = clip("; ".join(found.failed), _TOLD)
    ctx.store.state.keep(checkpoint_id, found.trees, f"not kept: {said}" if said else "")
    detail = {"worktrees": found.worktrees, "tips": [tree["tips"] for tree in found.trees], "failed": found.failed[:20]}
    ctx.record("checkpoint_captured", milestone_id, subject=checkpoint_id, detail=detail)


def told(found: capturing.Found) -> str:
    """Return in few words what of Git is kept."""
    if not found.trees and not found.failed:
        return "nothing: the project lies outside of Git"
    kept = [one for tree in found.trees for one in tree["worktrees"]]
    files = sum(one["staged"] + one["changed"] + one["untracked"] + one["deleted"] for one in kept)
    tips = sum(len(tree["tips"]) for tree in found.trees)
    lost = [f"left out {path}" for one in kept for path in one["left_out"][:5]]
    words = f"{len(kept)} folders with {files} files that are not committed, {tips} branches"
    return clip("; ".join([words, *(f"NOT kept: {one}" for one in found.failed), *lost]), _TOLD)


def automatic(ctx: Context, milestone_id: str, label: str, then: Then) -> Aside:
    """Make a checkpoint of a whole milestone, then go on with `then`, whatever comes of it."""
    checkpoint_id, _ = note(ctx, milestone_id, "milestone", milestone_id, f"{AUTO}{label}")
    side = capturing.side(ctx, milestone_id, "milestone", milestone_id)
    return _kept(ctx, side, checkpoint_id, lambda: capturing.capture(side, checkpoint_id), then)


def before_merge(ctx: Context, job: Job, merge: Aside) -> Aside:
    """Return work that merges, with a checkpoint of the state and of the milestone's branch before it."""
    checkpoint_id, _ = note(ctx, job.milestone_id, "milestone", job.milestone_id, f"{MERGE}{job.task_id}")
    side = capturing.side(ctx, job.milestone_id, "milestone", job.milestone_id)
    first = _kept(ctx, side, checkpoint_id, lambda: capturing.tips(job, checkpoint_id), lambda _: {})

    def work(outside: Outside) -> tuple[Any, Any]:
        return first.work(outside), merge.work(outside)

    def then(later: Context, both: tuple[Any, Any]) -> Answer | Aside:
        first.then(later, both[0])
        return merge.then(later, both[1])

    return Aside(work, then)


def _kept(
    ctx: Context, side: capturing.Side, checkpoint_id: str, capture: Callable[[], capturing.Found], then: Then
) -> Aside:
    """Return the Git side of a checkpoint that nobody asked for; older ones of its kind are let go of."""
    milestone_id = side.milestone_id
    outlived = ctx.store.state.outlived(milestone_id, NEWEST)

    def work(_: Outside) -> tuple[capturing.Found, list[str]]:
        return capture(), capturing.forget(side, outlived)

    def kept(later: Context, came: tuple[capturing.Found, list[str]]) -> Answer | Aside:
        found, gone = came
        keep(later, milestone_id, checkpoint_id, found)
        for old in gone:
            later.store.state.keep(old, [], _LET_GO)
        return then(later)

    return Aside(work, kept)


def at_quarters(ctx: Context, row: Mapping[str, Any], session: Mapping[str, Any], then: Then) -> Answer | Aside:
    """Go on with `then`; before that, make a checkpoint where 25, 50 or 75 % have been passed since the last one.

    Each quarter has one at most, looked up by its label, so that it is made once however often calls break off.
    """
    milestone_id = row["milestone_id"]
    if session["mode"] != "execution" or row["status"] in ENDED:
        return then(ctx)
    value: Mapping[str, Any] = outcomes.value_of(ctx, f"coordinator-{session['session_id']}", reporting.PROGRESS) or {}
    for quarter in _QUARTERS:
        if float(value.get("overall", 0)) < quarter:
            continue
        if ctx.store.state.labelled(milestone_id, f"{AUTO}{quarter}%"):
            break
        return automatic(ctx, milestone_id, f"{quarter}%", then)
    return then(ctx)


def shown(ctx: Context, row: Mapping[str, Any]) -> list[str]:
    """Return the checkpoints of a milestone, the newest first, a line each."""
    lines: list[str] = []
    for one in ctx.store.state.checkpoints(row["milestone_id"]):
        folders = sum(len(tree["worktrees"]) for tree in one["trees"])
        kept = f"{folders} folders" if folders else "branches" if one["trees"] else "state only"
        label = f" {one['label']!r}" if one["label"] else ""
        scope = one["scope"] if one["scope"] == "milestone" else f"{one['scope']} {one['scope_id']}"
        said = f"; {one['note']}" if one["note"] else ""
        lines.append(f"{one['checkpoint_id']}{label} {one['created_at']}: {scope}, {kept}{said}")
    return lines
