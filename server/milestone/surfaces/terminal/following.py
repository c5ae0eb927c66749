"""A milestone's events as they come, for pipes: a line each, or its board as JSON whenever something has changed."""

from __future__ import annotations

import contextlib
import json
import os
import select
import stat
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from milestone.domain.milestones import ENDED
from milestone.surfaces.looking import look
from milestone.surfaces.terminal.choosing import chosen
from milestone.surfaces.terminal.words import clock, visible
from milestone.wiring import Application

if TYPE_CHECKING:
    from milestone.operations.context import Context

Event = Mapping[str, Any]
T = TypeVar("T")


def follow(
    application: Application,
    named: str,
    every: float,
    *,
    since: int | None = None,
    shown: Callable[[Event], str] | None = None,
    ends: bool = True,
) -> int:
    """Write every event after a position, by default those that are still to come; returns the exit code.

    It ends with the milestone, if it is to, and with whoever reads.
    """
    shown = shown or event_line
    position, name = since, named
    for _ in _ticks(every):

        def news(ctx: Context, position: int | None = position, name: str = name) -> tuple[str, bool, list[Event], int]:
            newest = ctx.store.log.position
            row = chosen(ctx, name)
            if row is None:
                return "", False, [], newest
            after = newest if position is None else position
            events = newer(ctx, row, after) if after < newest else []
            # One look brings at most so many; the next goes on where the last of them was.
            reached = events[-1]["position"] if events else newest
            return row["milestone_id"], row["status"] in ENDED and not newer(ctx, row, reached), events, reached

        found = look(application, news)
        if found is None:
            continue
        name, ended, events, position = found
        for one in events:
            sys.stdout.write(shown(one) + "\n")
        sys.stdout.flush()
        if ended and ends:
            break
    return 0


def follow_boards(application: Application, named: str, every: float) -> int:
    """Write the board as one line of JSON now and whenever something has changed, until the milestone has ended."""
    known = ""
    position = -1
    for _ in _ticks(every):

        def news(ctx: Context, position: int = position, known: str = known) -> dict[str, Any] | None:
            from milestone.operations.views import board

            if ctx.store.log.position == position:
                return None
            row = chosen(ctx, named, known)
            return {"position": ctx.store.log.position} if row is None else board.board(ctx, row)

        found = look(application, news)
        if found is None:
            continue
        position, known = found["position"], found.get("milestone_id", "")
        if known:
            sys.stdout.write(json.dumps(found, ensure_ascii=False) + "\n")
            sys.stdout.flush()
            if found["status"] in ENDED:
                break
    return 0


def newer(ctx: Context, row: Mapping[str, Any], position: int) -> list[Event]:
    """Return the events of a milestone after a position, the oldest first; at most 10,000 of them."""
    from milestone.operations.views import board

    found = ctx.store.log.since(row["milestone_id"], position)
    opened = [{**one, "detail": json.loads(one["detail"])} for one in found]
    return [{**board.event(one), "detail": one["detail"]} for one in opened]


def event_line(one: Event) -> str:
    """Return an event as one line: its position, when it was, what it is called, and what that means."""
    return f"{one['position']:>6}  {clock(one['at'], day=True)}  {visible(one['event']):24} {visible(one['text'])}"


def event_json(one: Event) -> str:
    """Return an event as one line of JSON."""
    return json.dumps(one, ensure_ascii=False)


def _ticks(every: float) -> Iterator[None]:
    """Yield until whoever reads our pipe is gone."""
    poller = select.poll()
    with contextlib.suppress(OSError, ValueError):
        descriptor = sys.stdout.fileno()
        if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
            poller.register(descriptor, 0)
    while True:
        yield
        if poller.poll(every * 1000):
            return
