"""Which strategy opens the phases of a milestone now, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from milestone.domain.milestones import PHASES
from milestone.domain.strategies import PhaseState, Status, Strategy, adapt
from milestone.operations.context import Context
from milestone.operations.outcomes import REPORT


def states(ctx: Context, milestone_id: str) -> tuple[PhaseState, ...]:
    """Return the phases of a milestone as the strategies see them."""
    approvals = ctx.store.approvals.of(milestone_id)
    return tuple(
        PhaseState(
            phase=row["phase"],
            status=cast("Status", row["status"]),
            partial=bool(ctx.store.state.newest_of_all(milestone_id, f"{row['phase']}-partial")),
            unfinished=ctx.store.tasks.unfinished(milestone_id, "execution", row["phase"]),
            approval=approvals[row["phase"]]["status"] if row["phase"] in approvals else "",
        )
        for row in ctx.store.milestones.phases(milestone_id)
    )


def resolved(row: Mapping[str, Any]) -> Strategy:
    """Return the strategy that counts for a milestone: the one chosen, or the one `adaptive` stands for."""
    if row["strategy"] != "adaptive":
        return cast("Strategy", row["strategy"])
    return cast("Strategy", row["sections"].get("adaptive", {}).get("strategy", "sequential"))


def pick(ctx: Context, row: dict[str, Any]) -> str:
    """Let `adaptive` look at the milestone anew, and return what counts now, in words."""
    if row["strategy"] != "adaptive":
        return str(row["strategy"])
    milestone_id, sections = row["milestone_id"], row["sections"]
    phase_of = {task["task_id"]: task["phase"] for task in ctx.store.tasks.all(milestone_id, "execution")}
    counts = {phase: sum(other == phase for other in phase_of.values()) for phase in PHASES}
    planned = [one for one in ctx.store.tasks.dependencies(milestone_id) if one["needs_key"] == REPORT]
    crossing = sum(
        bool(phase_of.get(one["task_id"])) and phase_of.get(one["task_id"]) != phase_of.get(one["needs_task"])
        for one in planned
    )
    hours: Mapping[str, float] = sections["estimates"] or {}
    picked = adapt(
        tasks=counts,
        crossing=crossing,
        slots=ctx.world.limits().agents_at_once,
        hours_needed=sum(hours.values()),
        hours_left=None,
    )
    row["sections"] = {**sections, "adaptive": {"strategy": picked.strategy, "why": picked.why}}
    ctx.store.milestones.save(row, ctx.at)
    ctx.record("strategy_picked", milestone_id, subject=picked.strategy, detail={"why": picked.why})
    return f"adaptive: {picked.strategy}, because {picked.why}"
