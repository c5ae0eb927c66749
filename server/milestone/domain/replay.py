"""What the event log says: the state of every task and phase, rebuilt from its events alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

from milestone.domain.milestones import PHASES
from milestone.domain.progress import Tally


@dataclass(frozen=True)
class Event:
    """A line of the log; `position` is its place in it, `at` the time in UTC as ISO text."""

    position: int
    name: str
    subject: str = ""
    detail: Any = None
    actor: str = ""
    at: str = ""


@dataclass(frozen=True)
class TaskState:
    """A task as its events leave it; `held_by` is empty while no agent holds it.

    `proof` is what has been accepted so far, by kind, and `author` whose work it is.
    """

    status: str = "pending"
    phase: str = ""
    weight: int = 0
    attempts: int = 0
    held_by: str = ""
    mode: str = "execution"
    standing: bool = False
    failures: int = 0
    proof: Mapping[str, Any] = field(default_factory=dict[str, Any], compare=False)
    author: str = field(default="", compare=False)
    completed_at: str = field(default="", compare=False)


@dataclass(frozen=True)
class Ledger:
    """Everything the events say."""

    tasks: Mapping[str, TaskState] = field(default_factory=dict[str, TaskState])
    phases: Mapping[str, str] = field(default_factory=lambda: dict.fromkeys(PHASES, "pending"))
    strategy: str = "adaptive"
    completed: bool = False


def replay(events: Iterable[Event]) -> Ledger:
    """Return what the events of one milestone amount to, in whatever order and how often they are given.

    Events that are not in `EVENTS`, and events of tasks that were never added, change nothing. An agent may log events,
    too: only those that the server wrote may be handed in under the names in `EVENTS`.
    """
    tasks: dict[str, TaskState] = {}
    phases = dict.fromkeys(PHASES, "pending")
    strategy, completed = "adaptive", False
    for event in _in_order(events):
        detail = _fields(event.detail)
        if event.name == "task_added":
            tasks.setdefault(event.subject, _added(detail))
        elif event.name in _MOVES and event.subject in tasks:
            tasks[event.subject] = _MOVES[event.name](tasks[event.subject], detail, event)
        elif event.name in _PHASE_STATUS and event.subject in phases:
            phases[event.subject] = _PHASE_STATUS[event.name] or str(detail.get("status") or "pending")
        elif event.name == "strategy_changed":
            strategy = str(detail.get("strategy", strategy))
        elif event.name == "milestone_completed":
            completed = True
    return Ledger(tasks, phases, strategy, completed)


def tallies(ledger: Ledger) -> tuple[Tally, ...]:
    """Return the weights of each phase for `progress.overall`; planning and standing tasks count nowhere."""
    counted = [task for task in ledger.tasks.values() if task.mode == "execution" and not task.standing]
    return tuple(
        Tally(
            phase,
            total=sum(task.weight for task in counted if task.phase == phase and task.status != "skipped"),
            done=sum(task.weight for task in counted if task.phase == phase and task.status == "completed"),
            completed=status == "completed",
        )
        for phase, status in ledger.phases.items()
    )


def _in_order(events: Iterable[Event]) -> list[Event]:
    """Return the events by their position, the first that was given of each."""
    by_position: dict[int, Event] = {}
    for event in events:
        by_position.setdefault(event.position, event)
    return [by_position[position] for position in sorted(by_position)]


def _fields(detail: Any) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", detail) if isinstance(detail, Mapping) else {}


def _added(detail: Mapping[str, Any]) -> TaskState:
    return TaskState(
        phase=str(detail.get("phase") or ""),
        weight=int(detail.get("weight") or 0),
        mode=str(detail.get("mode") or "execution"),
        standing=bool(detail.get("standing")),
    )


def _claimed(task: TaskState, detail: Mapping[str, Any], _: Event) -> TaskState:
    attempts = int(detail.get("attempt") or task.attempts + 1)
    return _with(task, status="claimed", attempts=attempts, held_by=str(detail.get("agent_id") or ""))


def _back(task: TaskState, detail: Mapping[str, Any], _: Event) -> TaskState:
    return _with(task, status=str(detail.get("status") or "ready"))


def _delivered(task: TaskState, detail: Mapping[str, Any], event: Event) -> TaskState:
    return _with(task, status="in_review", proof=_fields(detail.get("proof")), author=event.actor)


def _completed(task: TaskState, detail: Mapping[str, Any], event: Event) -> TaskState:
    return _with(task, status="completed", proof=detail, author=event.actor, completed_at=event.at)


def _decided(task: TaskState, detail: Mapping[str, Any], _: Event) -> TaskState:
    return replace(task, failures=task.failures + bool(detail.get("counts", True)))


def _rolled_back(task: TaskState, detail: Mapping[str, Any], _: Event) -> TaskState:
    return _with(
        task,
        status=str(detail.get("status") or "ready"),
        attempts=int(detail.get("attempts") or 0),
        failures=int(detail.get("failures") or 0),
        proof=_fields(detail.get("proof")),
        author=str(detail.get("author") or ""),
        completed_at=str(detail.get("completed_at") or ""),
    )


def _to(status: str) -> _Move:
    """Return the move that gives a task this status and frees it."""
    return lambda task, _, event: _with(task, status=status, completed_at=event.at if status == "completed" else "")


def _with(task: TaskState, **moved: Any) -> TaskState:
    """Return a task that moved: nobody holds it and nothing proves it, unless `moved` says so."""
    loose: dict[str, Any] = {"held_by": "", "proof": {}, "author": "", "completed_at": ""}
    return replace(task, **{**loose, **moved})


_Move = Callable[[TaskState, Mapping[str, Any], Event], TaskState]

_MOVES: Mapping[str, _Move] = {
    "task_claimed": _claimed,
    "task_given_back": _back,
    "task_sent_back": _back,
    "task_in_review": _delivered,
    "task_completed": _completed,
    "task_waived": _to("completed"),
    "task_failed": _to("failed"),
    "task_skipped": _to("skipped"),
    "task_retried": _to("ready"),
    "task_blocked": _to("blocked"),
    "task_unblocked": _to("ready"),
    "task_rolled_back": _rolled_back,
    "recovery_decided": _decided,
}
_PHASE_STATUS: Mapping[str, str] = {
    "phase_started": "in_progress",
    "phase_completed": "completed",
    "phase_rolled_back": "",
}

MOVES = frozenset((*_MOVES, "task_added"))
EVENTS = frozenset((*MOVES, *_PHASE_STATUS, "strategy_changed", "milestone_completed"))
