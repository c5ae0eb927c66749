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
