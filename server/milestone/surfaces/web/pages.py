"""The pages that show: each looks at the read model in one transaction, then fills its template."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from milestone.domain.errors import Missing
from milestone.domain.identity import Caller
from milestone.operations.context import Context
from milestone.operations.views import board, records, time, work
from milestone.surfaces import charts
from milestone.surfaces.web import charting
from milestone.surfaces.web.site import Site

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

Row = Mapping[str, Any]
Query = Mapping[str, str]
Look = Callable[[Context, Row, Query], dict[str, Any]]
PAGE, _RUNS = 50, 10
_PICTURE = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"  # what an SVG needs, alone
_LARGEST = 2**53
_STANDINGS = ("in_review", "claimed", "failed", "blocked", "ready", "pending", "completed", "skipped")


async def home(request: Request) -> Response:
    """Show the milestones of the project, or how to begin."""
    site = site_of(request)
    known = await site.reader.look(board.milestones)
    project = site.application.settings.project_dir.name
    return await drawn(request, "home.html", title="Milestones", milestones=known or [], project=project)


def _tasks(ctx: Context, row: Row, query: Query) -> dict[str, Any]:
    status = query.get("status", "") if query.get("status", "") in _STANDINGS else ""
    offset = number(query, "offset")
    page = work.tasks(ctx, row, offset, PAGE, status=status)
    found = {"page": page, "offset": offset, "size": PAGE, "graph": work.graph(ctx, row)}
    return found | {"state": status, "standings": _STANDINGS}


def _messages(ctx: Context, row: Row, query: Query) -> dict[str, Any]:
    offset = number(query, "offset")
    return {"page": records.messages(ctx, row, offset, PAGE), "offset": offset, "size": PAGE}


def _events(ctx: Context, row: Row, query: Query) -> dict[str, Any]:
    before = number(query, "before")
    return {"page": records.events(ctx, row, before, PAGE), "before": before}


def _evidence(ctx: Context, row: Row, query: Query) -> dict[str, Any]:
    offset, runs = number(query, "offset"), number(query, "runs")
    return {
        "page": records.evidence(ctx, row, offset, PAGE),
        "offset": offset,
        "size": PAGE,
        "gates": records.gate_runs(ctx, row, runs, _RUNS),
        "runs": runs,
        "runs_size": _RUNS,
    }


LOOKS: Mapping[str, tuple[str, Look]] = {
    "overview": ("Overview", lambda _ctx, _row, _query: {}),
    "tasks": ("Tasks", _tasks),
    "agents": ("Agents", lambda ctx, row, _: {"times": time.timeline(ctx, row)}),
    "progress": ("Progress", lambda ctx, row, _: {"burnup": time.burnup(ctx, row)}),
    "messages": ("Messages", _messages),
    "events": ("Events", _events),
    "checkpoints": ("Checkpoints", lambda ctx, row, _: {"checkpoints": records.checkpoints(ctx, row)}),
    "evidence": ("Evidence", _evidence),
    "decisions": ("Decisions", lambda ctx, row, _: {"page": records.decisions(ctx, row)}),
    "approvals": ("Approvals", lambda ctx, row, _: {"approvals": records.approvals(ctx, row)}),
}


def page(name: str) -> Callable[[Request], Any]:
    """Return what answers a milestone's page of that name."""
    title, look = LOOKS[name]

    async def shown(request: Request) -> Response:
        found = await of_milestone(request, lambda ctx, row: look(ctx, row, request.query_params))
        return await drawn(request, f"{name}.html", title=title, here=name, **found)

    shown.__name__ = name
    return shown


async def checkpoint(request: Request) -> Response:
    """Show what a rollback to a checkpoint would change."""
    wanted = request.path_params["checkpoint_id"]
    found = await of_milestone(request, lambda ctx, row: {"checkpoint": known_checkpoint(ctx, row, wanted)})
    tree = request.query_params.get("tree", "1" if found["checkpoint"]["trees"] else "") == "1"
    asked = {"checkpoint_id": wanted, "dry_run": True, "tree": tree}
    preview = await site_of(request).door.call("restore_agent_checkpoint", asked, Caller())
    title = f"Checkpoint {wanted}"
    return await drawn(
        request, "checkpoint.html", title=title, here="checkpoints", tree=tree, preview=preview, still=True, **found
    )


async def chart(request: Request) -> Response:
    """Answer with a picture; the address says of which position."""
    from starlette.responses import Response

    site, asked, query = site_of(request), request.path_params, request.query_params
    name, look = asked["name"], charting.LOOKS.get(asked["name"])
    if look is None or not charts.available():
        raise Missing(f"There is no chart {name!r} here", allowed=", ".join(charting.LOOKS))
    asked_for = {"dark": query.get("theme", "") == "dark", "narrow": query.get("width", "") == "narrow"}
    version = site.pictures.version(asked["milestone_id"], await site.reader.position())
    key = (asked["milestone_id"], name, str(asked_for), str(version))
    found = await of_milestone(request, lambda ctx, row: {"shown": look(ctx, row)})
    picture = await site.pictures.get(key, lambda: charting.draw(name, found["shown"], **asked_for))
    return Response(picture, media_type="image/svg+xml", headers={"Content-Security-Policy": _PICTURE})


def known_checkpoint(ctx: Context, row: Row, checkpoint_id: str) -> dict[str, Any]:
    """Return a checkpoint of this milestone.

    Raises:
        Missing: it has none of that id.
    """
    for one in records.checkpoints(ctx, row):
        if one["checkpoint_id"] == checkpoint_id:
            return one
    raise Missing(f"This milestone has no checkpoint {checkpoint_id!r}", remedy="Its checkpoints are listed.")


async def of_milestone(request: Request, look: Callable[[Context, Row], dict[str, Any]]) -> dict[str, Any]:
    """Return what every page of a milestone shows, and what `look` sees, all of one transaction.

    Raises:
        Missing: there is no such milestone.
    """
    site, wanted = site_of(request), request.path_params["milestone_id"]

    def both(ctx: Context) -> dict[str, Any]:
        row = ctx.store.milestones.get(wanted)
        if row is None:
            raise Missing(f"There is no milestone {wanted!r} in this project", remedy="The first page lists them.")
        return {"board": board.board(ctx, row), **look(ctx, row)}

    found = await site.reader.look(both)
    if found is None:
        raise Missing("This project has no milestone yet", remedy="The first page says how to begin.")
    found |= {"charts": charts.available(), "sizes": {"wide": charts.SIZES, "narrow": charts.NARROW}}
    found["version"] = site.pictures.version(wanted, found["board"]["position"])
    return found


async def drawn(request: Request, template: str, *, status: int = 200, **facts: Any) -> Response:
    """Return a page; `said` in the address names what was just answered."""
    from starlette.responses import HTMLResponse

    site = site_of(request)
    note = site.notes.get(request.query_params.get("said", ""))
    values = {"here": "", "board": None, "still": False, "note": note, "at": request.url.path, **facts}
    return HTMLResponse(await site.reader.run(lambda: site.draw(template, **values)), status)


def number(query: Query, name: str) -> int:
    """Return a number from the address; 0 where it is none."""
    text = query.get(name, "")
    return min(int(text), _LARGEST) if text.isascii() and text.isdecimal() and len(text) < 18 else 0  # noqa: PLR2004 - digits


def site_of(request: Request) -> Site:
    """Return the site that a request is made to."""
    return request.app.state.site
