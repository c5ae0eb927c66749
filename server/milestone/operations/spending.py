"""What a milestone has used, and which task's budget is used up, so that a person is asked before it goes on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from milestone.domain.budgets import Amount, exceeded
from milestone.domain.scheduling import Decision, Spawn
from milestone.operations.context import Context
from milestone.store.store import Store

HOW = "budget"


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
        ended = datetime.fromisoformat(row["ended_at"]) if row["ended_at"] else now
        minutes = (ended - datetime.fromisoformat(row["started_at"])).total_seconds() / 60
        found[where] = found.get(where, Amount()) + Amount(minutes=max(minutes, 0))
    return found


def told(store: Store, milestone_id: str, now: datetime) -> dict[str, Any]:
    """Return the spend of a milestone as people read it: all of it, each phase, and the three tasks with most turns."""
    spent = used(store, milestone_id, now)
    if not spent:
        return {}
    phases: dict[str, Amount] = {}
    for (_, phase), amount in spent.items():
        phases[phase or "other"] = phases.get(phase or "other", Amount()) + amount
    most = sorted(spent.items(), key=lambda one: (-one[1].turns, -one[1].minutes))[:3]
    whole = sum(phases.values(), Amount())
    return {
        **whole.plain(),
        "phases": {phase: amount.plain() for phase, amount in phases.items()},
        "most": {task_id: amount.plain() for (task_id, _), amount in most},
    }


def hold_back(ctx: Context, milestone_id: str, decisions: list[Decision]) -> bool:
    """Keep back the tasks whose budget, or whose phase's, is used up, and ask; true where there are any."""
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
