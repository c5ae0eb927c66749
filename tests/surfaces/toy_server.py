"""A small server with one tool per hazard, served through our stdio door or through the SDK's own transport.

Run as `python toy_server.py {ours,sdk,broken} [CONSTANTS] [CLOSED]`; the file CLOSED is written by `on_close`.
It imports little, so that its start is the door's.
"""

from __future__ import annotations

import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mcp.server import Server
    from mcp.server.subscriptions import InMemorySubscriptionBus
    from mcp_types import CallToolResult, ListToolsResult


class Toys:
    """The tools: every public method is one, called with the request's context and the tool's arguments."""

    def __init__(self, bus: InMemorySubscriptionBus) -> None:
        self._bus = bus
        self._cancelled: Any = None

    async def echo(self, _: Any, **arguments: Any) -> Any:
        """Return what it is given."""
        return arguments

    async def who(self, ctx: Any) -> Any:
        """Return what the server knows of its client."""
        known = ctx.session.client_params
        client = None if known is None else known.model_dump(mode="json", by_alias=True, exclude_none=True)
        return {"client": client, "version": ctx.protocol_version}

    async def wait(self, ctx: Any, seconds: float = 60) -> Any:
        """Report that it has begun and return later; let the others work meanwhile."""
        import anyio

        self._cancelled = anyio.Event()
        await ctx.session.report_progress(1, 1, "begun")
        try:
            await anyio.sleep(seconds)
        except anyio.get_cancelled_exc_class():
            self._cancelled.set()
            raise

    async def cancelled(self, _: Any) -> Any:
        """Return once the last call of `wait` has been cancelled."""
        await self._cancelled.wait()

    async def stubborn(self, _: Any, seconds: float) -> Any:
        """Return later, even if cancelled."""
        import anyio

        with anyio.CancelScope(shield=True):
            await anyio.sleep(seconds)

    async def thread(self, _: Any, seconds: float) -> Any:
        """Block a worker thread."""
        import anyio

        await anyio.to_thread.run_sync(time.sleep, seconds)

    async def block(self, _: Any, seconds: float) -> Any:
        """Block the event loop."""
        time.sleep(seconds)  # noqa: ASYNC251 - that is the hazard

    async def progress(self, ctx: Any) -> Any:
        """Report progress three times."""
        for step in range(3):
            await ctx.session.report_progress(step + 1, 3, f"step {step + 1}")

    async def unmeasured(self, ctx: Any) -> Any:
        """Report progress that is not a number."""
        await ctx.session.report_progress(float("nan"), 3, "\ud800")

    async def refuse(self, _: Any) -> Any:
        """Raise an error of the protocol with data JSON has no word for."""
        from mcp.shared.exceptions import MCPError

        raise MCPError(1, "refused", object())

    async def change(self, _: Any) -> Any:
        """Announce that the list of tools has changed."""
        from mcp.server.subscriptions import ToolsListChanged

        await self._bus.publish(ToolsListChanged())

    async def big(self, _: Any, size: int, padding: str = "") -> Any:  # noqa: ARG002 - what makes the request big
        """Return many letters."""
        return {"letters": "x" * size}

    async def crash(self, _: Any, kind: str) -> Any:
        """Raise a built-in exception."""
        raise _exception(kind)

    async def crash_thread(self, _: Any, kind: str) -> Any:
        """Raise a built-in exception in a worker thread."""
        import anyio

        def fall() -> None:
            raise _exception(kind)

        await anyio.to_thread.run_sync(fall)

    async def crash_task(self, _: Any, kind: str) -> Any:
        """Raise a built-in exception in a task nobody waits for."""
        import asyncio

        async def fall() -> None:
            raise _exception(kind)

        task = asyncio.create_task(fall())
        await asyncio.wait({task}, timeout=1)

    async def crash_group(self, _: Any, kind: str) -> Any:
        """Raise a built-in exception in a task group."""
        import anyio

        async def fall() -> None:
            raise _exception(kind)

        async with anyio.create_task_group() as group:
            group.start_soon(fall)

    async def overflow(self, _: Any) -> Any:
        """Recurse without end."""

        def fall() -> int:
            return fall() + 1

        return fall()

    async def weird(self, _: Any, kind: str) -> Any:
        """Return a value that JSON has no word for, or that UTF-8 has none for."""
        deep: list[Any] = []
        for _ in range(100_000):
            deep = [deep]
        circle: list[Any] = []
        circle.append(circle)
        values = {"surrogate": "\ud800", "nan": float("nan"), "object": object(), "bytes": b"\xff"}
        return {"value": {**values, "deep": deep, "circle": circle}[kind]}

    async def chatter(self, _: Any) -> Any:
        """Write to stdout in every way there is."""
        import subprocess

        print("printed")  # noqa: T201 - that is the hazard
        os.write(1, b"written\n")
        subprocess.run(["echo", "said by a child"], check=True)  # noqa: ASYNC221


def _exception(kind: str) -> BaseException:
    return getattr(__import__("builtins"), kind)("a secret")


def build_broken() -> Server[Any]:
    """Fail the way a missing dependency makes it fail."""
    raise ImportError("No module named\n'mcp'")


def build() -> Server[Any]:
    """Return the toy server; imports the SDK."""
    import mcp_types as types
    from mcp.server import Server
    from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler

    bus = InMemorySubscriptionBus()
    toys = Toys(bus)
    names = [name for name in vars(Toys) if not name.startswith("_")]

    async def list_tools(_: Any, __: Any) -> ListToolsResult:
        tools = [
            types.Tool(name=n, description=getattr(toys, n).__doc__, input_schema={"type": "object"}) for n in names
        ]
        return types.ListToolsResult(tools=tools)

    async def call_tool(ctx: Any, params: types.CallToolRequestParams) -> CallToolResult:
        if params.name not in names:
            unknown = types.TextContent(type="text", text=f"Unknown tool: {params.name}")
            return types.CallToolResult(content=[unknown], is_error=True)
        result = await getattr(toys, params.name)(ctx, **(params.arguments or {}))
        text = types.TextContent(type="text", text=params.name)
        return types.CallToolResult(content=[text], structured_content=result or {})

    return Server(
        "toy",
        version="1.0",
        instructions="Play.",
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        on_subscriptions_listen=ListenHandler(bus),
    )


def serve_sdk() -> int:
    """Serve over the SDK's own transport."""
    import anyio
    from mcp.server.stdio import stdio_server

    server = build()

    async def run() -> None:
        async with stdio_server() as (read, write):
            await server.run(read, write, server.create_initialization_options())

    anyio.run(run)
    return 0


def serve_ours(build: Any, constants: str, closed: str) -> int:
    """Serve over the door under test."""
    from pathlib import Path

    from milestone.surfaces import stdio

    async def on_close() -> None:
        if closed:
            Path(closed).write_text("closed", encoding="utf-8")  # noqa: ASYNC240

    return stdio.serve(build, constants=Path(constants) if constants else None, on_close=on_close)


if __name__ == "__main__":
    door, constants, closed, *_ = [*sys.argv[1:], "", ""]
    builder = build_broken if door == "broken" else build
    sys.exit(serve_sdk() if door == "sdk" else serve_ours(builder, constants, closed))
