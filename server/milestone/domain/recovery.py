"""What follows from a failure: one pure decision with its reason, and nothing else decides it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

FailureKind = Literal[
    "error", "lost", "no_result", "gates", "conflict", "review", "damaged", "impossible", "budget", "usage_limit"
]
KINDS: tuple[FailureKind, ...] = get_args(FailureKind)
KNOWN_TO_BE_WRONG: frozenset[FailureKind] = frozenset(("gates", "conflict", "review"))
_SHORTEST_PARK = 1.0  # seconds: a reset that is said to be over lets nobody spin


@dataclass(frozen=True)
class Failure:
    """What went wrong, in one word and in many.

    `gone`: the host session that held the task is known to have ended; `begun`: an agent had begun it; `limited`: a
    usage limit came upon its agent.
    """

    kind: FailureKind
    why: str
    gone: bool = False
    begun: bool = True
    limited: bool = False

    @property
    def counts(self) -> bool:
        """Whether the task has failed by it: not where nobody could begin it, nor where a usage limit ended it."""
        nobody = self.gone and not self.begun
        return not nobody and not self.limited and self.kind != "usage_limit"


@dataclass(frozen=True)
class Policy:
    """How failures are taken. Times in seconds.

    `attempts` counts failures before a task is given up; the wait before the second attempt is `base_seconds`, before
    each further one `factor` times as long, at most `most_seconds`. `jitter` is the share of a wait that is left to
    chance, so that those who failed together do not come back together. A usage limit without a known end is tried
    again after `park_seconds`.
    """

    attempts: int = 3
    base_seconds: float = 5.0
    factor: float = 4.0
    most_seconds: float = 300.0
    jitter: float = 0.5
    rollbacks: int = 1
    park_seconds: float = 900.0


@dataclass(frozen=True)
class Retry:
    """Try it again, not before `seconds` have passed."""

    seconds: float
    why: str
    name: Literal["retry"] = field(default="retry", init=False)


@dataclass(frozen=True)
class RollBack:
    """Bring a checkpoint back, then try again."""

    checkpoint: str
    why: str
    name: Literal["roll_back"] = field(default="roll_back", init=False)


@dataclass(frozen=True)
class Degrade:
    """Go on without it, and say so."""

    why: str
    name: Literal["degrade"] = field(default="degrade", init=False)


@dataclass(frozen=True)
class Ask:
    """Let a person decide."""

    why: str
    name: Literal["ask"] = field(default="ask", init=False)


@dataclass(frozen=True)
class Park:
    """Start nothing for the whole milestone until `seconds` have passed."""

    seconds: float
    why: str
    name: Literal["park"] = field(default="park", init=False)


Decision = Retry | RollBack | Degrade | Ask | Park


def decide(
    failure: Failure,
    *,
    failures: int,
    critical: bool,
    checkpoint: str,
    rollbacks: int,
    chance: float,
    policy: Policy,
    reset_seconds: float | None = None,
) -> Decision:
    """Return what to do about a failure.

    `failures` counts those of the task, this one included (a usage limit counts as none); `checkpoint` is the last one,
    empty where there is none; `rollbacks` counts those made for this task so far; `chance` lies in 0 to 1;
    `reset_seconds` is how long a usage limit lasts, where its end is known.

    >>> policy = Policy(jitter=0)
    >>> decide(Failure("error", "it crashed"), failures=2, critical=True, checkpoint="", rollbacks=0, chance=0.5,
    ...        policy=policy).seconds
    20.0
    """
    match failure.kind:
        case "usage_limit":
            return _park(failure, policy, reset_seconds)
        case "budget":
            return Ask(f"its budget is used up: {failure.why}")
        case "damaged":
            return _mend(failure, checkpoint, rollbacks, policy)
        case "impossible":
            return _give_up(f"it cannot be done as it stands: {failure.why}", critical=critical)
        case _ if failure.counts and failures >= policy.attempts:
            return _give_up(f"attempt {failures} of {policy.attempts} failed: {failure.why}", critical=critical)
        case _:
            return Retry(*_wait(failure, failures, chance, policy))


def _park(failure: Failure, policy: Policy, reset_seconds: float | None) -> Park:
    if reset_seconds is None:
        after = f"when it ends is not known, so it is tried again after {policy.park_seconds:g} s"
        return Park(policy.park_seconds, f"the usage limit is reached: {failure.why}; {after}")
    return Park(
        max(reset_seconds, _SHORTEST_PARK), f"the usage limit is reached: {failure.why}; nothing starts before its end"
    )


def _mend(failure: Failure, checkpoint: str, rollbacks: int, policy: Policy) -> RollBack | Ask:
    if not checkpoint:
        return Ask(f"damaged, and there is no checkpoint to go back to: {failure.why}")
    if rollbacks >= policy.rollbacks:
        return Ask(f"damaged again after a rollback: {failure.why}")
    return RollBack(checkpoint, f"damaged: {failure.why}; {checkpoint} is the last checkpoint")


def _give_up(why: str, *, critical: bool) -> Degrade | Ask:
    return Ask(why) if critical else Degrade(f"done without, since it is not critical: {why}")


def _wait(failure: Failure, failures: int, chance: float, policy: Policy) -> tuple[float, str]:
    """Return how long to wait before the next attempt, in seconds, and why."""
    if failure.limited:
        return 0.0, f"{failure.why}; a usage limit had come upon it, so it counts for nothing"
    said = f"attempt {failures} of {policy.attempts} failed: {failure.why}"
    if failure.kind in KNOWN_TO_BE_WRONG:
        return 0.0, f"{said}; what is wrong is known, so it goes back at once"
    if failure.kind == "lost" and failure.gone:
        return 0.0, f"{said}; its host session is gone, so it goes on at once"
    if not failure.begun:
        return 0.0, f"{said}; nothing was begun, so it is handed out at once"
    longest = backoff(failures, policy)
    seconds = longest * (1 - policy.jitter * (1 - chance))
    return seconds, f"{said}; again after {seconds:.1f} s, since what hindered it may pass"


def backoff(failures: int, policy: Policy) -> float:
    """Return the longest wait after this many failures, in seconds; chance shortens it by at most `jitter` of it.

    >>> [backoff(failures, Policy()) for failures in (1, 2, 3, 4)]
    [5.0, 20.0, 80.0, 300.0]
    """
    if policy.factor <= 1:
        return min(policy.base_seconds, policy.most_seconds)
    seconds = policy.base_seconds
    for _ in range(failures - 1):
        if seconds >= policy.most_seconds:
            break
        seconds *= policy.factor
    return min(seconds, policy.most_seconds)
