"""The program: what hosts start (`mcp`, `hook …`, `monitor`, `statusline`), and the command line for people."""

from __future__ import annotations

import os
import sys


def main() -> int:
    """Run the command that the arguments name and return its exit code."""
    command = sys.argv[1] if len(sys.argv) > 1 else ""
    if command == "mcp":
        from milestone.surfaces.serve import serve

        return serve(os.environ)
    if sys.argv[1:] == ["statusline"]:
        from milestone.surfaces.statusline import statusline

        return statusline(os.environ)
    from milestone.wiring import Application, read_settings

    if command == "hook":
        from milestone.surfaces.hooks import session_start

        return session_start(read_settings(os.environ)) if sys.argv[2:] == ["session-start"] else 0
    if command == "monitor":
        from milestone.surfaces.monitor import SILENT, monitor

        return monitor(read_settings(os.environ), float(sys.argv[2]) if sys.argv[2:] else SILENT)
    from milestone.surfaces.cli import cli

    return cli(Application(read_settings(os.environ)))


if __name__ == "__main__":
    sys.exit(main())
