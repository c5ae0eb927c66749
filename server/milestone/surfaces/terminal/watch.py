"""The command `watch`: a milestone as it goes on, drawn anew when there is news; line by line into a pipe."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from milestone.domain.errors import Refusal
from milestone.surfaces.looking import look
from milestone.surfaces.terminal.choosing import chosen, others
from milestone.surfaces.terminal.following import follow, follow_boards
from milestone.surfaces.terminal.paper import Paper, paper
from milestone.wiring import Application

if TYPE_CHECKING:
    from rich.text import Text

    from milestone.operations.context import Context

NEAR, FAR = 0.25, 2.0
"""Seconds between two looks at the log's position, on this machine and over a network."""

_REFRESHED = 5.0  # seconds after which time alone may have changed what is shown
_EVENTS = 40


@click.command("watch")
@click.argument("milestone", required=False, default="")
@click.option("--json", "as_json", is_flag=True, help="One JSON object whenever something has changed, a line each.")
@click.pass_obj
def watch(application: Application, milestone: str, as_json: bool) -> int:  # noqa: FBT001 - click passes it by name
    """Watch MILESTONE live: q ends it. Into a pipe each event is a line, until the milestone has ended."""
    every = FAR if application.remote else NEAR
    if as_json:
        return follow_boards(application, milestone, every)
    drawn = paper(application.settings.environ, sys.stdout)
    return show(application, milestone, drawn, every) if drawn.live else follow(application, milestone, every)


def show(application: Application, named: str, drawn: Paper, every: float) -> int:
    """Draw a milestone on the whole terminal until a person has seen enough; returns the exit code."""
    from rich.console import Group
    from rich.live import Live

    from milestone.surfaces.terminal.keys import Keys

    seen = Seen(application, named)
    seen.look()  # what cannot be shown at all is refused before the screen is taken
    with Keys() as keys, Live(console=drawn.console, screen=True, auto_refresh=False) as live:
        shown_at = 0.0
        while not keys.ended:
            news = seen.look()
            if news or keys.resized or time.monotonic() - shown_at >= 1:
                shown_at = time.monotonic()
                live.update(Group(*seen.lines(drawn)), refresh=True)
            keys.wait(every)
        live.console.clear()  # some terminals that were resized bring back what is left on the screen
    return keys.code


class Seen:
    """What was last seen of a milestone, and when."""

    def __init__(self, application: Application, named: str) -> None:
        self._application, self._named = application, named
        self._position, self._at = -1, 0.0
        self._board: Mapping[str, Any] | None = None
        self._others: list[Mapping[str, Any]] = []
        self._trouble = ""

    def look(self) -> bool:
        """Return whether there is news. What fails is shown and tried again, once something could be seen at all.

        Raises:
            Refusal: there is nothing to show, and never was.
        """
        try:
            position = look(self._application, lambda ctx: ctx.store.log.position) or 0
            if position == self._position and time.monotonic() - self._at < _REFRESHED:
                return False
            found = look(self._application, self._read)
        except (Refusal, OSError) as problem:
            if self._position < 0:
                raise
            self._trouble = str(problem)
            return False
        self._position, self._at, self._trouble = position, time.monotonic(), ""
        self._board, self._others = found or (None, [])
        return True

    def lines(self, drawn: Paper) -> list[Text]:
        """Return every line of the terminal."""
        from milestone.surfaces.terminal.lines import ends, line
        from milestone.surfaces.terminal.screen import board_lines
        from milestone.surfaces.terminal.words import visible

        width, height = drawn.size
        foot = [(visible(self._trouble), "bold red")] if self._trouble else [("q ends", "dim")]
        last = ends(line("  ", *foot), line((f"{datetime.now():%H:%M:%S}", "dim")), width)  # noqa: DTZ005 - a wall clock
        if self._board is None:
            from milestone.surfaces.terminal.status import EMPTY

            lines = [line(f"  {one}") for one in EMPTY.splitlines()][: height - 1]
        else:
            passed = time.monotonic() - self._at
            size = (width, height - 1)
            lines = board_lines(self._board, drawn.marks, size, others=self._others, passed=passed)
        lines += [line()] * (height - 1 - len(lines))
        return [*lines, last]

    def _read(self, ctx: Context) -> tuple[Mapping[str, Any], list[Mapping[str, Any]]] | None:
        from milestone.operations.views import board

        row = chosen(ctx, self._named, self._board["milestone_id"] if self._board else "")
        if row is None:
            return None
        moves = [board.event(one) for one in ctx.store.views.moves(row["milestone_id"], _EVENTS)]
        return {**board.board(ctx, row), "log": moves}, others(ctx, row)
