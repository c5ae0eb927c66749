"""The milestone itself: shown and changed."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from milestone.domain.errors import Conflict, Refusal
from milestone.domain.milestones import EDITABLE, ENDED, PHASES
from milestone.domain.progress import check_weights
from milestone.domain.results import Objectives, Requirements, Risk, Scope
from milestone.operations import shared, spending, strategy
from milestone.operations.arguments import Key, Line, MaybeMilestoneId, Text
from milestone.operations.context import Answer, Context
from milestone.operations.registry import operation


@operation()
def update_milestone(
    ctx: Context,
    milestone_id: MaybeMilestoneId = "",
    name: Line = "",
    description: Text = "",
    duration: Line = "",
    objectives: Objectives | None = None,
    scope: Scope | None = None,
    risks: list[Risk] | None = None,
    team: dict[str, Any] | None = None,
    dependencies: Requirements | None = None,
    status: Literal["", "planning", "blocked", "cancelled"] = "",
    strategy: Literal["", "sequential", "parallel_independent", "pipeline", "adaptive"] = "",
    weights: dict[str, int] | None = None,
    retry_tasks: Annotated[list[Key], Field(max_length=50)] | None = None,
) -> Answer:
    """Change what a milestone says, which strategy opens its phases, or put failed tasks back (retry_tasks, when a
    person wants another try). Progress cannot be set: it follows from evidence.
    """
    row = shared.milestone(ctx, milestone_id)
    shared.coordinator_or_person(ctx, row["milestone_id"])
    given = {"objectives": objectives, "scope": scope, "risks": risks, "team": team, "dependencies": dependencies}
    changes = {field: _plain(given[field]) for field in EDITABLE if given[field] is not None}
    shared.as_json("the changes", changes)
    if dependencies and {row["milestone_id"], row["name"]} & set(dependencies.requires):
        raise Refusal("A milestone cannot require itself", remedy="Leave its own name out of dependencies.requires.")
    if status and row["status"] in ENDED:
        raise Conflict(f"Milestone {row['milestone_id']!r} is {row['status']}", remedy="What has ended stays so.")
    texts = {"name": name, "description": description, "duration": duration, "status": status}
    changed = _save(ctx, row, changes, texts)
    answer: Answer = {"milestone_id": row["milestone_id"]}
    if strategy:
        answer["strategy"] = _set_strategy(ctx, row, strategy)
        changed.append("strategy")
    if weights is not None:
        _set_weights(ctx, row["milestone_id"], weights)
        changed.append("weights")
    retried = [_retry(ctx, row["milestone_id"], task_id) for task_id in retry_tasks or []]
    if not changed and not retried:
        allowed = f"{', '.join((*texts, *EDITABLE))}, strategy, weights, retry_tasks"
        raise Refusal("Nothing to change was given", allowed=allowed)
    ctx.record("milestone_updated", row["milestone_id"], topic="tasks", detail={"changed": changed, "retry": retried})
    return answer | {"changed": changed, "retry": retried, "next": "next_actions"}


def _save(ctx: Context, row: dict[str, Any], changes: dict[str, Any], texts: dict[str, str]) -> list[str]:
    """Write what a milestone says from now on, and return the names of what changed."""
    row["sections"] = row["sections"] | changes
    given = {field: text for field, text in texts.items() if text}
    if given.get("status") == "planning" and _executing(ctx, row["milestone_id"]):
        given["status"] = "active"  # a milestone that is being carried out goes on where it was
    row.update(given)
    if changes or given:
        ctx.store.milestones.save(row, ctx.at)
    return [*changes, *given]


def _executing(ctx: Context, milestone_id: str) -> bool:
    return ctx.store.milestones.latest_session(milestone_id, "execution") is not None


def _set_strategy(ctx: Context, row: dict[str, Any], wanted: str) -> str:
    """Write which strategy opens the phases from now on, and return what that means."""
    if row["status"] in ENDED:
        raise Conflict(f"Milestone {row['milestone_id']!r} is {row['status']}", remedy="Its phases are over.")
    ctx.store.milestones.set_strategy(row["milestone_id"], wanted, ctx.at)
    row["strategy"] = wanted
    ctx.record("strategy_changed", row["milestone_id"], topic="tasks", detail={"strategy": wanted})
    return strategy.pick(ctx, row) if _executing(ctx, row["milestone_id"]) else wanted


def _set_weights(ctx: Context, milestone_id: str, weights: dict[str, int]) -> None:
    """Write the weights of the phases; while a milestone is carried out they stay, or its progress would jump."""
    problems = check_weights(weights)
    if problems:
        usual = ", ".join(f"{phase} {weight}" for phase, weight in PHASES.items())
        raise Refusal("; ".join(problems), allowed=f"for example {usual}", remedy="Call again with all four.")
    if _executing(ctx, milestone_id):
        raise Conflict(
            f"Milestone {milestone_id!r} is being carried out, and other weights would change what is proven so far",
            remedy="Set weights before /milestone:execute.",
        )
    for phase, weight in weights.items():
        ctx.store.milestones.set_weight(milestone_id, phase, weight)


def _retry(ctx: Context, milestone_id: str, task_id: str) -> str:
    row = ctx.store.tasks.get(milestone_id, task_id)
    over = row is not None and row["status"] == "blocked" and row["left_behind"].get("how") == spending.HOW
    if row is not None and over:
        spending.allow(ctx, row)
    if row is None or not (over or row["status"] == "failed"):
        failed = [
            task["task_id"]
            for mode in ("planning", "execution")
            for task in ctx.store.tasks.with_status(milestone_id, mode, "failed")
        ]
        raise Refusal(
            f"Task {task_id!r} has not failed", allowed=f"retry_tasks {', '.join(failed) or '(nothing has failed)'}"
        )
    detail = row["detail"] if row["detail"].startswith("sent back") else "a person asked for another try"
    ctx.store.tasks.set(milestone_id, task_id, "ready", detail)
    ctx.record("task_retried", milestone_id, subject=task_id, topic="tasks")
    return task_id


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
    return value.model_dump() if hasattr(value, "model_dump") else value
