"""Which phases are open: the strategies, and the rule that picks one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

Strategy = Literal["sequential", "parallel_independent", "pipeline", "adaptive"]
Resolved = Literal["sequential", "parallel_independent", "pipeline"]
Status = Literal["pending", "in_progress", "completed"]

STRATEGIES: tuple[Strategy, ...] = get_args(Strategy)
LAST = "execute"
MANY_TASKS = 20
PRESSING = 0.5  # of the time left: an estimate that is wrong by a factor of two still fits into the rest


@dataclass(frozen=True)
class PhaseState:
    """A phase as the strategies see it.

    `partial`: it has published a partial result. `unfinished`: it has tasks that have not ended; a failed task has.
    `approval`: what has become of a person's approval (needed, waiting, approved, rejected); empty: none is wanted.
    """

    phase: str
    status: Status
    partial: bool = False
    unfinished: bool = True
    approval: str = ""

    @property
    def unapproved(self) -> bool:
        """Whether a person has to approve it first."""
        return self.approval not in ("", "approved")


@dataclass(frozen=True)
class Picked:
    """What `adaptive` stands for, and a sentence that says why."""

    strategy: Resolved
    why: str


def open_phases(strategy: Strategy, phases: Sequence[PhaseState], *, at_once: int) -> tuple[str, ...]:
    """Return the phases whose tasks may start, in the order of `phases`; never one that is completed.

    At most `at_once` are open. The earliest keeps its place, since later ones may need it; then come those in
    progress. In a pipeline each phase lives on the one before, so places go by order alone. `adaptive` is to be
    resolved before (`adapt`); unresolved it is as strict as `sequential`.

    >>> begun = [PhaseState("design", "in_progress", partial=True), PhaseState("spec", "pending")]
    >>> open_phases("sequential", begun, at_once=3), open_phases("pipeline", begun, at_once=3)
    (('design',), ('design', 'spec'))
    """
    if strategy == "pipeline":
        return _flowing(phases)[:at_once]
    left = [one for one in phases if one.status != "completed"]
    if strategy != "parallel_independent":
        return tuple(one.phase for one in left[: min(at_once, 1)])
    allowed = [one for one in left if one.phase != LAST] or left
    places = [*allowed[:1], *sorted(allowed[1:], key=lambda one: one.status != "in_progress")][:at_once]
    return tuple(one.phase for one in allowed if one in places)


def adapt(
    *, tasks: Mapping[str, int], crossing: int, slots: int, hours_needed: float, hours_left: float | None
) -> Picked:
    """Return the strategy that fits, and why.

    `tasks` counts them by phase, `crossing` counts dependencies between different phases, `slots` the agents that may
    run at once; `hours_left` is None where there is no deadline.

    >>> adapt(tasks={"design": 2, "execute": 3}, crossing=0, slots=8, hours_needed=4.0, hours_left=None)
    Picked(strategy='parallel_independent', why='none of 5 tasks depends on another phase and 8 agents may run at \
once, so design, spec and task run side by side')
    """
    total = sum(tasks.values())
    if slots < 2:  # noqa: PLR2004 - two are the fewest that can run side by side
        return Picked("sequential", f"{_agents(slots)} may run at once, so phases side by side would gain nothing")
    if not crossing:
        return Picked(
            "parallel_independent",
            f"none of {total} tasks depends on another phase and {_agents(slots)} may run at once, so design, spec "
            "and task run side by side",
        )
    between = f"{crossing} {'dependency crosses' if crossing == 1 else 'dependencies cross'} between phases"
    if hours_left is not None and hours_needed > PRESSING * hours_left:
        return Picked(
            "pipeline",
            f"{between}, and {hours_needed:g} h of work press against {hours_left:g} h until the deadline, so a phase "
            "starts on the partial results of the one before",
        )
    if total > MANY_TASKS:
        return Picked(
            "pipeline",
            f"{between}, and {total} tasks are more than {MANY_TASKS}, so a phase starts on the partial results of "
            "the one before",
        )
    deadline = "there is no deadline" if hours_left is None else f"{hours_needed:g} h of work fit into {hours_left:g} h"
    return Picked(
        "sequential", f"{between}, {total} tasks are few and {deadline}, so each phase builds on a completed one"
    )


def _flowing(phases: Sequence[PhaseState]) -> tuple[str, ...]:
    """Return what a pipeline reaches: each after a phase that is completed, or reached and partly published."""
    reached: list[str] = []
    flows = True
    for one in phases:
        if one.status != "completed" and flows:
            reached.append(one.phase)
        flows = one.status == "completed" or (flows and one.partial)
    return tuple(reached)


def _agents(count: int) -> str:
    return f"{count} {'agent' if count == 1 else 'agents'}"
