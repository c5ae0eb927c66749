"""The end of a milestone: standing roles end, the report is written, the session closes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from milestone.domain.proofs import described
from milestone.domain.text import clip
from milestone.operations import outcomes, reporting
from milestone.operations.context import Context

REPORT = "final-report"
_LINE = 160


def complete(ctx: Context, row: dict[str, Any], drift: Sequence[str]) -> None:
    """Complete a milestone whose four phases are completed."""
    milestone_id = row["milestone_id"]
    for task_id in ctx.store.tasks.standing_left(milestone_id, "execution"):
        task = ctx.store.tasks.get(milestone_id, task_id)
        claim = ctx.store.tasks.last_claim(milestone_id, task_id)
        if claim and not claim["ended_at"]:
            ctx.store.tasks.end_claim(claim["agent_id"], "the session has ended", ctx.at)
            ctx.store.agents.set(claim["agent_id"], "retired", ctx.at, "the session has ended")
        outcomes.skip(ctx, task or {}, "the session has ended")
    row["status"] = "completed"
    ctx.store.milestones.save(row, ctx.at)
    session = ctx.store.milestones.latest_session(milestone_id, "execution")
    reporting.note_progress(ctx, milestone_id, "execution")
    if session:
        text = report(ctx, row, drift)
        reporting.save(ctx, milestone_id, f"coordinator-{session['session_id']}", REPORT, text)
    outcomes.close_session(ctx, milestone_id, "execution")
    ctx.record("milestone_completed", milestone_id, subject=milestone_id, topic="tasks")


def report(ctx: Context, row: Mapping[str, Any], drift: Sequence[str]) -> str:
    """Return the final report as Markdown: progress, every task with its evidence, waivers, drift, repositories."""
    milestone_id = row["milestone_id"]
    progress = reporting.progress(ctx.store, milestone_id)
    shares = ", ".join(f"{phase} {share:g}" for phase, share in progress["by_phase"].items())
    lines = [
        f"# {row['name']}: final report",
        "",
        f"Milestone `{milestone_id}` is completed: {progress['overall']:g} % proven ({shares}).",
        f"Velocity: {progress['velocity']}.",
        "",
        "## Tasks and what proves them",
        "",
        *_tasks(ctx, milestone_id),
        "",
        "## Waivers",
        "",
        *([f"- {one['task_id']}: {one['by']}: {one['reason']}" for one in progress["waived"]] or ["None."]),
        "",
        "## Decisions that were not honoured",
        "",
        *([f"- {clip(sentence, 400)}" for sentence in drift] or ["None."]),
        "",
        "## Branches",
        "",
        *(_repository(one) for one in ctx.store.evidence.repositories(milestone_id)),
        "",
        "Nothing was pushed.",
        "",
    ]
    return "\n".join(lines)


def _tasks(ctx: Context, milestone_id: str) -> list[str]:
    proof: dict[str, list[dict[str, Any]]] = {}
    for one in ctx.store.evidence.all(milestone_id):
        proof.setdefault(one["task_id"], []).append(one)
    rows = ["| task | phase | weight | status | evidence |", "| --- | --- | --- | --- | --- |"]
    for task in ctx.store.tasks.all(milestone_id, "execution"):
        shown = "; ".join(described(one) for one in proof.get(task["task_id"], ())) or clip(task["detail"], _LINE)
        title = clip(task["title"], 80).replace("|", "/")
        phase = task["phase"] or "standing"
        cells = (f"`{task['task_id']}` {title}", phase, task["weight"], task["status"], shown.replace("|", "/"))
        rows.append(f"| {' | '.join(str(cell) for cell in cells)} |")
    return rows


def _repository(row: Mapping[str, Any]) -> str:
    name = row["name"] or "this repository"
    pull_request = f", pull request {row['pr_url']}" if row["pr_url"] else ""
    return f"- {name}: `{row['branch']}` from {row['base_commit'][:12]}{pull_request}" if row["branch"] else f"- {name}"
