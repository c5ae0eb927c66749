"""Runs the project's gates: as proof for a task in review, or as a trial for the agent that works on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from milestone.domain.errors import Refusal
from milestone.domain.gates import Gate
from milestone.domain.recovery import Failure, FailureKind
from milestone.domain.text import clip
from milestone.operations import changes, checkpoints, proving, reporting, shared, tracking
from milestone.operations.arguments import Key, MaybeAgentId, MaybeMilestoneId, Token
from milestone.operations.context import Answer, Aside, Context
from milestone.operations.registry import operation

RESOLVER = "infra-git-operator"
_KINDS: Mapping[str, FailureKind] = {"not_found": "impossible", "conflict": "conflict"}
_SHOWN = 2_400
_KEPT = 20_000


@operation()
def run_gates(
    ctx: Context, task_id: Key, agent_id: MaybeAgentId = "", milestone_id: MaybeMilestoneId = "", token: Token = ""
) -> Answer | Aside:
    """Run the project's own gate commands for a task, and show what they say. For the coordinator: proves a task that
    is in review, or sends it back. For the agent that holds the task: a trial in its worktree, as often as it likes.
    """
    row = shared.milestone(ctx, milestone_id, agent_id=agent_id)
    task = shared.task(ctx, row["milestone_id"], task_id)
    gates = _gates(ctx, task)
    if task["status"] == "claimed" and _is_holder(ctx, task, agent_id, token):
        return _start(ctx, task, gates, trial=True)
    shared.coordinator_or_person(ctx, row["milestone_id"])
    if task["status"] != "in_review" or "gates" not in tracking.owes(ctx, task):
        return _as_it_is(ctx, task)
    for run in ctx.store.evidence.running(row["milestone_id"]):
        if run["task_id"] == task_id and ctx.alive(run["server"]):
            return _told(task, "running", [], "They run already: next_actions(wait_seconds=100).")
    return _start(ctx, task, gates, trial=False)


def _gates(ctx: Context, task: Mapping[str, Any]) -> tuple[Gate, ...]:
    repository = ctx.store.evidence.repository(task["milestone_id"], task["repository"])
    gates = tuple(Gate.from_plain(one) for one in repository["gates"]) if repository else ()
    fitting = tuple(gate for gate in gates if not task["phase"] or task["phase"] in gate.phases)
    if not fitting:
        raise Refusal(
            f"No gate is configured for the phase {task['phase'] or '(none)'}",
            remedy="Gates stand in .milestones/config/gates.yaml, as committed when execution began; "
            "a person adds them there.",
        )
    return fitting


def _is_holder(ctx: Context, task: Mapping[str, Any], agent_id: str, token: str) -> bool:
    own = ctx.store.agents.of_caller(ctx.caller)
    agent_id = agent_id or (own.agent_id if own else "")
    claim = ctx.store.tasks.claim_of(agent_id) if agent_id else None
    if claim is None or claim["ended_at"] or claim["task_id"] != task["task_id"]:
        return False
    shared.writer(ctx, agent_id, token)
    return True


def _start(ctx: Context, task: Mapping[str, Any], gates: tuple[Gate, ...], *, trial: bool) -> Aside:
    run_id = f"gates-{ctx.chance(5)}"
    where = (run_id, task["milestone_id"], task["task_id"], task["attempts"])
    ctx.store.evidence.begin_run(*where, trial=trial, server=ctx.server, at=ctx.at)
    detail = {"run": run_id, "gates": [gate.name for gate in gates], "trial": trial}
    ctx.record("gates_started", task["milestone_id"], subject=task["task_id"], topic="tasks", detail=detail)
    job = changes.job(ctx, task)
    limits = ctx.world.limits()
    run = Aside(
        lambda outside: proving.prove(job, gates, limits, outside, trial=trial),
        lambda later, found: _ended(later, task, run_id, found, trial=trial),
    )
    return checkpoints.before_merge(ctx, job, run) if job.branch and job.writes and not trial else run


def _ended(ctx: Context, task: Mapping[str, Any], run_id: str, found: proving.Proof, *, trial: bool) -> Answer:
    """Write down what the gates said, and what follows from it."""
    results = [{**one, "output": one["output"][-_KEPT:]} for one in found.results]
    ctx.store.evidence.end_run(run_id, found.status, found.commit, results, ctx.at)
    said = [{name: one[name] for name in ("gate", "outcome", "exit_code", "seconds")} for one in found.results]
    detail = {"run": run_id, "status": found.status, "commit": found.commit, "gates": said, "why": found.why}
    ctx.record("gates_ended", task["milestone_id"], subject=task["task_id"], topic="tasks", detail=detail)
    now = shared.task(ctx, task["milestone_id"], task["task_id"])
    if trial:
        next_step = "git_milestone(action='commit'), then complete_task." if found.status == "passed" else "Mend it."
        return _told(now, found.status, found.results, next_step, found.why)
    if now["status"] != "in_review" or now["attempts"] != task["attempts"]:
        if (
            found.merged and now["status"] == "completed"
        ):  # somebody waived it meanwhile; what is on the branch is told all the same
            ctx.store.evidence.add(now["milestone_id"], now["task_id"], "commit", "server", found.merged, ctx.at)
        return _told(now, found.status, found.results, "next_actions", f"The task is {now['status']} by now.")
    if found.status == "passed":
        _prove(ctx, now, found, run_id, said)
    elif found.status != "cancelled":
        _send_back(ctx, now, found, results)
    now = shared.task(ctx, task["milestone_id"], task["task_id"])
    return _told(now, found.status, found.results, "next_actions", found.why)


def _send_back(ctx: Context, task: Mapping[str, Any], found: proving.Proof, results: list[dict[str, Any]]) -> None:
    """Send a task back with the reason; the whole output is kept where the next attempt can load it."""
    role = RESOLVER if found.status == "conflict" else ""
    key = f"gates-{task['task_id']}"
    session = ctx.store.milestones.latest_session(task["milestone_id"], "execution")
    if results and session:
        said = {one["gate"]: one["output"] for one in results if one["outcome"] != "passed"}
        reporting.save(ctx, task["milestone_id"], f"coordinator-{session['session_id']}", key, said)
    where = f"load_agent_state(key={key!r}) has all of it. " if results else ""
    kind = _KINDS.get(found.status, "gates")
    tracking.send_back(ctx, task, Failure(kind, where + found.why), role=role)


def _prove(ctx: Context, task: Mapping[str, Any], found: proving.Proof, run_id: str, said: list[Any]) -> None:
    milestone_id, task_id = task["milestone_id"], task["task_id"]
    author = next((one["agent_id"] for one in ctx.store.evidence.all(milestone_id, task_id)), "")
    if found.merged:
        ctx.store.evidence.add(milestone_id, task_id, "commit", author, found.merged, ctx.at)
    detail = {"run": run_id, "commit": found.commit, "gates": said}
    ctx.store.evidence.add(milestone_id, task_id, "gates", "server", detail, ctx.at)
    tracking.settle(ctx, task)


def _as_it_is(ctx: Context, task: Mapping[str, Any]) -> Answer:
    runs = ctx.store.evidence.runs(task["milestone_id"], task["task_id"], 1)
    results: list[dict[str, Any]] = runs[0]["results"] if runs else []
    return _told(task, runs[0]["status"] if runs else "not run", results, "next_actions", "No gates are owed now.")


def _told(task: Mapping[str, Any], status: str, results: Any, next_step: str, why: str = "") -> Answer:
    shown = [
        {
            **{name: one[name] for name in ("gate", "outcome", "exit_code", "seconds")},
            "output": clip_start(one["output"], _SHOWN // max(len(results), 1) if one["outcome"] != "passed" else 200),
        }
        for one in results
    ]
    answer: Answer = {"task_id": task["task_id"], "status": task["status"], "result": status, "gates": shown}
    return answer | ({"why": clip(why, 900)} if why else {}) | {"next": next_step}


def clip_start(text: str, limit: int) -> str:
    """Return the end of a text, with a mark where its beginning was cut; what failed stands at the end."""
    return text if len(text) <= limit else "…" + text[-limit:]
