"""How surfaces look at a project: one read transaction, in which nothing can be written."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from milestone.domain.identity import Caller
from milestone.store.engine import run
from milestone.wiring import Application

if TYPE_CHECKING:
    from milestone.operations.context import Context

T = TypeVar("T")


def look(application: Application, work: Callable[[Context], T]) -> T | None:
    """Return what `work` sees of the project; nothing where it has no database yet."""
    engine = application.engine()
    if engine is None:
        return None
    return run(engine, lambda transaction: work(application.context(transaction, Caller(), set())), write=False)
