"""Playbooks: which agents a mode needs, and what each task needs, produces and owes; read from YAML and checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from milestone.domain.milestones import PHASES
from milestone.prompts.fields import BadConfiguration, Reader, read_text
from milestone.prompts.strict_yaml import BadYaml, read

MODES = ("planning", "execution")
PROOFS = ("commit", "gates", "review")
AFTER = ("plan", "phase")
LONGEST = 86_400  # seconds

_PHASES = tuple(PHASES)
_REQUIRED = ("id", "agent_type", "title", "produces", "critical", "time_limit")
_OPTIONAL = ("needs", "phase", "weight")
_EXECUTION = ("standing", "proof", "after", "decided_by", "paths")
_OF_A_TASK = f"each task has the fields {', '.join(_REQUIRED)}"
_PLANNED = ("agent_type", "proof", "time_limit")


class BadPlaybook(BadConfiguration):
    """A playbook that cannot be used; the message names file, line and reason."""


@dataclass(frozen=True)
class PlaybookTask:
    """One task: an agent of `agent_type` makes the keys it produces out of those it needs. `time_limit` in seconds.

    A `standing` task belongs to no phase. `proof` is what it owes besides its keys. It starts `after` the plan's tasks
    of its phase, or after everything else in it; `decided_by` is the key whose value fills it in or skips it.
    """

    id: str
    agent_type: str
    title: str
    needs: tuple[str, ...]
    produces: tuple[str, ...]
    critical: bool
    time_limit: int
    phase: str | None
    weight: int
    standing: bool = False
    proof: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    decided_by: str = ""
    paths: tuple[str, ...] = ()

    @property
    def waits_for(self) -> tuple[str, ...]:
        """The keys without which the task cannot start."""
        return (*self.needs, *((self.decided_by,) if self.decided_by else ()))


@dataclass(frozen=True)
class PlanTasks:
    """How the plan's tasks of a phase are carried out: by whom, owing which proof. `time_limit` in seconds."""

    agent_type: str
    proof: tuple[str, ...]
    time_limit: int


@dataclass(frozen=True)
class Playbook:
    """The tasks of a mode, in the order in which they are considered; in execution also those of the plan, by phase."""

    mode: str
    tasks: tuple[PlaybookTask, ...]
    plan_tasks: Mapping[str, PlanTasks] = field(default_factory=dict[str, PlanTasks])


def read_playbook(path: Path) -> Playbook:
    """Return the playbook in a file.

    Raises:
        BadPlaybook: the file cannot be read, or something in it is refused.
    """
    try:
        text = read_text(path)
    except BadConfiguration as error:
        raise BadPlaybook(str(error)) from None
    return parse_playbook(text, str(path))


def parse_playbook(text: str, where: str) -> Playbook:
    """Return the playbook in `text`; `where` names it in errors.

    Raises:
        BadPlaybook: something in it is refused.
    """
    try:
        return _playbook(read(text, where), where)
    except BadYaml as error:
        raise BadPlaybook(str(error)) from None


def _playbook(document: Any, where: str) -> Playbook:
    reader = Reader(where, document, "a playbook has the fields mode and tasks")
    reader.fields(("mode", "tasks"), ("plan_tasks",))
    mode = reader.choice("mode", MODES)
    plan_tasks = _plan_tasks(reader, mode)
    readers = reader.items("tasks", _OF_A_TASK)
    if not readers:
        raise reader.bad("tasks", "tasks must be a list of at least one task")
    tasks = tuple(_task(reader) for reader in readers)
    for at, task in zip(readers, tasks, strict=True):
        for name, reason in (*_misfits(task, tasks), *_misplaced(task, mode), *_too_early(task, tasks)):
            raise at.bad(name, reason)
    circle = _circle(tasks)
    if circle:
        at, task = next(pair for pair in zip(readers, tasks, strict=True) if pair[1].id == circle[0])
        name = next(name for name in ("needs", "after", "decided_by") if at.has(name))
        raise at.bad(name, f"the tasks wait for each other in a circle: {' -> '.join(circle)}")
    return Playbook(mode, tasks, plan_tasks)


