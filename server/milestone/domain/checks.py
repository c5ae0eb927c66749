"""The quality gates of a milestone: twelve questions, answered with yes or no and the evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from milestone.domain.milestones import PHASES

_SHOWN = 5


@dataclass(frozen=True)
class Facts:
    """What the twelve answers stand on; every field is counted by the server.

    - `phases`: the status of each phase; `transitions`: the phases whose completion was validated.
    - `final_state`: the version of `milestone-progress` that was saved when the milestone was completed, 0 before.
    - `deliverables`: the files that were written; `undocumented`: tasks whose results are in no file.
    - `merge`: whether the milestone's branch merges into its base, as a dry run said; `merge_detail`: the conflicts.
    - `messages`: how many were sent; `unread`: those that an agent at work has not received although it could have.
    - `accepted`: how many tasks were accepted with a commit; `unmerged`: those whose commit is not on the branch.
    - `early`: tasks that were handed out before their needs were met.
    - `waiting`: tasks of open phases that were handed out and that no agent has started.
    - `position`, `shared_position`: the newest position of the log, and the one that `milestone-progress` shows.
    - `percentage`, `replayed`: what is shown, and what the event log amounts to.
    - `operators`: the agents that hold the milestone's Git work now.
    """

    phases: Mapping[str, str] = field(default_factory=lambda: dict.fromkeys(PHASES, "pending"))
    transitions: tuple[str, ...] = ()
    final_state: int = 0
    deliverables: tuple[str, ...] = ()
    undocumented: tuple[str, ...] = ()
    merge: Literal["clean", "conflicts", "unknown"] = "unknown"
    merge_detail: tuple[str, ...] = ()
    messages: int = 0
    unread: tuple[str, ...] = ()
    accepted: int = 0
    unmerged: tuple[str, ...] = ()
    early: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    position: int = 0
    shared_position: int = 0
    percentage: float = 0.0
    replayed: float = 0.0
    operators: tuple[str, ...] = ()


@dataclass(frozen=True)
class Check:
    """One answer."""

    question: str
    met: bool
    evidence: str


def twelve(facts: Facts) -> tuple[Check, ...]:
    """Return the twelve answers: four about the end, four about what happens between agents, four about the run."""
    return (*_at_the_end(facts), *_between_agents(facts), *_while_running(facts))


def _at_the_end(facts: Facts) -> tuple[Check, ...]:
    left = tuple(f"{phase} is {status}" for phase, status in facts.phases.items() if status != "completed")
    merge = {
        "clean": "a dry run merged without a conflict",
        "conflicts": f"a dry run found conflicts: {_some(facts.merge_detail)}",
        "unknown": "no dry run has been made",
    }
    written = f"{len(facts.deliverables)} files: {_some(facts.deliverables)}" if facts.deliverables else "no file yet"
    return (
        Check(
            "Are all four phases done?",
            not left and set(PHASES) <= set(facts.phases),
            _some(left) or ", ".join(facts.phases),
        ),
        Check(
            "Is the final state stored?",
            facts.final_state > 0,
            f"milestone-progress, version {facts.final_state}" if facts.final_state else "the milestone has not ended",
        ),
        Check(
            "Are the results written up?",
            bool(facts.deliverables) and not facts.undocumented,
            f"not written up: {_some(facts.undocumented)}" if facts.undocumented else written,
        ),
        Check("Can the branch be merged?", facts.merge == "clean", merge[facts.merge]),
    )


def _between_agents(facts: Facts) -> tuple[Check, ...]:
    completed = tuple(phase for phase, status in facts.phases.items() if status == "completed")
    skipped = tuple(phase for phase in completed if phase not in facts.transitions)
    return (
        Check(
            "Do messages flow?",
            not facts.unread,
            f"not received: {_some(facts.unread)}" if facts.unread else f"{facts.messages} sent, none is stuck",
        ),
        Check(
            "Did each transition pass its validation?",
            not skipped,
            f"completed without validation: {_some(skipped)}"
            if skipped
            else f"validated: {', '.join(completed) or 'none yet'}",
        ),
        Check(
            "Were the results merged?",
            not facts.unmerged,
            f"not on the branch: {_some(facts.unmerged)}"
            if facts.unmerged
            else f"{facts.accepted} tasks with a commit, all on the branch",
        ),
        Check(
            "Were needs respected?",
            not facts.early,
            f"handed out too early: {_some(facts.early)}" if facts.early else "no task began before its needs were met",
        ),
    )


def _while_running(facts: Facts) -> tuple[Check, ...]:
    current = facts.shared_position >= facts.position
    provable = facts.percentage == facts.replayed
    return (
        Check(
            "Did every agent of a phase start?",
            not facts.waiting,
            f"not started: {_some(facts.waiting)}" if facts.waiting else "every task handed out has its agent",
        ),
        Check(
            "Is the shared state current?",
            current,
            f"it shows position {facts.shared_position} of {facts.position}",
        ),
        Check(
            "Is the percentage provable?",
            provable,
            f"the event log amounts to {facts.replayed:g}"
            + ("" if provable else f", but {facts.percentage:g} is shown"),
        ),
        Check(
            "Is Git work claimed by one operator?",
            len(facts.operators) <= 1,
            f"operators: {_some(facts.operators)}" if facts.operators else "nobody holds it now",
        ),
    )


def _some(names: tuple[str, ...]) -> str:
    """Return the first names, and how many more there are."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
