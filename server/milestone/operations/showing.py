"""A milestone shown: where it stands and why, on one screen, and each of its parts in pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from milestone.domain.proofs import described
from milestone.domain.text import clip
from milestone.operations import (
    checking,
    checkpoints,
    drifting,
    reporting,
    shared,
    situation,
    strategy,
    tracking,
)
from milestone.operations.arguments import MaybeMilestoneId, Offset
from milestone.operations.context import Answer, Aside, Context
from milestone.operations.registry import operation

About = Literal["", "tasks", "evidence", "decisions", "drift", "gates", "checks", "missing", "checkpoints"]
_SHOWN = 15
_LINE = 160
_PAGE = 20
_FILE_LINE = 120


@operation(writes=False)
def get_milestone(
    ctx: Context, milestone_id: MaybeMilestoneId = "", about: About = "", offset: Offset = 0
) -> Answer | Aside:
    """Show a milestone: goal, decisions, tasks, risks, progress, what counts, what is missing and what blocks; with
    about one of these in pages. The file it names has all of it.
    """
    row = shared.milestone(ctx, milestone_id)
    if about == "":
        return _whole(ctx, row)
    if about in ("drift", "checks"):
        return Aside(drifting.look(ctx, row), lambda later, there: _looked(later, row, about, there))
    lines = _PARTS[about](ctx, row)
    return _page(row, about, lines, offset)


def _whole(ctx: Context, row: Mapping[str, Any]) -> Answer:
    wanted, sections = row["milestone_id"], row["sections"]
    executing = ctx.store.tasks.exist(wanted, "execution")
    mode = "execution" if executing else "planning"
    ended = "completed" if row["status"] == "completed" else "active"
    known = {name: row[name] for name in ("milestone_id", "name", "status", "duration")}
    answer: Answer = {
        **known,
        "description": clip(row["description"], 600),
        "objectives": {"primary": clip(sections["objectives"]["primary"], 400)},
        "decisions": _some(_decisions(ctx, row)),
        "tasks": _some(_planned(ctx, row)),
        "risks": [clip(str(risk["risk"]), _LINE) for risk in sections["risks"][:5]],
        "progress": reporting.progress(ctx.store, wanted) if executing else _planning(ctx, row),
    }
    if executing:
        answer |= _execution(ctx, row)
    answer["playbook"] = [_work(ctx, task) for task in _at_work(ctx, wanted, mode)]
    return answer | {
        "file": f".milestones/{ended}/{wanted}.yaml",
        "deliverables": f".milestones/deliverables/{wanted}/",
        "next": "next_actions tells what to do; get_milestone(about=…) shows one part; update_milestone changes it.",
    }


def _planning(ctx: Context, row: Mapping[str, Any]) -> dict[str, Any]:
    tasks = ctx.store.tasks.all(row["milestone_id"], "planning")
    done = sum(task["status"] == "completed" for task in tasks)
    return {
        "percentage": 0,
        "phase": row["status"],
        "tasks_total": len(row["sections"]["tasks"]),
        "planning": {"tasks_completed": done, "tasks_total": len(tasks)},
    }


def _execution(ctx: Context, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what matters of an execution: strategy, what is missing, what blocks, what was not honoured."""
    milestone_id = row["milestone_id"]
    repositories = ctx.store.evidence.repositories(milestone_id)
    picked: Mapping[str, str] = row["sections"].get("adaptive", {}) if row["strategy"] == "adaptive" else {}
    found: dict[str, Any] = {
        "strategy": f"adaptive: {picked['strategy']}, because {picked['why']}" if picked else row["strategy"],
        "phases": {one.phase: one.status for one in strategy.states(ctx, milestone_id)},
        "branches": [f"{one['name'] or 'this repository'}: {one['branch']}" for one in repositories if one["branch"]],
        "missing": _some(_missing(ctx, row)),
    }
    approvals = ctx.store.approvals.of(milestone_id)
    if approvals:
        found["approvals"] = {phase: one["status"] for phase, one in approvals.items()}
    waits = situation.waits_for(ctx, row)
    if waits:
        found["waits_for"] = waits
    ungated = [one["name"] or "this repository" for one in repositories if not one["gates"]]
    if ungated:
        found["warning"] = f"no gates are configured in {', '.join(ungated)}: no test of the project proves anything"
    return found


def _at_work(ctx: Context, milestone_id: str, mode: str) -> list[dict[str, Any]]:
    """Return the tasks worth a line: all of a planning, of an execution those that something happens with."""
    if mode == "planning":
        return ctx.store.tasks.all(milestone_id, mode, limit=40)
    held = ctx.store.tasks.held(milestone_id, mode)
    others = [ctx.store.tasks.with_status(milestone_id, mode, status, 10) for status in ("in_review", "failed")]
    return [*held, *others[0], *others[1]][:20]