def _plan_tasks(reader: Reader, mode: str) -> dict[str, PlanTasks]:
    if mode == "planning":
        if reader.has("plan_tasks"):
            raise reader.bad("plan_tasks", "plan_tasks belongs to mode execution: in planning there is no plan yet")
        return {}
    if not reader.has("plan_tasks"):
        raise reader.bad("plan_tasks", "the field plan_tasks is missing: it says who carries out the plan's tasks")
    phases = reader.inner("plan_tasks", f"plan_tasks has the fields {', '.join(_PHASES)}")
    phases.fields(_PHASES)
    return {phase: _planned(phases.inner(phase, f"{phase} has the fields {', '.join(_PLANNED)}")) for phase in _PHASES}


def _planned(reader: Reader) -> PlanTasks:
    reader.fields(_PLANNED)
    return PlanTasks(
        agent_type=reader.name("agent_type"),
        proof=reader.choices("proof", PROOFS),
        time_limit=reader.number("time_limit", 1, LONGEST),
    )


def _task(reader: Reader) -> PlaybookTask:
    reader.fields(_REQUIRED, (*_OPTIONAL, *_EXECUTION))
    return PlaybookTask(
        id=reader.name("id"),
        agent_type=reader.name("agent_type"),
        title=reader.title("title"),
        needs=reader.names("needs"),
        produces=reader.names("produces"),
        critical=reader.yes_or_no("critical"),
        time_limit=reader.number("time_limit", 1, LONGEST),
        phase=reader.choice("phase", _PHASES) if reader.has("phase") else None,
        weight=reader.number("weight", 0, 100) if reader.has("weight") else 0,
        standing=reader.yes_or_no("standing") if reader.has("standing") else False,
        proof=reader.choices("proof", PROOFS),
        after=reader.choices("after", AFTER),
        decided_by=reader.name("decided_by") if reader.has("decided_by") else "",
        paths=reader.texts("paths"),
    )


def _misfits(task: PlaybookTask, tasks: Sequence[PlaybookTask]) -> Iterator[tuple[str, str]]:
    """Yield each field that contradicts another task, with the reason."""
    if sum(other.id == task.id for other in tasks) > 1:
        yield "id", f"two tasks share the id {task.id}"
    if not task.produces:
        yield "produces", f"{task.id} produces nothing, so it could never be proven done"
    produced = {key for other in tasks if other.id != task.id for key in other.produces}
    for key in task.needs:
        if key not in produced:
            yield "needs", f"{task.id} needs {key}, which no other task produces"
    if task.decided_by and task.decided_by not in produced:
        yield "decided_by", f"{task.id} is decided by {task.decided_by}, which no other task produces"


def _misplaced(task: PlaybookTask, mode: str) -> Iterator[tuple[str, str]]:
    """Yield each field that does not fit the mode or the task's place in it, with the reason."""
    if mode == "planning":
        yield from ((name, f"{name} belongs to mode execution") for name in _EXECUTION if getattr(task, name))
        return
    if task.standing:
        place = ("phase", "weight", "after")
        yield from ((name, f"{task.id} is standing, so it has no {name}") for name in place if getattr(task, name))
    elif not task.phase:
        yield "phase", f"{task.id} needs a phase, or standing: true"
    for path in task.paths:
        if path.startswith(("/", "~")) or not path.strip() or ".." in path.split("/"):
            yield "paths", f"{task.id} names the path {path!r}; allowed: paths below the project's folder"


def _too_early(task: PlaybookTask, tasks: Sequence[PlaybookTask]) -> Iterator[tuple[str, str]]:
    """Yield what a task waits for although it belongs to a later phase, with the reason."""
    for other in tasks:
        if task.phase and other.phase and _PHASES.index(other.phase) > _PHASES.index(task.phase):
            for key in task.waits_for:
                if key in other.produces:
                    at = "needs" if key in task.needs else "decided_by"
                    yield (
                        at,
                        f"{task.id} of {task.phase} waits for {key} of {other.id}, which comes later: {other.phase}",
                    )


def _waited_for(task: PlaybookTask, tasks: Sequence[PlaybookTask]) -> list[PlaybookTask]:
    """Return the tasks that must have ended before one can start."""
    keys = set(task.waits_for)
    last_of = task.phase if "phase" in task.after else None
    return [
        other
        for other in tasks
        if other.id != task.id and (keys & set(other.produces) or (last_of and other.phase == last_of))
    ]


def _circle(tasks: Sequence[PlaybookTask]) -> list[str]:
    graph = {task.id: {other.id for other in _waited_for(task, tasks)} for task in tasks}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(reversed(error.args[1]))
    return []
