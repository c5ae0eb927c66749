"""One thread that reads for the page, with a door to the database of its own; the loop never waits for a read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from milestone.operations.context import Context
from milestone.surfaces.looking import look
from milestone.wiring import Application, Settings

T = TypeVar("T")


class Reader:
    """Reads, and carries out what follows from what was read, one after the other."""

    def __init__(self, settings: Settings) -> None:
        self.application = Application(settings)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="page")

    async def run(self, work: Callable[[], T]) -> T:
        """Return what `work` returns, carried out in the thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def look(self, work: Callable[[Context], T]) -> T | None:
        """Return what `work` sees in one transaction; nothing where the project has no database."""
        return await self.run(lambda: look(self.application, work))

    async def position(self) -> int:
        """Return the newest position of the log; 0 where there is none."""
        return await self.look(lambda ctx: ctx.store.log.position) or 0

    async def close(self) -> None:
        """Give the thread and its door back."""
        await self.run(self.application.close)
        self._thread.shutdown(wait=False)