def _work(ctx: Context, task: Mapping[str, Any]) -> dict[str, Any]:
    shown = {"task_id": task["task_id"], "status": task["status"]}
    if task.get("held_by"):
        shown["agent_id"] = task["held_by"]
    if task["detail"]:
        shown["detail"] = clip(task["detail"], _LINE)
    proof = tracking.evidence(ctx, task)
    if "keys" in proof:
        shown["evidence"] = proof["keys"]
    return shown


def _decisions(ctx: Context, row: Mapping[str, Any]) -> list[str]:
    rows = ctx.store.evidence.decisions(row["milestone_id"])
    known = rows or [{**one, "decision_id": one["id"]} for one in row["sections"]["decisions"]]
    return [f"{one['decision_id']} {one['kind']}: {clip(one['what'], _LINE)}" for one in known]


def _planned(ctx: Context, row: Mapping[str, Any]) -> list[str]:
    tasks = ctx.store.tasks.all(row["milestone_id"], "execution", limit=_SHOWN + 1)
    if tasks:
        total = reporting.standing(ctx.store, row["milestone_id"]).total
        lines = [f"{one['task_id']} [{one['phase'] or 'standing'}] {one['status']}" for one in tasks]
        return lines + [""] * max(total - len(lines), 0)
    return [f"{t['id']} [{t['phase']}] {clip(t['title'], _LINE)}" for t in row["sections"]["tasks"]]


def _tasks(ctx: Context, row: Mapping[str, Any]) -> list[str]:
    return [
        f"{one['task_id']} [{one['phase'] or 'standing'} {one['weight']}] {one['status']}: {clip(one['title'], _LINE)}"
        for one in ctx.store.tasks.all(row["milestone_id"], "execution")
    ]


def _evidence(ctx: Context, row: Mapping[str, Any]) -> list[str]:
    return [f"{one['task_id']}: {described(one)}" for one in ctx.store.evidence.all(row["milestone_id"])]


def _missing(ctx: Context, row: Mapping[str, Any]) -> list[str]:
    """Return what each task that has not ended still lacks, and what it waits for."""
    milestone_id = row["milestone_id"]
    lines: list[str] = []
    for status in ("failed", "in_review", "claimed", "ready", "pending"):
        for task in ctx.store.tasks.with_status(milestone_id, "execution", status, 200 if status != "pending" else 40):
            waits = ctx.store.tasks.blocked_by(milestone_id, task["task_id"]) if status == "pending" else []
            why = f"waits for {', '.join(waits)}" if waits else clip(task["detail"], _LINE)
            owed = ", ".join(tracking.owes(ctx, task))
            lines.append(f"{task['task_id']} ({status}) lacks {owed}" + (f"; {why}" if why else ""))
    return lines


def _gates(ctx: Context, row: Mapping[str, Any]) -> list[str]:
    lines = [
        f"gate {gate['name']} of {one['name'] or 'this repository'}: {' '.join(gate['run'])} ({one['gates_from']})"
        for one in ctx.store.evidence.repositories(row["milestone_id"])
        for gate in one["gates"]
    ]
    for task in ctx.store.tasks.all(row["milestone_id"], "execution"):
        for run in ctx.store.evidence.runs(row["milestone_id"], task["task_id"], 3) if "gates" in task["proof"] else ():
            said = "; ".join(f"{one['gate']} {one['outcome']} {one['output'][-200:]!r}" for one in run["results"])
            lines.append(f"{task['task_id']} {run['started_at']} {run['status']}: {said}")
    return lines


def _looked(ctx: Context, row: Mapping[str, Any], about: str, there: frozenset[str]) -> Answer:
    if about == "drift":
        return _page(row, about, drifting.report(ctx, row["milestone_id"], there) or ["Every decision is honoured."], 0)
    answers = checking.answers(ctx, row)
    return _page(row, about, [f"{'yes' if one.met else 'NO'}: {one.question} {one.evidence}" for one in answers], 0)


def _page(row: Mapping[str, Any], about: str, lines: Sequence[str], offset: int) -> Answer:
    end = offset + _PAGE
    call = f"get_milestone(milestone_id={row['milestone_id']!r}, about={about!r}, offset={end})"
    return {
        "milestone_id": row["milestone_id"],
        about: [clip(line, 2 * _FILE_LINE) for line in lines[offset:end]],
        "count": len(lines),
        "next": f"{call} shows more." if len(lines) > end else "That is all of it.",
    }


def _some(lines: list[str]) -> list[str]:
    return lines if len(lines) <= _SHOWN else [*lines[:_SHOWN], f"… and {len(lines) - _SHOWN} more in the file"]


_PARTS: Mapping[str, Callable[[Context, Mapping[str, Any]], list[str]]] = {
    "tasks": _tasks,
    "evidence": _evidence,
    "decisions": _decisions,
    "missing": _missing,
    "gates": _gates,
    "checkpoints": checkpoints.shown,
}
