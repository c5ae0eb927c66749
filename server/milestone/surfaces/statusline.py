"""The command `statusline`: one line on the milestone under way, for a host that asks again and again."""

from __future__ import annotations

import contextlib
import json
import os
import select
import sys
import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from milestone.domain.milestones import ENDED
from milestone.domain.text import clip
from milestone.surfaces.looking import look
from milestone.surfaces.terminal.words import many, visible
from milestone.wiring import Application, read_settings

if TYPE_CHECKING:
    from milestone.operations.context import Context
    from milestone.store.engine import Row

_WHOLE = 1.5  # seconds after which it is over, whatever hangs
_READ = 0.3  # seconds for the host to say where it stands
_INPUT = 1 << 20
_LOOKED_AT = 10
_NAME = 40


def statusline(environ: Mapping[str, str]) -> int:
    """Print where the milestone under way stands, in one short line; nothing where there is none. Never fails."""
    _end_in_time()
    given = _given(0)
    try:
        settings = read_settings({**environ, **_project(given)})
        line = look(Application(settings), lambda ctx: _line(ctx, str(given.get("session_id", ""))))
        if line:
            sys.stdout.buffer.write(line.encode("utf-8", "replace") + b"\n")
            sys.stdout.buffer.flush()
    except Exception:  # noqa: BLE001, S110 - a host would show what is said here in the place of the line
        pass
    os._exit(0)  # whatever is left to clean up must not make the host wait


def _line(ctx: Context, session_id: str) -> str:
    from milestone.operations import reporting
    from milestone.operations.views.waiting import waiting

    row = _row(ctx, session_id)
    if row is None:
        return ""
    milestone_id = row["milestone_id"]
    session = ctx.store.milestones.latest_session(milestone_id)
    mode = session["mode"] if session else "planning"
    found = reporting.standing(ctx.store, milestone_id, mode)
    planning = mode == "planning"
    done = found.counts.get("completed", 0)
    share = (100 * done // found.total if found.total else 0) if planning else int(found.percentage)
    agents = len(ctx.store.tasks.held(milestone_id, mode))
    asked = len(waiting(ctx, row, mode))
    parts = [
        f"◆ {named(row['name'])} {share} %",
        "planning" if planning else found.phase,
        row["steering"] or ("parked" if row["parked_until"] else ""),
        many(agents, "agent") if agents else "",
        f"{asked} {'waits' if asked == 1 else 'wait'} for you" if asked else "",
    ]
    return " · ".join(part for part in parts if part)


def named(name: str) -> str:
    """Return a milestone's name for a terminal, at most 40 characters of it."""
    return clip(visible(name), _NAME)


def _row(ctx: Context, session_id: str) -> Row | None:
    """Return the milestone that this host session coordinates, else the one under way that changed last."""
    live = [row for row in ctx.store.views.milestones(_LOOKED_AT) if row["status"] not in ENDED]
    for row in live:
        session = ctx.store.milestones.latest_session(row["milestone_id"]) if session_id else None
        if session and session["coordinator"] == session_id:
            return row
    return max(live, key=lambda row: row["updated_at"], default=None)


def _project(given: Mapping[str, Any]) -> dict[str, str]:
    """Return the folder that the host names, as a setting."""
    place = given.get("workspace")
    folder = cast("Mapping[str, Any]", place).get("project_dir") if isinstance(place, dict) else None
    named = folder or given.get("cwd")
    return {"CLAUDE_PROJECT_DIR": named} if isinstance(named, str) and os.path.isdir(named) else {}  # noqa: PTH112 - no Path to load


def _end_in_time() -> None:
    timer = threading.Timer(_WHOLE, os._exit, (0,))
    timer.daemon = True
    timer.start()


def _given(descriptor: int) -> Mapping[str, Any]:
    """Return what the host says on stdin, as far as it is an object and comes in time."""
    taken, until = b"", time.monotonic() + _READ
    try:
        while len(taken) < _INPUT and select.select([descriptor], [], [], max(0.0, until - time.monotonic()))[0]:
            data = os.read(descriptor, 1 << 16)
            taken += data
            if not data:
                break
            if data.rstrip().endswith(b"}"):
                with contextlib.suppress(ValueError, RecursionError):
                    value: Any = json.loads(taken)
                    return cast("Mapping[str, Any]", value) if isinstance(value, dict) else {}
    except (OSError, ValueError):
        pass
    return {}
