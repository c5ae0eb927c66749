"""What follows where the host lost an agent: what it delivered counts, and a usage limit lets everything rest."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from milestone.domain.identity import Caller
from milestone.domain.milestones import ENDED
from milestone.domain.recovery import Failure
from milestone.domain.usage import is_usage_limit, reset_of
from milestone.operations import recovering, shared, tracking
from milestone.operations.context import Answer, Aside, Context
from milestone.operations.delivering import Outcome, deliver

_ENDS = ("completed", "failed", "retired")
_SHOWN = 200


def stop_failure(ctx: Context, caller: Caller, error: str, said: str) -> Answer | Aside:
    """Take in that a conversation ended with an error: `error` is the host's word for it, `said` what it told.

    Of the main conversation only a usage limit matters: whoever coordinates may go on with another prompt.
    """
    own = ctx.store.agents.of_caller(caller)
    why = f"the host ended it: {said[:_SHOWN] or error or 'an error'}"
    if own is None or not is_usage_limit(error, said):
        return broke_off(ctx, caller, Failure("error" if error else "lost", why))
    row = shared.milestone(ctx, own.milestone_id)
    reset = reset_of(said, ctx.now, _zone)
    if row["status"] not in ENDED and own.status not in _ENDS:
        recovering.limit_reached(ctx, own.milestone_id, said[:_SHOWN] or error, reset)
    return broke_off(ctx, caller, Failure("usage_limit", why), reset_seconds=reset)


def broke_off(
    ctx: Context,
    caller: Caller,
    failure: Failure,
    then: Callable[[Context], Answer] = lambda _: {},
    *,
    reset_seconds: float | None = None,
) -> Answer | Aside:
    """Note that the host lost a sub-agent, or stopped it; what it had delivered counts."""
    own = ctx.store.agents.of_caller(caller)
    if own is None or own.status in _ENDS or not caller.host_agent:
        return then(ctx)
    claim = ctx.store.tasks.claim_of(own.agent_id)
    if claim is None or claim["ended_at"]:
        ctx.store.agents.set(own.agent_id, "failed", ctx.at, failure.why)
        return then(ctx)

    def judged(later: Context, outcome: Outcome) -> Answer:
        if outcome.lacking and failure.kind == "usage_limit":
            recovering.ended(later, own.agent_id, failure, agent_status="failed", reset_seconds=reset_seconds)
        elif outcome.lacking:
            tracking.give_back(later, own.agent_id, failure, agent_status="failed")
        return then(later)

    return deliver(ctx, shared.task(ctx, claim["milestone_id"], claim["task_id"]), own.agent_id, judged)


def _zone(name: str) -> tzinfo | None:
    """Return a time zone by its name; the machine's own for an empty one, nothing for one that nobody knows."""
    if not name:
        return datetime.now().astimezone().tzinfo
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
