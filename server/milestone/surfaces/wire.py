"""The streams between the stdio door and the SDK's session: lines become its messages, its messages lines."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Self

import anyio
from mcp.shared.message import SessionMessage
from mcp_types import JSONRPCError, JSONRPCNotification, JSONRPCRequest, JSONRPCResponse
from pydantic import ValidationError
from pydantic_core import to_jsonable_python

from milestone.surfaces.handshake import AGREED, STREAM_KEY, VERSION_KEY, stream
from milestone.surfaces.lines import INTERNAL_ERROR, INVALID_REQUEST, Refused, describe, encode, parse, say

if TYPE_CHECKING:
    from collections import deque
    from types import TracebackType

    from mcp_types import JSONRPCMessage

    from milestone.surfaces.lines import Intake, Message, Outlet

_ID_PATIENCE = 0.5
"""Seconds an over-long line may go on before it is refused without its id."""

_INTRODUCTION = "introduction to a new session"
"""Id of the request that tells a session what the one before it knew of the client."""


class Wire:
    """Both streams of the SDK's session: lines in, lines out, on the event loop alone.

    `backlog` is what came before the SDK was there; `answered` holds, by the id they were queued under, those requests
    of the backlog that the client has its answer to, with that answer: the SDK's own is compared and kept back.
    """

    def __init__(
        self,
        intake: Intake,
        outlet: Outlet,
        backlog: deque[Message],
        answered: dict[str, tuple[str, dict[str, Any]]],
    ) -> None:
        self.over = asyncio.Event()
        """Nothing more will be read."""
        self._intake, self._outlet = intake, outlet
        self._backlog, self._answered = backlog, answered
        self._in_flight: set[int | str] = set()
        self._opening: dict[str, Message] = {}
        self._given = 0
        self._loop = asyncio.get_running_loop()
        self._reading = self._writing = self._patient = self._hung = False
        self._news, self._room = asyncio.Event(), asyncio.Event()
        self._follow()

    def stop(self) -> None:
        """Read nothing more, not even what has arrived."""
        self._backlog.clear()
        self._intake.drop()
        self._follow()

    def hang_up(self) -> None:
        """Read on to the end of stdin, which nobody writes any more, even if nobody reads the answers."""
        self._hung = True
        self._follow()

    def begin_anew(self) -> bool:
        """Make ready for a session in place of one that crashed; return `False` if that one had not even begun.

        Whatever was in flight is answered with an error, and the new session will hear first how the client began.
        """
        begun = self._given > 0
        for request_id in tuple(self._in_flight):
            self._write({"jsonrpc": "2.0", "id": request_id, "error": _CRASHED})
        self._backlog.extendleft(reversed(self._opening.values()))
        self._given = -len(self._opening)  # so that an introduction that crashes it is not tried again
        self._opening.clear()
        return begun

    async def drain(self, seconds: float) -> None:
        """Wait until every answer has been written, at most `seconds`."""
        with anyio.move_on_after(seconds):
            while self._outlet.waiting:
                self._room.clear()
                await self._room.wait()

    async def __anext__(self) -> SessionMessage:
        while True:
            if self.over.is_set() or not self._outlet.full:
                message = self._next()
                if message is not None:
                    self._follow()
                    return message
                if self.over.is_set():
                    raise StopAsyncIteration
            self._news.clear()
            self._follow()
            await self._news.wait()

    async def receive(self) -> SessionMessage:
        """Return the next message.

        Raises:
            anyio.EndOfStream: stdin has ended.
        """
        try:
            return await self.__anext__()
        except StopAsyncIteration:
            raise anyio.EndOfStream from None

    async def send(self, item: SessionMessage, /) -> None:
        """Write one message, and wait while too much is waiting to be written."""
        message = item.message
        if isinstance(message, JSONRPCResponse):
            self._write({"jsonrpc": "2.0", "id": message.id, "result": message.result})
        else:
            self._write(message.model_dump(by_alias=True, exclude_unset=True))
        while self._outlet.full and not self.over.is_set():
            self._room.clear()
            await self._room.wait()

    async def aclose(self) -> None:
        """Leave the descriptors alone: they are the door's."""

    def __aiter__(self) -> Self:
        return self

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        return None

    def _next(self) -> SessionMessage | None:
        """Return the next message that is one, refusing those before it that are not."""
        while True:
            item = self._backlog.popleft() if self._backlog else self._intake.take()
            try:
                if item is None:
                    return None
                if isinstance(item, Refused):
                    raise item
                message = parse(item) if isinstance(item, bytes) else item
                typed = _typed(message)
            except Refused as refusal:
                self._put(refusal.reply)
            else:
                self._note(message)
                return SessionMessage(typed)

    def _note(self, message: Message) -> None:
        """Remember what a new session would have to know."""
        self._given += 1
        method, params = message.get("method"), _object(message.get("params"))
        if method is not None and "id" in message:
            self._in_flight.add(message["id"])
            meta = _object(params.get("_meta"))
            if method == "initialize":
                self._opening[method] = {**message, "id": _INTRODUCTION}
            elif not self._opening and VERSION_KEY in meta:
                discover = {"method": "server/discover", "params": {"_meta": meta}}
                self._opening[method] = {**message, "id": _INTRODUCTION, **discover}
        elif method == "notifications/initialized":
            self._opening[method] = message
        elif method == "notifications/cancelled" and isinstance(params.get("requestId"), int | str):
            self._in_flight.discard(params["requestId"])  # it will have no answer

    def _write(self, body: Message) -> None:
        """Write `body`, unless it answers a request that has been answered."""
        if body.get("method") == AGREED:
            name = stream(_object(_object(body.get("params")).get("_meta")).get(STREAM_KEY))
            if name in self._answered:
                _compare(*self._answered.pop(name), body)
                return
        if "method" not in body:
            request_id = body["id"]
            self._in_flight.discard(request_id)
            if request_id in self._answered:
                _compare(*self._answered.pop(request_id), body)
                return
            if request_id == _INTRODUCTION:
                return
        line = _encoded(body)
        if line is not None:
            self._put(line)

    def _put(self, line: bytes) -> None:
        self._outlet.put(line)
        if self._outlet.waiting or self._outlet.dead:
            self._follow()

    def _follow(self) -> None:
        """Let the loop watch just the descriptors that can bring anything about."""
        if self._outlet.dead:
            self._intake.drop()
        if self._intake.ended and not self.over.is_set():
            self.over.set()
            self._news.set()
            self._room.set()
        reading = not self._intake.ended and (self._hung or not self._intake.full)
        if reading != self._reading:
            self._reading = reading
            if reading:
                self._loop.add_reader(self._intake.fd, self._readable)
            else:
                self._loop.remove_reader(self._intake.fd)
        writing = self._outlet.waiting > 0
        if writing != self._writing:
            self._writing = writing
            if writing:
                self._loop.add_writer(self._outlet.fd, self._writable)
            else:
                self._loop.remove_writer(self._outlet.fd)

    def _readable(self) -> None:
        self._intake.read()
        self._news.set()
        self._follow()
        if self._intake.lines.undecided and not self._patient:
            self._patient = True
            self._loop.call_later(_ID_PATIENCE, self._overdue)

    def _overdue(self) -> None:
        self._patient = False
        self._intake.overdue()
        self._news.set()

    def _writable(self) -> None:
        self._outlet.flush()
        if not self._outlet.full:
            self._news.set()
            self._room.set()
        self._follow()


