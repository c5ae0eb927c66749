"""A milestone to play with: a run that follows the choice, answer by answer, while agents and people do their part."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from milestone.domain.replay import Event
from milestone.domain.scheduling import (
    Decision,
    Pause,
    Review,
    RunGates,
    Running,
    Situation,
    Spawn,
    Task,
    Transition,
    choose,
)
from milestone.domain.strategies import PhaseState, Strategy, open_phases
from tests.domain.jobs import CHOICES, ENDED, ORDER, Job, Limits

PRIORITY = {"design": "medium", "spec": "high", "task": "low", "execute": "critical"}


@dataclass
class World:
    """A milestone on its way; `chance` decides what happens next."""

    jobs: list[Job]
    limits: Limits
    strategy: Strategy
    chance: random.Random
    changing: tuple[str, ...] = ()  # what a person changes on the way: strategy, limits
    status: dict[str, str] = field(default_factory=dict)
    attempts: dict[str, int] = field(default_factory=dict)
    setbacks: dict[str, int] = field(default_factory=dict)
    detail: dict[str, str] = field(default_factory=dict)
    holder: dict[str, str] = field(default_factory=dict)
    gating: set[str] = field(default_factory=set)
    phases: dict[str, PhaseState] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    forgiven: set[str] = field(default_factory=set)
    reviews: dict[str, str] = field(default_factory=dict)  # which task a review is about

    def __post_init__(self) -> None:
        self.phases = {phase: PhaseState(phase, "pending") for phase in ORDER}
        self.by_id: dict[str, Job] = {}
        self.tell("strategy_changed", strategy=self.strategy)
        planned, self.jobs = self.jobs, []
        for job in planned:
            self.add(job)

    def add(self, job: Job) -> None:
        """Take in a task."""
        self.jobs.append(job)
        self.by_id[job.task_id] = job
        self.status[job.task_id], self.attempts[job.task_id] = "pending", 0
        self.setbacks[job.task_id] = job.setbacks
        given = {"mode": "execution", "phase": job.phase, "weight": job.weight, "standing": not job.phase}
        self.tell("task_added", job.task_id, **given)

    def tell(self, name: str, subject: str = "", **detail: Any) -> None:
        """Log an event; positions have gaps, since other milestones log, too."""
        last = self.events[-1].position if self.events else 0
        self.events.append(Event(last + self.chance.randint(1, 3), name, subject, detail))

    def met(self, job: Job) -> bool:
        """Whether everything a task needs is there, or has failed without being critical."""
        states = [(self.status[need], self.by_id[need].critical) for need in job.needs]
        return all(
            status in ("completed", "skipped") or (status, critical) == ("failed", False) for status, critical in states
        )

    def startable(self) -> list[Job]:
        """Return the tasks that somebody could be given, as far as their needs go."""
        return [job for job in self.jobs if self.status[job.task_id] in ("pending", "ready") and self.met(job)]

    def states(self) -> tuple[PhaseState, ...]:
        """Return the phases as the choice sees them."""
        busy = {job.phase for job in self.jobs if self.status[job.task_id] not in ENDED}
        return tuple(replace(one, unfinished=one.phase in busy) for one in self.phases.values())

    def situation(self) -> Situation:
        """Return what the choice looks at; of what is ready often no more than there are free slots."""
        ready = self.startable()
        if self.chance.random() < 0.5:
            free = max(0, self.limits.agents - len(self.holder))
            ready = [job for phase in ("", *ORDER) for job in [one for one in ready if one.phase == phase][:free]]
        reviewed = [job for job in self.jobs if self.status[job.task_id] == "in_review"]
        left = [job.task_id for job in self.jobs if job.phase and self.status[job.task_id] not in ENDED]
        return Situation(
            mode="execution",
            strategy=self.strategy,
            phases=self.states(),
            ready=tuple(map(self.task, ready)),
            running=tuple(Running(name, agent, self.by_id[name].phase) for name, agent in self.holder.items()),
            gates=tuple(Review(j.task_id, j.phase, j.task_id in self.gating) for j in reviewed if j.owes == "gates"),
            owed=tuple(job.task_id for job in reviewed if job.owes == "review"),
            failed=tuple(self.task(job) for job in self.jobs if self.status[job.task_id] == "failed"),
            left=len(left),
            stuck=tuple(left[:2]),
            total=len(self.jobs),
        )

    def task(self, job: Job) -> Task:
        """Return a task as the choice sees it."""
        name = job.task_id
        return Task(
            name,
            "worker",
            name,
            job.phase,
            job.critical,
            self.status[name],
            self.detail.get(name, ""),
            self.attempts[name],
        )

    def play(self) -> Iterator[list[Decision]]:
        """Follow the choice until it says done, and yield each answer before it is followed."""
        for _ in range(60 + 40 * len(self.jobs)):
            answer = choose(
                self.situation(),
                agents_at_once=self.limits.agents,
                phases_at_once=self.limits.phases,
                priority=PRIORITY,
                briefs=self.limits.briefs,
            )
            yield answer
            if isinstance(answer[0], Pause) and answer[0].kind == "done":
                return
            for decision in answer:
                self.follow(decision)
            self.happen()
        raise AssertionError(f"it does not end: {self.status} {self.states()}")

    def follow(self, decision: Decision) -> None:
        """Do what the choice says."""
        if isinstance(decision, Spawn):
            name = decision.task.task_id
            self.begin(decision.task.phase)
            self.attempts[name] += 1
            self.status[name], self.holder[name] = "claimed", f"worker-{name}-{self.attempts[name]}"
            self.tell("task_claimed", name, agent_id=self.holder[name], attempt=self.attempts[name], why=decision.why)
        elif isinstance(decision, RunGates):
            self.gating.add(decision.task_id)
        elif isinstance(decision, Pause):
            if decision.kind == "ask_human":
                assert {self.status[name] for name in decision.tasks} == {"failed"}
                again = [name for name in decision.tasks if self.by_id[name].phase in ("", *self.unended())]
                assert again, "a person is to be told what to try again"
                for name in again:
                    self.forgiven.add(name)
                    self.move(name, "ready", "task_retried")
        else:
            assert isinstance(decision, Transition), "nothing is asked or rolled back here"
            self.begin(decision.phase)
            self.phases[decision.phase] = replace(self.phases[decision.phase], status="completed")
            self.tell("phase_completed", decision.phase)

    def unended(self) -> list[str]:
        """Return the phases that are not completed."""
        return [phase for phase, state in self.phases.items() if state.status != "completed"]

    def begin(self, phase: str) -> None:
        """Start a phase with the first of its tasks."""
        if phase and self.phases[phase].status == "pending":
            self.phases[phase] = replace(self.phases[phase], status="in_progress")
            self.tell("phase_started", phase)

    def happen(self) -> None:
        """Let one thing of all that is under way come to its end, and perhaps something else."""
        under_way = [*self.holder, *sorted(self.gating)]
        if under_way:
            self.end(self.by_id[self.chance.choice(under_way)])
        for job in self.jobs:
            if job.skippable and self.status[job.task_id] in ("pending", "ready") and self.chance.random() < 0.3:
                self.move(job.task_id, "skipped", "task_skipped", why="not needed")
        for phase, state in self.phases.items():
            if state.status == "in_progress" and self.chance.random() < 0.4:
                self.phases[phase] = replace(state, partial=True)
        if "strategy" in self.changing and self.chance.random() < 0.3:
            self.strategy = self.chance.choice(CHOICES)
            self.tell("strategy_changed", strategy=self.strategy)
        if "limits" in self.changing and self.chance.random() < 0.3:
            draw = self.chance.randint
            self.limits = Limits(agents=draw(1, 5), phases=draw(1, 4), briefs=draw(1, 5))

    def end(self, job: Job) -> None:
        """Let an agent deliver, or be lost; let gates or a review say yes or no."""
        name = job.task_id
        reviewed = self.status[name] == "in_review"
        if self.setbacks[name]:
            self.setbacks[name] -= 1
            why = "sent back: a gate was red" if reviewed else "its agent has been silent for more than 9 s"
            event = "task_sent_back" if reviewed else "task_given_back"
            agent = {} if reviewed else {"agent_id": self.holder[name], "attempt": self.attempts[name]}
            self.move(name, "ready", event, why=why, status="ready", **agent)
        elif job.fails and name not in self.forgiven:
            self.move(name, "failed", "task_failed", why="it cannot be done")
        elif job.owes and not reviewed:
            self.move(name, "in_review", "task_in_review", owes=[job.owes])
            if job.owes == "review":
                again = Job(
                    f"review-{name}-{self.attempts[name]}",
                    job.phase,
                    weight=0,
                    needs=(),
                    critical=self.chance.random() < 0.5,
                    fails=self.chance.random() < 0.3,
                )
                self.reviews[again.task_id] = name
                self.add(again)
        elif self.chance.random() < 0.1:
            self.move(name, "completed", "task_waived", by="Ann", reason="seen by hand")
        else:
            self.move(name, "completed", "task_completed")
        if self.status[name] == "completed" and name in self.reviews:
            self.end(self.by_id[self.reviews[name]])

    def move(self, name: str, to: str, event: str, /, **detail: Any) -> None:
        """Give a task a status and free it."""
        self.status[name], self.detail[name] = to, detail.get("why", "")
        self.holder.pop(name, None)
        self.gating.discard(name)
        self.tell(event, name, **detail)

    def open(self) -> tuple[str, ...]:
        """Return the phases that are open now."""
        return open_phases(self.strategy, self.states(), at_once=self.limits.phases)

    def by_hand(self, weights: dict[str, int]) -> Fraction:
        """Return the percentage by the formula that a person would use."""
        total = Fraction(0)
        for phase, weight in weights.items():
            counted = [job for job in self.jobs if job.phase == phase and self.status[job.task_id] != "skipped"]
            done = sum(job.weight for job in counted if self.status[job.task_id] == "completed")
            whole = sum(job.weight for job in counted)
            part = Fraction(done, whole) if whole else Fraction(int(self.phases[phase].status == "completed"))
            total += weight * part
        return total
