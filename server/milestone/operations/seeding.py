"""Writes the tasks of a session: those of the playbook, and in execution those of the plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from milestone.domain.languages import transformer_for
from milestone.domain.milestones import PHASES
from milestone.operations.context import Context
from milestone.operations.outcomes import REPORT
from milestone.prompts.playbooks import Playbook, PlaybookTask

TRANSFORMER = "transformer"
MENDING = "rejection"
"""The source of a task that mends what a person rejected; it is proven as the plan's tasks of its phase are."""


@dataclass(frozen=True)
class Surroundings:
    """What tasks can be proven by here: the phases with gates of each repository, those with a branch; languages."""

    gated: Mapping[str, frozenset[str]]
    committed: frozenset[str]
    languages: Sequence[str] = ()


@dataclass
class Sown:
    """Tasks with what they wait for, in the order of consideration."""

    tasks: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    needs: list[tuple[str, str, str]] = field(default_factory=list[tuple[str, str, str]])

    def add(self, **task: Any) -> None:
        """Add a task."""
        self.tasks.append(task)


def sow_planning(playbook: Playbook) -> Sown:
    """Return the tasks of a planning."""
    sown = Sown()
    for task in playbook.tasks:
        sown.add(**_columns(task, "planning"))
    sown.needs.extend(_keyed(playbook.tasks))
    return sown


def sow_execution(playbook: Playbook, planned: Sequence[Mapping[str, Any]], around: Surroundings) -> Sown:
    """Return the tasks of an execution: standing roles, then phase by phase the playbook's and the plan's."""
    sown = Sown()
    taken = {task.id for task in playbook.tasks}
    names = _names(planned, taken)
    for task in playbook.tasks:
        if task.standing:
            sown.add(**_columns(task, "execution", around))
    for phase in PHASES:
        own = [task for task in playbook.tasks if task.phase == phase]
        theirs = [task for task in planned if task["phase"] == phase]
        for task in own:
            if not task.after:
                sown.add(**_columns(task, "execution", around))
        for task in theirs:
            sown.add(**planned_task(task, names[task["id"]], playbook, around))
        for task in own:
            if task.after:
                sown.add(**_columns(task, "execution", around))
                sown.needs.extend(_after(task, own, [names[one["id"]] for one in theirs]))
    sown.needs.extend(_keyed(playbook.tasks))
    sown.needs.extend((names[task["id"]], names[need], REPORT) for task in planned for need in task["depends_on"])
    return sown


def write(ctx: Context, milestone_id: str, mode: str, sown: Sown) -> None:
    """Write tasks and what they wait for into the database."""
    for ordinal, task in enumerate(sown.tasks):
        ctx.store.tasks.add(milestone_id, ordinal, **task)
        detail = {"mode": mode, **{name: task[name] for name in ("phase", "weight", "standing", "agent_type")}}
        ctx.store.log.add("task_added", milestone_id=milestone_id, at=ctx.at, subject=task["task_id"], detail=detail)
    for task_id, needs_task, key in sown.needs:
        ctx.store.tasks.add_dependency(milestone_id, task_id, needs_task, key)
    ctx.store.tasks.count_needs(milestone_id)
    ctx.record("playbook_started", milestone_id, subject=mode, topic="tasks", detail={"tasks": len(sown.tasks)})


def row_names(planned: Sequence[Mapping[str, Any]], playbook: Playbook) -> dict[str, str]:
    """Return under which ids the tasks of a plan are known: their own, unless the playbook has one of that name."""
    return _names(planned, {task.id for task in playbook.tasks})


def _names(planned: Sequence[Mapping[str, Any]], taken: set[str]) -> dict[str, str]:
    own = {str(task["id"]) for task in planned}
    names: dict[str, str] = {}
    for task in planned:
        name = str(task["id"])
        while name in taken or (name != task["id"] and name in own):
            name = f"plan-{name}"
        names[task["id"]] = name
    return names


