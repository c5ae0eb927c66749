"""The heart: what to do next, and what proves that it was done."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from milestone.domain.errors import Missing, NotYours, Refusal
from milestone.domain.milestones import stamp
from milestone.domain.recovery import Failure
from milestone.domain.scheduling import Ask, AskApproval, Decision, Pause, RollBack, RunGates, Spawn, Transition, choose
from milestone.operations import (
    approving,
    checkpoints,
    leading,
    rolling,
    scouting,
    seeding,
    shared,
    situation,
    spending,
    steering,
    tracking,
)
from milestone.operations.arguments import Key, MaybeAgentId, MaybeMilestoneId, Seconds, Token
from milestone.operations.context import Answer, Aside, Context
from milestone.operations.delivering import Outcome, deliver, land
from milestone.operations.messages import take
from milestone.operations.registry import operation
from milestone.operations.spawning import spawn

_LOOK_AGAIN = 10.0  # seconds: a waiting call looks anew at least this often, because leases end without an event


@operation(topic=lambda _: "tasks")
def next_actions(ctx: Context, milestone_id: MaybeMilestoneId = "", wait_seconds: Seconds = 0) -> Answer | Aside:
    """For the coordinator: what to do now. Start every agent of the spawn actions in one message, with the brief as
    its whole prompt; they are claimed for you; call run_gates and transition_phase where named. Then call again with
    wait_seconds, until the action is done. Also right after any crash.
    """
    row = shared.milestone(ctx, milestone_id)
    wanted = row["milestone_id"]
    current = ctx.store.milestones.latest_session(wanted)
    if current is None:
        raise Missing(f"Milestone {wanted!r} has no session", remedy=shared.START)
    leading.coordinator(ctx, current["session_id"])
    mode = current["mode"]
    if mode == "planning" and not ctx.store.tasks.exist(wanted, mode):
        seeding.write(ctx, wanted, mode, seeding.sow_planning(ctx.playbook(mode)))
    return checkpoints.at_quarters(
        ctx, row, current, lambda later: _actions(later, wanted, current, wait=bool(wait_seconds))
    )


def _actions(
    ctx: Context, milestone_id: str, session: Mapping[str, Any], *, wait: bool, found: scouting.Found | None = None
) -> Answer | Aside:
    """Return what to do; `found` is what Git has of the tasks that are to be handed out, as far as it was looked up."""
    row = shared.milestone(ctx, milestone_id)
    broken_off = rolling.unfinished(ctx, row)
    if broken_off:
        known = {"milestone_id": milestone_id, "session_id": session["session_id"], "status": row["status"]}
        return known | {"actions": [broken_off], "next": _next([broken_off], milestone_id)}
    looked_at = _finish_what_is_there(ctx, milestone_id, session, wait=wait)
    if looked_at:
        return looked_at
    row = shared.milestone(ctx, milestone_id)
    decisions, known = _decide(ctx, row, session["mode"]), found or {}
    jobs = scouting.unknown(ctx, milestone_id, decisions, known)
    if jobs:

        def go_on(later: Context, more: dict[str, scouting.Left]) -> Answer | Aside:
            return _actions(later, milestone_id, session, wait=wait, found={**known, **more})

        return Aside(lambda _: scouting.scout(jobs), go_on)
    if spending.hold_back(ctx, milestone_id, decisions) or scouting.hold_back(ctx, milestone_id, decisions, known):
        return _actions(ctx, milestone_id, session, wait=wait, found=known)
    situation.open_phases(ctx, row, session["mode"], decisions)
    # Calls of one message run in order, and gates take long: whatever starts agents comes before them.
    ordered = sorted(decisions, key=lambda one: isinstance(one, RunGates))
    actions = [_action(ctx, row, session["session_id"], one, known) for one in ordered]
    answer: Answer = {
        "milestone_id": milestone_id,
        "session_id": session["session_id"],
        "status": row["status"],
        "actions": actions,
    }
    if leading.who(ctx):
        messages = take(ctx, f"coordinator-{session['session_id']}")
        answer |= {"messages": messages} if messages else {}
        ctx.store.milestones.tell(session["session_id"])
    if wait and actions[0]["kind"] in ("wait", "retry_at") and "messages" not in answer:
        answer["waiting"] = min(max(actions[0].get("seconds", _LOOK_AGAIN), 1), _LOOK_AGAIN)
    return answer | {"next": _next(actions, milestone_id)}


def _decide(ctx: Context, row: Mapping[str, Any], mode: str) -> list[Decision]:
    limits = ctx.world.limits()
    approving.reconsider(ctx, row["milestone_id"])
    return _stopped(row) or choose(
        situation.look(ctx, row, mode, limits.agents_at_once),
        agents_at_once=limits.agents_at_once,
        phases_at_once=limits.phases_at_once,
        priority=limits.priority,
    )


def _stopped(row: Mapping[str, Any]) -> list[Decision]:
    """Return why nothing is handed out of a milestone that a person has ended; empty where nobody has."""
    if row["status"] == "cancelled":
        return [Pause("done", "the milestone is cancelled")]
    if row["status"] == "blocked":
        return [Pause("ask_human", "a person has blocked it; update_milestone(status='planning') lets it go on")]
    return []


def _finish_what_is_there(
    ctx: Context, milestone_id: str, session: Mapping[str, Any], *, wait: bool
) -> Answer | Aside | None:
    """Accept what an agent delivered before it was lost, so that it is not done again; give back what it did not."""
    for held in ctx.store.tasks.held(milestone_id, session["mode"]):
        why = tracking.takeable(ctx, held)
        if not why:
            continue
        agent_id, server = held["held_by"], held["server"]

        def go_on(
            later: Context, outcome: Outcome, agent_id: str = agent_id, server: str = server, why: str = why
        ) -> Answer | Aside:
            if outcome.lacking:
                tracking.give_back(later, agent_id, Failure("lost", why, gone=not later.alive(server)))
            return _actions(later, milestone_id, session, wait=wait)

        return deliver(ctx, held, agent_id, go_on)
    for task in ctx.store.tasks.with_status(milestone_id, session["mode"], "in_review"):
        owed = tracking.owes(ctx, task)
        if "commit" in owed and "gates" not in owed:
            return land(ctx, task, lambda later: _actions(later, milestone_id, session, wait=wait))
    return None


def _action(
    ctx: Context, row: Mapping[str, Any], session_id: str, decision: Decision, found: scouting.Found
) -> dict[str, Any]:
    match decision:
        case Spawn():
            return spawn(ctx, row, session_id, decision, found.get(decision.task.task_id))
        case RollBack(task_id, checkpoint, why):
            return {"kind": "roll_back", "why": why, "task_id": task_id, "checkpoint_id": checkpoint}
        case Ask() | AskApproval():
            return _ask(ctx, row["milestone_id"], decision)
        case RunGates(task_id, why):
            return {"kind": "run_gates", "why": why, "task_id": task_id}
        case Transition(phase, why):
            return {"kind": "transition", "why": why, "phase": phase}
        case Pause(kind, why, tasks, seconds):
            later = (
                {"seconds": math.ceil(seconds), "at": stamp(ctx.now + timedelta(seconds=seconds))} if seconds else {}
            )
            return {"kind": kind, "why": why, "tasks": list(tasks), **later}


def _ask(ctx: Context, milestone_id: str, decision: Ask | AskApproval) -> dict[str, Any]:
    if isinstance(decision, AskApproval):
        return approving.ask(ctx, milestone_id, decision.phase, decision.why)
    return steering.ask(ctx, milestone_id, decision.task_id, decision.why)


@operation()
def complete_task(
    ctx: Context, task_id: Key, agent_id: MaybeAgentId = "", milestone_id: MaybeMilestoneId = "", token: Token = ""
) -> Answer | Aside:
    """End your task when its keys are saved and its change is committed. Both are checked: keys exist, are yours and
    have their shape, the commit touches only declared paths. Gates and a review may follow. Calling it again changes
    nothing. Next: your final message.
    """
    agent_id = agent_id or _caller_id(ctx)
    found = shared.agent(ctx, agent_id)
    milestone_id = milestone_id or found.milestone_id
    row = shared.task(ctx, milestone_id, task_id)
    shared.writer(ctx, agent_id, token)
    claim = ctx.store.tasks.claim_of(agent_id)
    if claim is None or (claim["milestone_id"], claim["task_id"]) != (milestone_id, task_id):
        raise NotYours(
            f"Task {task_id!r} was not given to {agent_id!r}",
            allowed=f"your task {claim['task_id']!r}" if claim else "tasks that next_actions gave you",
            remedy="Complete only the task of your brief.",
        )
    if claim["ended_at"]:
        return _delivered(task_id, Outcome(row["status"], tracking.evidence(ctx, row)))

    def answered(_: Context, outcome: Outcome) -> Answer:
        if outcome.lacking:
            raise _unproven(task_id, agent_id, outcome)
        return _delivered(task_id, outcome)

    return deliver(ctx, row, agent_id, answered)


def _unproven(task_id: str, agent_id: str, outcome: Outcome) -> Refusal:
    keys = [key for key in outcome.lacking if key != "commit"]
    remedy = f"save_agent_state(agent_id={agent_id!r}, key=…) for {', '.join(keys)}, then complete_task again."
    return Refusal(
        f"Task {task_id!r} is not proven: {'; '.join(outcome.lacking.values())}",
        remedy=remedy if keys else "Then complete_task again.",
    )


def _delivered(task_id: str, outcome: Outcome) -> Answer:
    return {
        "task_id": task_id,
        "status": outcome.status,
        "evidence": outcome.evidence,
        "next": "End with your final message; nothing more is to be called.",
    }


def _caller_id(ctx: Context) -> str:
    own = ctx.store.agents.of_caller(ctx.caller)
    if own is None:
        raise Refusal(
            "agent_id is left out and the host does not say who calls",
            remedy="Call again with the agent_id of your brief.",
        )
    return own.agent_id


def _next(actions: list[dict[str, Any]], milestone_id: str) -> str:
    kinds = {action["kind"] for action in actions}
    again = f"next_actions(milestone_id={milestone_id!r}, wait_seconds=100)"
    todo = _todo(actions, kinds)
    if todo:
        return f"Now {'; '.join(todo)}. Then {again}."
    if "wait" in kinds:
        return f"{again}; stay in this turn while they work."
    if "retry_at" in kinds:
        return f"Nothing before that time. {again}, or end your turn and let the person type /milestone:resume then."
    if "ask_human" in kinds:
        return _question(actions, milestone_id)
    return f"get_milestone(milestone_id={milestone_id!r}), then show the person a summary on one screen."


def _todo(actions: list[dict[str, Any]], kinds: set[str]) -> list[str]:
    """Return what the coordinator has to do at once, in this order."""
    todo: list[str] = []
    if "roll_back" in kinds:
        todo.append("restore_agent_checkpoint(checkpoint_id, dry_run=false, tree=true) for each roll_back")
    if "transition" in kinds:
        todo.append("transition_phase for each transition")
    if "spawn" in kinds:
        count = sum(action["kind"] == "spawn" for action in actions)
        todo.append(
            f"start all {count} agents in one message: for each spawn the Agent tool with subagent_type=agent_type, "
            "description, prompt=brief word for word"
        )
    if "run_gates" in kinds:
        todo.append("run_gates(task_id) for each run_gates, behind them in the same message")
    return todo


def _question(actions: list[dict[str, Any]], milestone_id: str) -> str:
    choices = [action["choices"] for action in actions if action.get("choices")]
    if choices:
        return f"Show the person why, and ask; where they want it {' or '.join(choices[0])}, then next_actions."
    phases = [action["phase"] for action in actions if action.get("phase")]
    if phases:
        return (
            f"Show the person what {', '.join(phases)} came to and where they answer (`commands`, or `milestone "
            "dashboard`); you cannot answer for them. Then end your turn."
        )
    if not actions[0]["tasks"]:
        return "Tell the person, and end your turn; steer_milestone(action='resume') when they want to go on."
    return (
        "Tell the person what failed and why, and ask what to do. To try again: "
        f"update_milestone(milestone_id={milestone_id!r}, retry_tasks={actions[0]['tasks']}), then next_actions."
    )
