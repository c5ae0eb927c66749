"""Gates: the commands that a project has to pass, what they may use, and what came of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from milestone.domain.budgets import Budgets

Outcome = Literal["passed", "failed", "timeout", "memory", "cancelled", "not_found"]
Priority = Literal["low", "medium", "high", "critical"]
PRIORITIES: tuple[Priority, ...] = ("low", "medium", "high", "critical")


@dataclass(frozen=True)
class Gate:
    """A command, program first, that must exit with 0 in its phases; `seconds` is how long it may take.

    >>> Gate.from_plain(Gate("tests", ("pytest", "-q")).plain())
    Gate(name='tests', run=('pytest', '-q'), phases=('execute',), seconds=600)
    """

    name: str
    run: tuple[str, ...]
    phases: tuple[str, ...] = ("execute",)
    seconds: int = 600

    def plain(self) -> dict[str, Any]:
        """Return the gate as JSON has it."""
        return {"name": self.name, "run": list(self.run), "phases": list(self.phases), "seconds": self.seconds}

    @classmethod
    def from_plain(cls, value: Mapping[str, Any]) -> Gate:
        """Return the gate that `plain` wrote."""
        return cls(value["name"], tuple(value["run"]), tuple(value["phases"]), value["seconds"])


@dataclass(frozen=True)
class GateLimits:
    """What one gate may use with all the processes it starts; `cpu_percent` is a share of all cores together."""

    seconds: int = 1800
    memory_mb: int = 400
    cpu_percent: int = 20


@dataclass(frozen=True)
class SharedLimits:
    """What all gates of a project may use at the same time."""

    memory_mb: int = 1200
    cpu_percent: int = 60


@dataclass(frozen=True)
class Backoff:
    """How long a task rests after a failure: `base_seconds`, then `factor` times as long, up to `most_seconds`."""

    base_seconds: int = 5
    factor: int = 4
    most_seconds: int = 300


def _priorities() -> Mapping[str, Priority]:
    return {"design": "medium", "spec": "high", "task": "medium", "execute": "critical"}


@dataclass(frozen=True)
class Limits:
    """How much may go on at once, how often a task is tried and how long one try may take, silent or not, in seconds.

    `park_seconds` is how long everything rests after a usage limit whose end is not known; `priority` says which phase
    gets a free place first. A message that waits longer than `undelivered_seconds` shows in the status. `approvals`
    names the phases that a person has to approve before they are completed.
    """

    phases_at_once: int = 3
    agents_at_once: int = 8
    attempts: int = 3
    task_seconds: int = 14_400
    backoff: Backoff = Backoff()
    park_seconds: int = 900
    undelivered_seconds: int = 300
    budgets: Budgets = field(default_factory=Budgets)
    gate: GateLimits = GateLimits()
    all_gates: SharedLimits = SharedLimits()
    priority: Mapping[str, Priority] = field(default_factory=_priorities)
    approvals: tuple[str, ...] = ()

    @property
    def gates_at_once(self) -> int:
        """How many gates may run at the same time, so that together they stay within `all_gates`.

        >>> Limits().gates_at_once, Limits(gate=GateLimits(memory_mb=900)).gates_at_once
        (3, 1)
        """
        by_memory = self.all_gates.memory_mb // self.gate.memory_mb
        by_cpu = self.all_gates.cpu_percent // self.gate.cpu_percent
        return max(1, min(by_memory, by_cpu))


@dataclass(frozen=True)
class GateResult:
    """What a run came to: `exit_code` is none where the command did not end by itself, -9 where a signal ended it.

    `peak_bytes` is the most memory that all its processes held together, `output` the beginning and the end of what
    they wrote, with what the server has to say about the run below it; `truncated` tells that the middle is missing.
    """

    gate: str
    command: tuple[str, ...]
    outcome: Outcome
    exit_code: int | None
    seconds: float
    cpu_seconds: float
    peak_bytes: int
    output: str
    truncated: bool

    @property
    def passed(self) -> bool:
        """Whether the command ended by itself with exit code 0."""
        return self.outcome == "passed"

    def plain(self) -> dict[str, Any]:
        """Return the result as JSON has it."""
        return {**asdict(self), "command": list(self.command)}
