"""Every operation, by importing the modules that register them."""

from milestone.operations import (
    coordination,
    gating,
    host,
    messages,
    milestones,
    patterns,
    people,
    phases,
    repository,
    sessions,
    showing,
    state,
    work,
)
from milestone.operations.registry import REGISTRY, Operation

__all__ = [
    "REGISTRY",
    "Operation",
    "coordination",
    "gating",
    "host",
    "messages",
    "milestones",
    "patterns",
    "people",
    "phases",
    "repository",
    "sessions",
    "showing",
    "state",
    "work",
]

_ORDER = (
    *(sessions, work, coordination, state, messages),
    *(showing, milestones, phases, gating, repository, patterns, people, host),
)


def _in_order() -> None:
    """Let people and models read the operations in this order: begin, go on, work together, look, prove."""
    places = {module.__name__: place for place, module in enumerate(_ORDER)}
    for name, one in sorted(REGISTRY.items(), key=lambda item: places[item[1].function.__module__]):
        del REGISTRY[name]
        REGISTRY[name] = one


_in_order()