_CRASHED = {"code": INTERNAL_ERROR, "message": "Internal server error"}


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}  # pyright: ignore[reportUnknownVariableType] - JSON's keys are str


def _typed(message: Message) -> JSONRPCMessage:
    """Return `message` in the SDK's terms.

    Raises:
        Refused: its id or method has characters that are none.
    """
    try:
        if "method" not in message:
            return (JSONRPCError if "error" in message else JSONRPCResponse).model_validate(message)
        return (JSONRPCRequest if "id" in message else JSONRPCNotification).model_validate(message)
    except ValidationError:
        raise Refused(
            INVALID_REQUEST, "Invalid request: id and method must be Unicode text", message.get("id")
        ) from None


def _encoded(body: Message) -> bytes | None:
    """Return `body` as a line; if it cannot be said in JSON, an error under its id, or nothing if it has none."""
    try:
        return encode(body)
    except (ValueError, TypeError, RecursionError, MemoryError):
        pass
    try:
        return encode(to_jsonable_python(body, by_alias=True, inf_nan_mode="null"))
    except (ValueError, TypeError, RecursionError, MemoryError) as error:
        say(f"an answer cannot be said in JSON: {describe(error)}")
    if "id" not in body or "method" in body:
        return None
    return encode({"jsonrpc": "2.0", "id": body["id"], "error": _CRASHED})


def _compare(method: str, sent: dict[str, Any], body: Message) -> None:
    if {key: value for key, value in body.items() if key not in {"jsonrpc", "id"}} != sent:
        say(f"the recorded answer to {method} is stale: the server would answer otherwise. Record it again.")
