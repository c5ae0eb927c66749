"""The milestone itself: shown and changed."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from milestone.domain.errors import Refusal
from milestone.domain.milestones import EDITABLE, document
from milestone.domain.results import Objectives, Requirements, Risk, Scope
from milestone.domain.text import clip
from milestone.operations import shared
from milestone.operations.arguments import Key, Line, MaybeMilestoneId, Text
from milestone.operations.context import Answer, Context
from milestone.operations.registry import operation

_SHOWN = 15
_LINE = 160


@operation(writes=False)
def get_milestone(ctx: Context, milestone_id: MaybeMilestoneId = "") -> Answer:
    """Show a milestone: goal, decisions, tasks, risks, progress and what proves it. The file it names has all of it."""
    row = shared.milestone(ctx, milestone_id)
    wanted, sections = row["milestone_id"], row["sections"]
    work = ctx.store.tasks.all(wanted)
    whole = document(row, sections, ctx.store.milestones.phases(wanted), work)
    proof = {one["task_id"]: one["detail"] for one in ctx.store.tasks.evidence(wanted)}
    return {
        **{name: row[name] for name in ("milestone_id", "name", "status", "duration")},
        "description": clip(row["description"], 600),
        "objectives": {"primary": clip(sections["objectives"]["primary"], 400)},
        "decisions": _some([f"{d['id']} {d['kind']}: {clip(d['what'], _LINE)}" for d in sections["decisions"]]),
        "tasks": _some([f"{t['id']} [{t['phase']}] {clip(t['title'], _LINE)}" for t in sections["tasks"]]),
        "risks": _some([clip(str(risk["risk"]), _LINE) for risk in sections["risks"]][:5]),
        "progress": whole["progress"],
        "playbook": [_work(task, proof) for task in work[:40]],
        "file": f".milestones/active/{wanted}.yaml",
        "deliverables": f".milestones/deliverables/{wanted}/",
        "next": "next_actions tells what to do; update_milestone changes it.",
    }


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
    retry_tasks: Annotated[list[Key], Field(max_length=50)] | None = None,
) -> Answer:
    """Change what a milestone says, or put failed tasks back (retry_tasks, when a person wants another try).
    Progress cannot be set: it follows from evidence.
    """
    row = shared.milestone(ctx, milestone_id)
    shared.coordinator_or_person(ctx, row["milestone_id"])
    given = {"objectives": objectives, "scope": scope, "risks": risks, "team": team, "dependencies": dependencies}
    changes = {field: _plain(given[field]) for field in EDITABLE if given[field] is not None}
    shared.as_json("the changes", changes)
    row["sections"] = row["sections"] | changes
    texts = {"name": name, "description": description, "duration": duration, "status": status}
    row.update({field: text for field, text in texts.items() if text})
    changed = [*changes, *(field for field, text in texts.items() if text)]
    if changed:
        ctx.store.milestones.save(row, ctx.at)
    retried = [_retry(ctx, row["milestone_id"], task_id) for task_id in retry_tasks or []]
    if not changed and not retried:
        raise Refusal("Nothing to change was given", allowed=f"{', '.join((*texts, *EDITABLE))}, retry_tasks")
    ctx.record("milestone_updated", row["milestone_id"], topic="tasks", detail={"changed": changed, "retry": retried})
    return {"milestone_id": row["milestone_id"], "changed": changed, "retry": retried, "next": "next_actions"}


def _retry(ctx: Context, milestone_id: str, task_id: str) -> str:
    row = ctx.store.tasks.get(milestone_id, task_id)
    if row is None or row["status"] != "failed":
        failed = [task["task_id"] for task in ctx.store.tasks.all(milestone_id) if task["status"] == "failed"]
        raise Refusal(
            f"Task {task_id!r} has not failed", allowed=f"retry_tasks {', '.join(failed) or '(nothing has failed)'}"
        )
    ctx.store.tasks.set(milestone_id, task_id, "ready", "a person asked for another try")
    return task_id


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
    return value.model_dump() if hasattr(value, "model_dump") else value


def _some(lines: list[str]) -> list[str]:
    return lines if len(lines) <= _SHOWN else [*lines[:_SHOWN], f"… and {len(lines) - _SHOWN} more in the file"]


def _work(task: dict[str, Any], proof: dict[str, Any]) -> dict[str, Any]:
    shown = {"task_id": task["task_id"], "status": task["status"]}
    if task["held_by"]:
        shown["agent_id"] = task["held_by"]
    if task["detail"]:
        shown["detail"] = clip(task["detail"], _LINE)
    if task["task_id"] in proof:
        shown["evidence"] = proof[task["task_id"]]
    return shown
