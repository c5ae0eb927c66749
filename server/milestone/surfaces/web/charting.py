"""The pictures of a milestone: drawn in a thread, kept by what they show, never more often than every few seconds."""

from __future__ import annotations

import asyncio
import time as clock
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from milestone.operations.context import Context
from milestone.operations.views import board, time, work
from milestone.surfaces import charts

_KEPT = 32
_REST_SECONDS = 4.0
Row = Mapping[str, Any]
LOOKS: Mapping[str, Callable[[Context, Row], dict[str, Any]]] = {
    "graph": work.graph,
    "timeline": time.timeline,
    "burnup": time.burnup,
    "phases": lambda ctx, row: board.board(ctx, row)["progress"],
}


class Pictures:
    """Draws pictures one after the other and keeps the newest."""

    def __init__(self, rest: float = _REST_SECONDS) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="charts")
        self._kept: OrderedDict[tuple[str, ...], asyncio.Task[bytes]] = OrderedDict()
        self._versions: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._rest = rest

    def version(self, milestone_id: str, position: int) -> int:
        """Return what a picture's address ends with: a position of the log, a new one only every few seconds."""
        shown, at = self._versions.get(milestone_id, (0, 0.0))
        if position != shown and clock.monotonic() - at >= self._rest:
            shown = position
            self._versions[milestone_id] = (position, clock.monotonic())
        while len(self._versions) > _KEPT:
            self._versions.popitem(last=False)
        return shown

    async def get(self, key: tuple[str, ...], draw: Callable[[], bytes]) -> bytes:
        """Return a picture, drawn once however many ask for it."""
        task = self._kept.get(key)
        if task is None or (task.done() and (task.cancelled() or task.exception())):
            task = self._kept[key] = asyncio.get_running_loop().create_task(self._draw(draw))
        self._kept.move_to_end(key)
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return await asyncio.shield(task)

    async def _draw(self, draw: Callable[[], bytes]) -> bytes:
        return await asyncio.get_running_loop().run_in_executor(self._thread, draw)

    def close(self) -> None:
        """Give the thread back."""
        self._thread.shutdown(wait=False, cancel_futures=True)


def draw(name: str, shown: Mapping[str, Any], *, dark: bool, narrow: bool) -> bytes:
    """Return a picture as SVG."""
    made: str = getattr(charts, name)(shown, dark=dark, narrow=narrow)
    return made.encode()
