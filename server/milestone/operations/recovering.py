"""What follows from failures: retries that wait, rollbacks, tasks done without, parking; each decided once and told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Literal

from milestone.domain.errors import NotYours
from milestone.domain.gates import Limits
from milestone.domain.leases import Clock, Lease
from milestone.domain.milestones import stamp
from milestone.domain.recovery import Ask, Decision, Degrade, Failure, Park, Policy, Retry, RollBack, decide
from milestone.domain.text import clip
from milestone.operations import outcomes, reporting, shared
from milestone.operations.arguments import AgentId, Text, Token
from milestone.operations.context import Answer, Context
from milestone.operations.registry import operation

LOG, ERROR = "recovery-log", "error-info"
_KEPT, _DETAIL = 50, 1_500
_LAST_WORDS = 30.0  # seconds: what was under way when the limit was reached may still have ended
_BACK = "roll back to "
_NEVER = Clock("", 0)


def policy(limits: Limits) -> Policy:
    """Return the policy that a project's limits set."""
    rest = limits.backoff
    return Policy(
        attempts=limits.attempts,
        base_seconds=rest.base_seconds,
        factor=rest.factor,
        most_seconds=rest.most_seconds,
        park_seconds=limits.park_seconds,
    )


def failed(
    ctx: Context, task: Mapping[str, Any], failure: Failure, agent_id: str, *, reset_seconds: float | None = None
) -> str:
    """Decide what follows from a task's failure, carry it out, and return the task's status from now on.

    It is `ready` (perhaps not before some time), `blocked` until a checkpoint is restored (`rollbacks_due`), `failed`
    where a person is asked, or `skipped`. The claim is the caller's to end. `failure.why` becomes the task's detail.
    """
    milestone_id, task_id = task["milestone_id"], task["task_id"]
    now = ctx.store.tasks.get(milestone_id, task_id)
    assert now is not None
    counted = int(failure.counts)
    last = ctx.store.state.last_checkpoint(milestone_id)
    decision = decide(
        failure,
        failures=now["failures"] + counted,
        critical=bool(now["critical"]),
        checkpoint=last["checkpoint_id"] if last else "",
        rollbacks=now["rollbacks"],
        chance=int(ctx.chance(4), 16) / 0xFFFFFFFF,
        policy=policy(ctx.world.limits()),
        reset_seconds=reset_seconds,
    )
    _note(ctx, milestone_id, decision, failure, subject=task_id, actor=agent_id, attempt=now["failures"] + counted)
    status = _carry_out(ctx, now, decision, failure, counted, known=reset_seconds is not None)
    reporting.note_progress(ctx, milestone_id, now["mode"])
    return status


def _carry_out(
    ctx: Context, task: Mapping[str, Any], decision: Decision, failure: Failure, counted: int, *, known: bool
) -> str:
    detail, again = failure.why[:_DETAIL], _NEVER
    match decision:
        case Retry(seconds):
            status, again = "ready", ctx.clock.after(seconds) if seconds else _NEVER
        case Park(seconds, why):
            status = "ready"
            _park_as_known(ctx, task["milestone_id"], seconds, why, known=known)
        case RollBack(checkpoint):
            status, detail = "blocked", f"{_BACK}{checkpoint}: {failure.why}"[:_DETAIL]
        case Degrade() | Ask():
            status = "failed"
    rolled = int(isinstance(decision, RollBack))
    ctx.store.tasks.set_retry(task, status, detail, again, failures=counted, rollbacks=rolled)
    if isinstance(decision, Degrade):
        outcomes.skip(ctx, task, decision.why[:_DETAIL])
        return "skipped"
    return status


