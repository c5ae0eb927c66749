"""The state of a scope brought back to a checkpoint, in one transaction: keys, tasks, claims, phases, messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from milestone.domain.errors import Conflict
from milestone.domain.replay import MOVES, Event, Ledger, TaskState, replay
from milestone.operations import shared, tracking
from milestone.operations.context import Context
from milestone.operations.outcomes import ROLLED_BACK

_AT_WORK = ("waiting", "active")


@dataclass(frozen=True)
class Goal:
    """Where to go back to: a checkpoint, its milestone, and the mode whose tasks belong to it (empty for all)."""

    checkpoint_id: str
    scope: str
    scope_id: str
    milestone_id: str
    position: int
    mode: str
    trees: tuple[dict[str, Any], ...]

    @property
    def where(self) -> dict[str, str]:
        """The scope as the queries take it."""
        return {"milestone_id": self.milestone_id, "scope": self.scope, "scope_id": self.scope_id}


@dataclass(frozen=True)
class Moved:
    """A task that goes back: as it is now, and as it was. `added`: after the checkpoint, so that it is not to be done.

    `waiver` is a person's word that is undone.
    """

    task: Mapping[str, Any]
    then: TaskState
    added: bool = False
    waiver: str = ""

    def line(self) -> str:
        """Return it in words."""
        return f"{self.task['task_id']}: {self.task['status']} -> {self.then.status}"


@dataclass(frozen=True)
class Changes:
    """What a rollback would change. `keys`: versions and values, `phases`: name, status and when it was completed."""

    keys: tuple[dict[str, Any], ...]
    tasks: tuple[Moved, ...] = ()
    claims: tuple[Mapping[str, Any], ...] = ()
    phases: tuple[tuple[str, str, str], ...] = ()
    messages: tuple[int, int] = (0, 0)

    def __bool__(self) -> bool:
        return bool(self.keys or self.tasks or self.claims or self.phases or any(self.messages))


def look(ctx: Context, goal: Goal) -> Changes:
    """Return what a rollback would change now.

    Raises:
        Conflict: the checkpoint is of a planning that has become an execution.
    """
    keys = tuple(_keys(ctx, goal))
    messages = ctx.store.rollbacks.count_messages(goal.where, goal.position)
    if goal.scope == "agent":
        return Changes(keys, messages=messages)
    events = ctx.store.rollbacks.moves(goal.milestone_id)
    then = replay(event for event in events if event.position <= goal.position)
    _same_session(ctx, goal, then)
    since = [event for event in events if event.position > goal.position]
    claims = tuple(ctx.store.rollbacks.held(goal.milestone_id, goal.mode))
    tasks = tuple(_tasks(ctx, goal, then, since, {one["task_id"] for one in claims}))
    return Changes(keys, tasks, claims, tuple(_phases(ctx, goal, then, events)), messages)


def _keys(ctx: Context, goal: Goal) -> Iterator[dict[str, Any]]:
    for row in ctx.store.state.changed_since(goal.milestone_id, goal.position, goal.scope, goal.scope_id):
        if shared.by_server(row["key"]):
            continue
        now = ctx.store.state.newest(row["agent_id"], row["key"])
        then = ctx.store.state.at(goal.position, row["agent_id"], row["key"])
        assert now is not None
        there = bool(then and then["present"])
        value = then["value"] if then and there else "null"
        if (bool(now["present"]), now["value"] if now["present"] else "null") != (there, value):
            yield {
                "agent_id": row["agent_id"],
                "key": row["key"],
                "from_version": row["version"],
                "to_version": then["version"] if then and there else 0,
                "value": value,
            }


def _same_session(ctx: Context, goal: Goal, then: Ledger) -> None:
    executing = ctx.store.tasks.exist(goal.milestone_id, "execution")
    if executing and not any(task.mode == "execution" for task in then.tasks.values()):
        raise Conflict(
            f"Checkpoint {goal.checkpoint_id!r} was made before the plan of {goal.milestone_id!r} was carried out",
            allowed="checkpoints since then: get_milestone(about='checkpoints')",
            remedy="To plan anew, plan a new milestone.",
        )


def _tasks(ctx: Context, goal: Goal, then: Ledger, since: list[Event], held: set[str]) -> Iterator[Moved]:
    """Yield the tasks that are otherwise than they were; one that was being worked on is to be handed out again."""
    touched = [event.subject for event in since if event.name in MOVES]
    for task_id in dict.fromkeys((*touched, *sorted(held))):
        task = ctx.store.tasks.get(goal.milestone_id, task_id)
        if task is None or goal.mode not in ("", task["mode"]):
            continue
        proof = tracking.evidence(ctx, task)
        state = _goal_of(then.tasks.get(task_id), task)
        same = (task["status"], task["attempts"], proof) == (state.status, state.attempts, state.proof)
        if same and task_id not in held:
            continue
        waiver = proof.get("waiver") if "waiver" not in state.proof else None
        said = f"{task_id}: {waiver['by']}: {waiver['reason']}" if waiver else ""
        yield Moved(task, state, task_id not in then.tasks, said)


def _goal_of(then: TaskState | None, task: Mapping[str, Any]) -> TaskState:
    """Return where a task goes back to; what was being worked on, or asked about, is to be handed out."""
    if then is None:
        return TaskState("skipped", attempts=task["attempts"], failures=task["failures"])
    if then.status in ("claimed", "blocked") or (then.status == "in_review" and not then.proof):
        return TaskState("ready", attempts=then.attempts, failures=then.failures)
    return then


def _phases(ctx: Context, goal: Goal, then: Ledger, events: list[Event]) -> Iterator[tuple[str, str, str]]:
    if goal.mode == "planning":
        return
    ended = {e.subject: e.at for e in events if e.name == "phase_completed" and e.position <= goal.position}
    for row in ctx.store.milestones.phases(goal.milestone_id):
        status = then.phases[row["phase"]]
        if row["status"] != status:
            yield row["phase"], status, ended.get(row["phase"], "") if status == "completed" else ""


def carry_out(ctx: Context, goal: Goal, changes: Changes) -> None:
    """Write all of it; the messages first, while those who read them still count as at work."""
    ctx.store.rollbacks.roll_back_messages(goal.where, goal.position, ctx.store.log.position + 1)
    end_claims(ctx, goal, changes)
    for moved in changes.tasks:
        _roll_back(ctx, goal, moved)
    for phase, status, completed_at in changes.phases:
        ctx.store.rollbacks.set_phase(goal.milestone_id, phase, status, completed_at)
        ctx.record("phase_rolled_back", goal.milestone_id, subject=phase, topic="tasks", detail={"status": status})
    for change in changes.keys:
        _restore(ctx, goal, change)
    if changes.tasks:
        ctx.store.rollbacks.count_needs(goal.milestone_id)
        _reopen(ctx, goal)


def end_claims(ctx: Context, goal: Goal, changes: Changes) -> None:
    """End the claims of a scope: whoever is at work now is kept out from here on."""
    why = f"rolled back to {goal.checkpoint_id}"
    for claim in changes.claims:
        ctx.store.tasks.end_claim(claim["agent_id"], why, ctx.at)
        ctx.store.agents.set(claim["agent_id"], "retired", ctx.at, why)
    for moved in changes.tasks:
        last = ctx.store.tasks.last_claim(goal.milestone_id, moved.task["task_id"])
        again = moved.then.status not in ("completed", "in_review")
        agent = ctx.store.agents.get(last["agent_id"]) if last and again else None
        if agent and agent.status == "completed":
            ctx.store.agents.set(agent.agent_id, "retired", ctx.at, why)


def hold(ctx: Context, goal: Goal, changes: Changes) -> None:
    """End the claims of a scope ahead of the rest; what they held is to be handed out again."""
    end_claims(ctx, goal, Changes((), claims=changes.claims))
    held = {one["task_id"] for one in changes.claims}
    for moved in changes.tasks:
        if moved.task["task_id"] in held:
            task = moved.task
            free = TaskState("ready", attempts=task["attempts"], failures=task["failures"])
            _roll_back(ctx, goal, Moved(task, free))


def _roll_back(ctx: Context, goal: Goal, moved: Moved) -> None:
    task_id, then = moved.task["task_id"], moved.then
    where = f"rolled back to {goal.checkpoint_id}"
    counts = {"attempts": then.attempts, "failures": then.failures, "completed_at": then.completed_at}
    detail = ROLLED_BACK if moved.added else where
    ctx.store.rollbacks.set_task(goal.milestone_id, task_id, status=then.status, detail=detail, **counts)
    ctx.store.evidence.clear(goal.milestone_id, task_id)
    for kind, what in then.proof.items():
        author = {"gates": "server"}.get(kind) or str(what.get("by") or then.author)
        ctx.store.evidence.add(goal.milestone_id, task_id, kind, author, what, then.completed_at or ctx.at)
    said = {"status": then.status, **counts, "proof": then.proof, "author": then.author, "to": goal.checkpoint_id}
    ctx.record("task_rolled_back", goal.milestone_id, subject=task_id, topic="tasks", detail=said)


def _restore(ctx: Context, goal: Goal, change: Mapping[str, Any]) -> None:
    agent_id, key = change["agent_id"], change["key"]
    position = ctx.record("state_restored", goal.milestone_id, subject=key, actor=agent_id, topic=f"state:{key}")
    where = (goal.milestone_id, agent_id, key, change["from_version"] + 1, position)
    ctx.store.state.add(*where, change["value"], ctx.at, present=change["to_version"] > 0)


def _reopen(ctx: Context, goal: Goal) -> None:
    """Let a planning go on that had ended, where it has tasks again that have not."""
    milestone_id = goal.milestone_id
    session = ctx.store.milestones.latest_session(milestone_id, "planning")
    if goal.mode == "execution" or session is None or ctx.store.tasks.exist(milestone_id, "execution"):
        return
    if session["status"] != "open" and ctx.store.tasks.unfinished(milestone_id, "planning"):
        ctx.store.rollbacks.reopen(session["session_id"])
        ctx.store.agents.set(f"coordinator-{session['session_id']}", "active", ctx.at)
        ctx.record("session_reopened", milestone_id, subject=session["session_id"], topic="tasks")
