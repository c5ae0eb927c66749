"""Who coordinates a session: one host session at a time, on a lease that each of its signs of life renews."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from milestone.domain.errors import Conflict, NotYours
from milestone.domain.leases import Lease, lease
from milestone.operations.context import Context
from milestone.operations.shared import COORDINATOR

LEAD_SECONDS = 180  # a waiting call renews every 10 s, a working host session with each tool call


def coordinator(ctx: Context, session_id: str, *, take_over: bool = False) -> None:
    """Make the caller the coordinator of a session; whoever else coordinates it and lives is left alone.

    With `take_over` it is taken from whoever has it; by a person's command line or page, for whoever asks next.

    Raises:
        Conflict: another host session coordinates it and lives; only `take_over` takes its place.
        NotYours: the caller is an agent with a task, or a sub-agent of another type; only the coordinator spawns.
    """
    may_coordinate(ctx)
    me = who(ctx)
    session = ctx.store.milestones.session(session_id)
    if session is None or not (me or take_over):
        return
    if session["coordinator"] != me:
        if not take_over and leads(ctx, session):
            raise _led(ctx, session)
        _change(ctx, session, me, take_over=take_over)
    ctx.store.milestones.lead(session_id, me, ctx.server, lease(ctx.clock, LEAD_SECONDS), ctx.at)
    coordinator_id = f"coordinator-{session_id}"
    own = ctx.store.agents.of_caller(ctx.caller)
    if ctx.caller.established and (own is None or own.agent_id != coordinator_id):
        ctx.store.agents.bind(coordinator_id, ctx.caller, ctx.at, verified=True)


def may_coordinate(ctx: Context) -> None:
    """Let through everybody who may become a session's coordinator.

    Raises:
        NotYours: the caller is an agent with a task, or a sub-agent of another type; only the coordinator spawns.
    """
    if not ctx.caller.established:
        return
    own = ctx.store.agents.of_caller(ctx.caller)
    worker = own is not None and own.agent_type != COORDINATOR
    if worker or (ctx.caller.host_agent and not ctx.caller.host_type.endswith(COORDINATOR)):
        name = own.agent_id if own else ctx.caller.host_type or "a sub-agent"
        raise NotYours(
            f"You are {name}, and only the coordinator plans and starts agents",
            remedy="Do your own task, then complete_task.",
        )


def who(ctx: Context) -> str:
    """Return who calls, as far as coordinating goes: the host's session, else the server process it talks to.

    Empty for a person's command line or page: they come and go, and coordinate nothing themselves.
    """
    return ctx.caller.host_session or ctx.server


def leads(ctx: Context, session: Mapping[str, Any]) -> bool:
    """Return whether somebody coordinates a session and lives: signs of life are recent, or gates of his run."""
    if not session["coordinator"] or not ctx.alive(session["server"]):
        return False
    if not Lease(session["era"], session["lease_until"]).expired(ctx.clock):
        return True
    runs = ctx.store.evidence.running(session["milestone_id"])
    return any(run["server"] == session["server"] for run in runs)


def renew(ctx: Context, host_session: str) -> None:
    """Take what any agent of a host session does as a sign of life of the coordinator in it."""
    if host_session:
        ctx.store.milestones.renew_lead(host_session, lease(ctx.clock, LEAD_SECONDS), ctx.at)


def _led(ctx: Context, session: Mapping[str, Any]) -> Conflict:
    left = Lease(session["era"], session["lease_until"]).seconds_left(ctx.clock)
    return Conflict(
        f"Milestone {session['milestone_id']!r} is being coordinated by another live session "
        f"({session['coordinator']}, last seen {session['seen_at']}); two would start the same agents",
        allowed="get_milestone and every tool that reads",
        remedy="Tell the person. If they want it here: steer_milestone(action='take_over'). "
        f"Without a sign of life from there it is free in {left:.0f} s.",
    )


def _change(ctx: Context, session: Mapping[str, Any], me: str, *, take_over: bool) -> None:
    """Note that somebody else coordinates from now on."""
    before = session["coordinator"]
    ctx.store.messages.renew(f"coordinator-{session['session_id']}")
    if not before:
        return
    actor = f"coordinator-{session['session_id']}" if me else "person"
    where = {"subject": session["session_id"], "actor": actor, "topic": "agents"}
    detail = {"before": before, "now": me, "taken_over": take_over}
    ctx.record("coordinator_changed", session["milestone_id"], **where, detail=detail)