def ended(
    ctx: Context,
    agent_id: str,
    failure: Failure,
    *,
    agent_status: str = "retired",
    reset_seconds: float | None = None,
) -> str:
    """End an agent's hold on its task because of a failure, and return the task's status; empty where it held none."""
    claim = ctx.store.tasks.claim_of(agent_id)
    if claim is None or claim["ended_at"]:
        return ""
    if failure.kind == "lost" and _limited(ctx, claim):
        failure = replace(failure, limited=True)
    ctx.store.tasks.end_claim(agent_id, failure.why, ctx.at)
    ctx.store.agents.set(agent_id, agent_status, ctx.at, failure.why)
    status = failed(ctx, claim, failure, agent_id, reset_seconds=reset_seconds)
    detail = {"agent_id": agent_id, "why": failure.why, "attempt": claim["attempt"], "status": status}
    ctx.record(
        "task_given_back", claim["milestone_id"], subject=claim["task_id"], actor=agent_id, topic="tasks", detail=detail
    )
    return status


def _limited(ctx: Context, claim: Mapping[str, Any]) -> bool:
    """Return whether nothing was heard of an agent since a usage limit was reached while it held its task."""
    spans = ctx.store.parkings.spans(claim["milestone_id"])
    found = ctx.store.agents.get(claim["agent_id"])
    if not spans or found is None or claim["handed_out_at"] > spans[-1]["from_at"]:
        return False
    return reporting.seconds(found.seen_at) <= reporting.seconds(spans[-1]["from_at"]) + _LAST_WORDS


def rollbacks_due(ctx: Context, milestone_id: str, mode: str) -> list[tuple[str, str, str]]:
    """Return the tasks that wait for a rollback: task id, checkpoint id, and why."""
    waiting = ctx.store.tasks.with_status(milestone_id, mode, "blocked")
    parts = [(one["task_id"], *one["detail"].removeprefix(_BACK).partition(": ")) for one in waiting if _waits(one)]
    return [(task_id, checkpoint, why) for task_id, checkpoint, _, why in parts]


def rolled_back(ctx: Context, milestone_id: str, checkpoint_id: str) -> list[str]:
    """Let the tasks go on that waited for this checkpoint to be restored, and return them."""
    freed: list[str] = []
    for mode in ("planning", "execution"):
        for task_id, checkpoint, why in rollbacks_due(ctx, milestone_id, mode):
            if checkpoint == checkpoint_id:
                ctx.store.tasks.set(milestone_id, task_id, "ready", f"{checkpoint} was restored: {why}"[:_DETAIL])
                ctx.record("task_retried", milestone_id, subject=task_id, topic="tasks")
                freed.append(task_id)
    return freed


def _waits(task: Mapping[str, Any]) -> bool:
    return bool(task["detail"].startswith(_BACK))


def park(ctx: Context, milestone_id: str, seconds: float, why: str) -> str:
    """Start nothing of a milestone until `seconds` have passed, and return until when; a longer parking stays as it is.

    Time spent parked is not active time.
    """
    row = shared.milestone(ctx, milestone_id)
    left = parked(ctx, row)
    if left >= seconds:
        return str(row["parked_until"])
    until = stamp(ctx.now + timedelta(seconds=seconds))
    if left:
        ctx.store.parkings.end(milestone_id, until)
    else:
        unpark(ctx, row)
        ctx.store.parkings.add(milestone_id, ctx.at, until)
    ctx.store.parkings.set(milestone_id, ctx.clock.after(seconds), until, why[:_DETAIL])
    detail = {"seconds": round(seconds), "until": until, "why": why[:_DETAIL]}
    ctx.record("milestone_parked", milestone_id, topic="tasks", detail=detail)
    return until


def parked(ctx: Context, row: Mapping[str, Any]) -> float:
    """Return for how many seconds a milestone is still parked; 0 when it is not.

    Within one boot the clock decides that does not jump; after another one there is only the time of day.
    """
    if not row["parked_until"]:
        return 0.0
    if row["parked_era"] == ctx.clock.era:
        return Lease(row["parked_era"], row["parked_clock"]).seconds_left(ctx.clock)
    return max(0.0, reporting.seconds(row["parked_until"]) - ctx.now.timestamp())


def unpark(ctx: Context, row: Mapping[str, Any]) -> None:
    """Let a milestone go on that was parked, because its time is over or a person says so; else change nothing."""
    if not row["parked_until"]:
        return
    milestone_id = row["milestone_id"]
    ctx.store.parkings.clear(milestone_id)
    ctx.store.parkings.end(milestone_id, min(row["parked_until"], ctx.at))
    ctx.record("milestone_unparked", milestone_id, topic="tasks", detail={"until": row["parked_until"]})


