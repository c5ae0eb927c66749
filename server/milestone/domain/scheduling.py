"""What to do next: a pure choice among the ready tasks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

START_SECONDS = 60
BRIEFS = 5

ENDED_WELL = ("completed", "skipped")


@dataclass(frozen=True)
class Task:
    """A task as the choice sees it: whether its needs are met and who holds it."""

    task_id: str
    agent_type: str
    title: str
    status: str
    critical: bool
    ready: bool
    held_by: str = ""
    takeable: str = ""  # why a held task may be taken over; empty while its holder is to be left alone


@dataclass(frozen=True)
class Spawn:
    """Start an agent for this task."""

    task: Task
    why: str


@dataclass(frozen=True)
class Pause:
    """Nothing to start now."""

    kind: Literal["wait", "ask_human", "done"]
    why: str
    tasks: tuple[str, ...] = ()


def free_reason(*, started: bool, handed_out: float, seen: float, alive: bool, limit: int, now: float) -> str:
    """Return why a claim may be taken over, or an empty text while it stands. Times in seconds of one clock.

    >>> free_reason(started=False, handed_out=0, seen=0, alive=True, limit=600, now=61)
    'no agent started it within 60 s'
    """
    if not alive:
        return "the host session that held it is gone"
    if not started and now - handed_out > START_SECONDS:
        return f"no agent started it within {START_SECONDS} s"
    if started and now - seen > limit:
        return f"its agent has been silent for more than {limit} s"
    return ""


def choose(tasks: Sequence[Task], *, slots: int = BRIEFS) -> list[Spawn | Pause]:
    """Return what the coordinator should do now, in the order of the playbook.

    Ready tasks are started, at most `slots`; else running ones are waited for; else a person is asked about
    what failed; else the playbook is done.
    """
    spawns: list[Spawn | Pause] = [
        Spawn(task, f"taken over: {task.takeable}" if task.takeable else "everything it needs is there")
        for task in tasks
        if task.status in ("pending", "ready", "claimed") and task.ready and (not task.held_by or task.takeable)
    ]
    if spawns:
        return spawns[:slots]
    running = [task for task in tasks if task.held_by]
    if running:
        names = ", ".join(f"{task.task_id} ({task.held_by})" for task in running)
        return [Pause("wait", f"in progress: {names}", tuple(task.task_id for task in running))]
    failed = [task for task in tasks if task.status == "failed" and task.critical]
    if failed:
        names = ", ".join(task.task_id for task in failed)
        return [
            Pause("ask_human", f"failed: {names}; what needs them cannot start", tuple(task.task_id for task in failed))
        ]
    left = [task.task_id for task in tasks if task.status not in (*ENDED_WELL, "failed")]
    if left:
        return [
            Pause("ask_human", f"blocked: {', '.join(left)} wait for results that nothing will produce", tuple(left))
        ]
    return [Pause("done", f"all {len(tasks)} tasks have ended")]
