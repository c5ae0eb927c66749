"""The watch of the stdio door: a thread that ends a process nobody needs any more."""

from __future__ import annotations

import os
import select
import threading
import time

from milestone.surfaces.lines import say

TYPE_CHECKING = False  # `typing` would cost 4 ms before the first answer
if TYPE_CHECKING:
    from collections.abc import Callable

_LAST_MOMENT = 4.4
"""Seconds after the end at which the process is gone, whatever hangs."""

_PARENT_INTERVAL = 400
"""Milliseconds between two looks at whether the parent still lives."""


class Watch:
    """A thread that sees what a blocked event loop cannot: stdin hung up, the parent gone, the last moment reached."""

    def __init__(self, source: int, on_hangup: Callable[[], None], on_orphaned: Callable[[], None]) -> None:
        self._source, self._on_hangup, self._on_orphaned = source, on_hangup, on_orphaned
        self._parent = os.getppid()
        self._last_moment: float | None = None
        self._bell, self._rope = os.pipe()

    def start(self) -> None:
        """Begin to watch."""
        threading.Thread(target=self._run, name="watch", daemon=True).start()

    def arm(self) -> None:
        """From now on there is a last moment."""
        if self._last_moment is None:
            self._last_moment = time.monotonic() + _LAST_MOMENT
            os.write(self._rope, b"!")

    def disarm(self) -> None:
        """There is no last moment any more."""
        self._last_moment = float("inf")

    def _run(self) -> None:
        poller = select.poll()
        poller.register(self._source, getattr(select, "POLLRDHUP", 0))
        poller.register(self._bell, select.POLLIN)
        while True:
            for fd, _ in poller.poll(self._patience()):
                poller.unregister(fd)
                if fd == self._source:
                    self._on_hangup()
            if os.getppid() != self._parent:
                self._parent = os.getppid()
                self._on_orphaned()
            if self._last_moment is not None and time.monotonic() >= self._last_moment:
                say("something hangs; ending without it")
                os._exit(0)

    def _patience(self) -> float:
        if self._last_moment is None:
            return _PARENT_INTERVAL
        return max(0.0, min(_PARENT_INTERVAL, 1000 * (self._last_moment - time.monotonic())))
