"""Every operation, by importing the modules that register them."""

from milestone.operations import coordination, host, messages, milestones, state, work
from milestone.operations.registry import REGISTRY, Operation

__all__ = ["REGISTRY", "Operation", "coordination", "host", "messages", "milestones", "state", "work"]
