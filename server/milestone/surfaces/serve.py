"""The MCP server as a process: it answers at once, and loads what it needs meanwhile."""

from __future__ import annotations

import os

from milestone.surfaces import stdio

TYPE_CHECKING = False  # `typing` and whatever else is not needed for the first answer waits until the SDK loads
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from mcp.server import Server

    from milestone.surfaces.door import Door

CONSTANTS = os.path.join(os.path.dirname(__file__), "handshake.json")  # noqa: PTH118, PTH120 - pathlib waits, too


def serve(environ: Mapping[str, str]) -> int:
    """Serve over stdin and stdout until the host closes them; returns the exit code."""
    doors: list[Door] = []

    def build() -> Server[Any]:
        from milestone.surfaces.door import Door
        from milestone.surfaces.mcp import build as build_server
        from milestone.wiring import Application, read_settings

        doors.append(Door(Application(read_settings(environ), serves=True)))
        return build_server(doors[0])

    async def close() -> None:
        for door in doors:
            await door.close()
            door.application.close()

    return stdio.serve(build, constants=CONSTANTS, on_close=close)
