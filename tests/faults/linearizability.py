"""Whether what several processes did to one thing can be told as if they had done it one after the other."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

State = TypeVar("State", bound=Hashable)


@dataclass(frozen=True)
class Operation:
    """What one process asked and what it was told; times on a clock that all of them share."""

    began: int
    ended: int
    asked: Any
    told: Any


@dataclass(frozen=True)
class Register(Generic[State]):
    """The thing as it would be if only one process used it.

    `step` returns the state after an operation, or None where the answer cannot have been given in that state.
    """

    first: State
    step: Callable[[State, Operation], State | None]


def linearizable(histories: Sequence[Sequence[Operation]], model: Register[Any]) -> bool:
    """Return whether some order explains every answer and puts nothing before what had ended when it began.

    Each history is that of one process, in its order. This is the search of Wing and Gong (1993): of the operations
    that come next in their processes, one that began before any of the others had ended goes first, and if that leads
    nowhere, another. With Lowe (2017) no situation is looked at twice: how far each process is, and the state.
    """
    start = ((0,) * len(histories), model.first)
    seen, open_ = {start}, [start]
    while open_:
        at, state = open_.pop()
        heads = [(n, history[i]) for n, (history, i) in enumerate(zip(histories, at, strict=True)) if i < len(history)]
        if not heads:
            return True
        first_end = min(operation.ended for _, operation in heads)
        for number, operation in heads:
            after = model.step(state, operation) if operation.began <= first_end else None
            if after is not None:
                further = ((*at[:number], at[number] + 1, *at[number + 1 :]), after)
                if further not in seen:
                    seen.add(further)
                    open_.append(further)
    return False


def _cas(state: tuple[int, Any], operation: Operation) -> tuple[int, Any] | None:
    """A versioned value: `load` tells (version, value); `save` of (expected, value) tells the new version, or None."""
    version, _ = state
    what, *given = operation.asked
    if what == "load":
        return state if tuple(operation.told) == state else None
    expected, value = given
    if operation.told is None:
        return state if expected != version else None
    return (operation.told, value) if expected == version and operation.told == version + 1 else None


VERSIONED: Register[tuple[int, Any]] = Register((0, None), _cas)
