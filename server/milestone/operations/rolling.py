"""Rollbacks: shown first, then carried out; what was before is itself a checkpoint.

With files Git comes first and the state second. In between the milestone says that a rollback is under way: nothing is
handed out, nobody whose work began before can merge, and `next_actions` names the call that completes it. It is safe to
make that call again: files that are back already stay, and what was kept of the time before the first call stays the
time before. Were the state first, tasks could be handed out and merged while files of the time after still lie there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from milestone.domain.errors import Conflict, Missing
from milestone.domain.milestones import ENDED
from milestone.domain.text import clip
from milestone.operations import capturing, changes, checkpoints, recovering, reporting, shared, undoing
from milestone.operations.arguments import AgentId
from milestone.operations.capturing import Difference, Found, Side
from milestone.operations.context import Answer, Aside, Context, Outside
from milestone.operations.registry import operation
from milestone.operations.undoing import Changes, Goal
from milestone.store.state import BEFORE

_SHOWN, _LINE = 12, 100
_NOTHING = "nothing of Git was kept with this checkpoint"


@operation()
def restore_agent_checkpoint(
    ctx: Context, checkpoint_id: AgentId, dry_run: bool = True, tree: bool = False
) -> Answer | Aside:
    """Roll back to a checkpoint: state, tasks, claims, messages, and with tree branches and files. By default it only
    shows what would change. Nothing is destroyed: the state before is itself a checkpoint.
    """
    goal = _goal(ctx, checkpoint_id)
    if not dry_run:
        _may(ctx, goal)
    if not (tree and goal.trees):
        return _shown(ctx, goal, None, dry_run=dry_run, tree=tree)
    side = capturing.side(ctx, goal.milestone_id, goal.scope, goal.scope_id)
    return Aside(
        lambda _: capturing.preview(side, goal.trees),
        lambda later, seen: _shown(later, goal, seen, dry_run=dry_run, tree=tree),
    )


def unfinished(ctx: Context, row: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the action that completes a rollback that is under way or was broken off; nothing where there is none."""
    before = ctx.store.state.checkpoint(row["rolling"]) if row["rolling"] else None
    if before is None:
        return None
    wanted = before["label"].removeprefix("before ")
    why = f"a rollback to {wanted} is under way, or was broken off; until it is carried out nothing starts"
    return {"kind": "roll_back", "why": why, "task_id": "", "checkpoint_id": wanted}


def _goal(ctx: Context, checkpoint_id: str) -> Goal:
    found = ctx.store.state.checkpoint(checkpoint_id)
    if not found:
        raise Missing(
            f"There is no checkpoint {checkpoint_id!r}", remedy="get_milestone(about='checkpoints') lists them."
        )
    scope, scope_id = found["scope"], found["scope_id"]
    milestone_id = checkpoints.milestone_of(ctx, scope, scope_id)
    row = shared.milestone(ctx, milestone_id)
    if row["status"] in ENDED:
        raise Conflict(f"Milestone {milestone_id!r} is {row['status']}", remedy="What has ended stays as it is.")
    mode = shared.session(ctx, scope_id, "")["mode"] if scope == "session" else ""
    return Goal(checkpoint_id, scope, scope_id, milestone_id, found["position"], mode, tuple(found["trees"]))


def _may(ctx: Context, goal: Goal) -> None:
    """Let through the coordinator and people, and an agent that goes back alone while its work is not handed in.

    Raises:
        NotYours: the caller is another agent, or its claim is over.
        Conflict: the agent's work was handed in.
    """
    own = ctx.store.agents.of_caller(ctx.caller)
    if goal.scope == "agent":
        claim = ctx.store.tasks.claim_of(goal.scope_id)
        task = ctx.store.tasks.get(claim["milestone_id"], claim["task_id"]) if claim else None
        if claim and task and claim["outcome"] == "completed" and task["status"] in ("in_review", "completed"):
            raise Conflict(
                f"{goal.scope_id!r} has handed in {claim['task_id']!r}, and its state is the evidence",
                remedy="A checkpoint of the milestone takes the task back with it.",
            )
        if own is not None and own.agent_id == goal.scope_id:
            shared.writer(ctx, goal.scope_id, "")
            return
    shared.coordinator_or_person(ctx, goal.milestone_id)


def _shown(ctx: Context, goal: Goal, seen: Difference | None, *, dry_run: bool, tree: bool) -> Answer | Aside:
    """Show what would change, or begin."""
    found = undoing.look(ctx, goal)
    answer = _answer(goal, found, seen, dry_run=dry_run)
    if tree and seen is None:
        answer["git"] = _NOTHING
    rolling, _ = ctx.store.rollbacks.under_way(goal.milestone_id)
    if not found and not (seen and (seen.files or seen.branches)) and not rolling:
        return answer | {"next": "Nothing differs."}
    if dry_run:
        more = ", tree=true" if tree else ""
        call = f"restore_agent_checkpoint(checkpoint_id={goal.checkpoint_id!r}, dry_run=false{more})"
        return answer | {"next": f"{call} does it; who is at work then is retired."}
    capturing.refuse(seen.problems if seen else ())
    return _begin(ctx, goal, answer, found, files=seen is not None)