def limit_reached(ctx: Context, milestone_id: str, why: str, reset_seconds: float | None) -> None:
    """Park a milestone whose coordinator met the usage limit of its host."""
    failure = Failure("usage_limit", why)
    found = decide(
        failure,
        failures=0,
        critical=True,
        checkpoint="",
        rollbacks=0,
        chance=0.0,
        policy=policy(ctx.world.limits()),
        reset_seconds=reset_seconds,
    )
    assert isinstance(found, Park)
    _note(ctx, milestone_id, found, failure, subject="", actor="", attempt=0)
    _park_as_known(ctx, milestone_id, found.seconds, found.why, known=reset_seconds is not None)


def _park_as_known(ctx: Context, milestone_id: str, seconds: float, why: str, *, known: bool) -> None:
    """Park, unless that would put a guess in the place of what is known."""
    if known or not parked(ctx, shared.milestone(ctx, milestone_id)):
        park(ctx, milestone_id, seconds, why)


def _note(
    ctx: Context, milestone_id: str, decision: Decision, failure: Failure, *, subject: str, actor: str, attempt: int
) -> None:
    """Write a decision into the event log and into the recovery log, which agents and people read."""
    told = {
        "decision": decision.name,
        "why": decision.why[:_DETAIL],
        "failure": failure.kind,
        "counts": failure.counts,
        "attempt": attempt,
        "seconds": round(decision.seconds, 1) if isinstance(decision, Retry | Park) else 0,
        "checkpoint": decision.checkpoint if isinstance(decision, RollBack) else "",
    }
    ctx.record("recovery_decided", milestone_id, subject=subject, actor=actor, topic="tasks", detail=told)
    session = ctx.store.milestones.latest_session(milestone_id)
    if session is None:
        return
    agent_id = f"coordinator-{session['session_id']}"
    before: list[Any] = outcomes.value_of(ctx, agent_id, LOG) or []
    entry = {"at": ctx.at, "task_id": subject, "agent_id": actor, **told}
    reporting.save(ctx, milestone_id, agent_id, LOG, [*before, entry][-_KEPT:])


@operation()
def report_failure(
    ctx: Context,
    agent_id: AgentId,
    error: Text,
    kind: Literal["error", "damaged", "impossible"] = "error",
    token: Token = "",
) -> Answer:
    """Say that you cannot finish your task: error (another try may help), damaged (state or files are), impossible.
    Ends your hold on it; the server decides what follows. The coordinator reports for an agent that is gone. Next: your
    final message.
    """
    shared.agent(ctx, agent_id)
    claim = ctx.store.tasks.claim_of(agent_id)
    if claim is None:
        raise NotYours(f"No task was given to {agent_id!r}", remedy="Name the agent of the attempt that failed.")
    milestone_id, task_id = claim["milestone_id"], claim["task_id"]
    told = claim["ended_at"] and outcomes.value_of(ctx, agent_id, ERROR) is not None
    if not told and not _leads(ctx, milestone_id, agent_id):
        shared.writer(ctx, agent_id, token)
    if not claim["ended_at"]:
        value = {"error": error, "kind": kind, "task_id": task_id, "attempt": claim["attempt"]}
        reporting.save(ctx, milestone_id, agent_id, ERROR, value)
        ended(ctx, agent_id, Failure(kind, f"its agent reported {kind}: {clip(error, 300)}"), agent_status="failed")
    task = shared.task(ctx, milestone_id, task_id)
    return {
        "task_id": task_id,
        "status": task["status"],
        "why": task["detail"][:400],
        "next": "End with your final message, BLOCKED and why; the coordinator: next_actions.",
    }


def _leads(ctx: Context, milestone_id: str, agent_id: str) -> bool:
    """Return whether the caller is the coordinator of the milestone, who may report for an agent that is gone."""
    own = ctx.store.agents.of_caller(ctx.caller)
    return bool(
        own and own.agent_type == shared.COORDINATOR and own.milestone_id == milestone_id and own.agent_id != agent_id
    )
