"""Every operation, by importing the modules that register them."""

from milestone.operations import (
    answering,
    approving,
    checkpoints,
    coordination,
    gating,
    host,
    messages,
    milestones,
    patterns,
    people,
    phases,
    recovering,
    repository,
    rolling,
    sessions,
    showing,
    state,
    steering,
    work,
)
from milestone.operations.registry import REGISTRY, Operation

__all__ = [
    "REGISTRY",
    "Operation",
    "answering",
    "approving",
    "checkpoints",
    "coordination",
    "gating",
    "host",
    "messages",
    "milestones",
    "patterns",
    "people",
    "phases",
    "recovering",
    "repository",
    "rolling",
    "sessions",
    "showing",
    "state",
    "steering",
    "work",
]

_ORDER = (
    *(sessions, work, recovering, coordination, state, checkpoints, rolling, messages),
    *(showing, milestones, steering, phases, gating, repository, patterns, people, approving, answering, host),
)


def _in_order() -> None:
    """Let people and models read the operations in this order: begin, go on, work together, look, prove."""
    places = {module.__name__: place for place, module in enumerate(_ORDER)}
    for name, one in sorted(REGISTRY.items(), key=lambda item: places[item[1].function.__module__]):
        del REGISTRY[name]
        REGISTRY[name] = one


_in_order()
