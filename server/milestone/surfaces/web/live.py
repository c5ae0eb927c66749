"""News for open pages: one look at the log for all of them, and only while somebody listens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import TYPE_CHECKING

from milestone.domain.errors import Refusal

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

LOOK_EVERY = 0.25
BEAT_SECONDS = 15.0
MOST = 16
_RETRY_MS = 2_000


class Hub:
    """Tells listeners the newest position. `position` looks it up, in the task `looking` while somebody listens."""

    def __init__(self, position: Callable[[], Awaitable[int]], beat: float = BEAT_SECONDS, most: int = MOST) -> None:
        self._position, self._beat, self._most = position, beat, most
        self._listeners: set[asyncio.Event] = set()
        self.looking: asyncio.Task[None] | None = None
        self._closed = False
        self.newest = 0

    @property
    def full(self) -> bool:
        """Whether no further listener is taken in."""
        return self._closed or len(self._listeners) >= self._most

    @property
    def listeners(self) -> int:
        """How many listen."""
        return len(self._listeners)

    async def listen(self) -> AsyncGenerator[tuple[str, int]]:
        """Yield the newest position at once, whenever it has moved, and as a sign of life; ends when the hub does.

        Nothing where nobody else is taken in.
        """
        if self.full:
            return
        news = asyncio.Event()
        self._listeners.add(news)
        try:
            if self._idle:
                self.newest = await self._safely()
            if self._idle:  # another listener may have come meanwhile
                self.looking = asyncio.get_running_loop().create_task(self._look())
            told = self.newest
            yield "position", told
            while not self._closed:
                news.clear()
                if self.newest != told:
                    told = self.newest
                    yield "position", told
                    continue
                try:
                    async with asyncio.timeout(self._beat):
                        await news.wait()
                except TimeoutError:
                    yield "beat", self.newest
        finally:
            self._listeners.discard(news)

    @property
    def _idle(self) -> bool:
        return self.looking is None or self.looking.done()

    async def _look(self) -> None:
        while self._listeners and not self._closed:
            await asyncio.sleep(LOOK_EVERY)
            newest = await self._safely()
            if newest != self.newest:
                self.newest = newest
                self._wake()

    async def _safely(self) -> int:
        """Return the position; the one known already where the database cannot be read now."""
        try:
            return await self._position()
        except (OSError, RuntimeError, Refusal):
            return self.newest

    def _wake(self) -> None:
        for news in self._listeners:
            news.set()

    def close(self) -> None:
        """End every stream."""
        self._closed = True
        self._wake()


async def live(request: Request) -> Response:
    """Answer with the stream of news."""
    from sse_starlette import EventSourceResponse, ServerSentEvent
    from starlette.responses import PlainTextResponse

    hub: Hub = request.app.state.site.hub
    if hub.full:
        return PlainTextResponse("Too many pages are open.\n", 503, {"Retry-After": "10"})

    async def told() -> AsyncGenerator[ServerSentEvent]:
        async with aclosing(hub.listen()) as news:
            async for event, position in news:
                yield ServerSentEvent(data=str(position), event=event, id=str(position), retry=_RETRY_MS)

    return EventSourceResponse(told(), ping=0, send_timeout=30)
