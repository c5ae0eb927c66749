"""What to do next: a pure choice from a milestone's situation and its limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from milestone.domain.strategies import PhaseState, Strategy, open_phases

BRIEFS = 5
SENT_BACK = "sent back"

_RANKS: Mapping[str, int] = {"critical": 0, "high": 1, "medium": 2, "low": 4}
_STANDING = 3  # planning and standing tasks: after the medium phases, before the low ones


@dataclass(frozen=True)
class Task:
    """A task that could be handed out. `phase` is empty for planning and for standing roles.

    `detail` says how the last of its `attempts` ended, where there was one.
    """

    task_id: str
    agent_type: str
    title: str
    phase: str = ""
    critical: bool = True
    status: str = "ready"
    detail: str = ""
    attempts: int = 0


@dataclass(frozen=True)
class Running:
    """A task that an agent holds."""

    task_id: str
    agent_id: str
    phase: str = ""


@dataclass(frozen=True)
class Review:
    """A task in review that owes gates; `running`: a run of them is under way."""

    task_id: str
    phase: str = ""
    running: bool = False


@dataclass(frozen=True)
class Question:
    """A task about which a person has to decide; `asked`: the coordinator of this session was told so."""

    task_id: str
    why: str
    asked: bool = False


@dataclass(frozen=True)
class RollBack:
    """Bring a checkpoint back for the sake of a task."""

    task_id: str
    checkpoint: str
    why: str


@dataclass(frozen=True)
class Situation:
    """Everything the choice looks at.

    `strategy` is resolved (no `adaptive`); `phases` are in their order, and empty in planning. `ready`: tasks whose
    needs are met and that nobody holds, each phase's in its order of consideration; of each phase at least as many as
    there are free slots, if it has them. `owed`: tasks in review that wait for something other than gates. `failed`:
    tasks that have failed for good. `left` counts the tasks that have neither ended nor failed, standing ones apart,
    and `stuck` names the first of them. `waits_for` says which other milestone has to be completed before. `total`
    counts all tasks, for people to read. `questions`: tasks about which a person has to decide. `rollbacks`: what has
    to be brought back before a task is tried again. `delayed`: the task that is tried again next, why, and in how many
    seconds. `parked`: for how many seconds, and why, nothing may start. `steering`: empty, `paused` or `stopped`.
    """

    mode: str
    strategy: Strategy = "sequential"
    phases: tuple[PhaseState, ...] = ()
    ready: tuple[Task, ...] = ()
    running: tuple[Running, ...] = ()
    gates: tuple[Review, ...] = ()
    owed: tuple[str, ...] = ()
    failed: tuple[Task, ...] = ()
    left: int = 0
    waits_for: str = ""
    stuck: tuple[str, ...] = ()
    total: int = 0
    questions: tuple[Question, ...] = ()
    rollbacks: tuple[RollBack, ...] = ()
    delayed: tuple[str, str, float] | None = None
    parked: tuple[float, str] = (0.0, "")
    steering: str = ""


@dataclass(frozen=True)
class Spawn:
    """Start an agent for this task."""

    task: Task
    why: str


@dataclass(frozen=True)
class RunGates:
    """Run the gates of a task that is in review."""

    task_id: str
    why: str


@dataclass(frozen=True)
class Transition:
    """Complete a phase whose tasks have all ended."""

    phase: str
    why: str


@dataclass(frozen=True)
class Ask:
    """Ask a person about a task."""

    task_id: str
    why: str


@dataclass(frozen=True)
class AskApproval:
    """Ask a person to approve a phase whose tasks have all ended."""

    phase: str
    why: str


@dataclass(frozen=True)
class Pause:
    """Nothing to start now; `seconds` tells after which time there may be, where that is known."""

    kind: Literal["wait", "retry_at", "ask_human", "done"]
    why: str
    tasks: tuple[str, ...] = ()
    seconds: float = 0.0


Decision = Spawn | RunGates | Transition | RollBack | Ask | AskApproval | Pause


def choose(
    situation: Situation, *, agents_at_once: int, phases_at_once: int, priority: Mapping[str, str], briefs: int = BRIEFS
) -> list[Decision]:
    """Return what the coordinator should do now: complete phases, run gates, start agents; or one reason to pause.

    `agents_at_once` counts those that run already; `phases_at_once` bounds the open phases and, separately, the gate
    runs under way; `priority` is low, medium, high or critical for each phase; an answer starts at most `briefs`.
    """
    if situation.waits_for:
        return [Pause("wait", situation.waits_for)]
    if situation.parked[0] or situation.steering:
        return [_held_back(situation)]
    opened = open_phases(situation.strategy, situation.phases, at_once=phases_at_once)
    rank = _ranking(situation.phases, priority)
    slots = min(agents_at_once - len(situation.running), briefs)
    decisions: list[Decision] = [
        *_transitions(situation, opened),
        *_gates(situation, phases_at_once, rank),
        *_spawns(situation, opened, slots, rank),
        *situation.rollbacks,
        *(Ask(one.task_id, one.why) for one in situation.questions if not one.asked),
        *_approvals(situation, opened, asked=False),
    ]
    if not decisions and not situation.running:
        decisions.extend(Ask(one.task_id, one.why) for one in situation.questions)
        decisions.extend(_approvals(situation, opened, asked=True))
    return decisions or [_pause(situation)]


def _held_back(situation: Situation) -> Pause:
    """Return why nothing may start although there may be work."""
    seconds, why = situation.parked
    if seconds:
        return Pause("retry_at", why, seconds=seconds)
    if situation.running:
        return replace(_wait(situation, []), why=f"{situation.steering} by a person; nothing new starts")
    return Pause("ask_human", f"a person has {situation.steering} it, and nothing runs any more")


def _ranking(phases: tuple[PhaseState, ...], priority: Mapping[str, str]) -> Mapping[str, tuple[int, int]]:
    """Return the place of each phase among those that want a slot; a phase without a priority has a medium one."""
    ranks = {
        one.phase: (_RANKS.get(priority.get(one.phase, ""), _RANKS["medium"]), ordinal)
        for ordinal, one in enumerate(phases, start=1)
    }
    return {"": (_STANDING, 0), **ranks}


def _transitions(situation: Situation, opened: tuple[str, ...]) -> Iterator[Transition]:
    for one in _ended(situation, opened):
        if not one.unapproved:
            yield Transition(one.phase, f"every task of {one.phase} has ended")


def _approvals(situation: Situation, opened: tuple[str, ...], *, asked: bool) -> Iterator[AskApproval]:
    for one in _ended(situation, opened):
        if one.unapproved and (one.approval == "waiting") == asked:
            yield AskApproval(one.phase, f"every task of {one.phase} has ended, and a person has to approve it")


def _ended(situation: Situation, opened: tuple[str, ...]) -> Iterator[PhaseState]:
    """Yield the open phases of which nothing is left to do."""
    failed = {task.phase for task in situation.failed if task.critical}
    for one in situation.phases:
        if one.phase in opened and not one.unfinished and one.phase not in failed:
            yield one


def _gates(situation: Situation, at_once: int, rank: Mapping[str, tuple[int, int]]) -> list[RunGates]:
    free = at_once - sum(one.running for one in situation.gates)
    idle = sorted((one for one in situation.gates if not one.running), key=lambda one: rank.get(one.phase, rank[""]))
    return [RunGates(one.task_id, "its result is in and owes its gates") for one in idle[: max(free, 0)]]


def _spawns(
    situation: Situation, opened: tuple[str, ...], slots: int, rank: Mapping[str, tuple[int, int]]
) -> list[Spawn]:
    planning = situation.mode == "planning"
    allowed = [task for task in situation.ready if planning or not task.phase or task.phase in opened]
    ordered = sorted(allowed, key=lambda task: rank.get(task.phase, rank[""]))
    return [Spawn(task, _why(task)) for task in ordered[: max(slots, 0)]]


def _why(task: Task) -> str:
    if not task.attempts or not task.detail:
        return "everything it needs is there"
    return task.detail if task.detail.startswith(SENT_BACK) else f"taken over: {task.detail}"


def _pause(situation: Situation) -> Pause:
    running = [one.task_id for one in situation.gates if one.running]
    failed = tuple(task.task_id for task in situation.failed)
    critical = tuple(task.task_id for task in situation.failed if task.critical)
    unfinished = [one.phase for one in situation.phases if one.status != "completed"]
    if situation.running or running:
        return _wait(situation, running)
    if situation.delayed:
        task_id, why, seconds = situation.delayed
        return Pause("retry_at", f"{task_id} is tried again then: {why}", (task_id,), seconds)
    if critical:
        return Pause("ask_human", f"failed: {', '.join(critical)}; what needs them cannot start", critical)
    if situation.owed and not failed:
        return _wait(situation, running)
    if situation.left or situation.owed or unfinished:
        return _blocked(situation, failed, unfinished)
    ended = f"all {situation.total} tasks have ended" if situation.total else "all tasks have ended"
    return Pause("done", f"{ended}; failed: {', '.join(failed)}" if failed else ended, failed)


def _wait(situation: Situation, gates: list[str]) -> Pause:
    held = ", ".join(f"{one.task_id} ({one.agent_id})" for one in situation.running)
    parts = (
        f"in progress: {held}" if held else "",
        f"gates run: {', '.join(gates)}" if gates else "",
        f"in review: {', '.join(situation.owed)}" if situation.owed else "",
    )
    tasks = (*(one.task_id for one in situation.running), *gates, *situation.owed)
    return Pause("wait", "; ".join(part for part in parts if part), tuple(dict.fromkeys(tasks)))


def _blocked(situation: Situation, failed: tuple[str, ...], unfinished: list[str]) -> Pause:
    """Say what is stuck, and name the failed tasks, since trying those again may free it."""
    named = tuple(dict.fromkeys((*situation.stuck, *situation.owed)))
    more = situation.left - len(named)
    who = ", ".join(named) + (f" and {more} more" if named and more > 0 else "")
    if not who:
        who = f"{situation.left} tasks" if situation.left else f"the phases {', '.join(unfinished)}"
    also = f"; failed: {', '.join(failed)}" if failed else ""
    return Pause("ask_human", f"blocked: {who} wait for results that nothing will produce{also}", failed or named)
