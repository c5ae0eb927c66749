"""Who is told when a resource changes, in both eras of the protocol; looks at the log only while somebody listens."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import anyio
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler, ResourceUpdated
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, EmptyResult

from milestone.domain.errors import Missing, Refusal
from milestone.operations.context import Context
from milestone.surfaces.lines import describe, say
from milestone.surfaces.resources import Address, look, unknown

if TYPE_CHECKING:
    from mcp.server import Server
    from mcp.server.context import ServerRequestContext
    from mcp.server.session import ServerSession
    from mcp_types import (
        SubscribeRequestParams,
        SubscriptionsListenRequestParams,
        SubscriptionsListenResult,
        UnsubscribeRequestParams,
    )

    from milestone.surfaces.door import Door

LOOK_EVERY = 0.5
"""Seconds between two looks at the log."""

MOST = 100
"""Addresses that one session, or one stream, may follow, and streams there may be."""

_MOVING = {"eta", "eta_hours", "velocity", "minutes", "updated_at"}
_MOVING_AT_THE_TOP = {"position", "from", "to"}


class Mark(NamedTuple):
    """A resource as it was: up to which position of the log, of its milestone, and what it held."""

    position: int
    changed: int
    held: str


@dataclass
class Subscriber:
    """A session of the older era, with what it follows."""

    followed: set[str] = field(default_factory=set[str])
    session: ServerSession | None = None


class Subscriptions:
    """Follows resources for all sessions of a server: one look at the log for all, one update for each change.

    The news is what the log says, so that what other processes write counts as well. A resource that reads as before
    is told to nobody, and what moves by itself, as an age does, is no change.
    """

    def __init__(self, door: Door, every: float = LOOK_EVERY) -> None:
        self._door, self._every = door, every
        self._bus = InMemorySubscriptionBus()
        self._streams = ListenHandler(self._bus, max_subscriptions=MOST)
        self._sessions: list[Subscriber] = []
        self._followers: Counter[str] = Counter()
        self._marks: dict[str, Mark] = {}
        self._looking: asyncio.Task[None] | None = None

    @property
    def idle(self) -> bool:
        """Whether nobody follows anything, and so nobody looks."""
        return self._looking is None

    @asynccontextmanager
    async def session(self, _server: Server[Subscriber]) -> AsyncGenerator[Subscriber]:
        """Keep what a session follows for as long as it lasts."""
        one = Subscriber()
        self._sessions.append(one)
        try:
            yield one
        finally:
            self._sessions.remove(one)
            self._leave(one.followed)

    async def subscribe(self, context: ServerRequestContext[Subscriber], params: SubscribeRequestParams) -> EmptyResult:
        """Follow a resource for a session of the older era."""
        one, uri = context.lifespan_context, str(params.uri)
        one.session = context.session
        if uri in one.followed:
            return EmptyResult()
        if len(one.followed) >= MOST:
            why = f"This session follows {MOST} resources, which is all it may. Unsubscribe one first."
            raise MCPError(INVALID_PARAMS, why, {"uri": uri[:200]})
        try:
            await self._follow(uri)
        except Missing as missing:
            raise unknown(uri, missing) from None
        if uri in one.followed or one not in self._sessions:
            self._leave([uri])
        else:
            one.followed.add(uri)
        return EmptyResult()

    async def unsubscribe(
        self, context: ServerRequestContext[Subscriber], params: UnsubscribeRequestParams
    ) -> EmptyResult:
        """Follow a resource no longer."""
        uri = str(params.uri)
        if uri in context.lifespan_context.followed:
            context.lifespan_context.followed.remove(uri)
            self._leave([uri])
        return EmptyResult()

    async def listen(
        self, context: ServerRequestContext[Subscriber], params: SubscriptionsListenRequestParams
    ) -> SubscriptionsListenResult:
        """Serve one stream of the newer era; only what is there is agreed to."""
        wanted = params.notifications
        async with self._following(wanted.resource_subscriptions or ()) as found:
            agreed = wanted.model_copy(update={"resource_subscriptions": found})
            return await self._streams(context, params.model_copy(update={"notifications": agreed}))

    @asynccontextmanager
    async def _following(self, uris: Iterable[str]) -> AsyncGenerator[list[str]]:
        found: list[str] = []
        try:
            for uri in list(dict.fromkeys(uris))[:MOST]:
                try:
                    await self._follow(uri)
                except Missing:
                    continue
                found.append(uri)
            yield found
        finally:
            self._leave(found)

    async def _follow(self, uri: str) -> None:
        """Begin to follow an address.

        Raises:
            Missing: nothing is there.
        """
        mark = await self._mark(uri, None)
        self._marks.setdefault(uri, mark)
        self._followers[uri] += 1
        if self._looking is None:
            self._looking = asyncio.get_running_loop().create_task(self._look_on())

    def _leave(self, uris: Iterable[str]) -> None:
        for uri in uris:
            self._followers[uri] -= 1
            if self._followers[uri] <= 0:
                del self._followers[uri]
                self._marks.pop(uri, None)
        if not self._marks and self._looking is not None:
            self._looking.cancel()
            self._looking = None

    async def _look_on(self) -> None:
        said = ""
        while True:
            await anyio.sleep(self._every)
            one_look = asyncio.create_task(self._look())
            try:
                await asyncio.wait({one_look})
            finally:
                one_look.cancel()
            crash = None if one_look.cancelled() else one_look.exception()
            why = "" if crash is None else str(crash) if isinstance(crash, Refusal) else describe(crash)
            if why and why != said:
                say(f"looking for changes failed, and is tried again: {why}")
            said = why

    async def _look(self) -> None:
        """Tell of every resource that reads otherwise than before."""
        position = await self._door.position()
        for uri, known in list(self._marks.items()):
            if known.position >= position:
                continue
            mark = await self._mark(uri, known)
            if uri not in self._marks:
                continue  # nobody follows it any more
            self._marks[uri] = mark
            if mark.held != known.held:
                await self._tell(uri)

    async def _mark(self, uri: str, known: Mark | None) -> Mark:
        """Return a resource as it is now; where its milestone has not changed, it holds what it held.

        Raises:
            Missing: nothing is there.
        """
        address = Address.of(uri)

        def marked(ctx: Context) -> Mark:
            row = address.row(ctx)
            position, changed = ctx.store.log.position, int(row["position"]) if row else -1
            if known and row and changed == known.changed:
                return known._replace(position=position)
            return Mark(position, changed, _digest(look(ctx, address, row)))

        mark = await self._door.read(marked)
        if mark is None and address.milestone_id:
            raise Missing("There is no milestone in this project yet")
        return mark or Mark(0, -1, _digest([]))

    async def _tell(self, uri: str) -> None:
        await self._bus.publish(ResourceUpdated(uri))
        for one in list(self._sessions):
            if uri in one.followed and one.session is not None:
                await one.session.send_resource_updated(uri)


def _digest(value: Any) -> str:
    """Return what tells one state of a resource from others, without what moves while nothing happens."""
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        value = {name: one for name, one in fields.items() if name not in _MOVING_AT_THE_TOP}
    text = json.dumps(_settled(value), sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def _settled(value: Any) -> Any:
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        return {
            name: _settled(one)
            for name, one in fields.items()
            if name not in _MOVING and not (name.endswith("_seconds") and isinstance(one, int | float))
        }
    if isinstance(value, list | tuple):
        return [_settled(one) for one in cast("list[Any]", value)]
    return value
