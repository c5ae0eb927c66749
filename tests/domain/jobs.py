"""Random milestones: their tasks, what will befall them, and the limits they are carried out under."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from milestone.domain.milestones import PHASES
from milestone.domain.strategies import PhaseState, Strategy

ORDER = tuple(PHASES)
ENDED = ("completed", "skipped", "failed")
CHOICES: tuple[Strategy, ...] = ("sequential", "parallel_independent", "pipeline")


def steady(examples: int) -> settings:
    """Return settings under which every run tries the same examples."""
    return settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )


@dataclass(frozen=True)
class Job:
    """A task and what will befall it: how often it comes back, and whether it may be skipped or fail for good."""

    task_id: str
    phase: str
    weight: int
    needs: tuple[str, ...]
    critical: bool = True
    owes: str = ""  # or gates, or review
    setbacks: int = 0
    skippable: bool = False
    fails: bool = False


@dataclass(frozen=True)
class Limits:
    """What the choice has to keep to."""

    agents: int
    phases: int
    briefs: int


@st.composite
def plans(draw: st.DrawFn, most: int = 10) -> tuple[Job, ...]:
    """Draw tasks of all phases, and standing ones, that need nothing of a later phase."""
    jobs: list[Job] = []
    for number in range(draw(st.integers(0, most))):
        phase = draw(st.sampled_from(("", *ORDER)))
        able = [job.task_id for job in jobs if not job.phase or (phase and rank(job.phase) <= rank(phase))]
        needs = draw(st.lists(st.sampled_from(able), max_size=3, unique=True)) if able else []
        jobs.append(
            Job(
                task_id=f"t-{number}",
                phase=phase,
                weight=draw(st.integers(1, 9)) if phase else 0,
                needs=tuple(needs),
                critical=draw(st.booleans()),
                owes=draw(st.sampled_from(("", "gates", "review"))),
                setbacks=draw(st.integers(0, 2)),
                skippable=draw(st.integers(0, 4)) == 0,
                fails=draw(st.integers(0, 7)) == 0,
            )
        )
    return tuple(draw(st.permutations(jobs)))


def limits() -> st.SearchStrategy[Limits]:
    """Draw limits, the narrowest included."""
    return st.builds(Limits, agents=st.integers(1, 5), phases=st.integers(1, 4), briefs=st.integers(1, 5))


def rank(phase: str) -> int:
    """Return where a phase stands in the order."""
    return ORDER.index(phase)


def may_open(strategy: Strategy, phase: str, phases: dict[str, PhaseState]) -> bool:
    """Whether a strategy lets tasks of a phase start, told anew from its words and without any limit."""
    if phases[phase].status == "completed":
        return False
    before = [phases[other] for other in ORDER[: rank(phase)]]
    if strategy == "sequential":
        return all(one.status == "completed" for one in before)
    if strategy == "parallel_independent":
        return phase != "execute" or all(one.status == "completed" for one in before)
    if not before or before[-1].status == "completed":
        return True
    return before[-1].partial and may_open(strategy, before[-1].phase, phases)
