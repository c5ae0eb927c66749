"""What a milestone has used, and which task's budget is used up, so that a person is asked before it goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from milestone.domain.budgets import Amount, exceeded
from milestone.domain.milestones import stamp
from milestone.operations.context import Context
from milestone.store.store import Store

if TYPE_CHECKING:
    from milestone.domain.scheduling import Decision

HOW = "budget"
_MOST = 3


def note(ctx: Context, agent_id: str, turns: int, tokens: int) -> str:
    """Write what an agent has used so far; returns which limit of its own it has reached, once, else nothing."""
    claim = ctx.store.tasks.claim_of(agent_id)
    task = ctx.store.tasks.get(claim["milestone_id"], claim["task_id"]) if claim and turns else None
    if task is None:
        return ""
    where = (task["milestone_id"], task["task_id"], task["phase"])
    ctx.store.spend.note(agent_id, where, ctx.at, turns=turns, tokens=tokens)
    over = exceeded(Amount(turns, 0, tokens), ctx.world.limits().budgets.limits["agent"])
    return over if over and ctx.store.spend.tell(agent_id) else ""


def used(store: Store, milestone_id: str, now: datetime) -> dict[tuple[str, str], Amount]:
    """Return what each task has used, by its id and phase."""
    found: dict[tuple[str, str], Amount] = {}
    for row in store.spend.by_task(milestone_id):
        found[row["task_id"], row["phase"]] = Amount(int(row["turns"]), 0, int(row["tokens"]))
    for row in store.spend.attempts(milestone_id):
        where = (row["task_id"], row["phase"])
        found[where] = found.get(where, Amount()) + Amount(minutes=_minutes([row], now))
    return found


def told(store: Store, milestone_id: str, now: datetime) -> dict[str, Any]:
    """Return the spend of a milestone as people read it: all of it, and that of the three tasks with most turns."""
    known = store.spend.whole(milestone_id)
    minutes = store.spend.worked(milestone_id, stamp(now))
    whole = Amount(int(known["turns"] or 0), minutes, int(known["tokens"] or 0))
    if whole == Amount():
        return {}
    most: dict[str, Any] = {}
    for row in store.spend.most(milestone_id, _MOST):
        spent = _minutes(store.spend.spans(milestone_id, row["task_id"]), now)
        most[row["task_id"]] = Amount(int(row["turns"]), spent, int(row["tokens"])).plain()
    return {**whole.plain(), "most": most}


def _minutes(spans: Sequence[Mapping[str, Any]], now: datetime) -> float:
    """Return how long attempts took together, each from its beginning to its end or to now."""
    ends = [datetime.fromisoformat(one["ended_at"]) if one["ended_at"] else now for one in spans]
    took = (end - datetime.fromisoformat(one["started_at"]) for end, one in zip(ends, spans, strict=True))
    return sum(max(one.total_seconds(), 0.0) for one in took) / 60


def hold_back(ctx: Context, milestone_id: str, decisions: list[Decision]) -> bool:
    """Keep back the tasks whose budget, or whose phase's, is used up, and ask; true where there are any."""
    from milestone.domain.scheduling import Spawn  # who only looks at what was spent has no need of it

    starting = [one.task.task_id for one in decisions if isinstance(one, Spawn)]
    limits = ctx.world.limits().budgets.limits
    if not starting or not any(limits[scope] != Amount() for scope in ("task", "phase")):
        return False
    spent = used(ctx.store, milestone_id, ctx.now)
    held = False
    for task_id in starting:
        task = ctx.store.tasks.get(milestone_id, task_id)
        why = _over(ctx, task, spent) if task else ""
        if task and why:
            held = True
            _ask(ctx, task, why)
    return held


def _over(ctx: Context, task: Mapping[str, Any], spent: Mapping[tuple[str, str], Amount]) -> str:
    limits = ctx.world.limits().budgets.limits
    own = spent.get((task["task_id"], task["phase"]), Amount())
    allowed = Amount(**task["left_behind"].get("allowed", {}))
    over = exceeded(own, limits["task"], allowed)
    if over:
        return f"task {task['task_id']} has used {over}"
    phase = sum((amount for (_, name), amount in spent.items() if name == task["phase"]), Amount())
    over = exceeded(phase, limits["phase"], Amount(**task["left_behind"].get("phase_allowed", {})))
    return f"phase {task['phase']} has used {over}" if over and task["phase"] else ""


def _ask(ctx: Context, task: Mapping[str, Any], why: str) -> None:
    milestone_id, task_id = task["milestone_id"], task["task_id"]
    ctx.store.tasks.set_left(milestone_id, task_id, {**task["left_behind"], "how": HOW, "asked": False})
    ctx.store.tasks.set(milestone_id, task_id, "blocked", f"{why}; a person decides whether it goes on")
    ctx.record("task_blocked", milestone_id, subject=task_id, topic="tasks", detail={"why": why, "how": HOW})


def allow(ctx: Context, task: Mapping[str, Any]) -> None:
    """Let a task go on whose budget was used up: what was used so far counts no more."""
    milestone_id = task["milestone_id"]
    spent = used(ctx.store, milestone_id, ctx.now)
    own = spent.get((task["task_id"], task["phase"]), Amount())
    phase = sum((amount for (_, name), amount in spent.items() if name == task["phase"]), Amount())
    left = {**task["left_behind"], "how": "", "allowed": own.plain(), "phase_allowed": phase.plain()}
    ctx.store.tasks.set_left(milestone_id, task["task_id"], left)