def _begin(ctx: Context, goal: Goal, answer: Answer, found: Changes, *, files: bool) -> Aside:
    """Keep what is there as a checkpoint; with files, whoever is at work is kept out from here on."""
    whole = files and goal.scope != "agent"
    undo, kept = _before(ctx, goal)
    began = ctx.store.log.position
    if whole:
        ctx.store.rollbacks.begin(goal.milestone_id, undo)
        undoing.hold(ctx, goal, found)
    side = capturing.side(ctx, goal.milestone_id, goal.scope, goal.scope_id)
    done = answer | {"dry_run": False, "undo": undo, "next": "next_actions: work goes on from the restored state."}

    def work(_: Outside) -> Found | None:
        if not whole:
            return capturing.capture(side, undo, goal.trees if files else ())
        with changes.merging(side.world, goal.milestone_id):
            changes.note_rollback(side.world, goal.milestone_id, began)
            return None if kept else capturing.capture(side, undo, goal.trees)

    def then(later: Context, captured: Found | None) -> Answer | Aside:
        if captured is not None:
            checkpoints.keep(later, goal.milestone_id, undo, captured)
        if not files:
            return _finish(later, goal, done, undo)
        if captured is not None and captured.failed:
            return _given_up(later, goal, captured.failed)
        return Aside(lambda _: _put_back(side, goal), lambda last, _: _finish(last, goal, done, undo))

    return Aside(work, then)


def _before(ctx: Context, goal: Goal) -> tuple[str, bool]:
    """Return the checkpoint of what is there now, and whether files are kept with it already.

    Where a rollback was broken off, that is still the one made before it began.
    """
    label = f"{BEFORE}{goal.checkpoint_id.removeprefix('checkpoint-')}"
    undo, _ = ctx.store.rollbacks.under_way(goal.milestone_id)
    known = ctx.store.state.checkpoint(undo) if undo else None
    if known is None:
        return checkpoints.note(ctx, goal.milestone_id, goal.scope, goal.scope_id, label)[0], False
    ctx.store.state.move_checkpoint(undo, known["position"], label)
    return undo, bool(known["trees"])


def _put_back(side: Side, goal: Goal) -> None:
    with changes.merging(side.world, goal.milestone_id):
        capturing.put_back(side, goal.trees)


def _given_up(ctx: Context, goal: Goal, failed: Sequence[str]) -> Aside:
    """Leave everything as it is where what would be overwritten cannot be kept."""
    if goal.scope != "agent":
        ctx.store.rollbacks.end(goal.milestone_id, changes.rolled_back(ctx.world, goal.milestone_id))
    problems = [f"what is there now cannot be kept first: {one}" for one in failed]
    return Aside(lambda _: capturing.refuse(problems), lambda _, __: {})


def _finish(ctx: Context, goal: Goal, answer: Answer, undo: str) -> Answer:
    """Bring the state back, as it differs by now: all of it in this transaction, or nothing."""
    if shared.milestone(ctx, goal.milestone_id)["status"] in ENDED:
        raise Conflict(f"Milestone {goal.milestone_id!r} has ended meanwhile", remedy="It stays as it is.")
    found = undoing.look(ctx, goal)
    label = f"{BEFORE}{goal.checkpoint_id.removeprefix('checkpoint-')}"
    ctx.store.state.move_checkpoint(undo, ctx.store.log.position, label)
    undoing.carry_out(ctx, goal, found)
    if goal.scope != "agent":
        ctx.store.rollbacks.end(goal.milestone_id, changes.rolled_back(ctx.world, goal.milestone_id))
    detail = {"undo": undo, "keys": len(found.keys), "tasks": [one.line() for one in found.tasks]}
    detail |= {"claims": [one["agent_id"] for one in found.claims], "messages": list(found.messages)}
    ctx.record("checkpoint_restored", goal.milestone_id, subject=goal.checkpoint_id, topic="tasks", detail=detail)
    if goal.scope != "agent":
        recovering.rolled_back(ctx, goal.milestone_id, goal.checkpoint_id)
        reporting.note_progress(ctx, goal.milestone_id, "execution")
    return answer | _counted(found)


def _answer(goal: Goal, found: Changes, seen: Difference | None, *, dry_run: bool) -> Answer:
    names = ("agent_id", "key", "from_version", "to_version")
    answer: Answer = {
        "checkpoint_id": goal.checkpoint_id,
        "dry_run": dry_run,
        "changes": [{name: change[name] for name in names} for change in found.keys[:_SHOWN]],
        **_counted(found),
    }
    lists = {
        "tasks": [one.line() for one in found.tasks],
        "claims_end": [f"{one['task_id']}: {one['agent_id']}" for one in found.claims],
        "phases": [f"{name} -> {status}" for name, status, _ in found.phases],
        "waivers_undone": [one.waiver for one in found.tasks if one.waiver],
        "branches": seen.branches if seen else [],
        "files": seen.files if seen else [],
        "in_the_way": seen.problems if seen else [],
    }
    return answer | {name: _some(lines) for name, lines in lists.items() if lines}


def _counted(found: Changes) -> Answer:
    withdrawn, again = found.messages
    messages = {"withdrawn": withdrawn, "come_again": again} if withdrawn or again else None
    return {"count": len(found.keys)} | ({"messages": messages} if messages else {})


def _some(lines: Sequence[str]) -> list[str]:
    shown = [clip(line, _LINE) for line in lines[:_SHOWN]]
    return [*shown, f"… and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else shown
