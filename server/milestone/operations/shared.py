"""What several operations do the same way: find a milestone, prove a writer, take in a value."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from milestone.domain.errors import Missing, NotYours, Refusal
from milestone.domain.identity import ENDED as ENDED_AGENTS
from milestone.domain.identity import Agent, Caller, prove
from milestone.domain.milestones import ENDED, stamp
from milestone.domain.text import VALUE_LIMIT
from milestone.operations.context import Context, digest

COORDINATOR = "project-milestone-coordinator"
START = "initialize_agent_coordination starts or continues one."
SERVER_KEYS = frozenset(
    (
        *("execution-state", "ready-for-execution", "milestone-progress", "kiro-drift", "final-report", "brief"),
        "recovery-log",
    )
)
SEEN_EVERY = timedelta(seconds=15)
ANSWER_CHARS = 5_000


def milestone(ctx: Context, milestone_id: str = "", *, agent_id: str = "") -> dict[str, Any]:
    """Return the milestone that is meant: the one named, the caller's, or the only one that has not ended.

    Raises:
        Missing: there is none.
        Refusal: several could be meant.
    """
    if not milestone_id:
        agent = (ctx.store.agents.get(agent_id) if agent_id else None) or ctx.store.agents.of_caller(ctx.caller)
        milestone_id = agent.milestone_id if agent else ""
    if milestone_id:
        row = ctx.store.milestones.get(milestone_id)
        if row:
            return row
        known = _names(row["milestone_id"] for row in ctx.store.milestones.all())
        raise Missing(f"There is no milestone {milestone_id!r}", allowed=f"milestone_id {known}", remedy=START)
    live = [row for row in ctx.store.milestones.all() if row["status"] not in ENDED]
    if len(live) == 1:
        return live[0]
    if not live:
        raise Missing("There is no milestone in this project that has not ended", remedy=START)
    raise Refusal(
        "milestone_id is left out and several milestones are under way",
        allowed=f"milestone_id {_names(row['milestone_id'] for row in live)}",
        remedy="Call again with one of them.",
    )


def task(ctx: Context, milestone_id: str, task_id: str) -> dict[str, Any]:
    """Return a task of a milestone.

    Raises:
        Missing: it has none of that id.
    """
    row = ctx.store.tasks.get(milestone_id, task_id)
    if row is not None:
        return row
    known = ", ".join(one["task_id"] for one in ctx.store.tasks.all(milestone_id, limit=30))
    raise Missing(f"Milestone {milestone_id!r} has no task {task_id!r}", allowed=f"task_id {known or '(none yet)'}")


def session(ctx: Context, session_id: str, milestone_id: str) -> dict[str, Any]:
    """Return the session that is meant: the one named, else the open or newest one of the milestone.

    Raises:
        Missing: there is none.
    """
    if session_id:
        row = ctx.store.milestones.session(session_id)
    else:
        row = ctx.store.milestones.latest_session(milestone(ctx, milestone_id)["milestone_id"])
    if row:
        return dict(row)
    raise Missing(
        f"There is no session {session_id!r}", remedy="get_session_status without session_id shows the current one."
    )


def agent(ctx: Context, agent_id: str) -> Agent:
    """Return an agent of the registry.

    Raises:
        Missing: it is not registered.
    """
    found = ctx.store.agents.get(agent_id)
    if found:
        return found
    raise Missing(
        f"Agent {agent_id!r} is not registered",
        remedy="register_agent registers it; list_session_agents shows who is there.",
    )


def writer(ctx: Context, agent_id: str, token: str) -> Agent:
    """Return the agent a call acts as, once it is clear that the caller may; binds the host's agent to it.

    Raises:
        Missing: the agent is not registered.
        NotYours: the caller is somebody else, or the agent's claim is over; who holds its task now is named.
    """
    found = agent(ctx, agent_id)
    _fence(ctx, found)
    own = ctx.store.agents.of_caller(ctx.caller)
    nameless = own is not None and own.status == "starting"
    proof = prove(found, ctx.caller, None if nameless else own, token_digest=digest(token))
    if ctx.caller.established and (own is None or nameless):
        bind(ctx, agent_id, ctx.caller, own)
    if proof != "none":
        begin(ctx, found)
        ctx.store.tasks.adopt_claim(agent_id, ctx.server)
        ctx.store.tasks.renew(agent_id, ctx.clock)
        if not ctx.caller.established:
            _count_turn(ctx, agent_id)
    ctx.store.agents.see(agent_id, ctx.at, stamp(ctx.now - SEEN_EVERY))
    ctx.store.messages.read(agent_id, ctx.at)
    return found


def bind(ctx: Context, agent_id: str, caller: Caller, own: Agent | None) -> None:
    """Note which agent of the host an agent is; `own` is what the host's agent counted as so far.

    Messages that were handed to another run of the agent, and not to this one when it started, come again.
    """
    ctx.store.agents.bind(agent_id, caller, ctx.at, verified=True)
    if own is None or own.detail != agent_id:
        ctx.store.messages.renew(agent_id)


def _count_turn(ctx: Context, agent_id: str) -> None:
    """Count a call as a turn, on a host that tells nothing of its agents."""
    claim = ctx.store.tasks.claim_of(agent_id)
    task = ctx.store.tasks.get(claim["milestone_id"], claim["task_id"]) if claim else None
    if task:
        ctx.store.spend.count(agent_id, (task["milestone_id"], task["task_id"], task["phase"]), ctx.at)


def _fence(ctx: Context, found: Agent) -> None:
    """Keep out an agent whose task somebody else has by now."""
    claim = ctx.store.tasks.claim_of(found.agent_id) if found.status in ENDED_AGENTS else None
    newest = ctx.store.tasks.last_claim(claim["milestone_id"], claim["task_id"]) if claim else None
    if claim is None or newest is None or newest["attempt"] == claim["attempt"]:
        return
    holder = f"{newest['agent_id']!r} (attempt {newest['attempt']})"
    holds = "holds it now" if not newest["ended_at"] else "had it last"
    raise NotYours(
        f"Your lease on task {claim['task_id']!r} is over: {holder} {holds}, so nothing of yours is written",
        remedy="Stop working on it and report that you were replaced.",
    )


def begin(ctx: Context, found: Agent) -> None:
    """Note that an agent has begun the task it was given."""
    if found.status == "waiting" and ctx.store.tasks.start_claim(found.agent_id, ctx.server, ctx.at):
        ctx.store.tasks.renew(found.agent_id, ctx.clock)
        ctx.store.agents.set(found.agent_id, "active", ctx.at)
        ctx.record("agent_started", found.milestone_id, subject=found.agent_id, actor=found.agent_id, topic="agents")


def post(
    ctx: Context,
    milestone_id: str,
    sender: str,
    to: str,
    kind: str,
    payload: str,
    recipients: Sequence[str],
    reply_to: str = "",
) -> str:
    """Write a message with JSON text as its payload and return its id; who is at work and meant gets it."""
    message_id = f"msg-{ctx.chance(6)}"
    detail = {"message_id": message_id, "to": to, "type": kind}
    leads = any(recipient.startswith("coordinator-") for recipient in recipients)
    topic = "messages tasks" if leads else "messages"  # a coordinator waits in next_actions
    position = ctx.record("message_sent", milestone_id, subject=to, actor=sender, topic=topic, detail=detail)
    texts = {"kind": kind, "payload": payload, "reply_to": reply_to, "at": ctx.at}
    ctx.store.messages.add(message_id, milestone_id, sender, to, position=position, **texts)
    for recipient in recipients:
        ctx.store.messages.queue(message_id, recipient, position)
    return message_id


def by_server(key: str) -> bool:
    """Return whether a key is written by the server alone, because people rely on what it says."""
    return key in SERVER_KEYS or key.startswith("gates-")


def as_json(field: str, value: Any) -> str:
    """Return a value as JSON text.

    Raises:
        Refusal: it is over 1 MiB, nested too deeply, or holds NaN or infinity; `field` is named.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except ValueError:
        raise Refusal(f"{field} holds NaN or infinity, which is no JSON", remedy="Use null or a text.") from None
    except RecursionError:
        raise Refusal(f"{field} is nested too deeply", remedy="Flatten it.") from None
    size = len(text.encode())
    if size > VALUE_LIMIT:
        raise Refusal(
            f"{field} has {size:,} bytes",
            allowed=f"at most {VALUE_LIMIT:,} bytes",
            remedy="Save large content as a file and its path here, or split it over several keys.",
        )
    return text


def coordinator_or_person(ctx: Context, milestone_id: str) -> None:
    """Let through everybody but an agent with a task of its own.

    Raises:
        NotYours: the caller is such an agent.
    """
    own = ctx.store.agents.of_caller(ctx.caller)
    if own is not None and own.agent_type != COORDINATOR and ctx.store.tasks.claim_of(own.agent_id):
        raise NotYours(
            f"You are {own.agent_id}, and only the coordinator or a person changes milestone {milestone_id!r}",
            remedy="send_agent_message tells the coordinator what should change.",
        )


def _names(ids: Iterable[str]) -> str:
    names = [repr(name) for name in ids]
    return ", ".join(names[-10:]) if names else "(none yet)"
