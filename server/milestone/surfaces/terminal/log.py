"""The command `log`: what happened to a milestone, event by event."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from milestone.wiring import Application

if TYPE_CHECKING:
    from milestone.operations.context import Context

_PAGE, _MOST = 50, 10_000


@click.command("log")
@click.argument("milestone", required=False, default="")
@click.option("--follow", "-f", "following", is_flag=True, help="Go on with what happens from now on.")
@click.option("--since", type=click.IntRange(min=0), help="Only events after this position, the oldest first.")
@click.option(
    "--limit", "-n", type=click.IntRange(1, _MOST), default=_PAGE, show_default=True, help="How many at most."
)
@click.option("--json", "as_json", is_flag=True, help="Answer as one line of JSON; with --follow one for each event.")
@click.pass_obj
def log(
    application: Application,
    *,
    milestone: str,
    following: bool,
    since: int | None,
    limit: int,
    as_json: bool,
) -> int:
    """Show what happened to MILESTONE, by its name or id: the newest events, the last of them below."""
    from milestone.surfaces.looking import look
    from milestone.surfaces.terminal.following import event_json, event_line, follow
    from milestone.surfaces.terminal.paper import paper
    from milestone.surfaces.terminal.status import EMPTY
    from milestone.surfaces.terminal.watch import FAR, NEAR

    found = look(application, lambda ctx: _page(ctx, milestone, since, limit)) or _NOTHING
    if as_json and not following:
        click.echo(json.dumps(found, ensure_ascii=False))
        return 0
    shown = event_json if as_json else event_line
    if not as_json:
        paper(application.settings.environ, sys.stdout)
    for one in found["events"]:
        click.echo(shown(one))
    if not following:
        if not found["milestone_id"]:
            click.echo(EMPTY.rstrip())
        return 0
    every = FAR if application.remote else NEAR
    return follow(application, milestone, every, since=found["position"], shown=shown, ends=False)


_NOTHING: dict[str, Any] = {"milestone_id": "", "events": [], "more": False, "position": 0}


def _page(ctx: Context, named: str, since: int | None, limit: int) -> dict[str, Any]:
    """Return the events wanted, whether there are more of them, and the position to go on from."""
    from milestone.operations.views import records
    from milestone.surfaces.terminal.choosing import chosen
    from milestone.surfaces.terminal.following import newer

    row = chosen(ctx, named)
    if row is None:
        return {**_NOTHING, "position": ctx.store.log.position}
    if since is None:
        found = records.events(ctx, row, limit=limit)
        events, more = found["items"][::-1], found["more"]
    else:
        known = newer(ctx, row, since)
        events, more = known[:limit], len(known) > limit
    end = events[-1]["position"] if since is not None and more else ctx.store.log.position
    return {"milestone_id": row["milestone_id"], "events": events, "more": more, "position": end}
