"""Sessions: a milestone is created or continued, and its execution begins once the plan and the project allow it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from milestone.domain.errors import Conflict, Missing, Refusal
from milestone.domain.milestones import ENDED, PHASES, branch_of, generated_id, new_sections
from milestone.domain.plans import readiness
from milestone.operations import checkpoints, leading, outcomes, reporting, seeding, shared, strategy, surveying
from milestone.operations.arguments import Line, MaybeMilestoneId, Text
from milestone.operations.context import Answer, Aside, Context
from milestone.operations.registry import operation
from milestone.prompts.playbooks import Playbook

_SKILLS = ("planning", "execution", "coordination")


@operation(creates=True)
def initialize_agent_coordination(
    ctx: Context,
    milestone_id: MaybeMilestoneId = "",
    name: Line = "",
    description: Text = "",
    mode: Literal["planning", "execution"] = "planning",
) -> Answer | Aside:
    """Create or continue a milestone and its session; call it first. The same name or id continues the same
    milestone, and an open session is returned, never a second one. mode execution begins to carry out an accepted
    plan, or says all that keeps it from starting. Next: next_actions.
    """
    ctx.store.log.open_project(ctx.at)
    row = _wanted(ctx, milestone_id, name)
    created = row is None
    if row is None and mode == "execution":
        raise Missing(
            f"There is no milestone {milestone_id or name!r} that has not ended",
            remedy="/milestone:plan plans one; get_milestone shows those that there are.",
        )
    if row is None:
        row = _new_milestone(ctx, milestone_id, name, description)
    current = ctx.store.milestones.latest_session(row["milestone_id"], mode)
    if current is None and mode == "execution":
        return _begin_execution(ctx, row)
    session_id = current["session_id"] if current else _new_session(ctx, row["milestone_id"], mode)
    return _opened(ctx, row, session_id, created=created)


def _opened(ctx: Context, row: Mapping[str, Any], session_id: str, *, created: bool, **more: Any) -> Answer:
    wanted = row["milestone_id"]
    follows = {"next": f"next_actions(milestone_id={wanted!r})"}
    try:
        leading.coordinator(ctx, session_id)
    except Conflict as led:
        follows = {"notice": f"{led.wrong}.", "next": led.remedy}
    return {
        "milestone_id": wanted,
        "session_id": session_id,
        "agent_id": f"coordinator-{session_id}",
        "status": row["status"],
        "created": created,
        **more,
        **follows,
    }


@dataclass(frozen=True)
class _Start:
    """An execution that is about to begin: the milestone, and what its plan lacks."""

    milestone_id: str
    problems: tuple[str, ...]


def _begin_execution(ctx: Context, row: Mapping[str, Any]) -> Aside:
    """Look at the repositories before anything is decided, so that a refusal can list every problem at once."""
    if row["status"] in ENDED:
        raise Conflict(f"Milestone {row['milestone_id']!r} is {row['status']}", remedy="Plan a new one.")
    leading.may_coordinate(ctx)
    sections = row["sections"]
    others = [one for one in ctx.store.milestones.all() if one["milestone_id"] != row["milestone_id"]]
    known = {value for one in others for value in (one["milestone_id"], one["name"])}
    problems = _not_planned(ctx, row["milestone_id"])
    if not problems:
        problems = readiness(sections, known, row["milestone_id"])
    start = _Start(row["milestone_id"], tuple(problems))
    wanted = sorted({str(task.get("repository") or "") for task in sections["tasks"]} - {""})
    look = surveying.Look(ctx.world, branch_of(row["milestone_id"]), tuple(wanted), begin=not problems)
    return Aside(lambda _: surveying.look(look), lambda later, found: _execute(later, start, found))


def _not_planned(ctx: Context, milestone_id: str) -> list[str]:
    if not ctx.store.tasks.exist(milestone_id, "planning"):
        return ["nothing is planned yet: /milestone:plan plans it"]
    if not ctx.store.tasks.unfinished(milestone_id, "planning"):
        return []
    left = [
        f"{task['task_id']} ({task['status']})"
        for task in ctx.store.tasks.all(milestone_id, "planning")
        if task["status"] not in ("completed", "skipped")
    ]
    return [f"planning has not ended: {', '.join(left)}; /milestone:plan goes on with it"]


def _execute(ctx: Context, start: _Start, found: surveying.Found) -> Answer | Aside:
    """Begin the execution: decisions and tasks become rows, the session opens, the phases wait for their turn.

    A checkpoint follows at once, so that there is something to go back to.
    """
    milestone_id = start.milestone_id
    row = ctx.store.milestones.get(milestone_id)
    assert row is not None
    current = ctx.store.milestones.latest_session(milestone_id, "execution")
    if current:
        return _opened(ctx, row, current["session_id"], created=False)
    playbook, trouble = _playbook(ctx)
    problems = [*start.problems, *found.problems, *trouble]
    if problems or playbook is None:
        ctx.record("execution_refused", milestone_id, detail={"problems": problems})
        raise Refusal(
            f"Milestone {milestone_id!r} cannot be executed yet. Problems: {len(problems)}. "
            + " ".join(f"({number}) {problem}." for number, problem in enumerate(problems, 1)),
            remedy="Mend them with the person, then call again.",
        )
    outcomes.close_session(ctx, milestone_id, "planning")
    planned = row["sections"]["tasks"]
    _take_decisions(ctx, milestone_id, row["sections"]["decisions"])
    for one in found.repositories:
        ctx.store.evidence.add_repository(milestone_id, one.name, **one.columns(ctx.world.project))
    sown = seeding.sow_execution(playbook, planned, _surroundings(ctx, milestone_id, found))
    seeding.write(ctx, milestone_id, "execution", sown)
    names = seeding.row_names(planned, playbook)
    for task in planned:
        for decision in task["decisions"]:
            ctx.store.evidence.cite(milestone_id, names[task["id"]], decision)
    for phase in ctx.world.limits().approvals:
        ctx.store.approvals.add(milestone_id, phase)
    row["status"], row["sections"] = "active", {**row["sections"], "tasks": [], "decisions": []}
    ctx.store.milestones.save(row, ctx.at)
    session_id = _new_session(ctx, milestone_id, "execution")
    picked = strategy.pick(ctx, row)
    _announce(ctx, row, session_id, found)
    answer = _opened(ctx, row, session_id, created=False, **_told(found), strategy=picked)
    return checkpoints.automatic(ctx, milestone_id, "begin", lambda _: answer)


def _playbook(ctx: Context) -> tuple[Playbook | None, list[str]]:
    """Return the playbook of an execution, and what is wrong with it or with the limits."""
    trouble: list[str] = []
    playbook = None
    try:
        playbook = ctx.playbook("execution")
    except Refusal as refusal:
        trouble.append(refusal.wrong)
    try:
        ctx.world.limits()
    except Refusal as refusal:
        trouble.append(refusal.wrong)
    return playbook, trouble


def _announce(ctx: Context, row: Mapping[str, Any], session_id: str, found: surveying.Found) -> None:
    """Save the states that say that execution has begun."""
    milestone_id, agent_id = row["milestone_id"], f"coordinator-{session_id}"
    phases = ctx.store.milestones.phases(milestone_id)
    state = {
        "session_id": session_id,
        "strategy": row["strategy"],
        "phases": {phase["phase"]: {"weight": phase["weight"], "percentage": 0} for phase in phases},
        "roadmap": row["sections"]["timeline"],
        "estimates": row["sections"]["estimates"],
        "repositories": [{"name": one.name, "branch": one.branch, "base": one.base} for one in found.repositories],
    }
    reporting.save(ctx, milestone_id, agent_id, "execution-state", state)
    reporting.save(ctx, milestone_id, agent_id, "ready-for-execution", value=True)
    reporting.note_progress(ctx, milestone_id, "execution")
    ctx.record("execution_started", milestone_id, subject=session_id, topic="tasks", detail=state)


def _told(found: surveying.Found) -> dict[str, Any]:
    """Return what the person should know of the project as it was found."""
    main = next((one for one in found.repositories if not one.name), None)
    told: dict[str, Any] = {"branch": main.branch if main else ""}
    return told | ({"warnings": list(found.warnings)} if found.warnings else {})


def _surroundings(ctx: Context, milestone_id: str, found: surveying.Found) -> seeding.Surroundings:
    scope = ctx.store.state.newest_of_all(milestone_id, "planning-scope")
    value: dict[str, Any] = outcomes.value_of(ctx, scope[0]["agent_id"], "planning-scope") if scope else {}
    return seeding.Surroundings(
        gated={one.name: frozenset(phase for gate in one.gates for phase in gate.phases) for one in found.repositories},
        committed=frozenset(one.name for one in found.repositories if one.branch),
        languages=value.get("languages", []),
    )


def _take_decisions(ctx: Context, milestone_id: str, decisions: list[dict[str, Any]]) -> None:
    for ordinal, decision in enumerate(decisions):
        ctx.store.evidence.decide(milestone_id, ordinal, decision)


def _wanted(ctx: Context, milestone_id: str, name: str) -> dict[str, Any] | None:
    if milestone_id:
        row = ctx.store.milestones.get(milestone_id)
        if row is None and not name:
            return None
        return row
    if name:
        return ctx.store.milestones.named(name)
    live = [row for row in ctx.store.milestones.all() if row["status"] not in ENDED]
    return shared.milestone(ctx) if live else None


def _new_milestone(ctx: Context, milestone_id: str, name: str, description: str) -> dict[str, Any]:
    wanted = milestone_id or _free_id(ctx)
    position = ctx.store.log.advance()
    ctx.store.milestones.add(wanted, name or wanted, description or name, new_sections(), ctx.at, position)
    ctx.store.milestones.add_phases(wanted, PHASES)
    ctx.record("milestone_structure_created", wanted, subject=wanted, detail={"name": name, "description": description})
    ctx.record("milestone_file_created", wanted, subject=f"active/{wanted}.yaml")
    row = ctx.store.milestones.get(wanted)
    assert row is not None
    return row


def _free_id(ctx: Context) -> str:
    base = wanted = generated_id(ctx.now)
    number = 1
    while ctx.store.milestones.get(wanted):
        number += 1
        wanted = f"{base}-{number}"
    return wanted


def _new_session(ctx: Context, milestone_id: str, mode: str) -> str:
    second = int(ctx.now.timestamp())
    while ctx.store.milestones.session(f"{mode}-{milestone_id}-{second}"):
        second += 1
    session_id = f"{mode}-{milestone_id}-{second}"
    ctx.store.milestones.add_session(session_id, milestone_id, mode, ctx.at)
    ctx.store.agents.add(
        f"coordinator-{session_id}", shared.COORDINATOR, milestone_id, session_id, ctx.at, capabilities=_SKILLS
    )
    ctx.record("session_started", milestone_id, subject=session_id, detail={"mode": mode})
    return session_id
