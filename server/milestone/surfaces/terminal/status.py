"""The command `status`: where a milestone stands, on one screen."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from milestone.domain.milestones import ENDED
from milestone.wiring import Application

if TYPE_CHECKING:
    from milestone.operations.context import Context

EMPTY = """No milestone is under way in this project.

In Claude Code type:  /milestone:plan "what should be reached"
Without a model try:  milestone rehearse .
"""
_MOST = 100
_PROMPT = 1  # the line that the shell writes below a screen


@click.command("status")
@click.argument("milestone", required=False, default="")
@click.option("--json", "as_json", is_flag=True, help="Answer as one line of JSON: every one under way, else the last.")
@click.pass_obj
def status(application: Application, milestone: str, as_json: bool) -> None:  # noqa: FBT001 - click passes it by name
    """Show where MILESTONE stands, by its name or id; without one, the milestone that was last at work."""
    from milestone.surfaces.looking import look

    if as_json:
        known = look(application, lambda ctx: _boards(ctx, milestone)) or []
        click.echo(json.dumps({"milestones": known}, ensure_ascii=False))
        return
    found = look(application, lambda ctx: _board(ctx, milestone))
    if found is None:
        click.echo(EMPTY.rstrip())
        return
    _draw(application, *found)


def _board(ctx: Context, named: str) -> tuple[dict[str, Any], list[Any]] | None:
    from milestone.operations.views import board
    from milestone.surfaces.terminal.choosing import chosen, others

    row = chosen(ctx, named)
    return None if row is None else (board.board(ctx, row), others(ctx, row))


def _boards(ctx: Context, named: str) -> list[dict[str, Any]]:
    from milestone.operations.views import board
    from milestone.surfaces.terminal.choosing import chosen

    row = chosen(ctx, named)
    if row is None or named:
        return [board.board(ctx, row)] if row else []
    live = [one for one in ctx.store.views.milestones(_MOST) if one["status"] not in ENDED]
    return [board.board(ctx, one) for one in live or [row]]


def _draw(application: Application, board: dict[str, Any], others: list[Any]) -> None:
    from rich.console import Group
    from rich.text import Text

    from milestone.surfaces.terminal.paper import HEIGHT, paper
    from milestone.surfaces.terminal.screen import board_lines

    drawn = paper(application.settings.environ, sys.stdout)
    width, height = drawn.size
    lines = board_lines(board, drawn.marks, (width, max(height, HEIGHT) - _PROMPT), others=others)
    if board["status"] in ENDED:
        lines.append(Text('  In Claude Code /milestone:plan "…" begins the next one.', "dim"))
    for line in lines:
        line.rstrip()
    drawn.console.print(Group(*lines))
