"""The SDK's session behind the stdio door, kept alive whatever its handlers raise."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from mcp.shared.exceptions import MCPError
from pydantic import ValidationError

from milestone.surfaces.lines import INTERNAL_ERROR, describe, say

if TYPE_CHECKING:
    from collections.abc import Callable

    from mcp.server import Server
    from mcp.server.context import CallNext, HandlerResult, ServerRequestContext

    from milestone.surfaces.wire import Wire

_CANCEL_PATIENCE = 0.8
"""Seconds the session has, after the end of stdin, to cancel what is in flight."""


async def survive(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
    """Turn whatever a handler raises into an error of its request; a middleware."""
    try:
        return await call_next(ctx)
    except (MCPError, ValidationError, asyncio.CancelledError):
        raise
    except BaseException as crash:  # noqa: BLE001 - SystemExit of one tool would end the server for all
        say(f"{ctx.method} crashed: {describe(crash)}")
        if ctx.request_id is None:
            return None
        raise MCPError(INTERNAL_ERROR, "Internal server error") from None


class OneLine(logging.Handler):
    """Writes a log record as one line without a traceback."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write `record`."""
        error = record.exc_info[1] if record.exc_info else None
        say(record.getMessage() + (f": {describe(error)}" if error is not None else ""))


def _on_stray(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    error = context.get("exception")
    say(str(context.get("message")) + (f": {describe(error)}" if isinstance(error, BaseException) else ""))


async def serve(server: Server[Any], wire: Wire, on_end: Callable[[], None]) -> bool:
    """Serve until nothing more will be read; call `on_end` then, and return whether there was a session till then."""
    if not logging.root.handlers:
        logging.root.addHandler(OneLine(logging.WARNING))
    logging.captureWarnings(capture=True)
    asyncio.get_running_loop().set_exception_handler(_on_stray)
    server.middleware.insert(0, survive)
    over = asyncio.create_task(wire.over.wait())
    alive = True
    while alive:
        session = asyncio.create_task(_session(server, wire))
        await asyncio.wait({session, over}, return_when=asyncio.FIRST_COMPLETED)
        if over.done():
            on_end()
            await _end(session)
            return True
        alive = wire.begin_anew()
    on_end()
    over.cancel()
    return False


async def _session(server: Server[Any], wire: Wire) -> None:
    """Run one session of the SDK; say so if it crashes."""
    try:
        await server.run(wire, wire, server.create_initialization_options())
    except asyncio.CancelledError:
        raise
    except BaseException as crash:  # noqa: BLE001 - the client is still there
        say(f"the session crashed: {describe(crash)}")


async def _end(session: asyncio.Task[None]) -> None:
    await asyncio.wait({session}, timeout=_CANCEL_PATIENCE)
    if not session.done():
        session.cancel()
        await asyncio.wait({session}, timeout=0.1)
        say("some calls did not end when they were cancelled")