def _columns(task: PlaybookTask, mode: str, around: Surroundings | None = None) -> dict[str, Any]:
    agent_type = task.agent_type
    if agent_type == TRANSFORMER and around:
        agent_type = transformer_for(task.paths, around.languages)
    proof = _provable(task.proof, task.phase or "", "", around) if around else ()
    return {
        "task_id": task.id,
        "mode": mode,
        "agent_type": agent_type,
        "title": task.title,
        "phase": task.phase or "",
        "weight": task.weight,
        "produces": task.produces,
        "critical": int(task.critical),
        "time_limit": task.time_limit,
        "standing": int(task.standing),
        "subject": task.decided_by,
        "proof": proof,
        "paths": task.paths,
        "last": int("phase" in task.after),
    }


def planned_task(task: Mapping[str, Any], name: str, playbook: Playbook, around: Surroundings) -> dict[str, Any]:
    """Return a task of the plan; without paths nothing changes that could be committed or tested."""
    phase, repository = str(task["phase"]), str(task.get("repository") or "")
    how = playbook.plan_tasks[phase]
    agent_type = task.get("agent_type") or how.agent_type
    if agent_type == TRANSFORMER:
        agent_type = transformer_for(task["paths"], around.languages)
    wanted = _wanted(how.proof, task["paths"])
    return {
        "task_id": name,
        "mode": "execution",
        "agent_type": agent_type,
        "title": task["title"],
        "phase": phase,
        "weight": task["weight"],
        "produces": (REPORT,),
        "critical": 1,
        "time_limit": how.time_limit,
        "standing": 0,
        "source": "plan",
        "subject": task["id"],
        "proof": _provable(wanted, phase, repository, around),
        "paths": tuple(task["paths"]),
        "acceptance": tuple(task["evidence"]),
        "repository": repository,
    }


def proof_now(task: Mapping[str, Any], playbook: Playbook, around: Surroundings) -> tuple[str, ...]:
    """Return what proves a task that exists, where the gates that count have changed."""
    wanted: Sequence[str] = task["proof"]
    if task["source"] in ("plan", MENDING):
        wanted = _wanted(playbook.plan_tasks[task["phase"]].proof, task["paths"])
    elif task["source"] == "playbook":
        wanted = next((one.proof for one in playbook.tasks if one.id == task["task_id"]), wanted)
    elif task["source"] == "finding":
        wanted = _wanted(("commit", "gates"), task["paths"])
    return _provable(wanted, task["phase"], task["repository"], around)


def _wanted(proof: Sequence[str], paths: Sequence[str]) -> tuple[str, ...]:
    """Return the kinds of proof a task is meant to have; without paths nothing changes that could be tested."""
    return tuple(proof) if paths else tuple(kind for kind in proof if kind == "review")


def _provable(proof: Sequence[str], phase: str, repository: str, around: Surroundings) -> tuple[str, ...]:
    """Return the kinds of proof that can be had: no commit without Git, no gates where none is configured."""
    impossible = set[str]() if repository in around.committed else {"commit"}
    if phase not in around.gated.get(repository, ()):
        impossible.add("gates")
    return tuple(kind for kind in proof if kind not in impossible)


def _keyed(tasks: Sequence[PlaybookTask]) -> Iterator[tuple[str, str, str]]:
    producers: dict[str, list[str]] = {}
    for task in tasks:
        for key in task.produces:
            producers.setdefault(key, []).append(task.id)
    for task in tasks:
        for key in (*task.needs, *((task.decided_by,) if task.decided_by else ())):
            yield from ((task.id, other, key) for other in producers[key] if other != task.id)


def _after(task: PlaybookTask, own: Sequence[PlaybookTask], planned: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    if "plan" in task.after or "phase" in task.after:
        yield from ((task.id, name, "") for name in planned)
    if "phase" in task.after:
        yield from ((task.id, other.id, "") for other in own if other.id != task.id)
