"""The one thread that has the database of a LangGraph checkpointer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from milestone.store.engine import run
from milestone.store.threads import Threads
from milestone.wiring import Application

P = ParamSpec("P")
T = TypeVar("T")


class Desk:
    """A thread with its own door to the database; what it is asked for is done in order."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="langgraph")

    def now(self, work: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
        """Return what `work` returns, done in the thread."""
        return self._thread.submit(work, *args, **named).result()

    async def soon(self, work: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
        """Return what `work` returns, done in the thread while the event loop goes on."""
        return await asyncio.wrap_future(self._thread.submit(work, *args, **named))

    def read(self, look: Callable[[Threads], T]) -> T:
        """Return what `look` sees in one transaction; only for what is done in the thread."""
        return self._run(look, write=False)

    def write(self, change: Callable[[Threads], T]) -> T:
        """Return what `change` returns, carried out in one transaction; only for what is done in the thread."""
        return self._run(change, write=True)

    def close(self) -> None:
        """Give the thread and its database back."""
        self._thread.submit(self._application.close)
        self._thread.shutdown()

    def _run(self, work: Callable[[Threads], T], *, write: bool) -> T:
        engine = self._application.engine(create=True)
        assert engine is not None
        return run(engine, lambda tx: work(self._application.store(tx).threads), write=write)
