"""What follows from accepted work: plans are taken, strategies and findings become tasks, reviews decide."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from milestone.domain.milestones import planned_sections
from milestone.operations.context import Context

PLAN, REVIEW, STRATEGY, CICD, REPORT = "milestone-plan", "review", "test-strategy", "cicd-status", "task-report"
REVIEWER, FIXER = "quality-enforcer", "cicd-failure-fixer"
LEVELS: Mapping[str, str] = {
    "testing-unit-master": "unit",
    "testing-integration-master": "integration",
    "testing-api-integration": "api",
}
ROLLED_BACK = "rolled back: it was added after the checkpoint"
_REVIEW_SECONDS, _FIX_SECONDS = 1_800, 3_600


def follow(ctx: Context, task: Mapping[str, Any], author: str) -> Iterator[tuple[dict[str, Any], str]]:
    """Carry out what a completed task asks for; yields the tasks it sends back, each with the reason."""
    _count_patterns(ctx, task)
    produced = task["produces"]
    if PLAN in produced and task["mode"] == "planning":
        _take_plan(ctx, task["milestone_id"], author)
    if STRATEGY in produced:
        _take_strategy(ctx, task, author)
    if CICD in produced:
        _take_findings(ctx, task, author)
    if REVIEW in produced:
        subject, value = _reviewed(ctx, task, author)
        if subject and value["verdict"] != "approved":
            yield subject, f"{author} asks for changes: {value['summary']} (load_agent_state key 'review' of {author})"


def reviewed(ctx: Context, task: Mapping[str, Any], author: str) -> Iterator[dict[str, Any]]:
    """Yield the task that a completed review approves, once its proof is written; nobody approves work of his own."""
    if REVIEW not in task["produces"]:
        return
    subject, value = _reviewed(ctx, task, author)
    if not subject or value["verdict"] != "approved":
        return
    if wrote(ctx, task, author):
        return
    detail = {"by": author, "verdict": value["verdict"], "summary": value["summary"], "task": task["task_id"]}
    ctx.store.evidence.add(subject["milestone_id"], subject["task_id"], "review", author, detail, ctx.at)
    yield subject


def wrote(ctx: Context, review: Mapping[str, Any], agent_id: str) -> bool:
    """Return whether the task that a review is about was carried out by this agent."""
    proof = ctx.store.evidence.all(review["milestone_id"], review["subject"])
    return any(one["kind"] == "keys" and _same(ctx, one["agent_id"], agent_id) for one in proof)


def ask_for_review(ctx: Context, task: Mapping[str, Any]) -> None:
    """Add the task of reviewing a task whose other proofs are there."""
    milestone_id = task["milestone_id"]
    newest = ctx.store.tasks.get(milestone_id, task["task_id"]) or task
    name = f"review-{task['task_id']}-{newest['attempts']}"
    add_task(
        ctx,
        milestone_id,
        name,
        agent_type=REVIEWER,
        title=f"Review: {task['title']}",
        phase=task["phase"],
        produces=(REVIEW,),
        source="review",
        subject=task["task_id"],
        repository=task["repository"],
        time_limit=_REVIEW_SECONDS,
    )


def add_task(
    ctx: Context, milestone_id: str, task_id: str, needs: Sequence[tuple[str, str]] = (), **given: Any
) -> None:
    """Add a task to a session that runs; what comes last in its phase waits for it."""
    there = ctx.store.tasks.get(milestone_id, task_id)
    if there and not (there["status"] == "skipped" and there["detail"] == ROLLED_BACK):
        return
    mode = given.pop("mode", "execution")
    if there:
        _come_back(ctx, there, given)
    else:
        ordinal = ctx.store.tasks.next_ordinal(milestone_id, mode)
        ctx.store.tasks.add(milestone_id, ordinal, task_id=task_id, mode=mode, **given)
    for needs_task, key in needs:
        ctx.store.tasks.add_dependency(milestone_id, task_id, needs_task, key)
    for waiting in ctx.store.tasks.waiting_for_all(milestone_id, mode, given["phase"]):
        if waiting != task_id:
            ctx.store.tasks.add_dependency(milestone_id, waiting, task_id)
            ctx.store.tasks.count_needs(milestone_id, waiting)
    ctx.store.tasks.count_needs(milestone_id, task_id)
    detail = {"mode": mode, "phase": given["phase"], "weight": given.get("weight", 0), "standing": 0}
    detail |= {"agent_type": given["agent_type"], "source": given["source"], "subject": given.get("subject", "")}
    ctx.record("task_added", milestone_id, subject=task_id, topic="tasks", detail=detail)


def _come_back(ctx: Context, task: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    """Let a task that a rollback took away be done after all, as it is asked for now."""
    milestone_id, task_id = task["milestone_id"], task["task_id"]
    counts = {"status": "pending", "attempts": task["attempts"], "failures": 0}
    ctx.store.rollbacks.set_task(milestone_id, task_id, **counts, detail="", completed_at="")
    ctx.store.tasks.fill(milestone_id, task_id, given["title"], given.get("paths", ()), given.get("acceptance", ()))
    ctx.record("task_rolled_back", milestone_id, subject=task_id, topic="tasks", detail=counts)


def end_session(ctx: Context, milestone_id: str, mode: str) -> None:
    """End a planning session whose tasks have all ended; execution ends with its last phase."""
    if mode != "planning" or ctx.store.tasks.unfinished(milestone_id, mode):
        return
    close_session(ctx, milestone_id, mode)


def close_session(ctx: Context, milestone_id: str, mode: str) -> None:
    """End the open session of a mode, and its coordinator."""
    session = ctx.store.milestones.latest_session(milestone_id, mode)
    if session and session["status"] == "open":
        ctx.store.milestones.end_session(session["session_id"], "completed", ctx.at)
        ctx.store.agents.set(f"coordinator-{session['session_id']}", "completed", ctx.at)
        ctx.record("session_completed", milestone_id, subject=session["session_id"], topic="tasks")


def value_of(ctx: Context, agent_id: str, key: str) -> Any:
    """Return what an agent saved last under a key; nothing where there is none."""
    saved = ctx.store.state.newest(agent_id, key)
    return json.loads(saved["value"]) if saved and saved["present"] else None


def file_names(value: Any) -> list[str]:
    """Return the names of the files for people that a delivered value carries."""
    fields: dict[str, Any] = cast("dict[str, Any]", value) if isinstance(value, dict) else {}
    files: list[dict[str, Any]] = fields.get("files") or []
    return [str(file["name"]) for file in files]


def _take_plan(ctx: Context, milestone_id: str, agent_id: str) -> None:
    row = ctx.store.milestones.get(milestone_id)
    assert row is not None
    row["sections"] = planned_sections(row["sections"], value_of(ctx, agent_id, PLAN))
    ctx.store.milestones.save(row, ctx.at)
    ctx.record("plan_accepted", milestone_id, subject=PLAN, actor=agent_id)


def _take_strategy(ctx: Context, task: Mapping[str, Any], author: str) -> None:
    """Fill in the levels of tests that the strategy wants, and skip the others."""
    milestone_id = task["milestone_id"]
    levels = {level["level"]: level for level in value_of(ctx, author, STRATEGY)["levels"]}
    for open_task in ctx.store.tasks.with_status(milestone_id, task["mode"], "pending", 1_000):
        level = levels.get(LEVELS.get(open_task["agent_type"], ""))
        if open_task["subject"] != STRATEGY or level is None:
            continue
        if level["needed"]:
            title = f"{open_task['title']}: {level['reason']}"[:200]
            ctx.store.tasks.fill(milestone_id, open_task["task_id"], title, level["paths"], level["cases"])
        else:
            skip(ctx, open_task, f"not needed: {level['reason']}")


def without(ctx: Context, task: Mapping[str, Any]) -> None:
    """Carry out what follows from a task that a person waived: what its result would have decided is left out."""
    if STRATEGY not in task["produces"]:
        return
    for open_task in ctx.store.tasks.with_status(task["milestone_id"], task["mode"], "pending", 1_000):
        if open_task["subject"] == STRATEGY:
            skip(ctx, open_task, f"left out, since {task['task_id']} was waived")


def skip(ctx: Context, task: Mapping[str, Any], why: str) -> None:
    """End a task that is not to be done; its weight counts for nothing."""
    ctx.store.tasks.set(task["milestone_id"], task["task_id"], "skipped", why)
    ctx.record("task_skipped", task["milestone_id"], subject=task["task_id"], topic="tasks", detail={"why": why})


def _take_findings(ctx: Context, task: Mapping[str, Any], author: str) -> None:
    """Make a task for a fixer out of each finding."""
    for finding in value_of(ctx, author, CICD)["findings"]:
        add_task(
            ctx,
            task["milestone_id"],
            f"fix-{finding['id']}",
            agent_type=FIXER,
            title=f"Fix: {finding['title']}"[:200],
            phase="execute",
            produces=(REPORT,),
            source="finding",
            subject=finding["id"],
            proof=_proof_of_fix(ctx, task["milestone_id"], finding["paths"]),
            paths=tuple(finding["paths"]),
            acceptance=(finding["detail"], finding["proposal"]),
            time_limit=_FIX_SECONDS,
        )


def _proof_of_fix(ctx: Context, milestone_id: str, paths: Sequence[str]) -> tuple[str, ...]:
    repository = ctx.store.evidence.repository(milestone_id, "")
    if not paths or repository is None:
        return ()
    gated = any("execute" in gate["phases"] for gate in repository["gates"])
    return (*(("commit",) if repository["branch"] else ()), *(("gates",) if gated else ()))


def _reviewed(ctx: Context, task: Mapping[str, Any], author: str) -> tuple[dict[str, Any] | None, Any]:
    subject = ctx.store.tasks.get(task["milestone_id"], task["subject"])
    in_review = subject if subject and subject["status"] == "in_review" else None
    return in_review, value_of(ctx, author, REVIEW)


def _same(ctx: Context, one: str, other: str) -> bool:
    """Return whether two agents are one: the same id, or the same agent of the host."""
    first, second = ctx.store.agents.get(one), ctx.store.agents.get(other)
    if one == other or first is None or second is None:
        return True
    return first.bound and (first.host_session, first.host_agent) == (second.host_session, second.host_agent)


def _count_patterns(ctx: Context, task: Mapping[str, Any]) -> None:
    claim = ctx.store.tasks.last_claim(task["milestone_id"], task["task_id"])
    for pattern_id in json.loads(claim["patterns"]) if claim else ():
        ctx.store.patterns.succeeded(pattern_id)
