"""The page put together: every route of the table, behind the guard, and what is said where something fails."""

from __future__ import annotations

import logging
import traceback
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from milestone.domain.errors import Conflict, Missing, Refusal
from milestone.surfaces.web import acting, live, pages
from milestone.surfaces.web.guard import Guard
from milestone.surfaces.web.rules import RULES
from milestone.surfaces.web.site import Site

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

_LOG = logging.getLogger("milestone")
_STATIC: Mapping[str, str] = {"style.css": "text/css", "app.js": "text/javascript"}
_FOLDER = Path(__file__).parent / "static"


def build(site: Site) -> Guard:
    """Return the whole page as one application, to be served on the port that the site's keys are for."""
    return Guard(unguarded(site), site.keys)


def unguarded(site: Site) -> Starlette:
    """Return what stands behind the guard."""
    from starlette.applications import Starlette

    @asynccontextmanager
    async def open_site(_: Starlette) -> AsyncGenerator[None]:
        try:
            yield
        finally:
            await site.close()

    handlers: dict[Any, Any] = {Refusal: refused, Exception: crashed}
    made = Starlette(routes=routes(), exception_handlers=handlers, lifespan=open_site)
    made.router.redirect_slashes = False
    made.state.site = site
    return made


def routes() -> list[Route]:
    """Return a route for each rule; neither is without the other."""
    from starlette.routing import Route

    endpoints: dict[str, Callable[[Request], Any]] = {name: pages.page(name) for name in pages.LOOKS}
    endpoints |= {"enter": enter, "static": static, "home": pages.home, "checkpoint": pages.checkpoint}
    endpoints |= {"live": live.live, "chart": pages.chart, "ask": acting.ask, "act": acting.act}
    assert endpoints.keys() == {rule.endpoint for rule in RULES}
    return [Route(rule.path, endpoints[rule.endpoint], methods=list(rule.methods)) for rule in RULES]


async def enter(request: Request) -> Response:
    """Exchange the token of the link for the cookie, and lead to an address without it."""
    from starlette.responses import PlainTextResponse, RedirectResponse

    keys = pages.site_of(request).keys
    if not keys.opens(request.query_params.get("token", "")):
        return PlainTextResponse(
            "This link is of an earlier start, or was used up. Start `milestone dashboard`.\n", 401
        )
    wanted = request.query_params.get("milestone", "")
    known = any(rule.endpoint == "overview" and rule.pattern.fullmatch(f"/m/{wanted}") for rule in RULES)
    response = RedirectResponse(f"/m/{wanted}" if known else "/", 303)
    response.headers["Set-Cookie"] = keys.set_cookie
    return response


async def static(request: Request) -> Response:
    """Return one of our own files."""
    from starlette.responses import PlainTextResponse, Response

    name = request.path_params["name"]
    if name not in _STATIC:
        return PlainTextResponse("There is no such file.\n", 404)
    return Response((_FOLDER / name).read_bytes(), media_type=_STATIC[name])


async def refused(request: Request, error: Exception) -> Response:
    """Show a refusal in its own words."""
    assert isinstance(error, Refusal)
    status = 404 if isinstance(error, Missing) else 409 if isinstance(error, Conflict) else 400
    shown = {"title": "That is not possible", "refusal": error, "still": True}
    return await pages.drawn(request, "refused.html", status=status, **shown)


async def crashed(request: Request, error: Exception) -> Response:
    """Say that something failed; what it was is logged in one line, without the request's address."""
    from starlette.responses import PlainTextResponse

    where = traceback.extract_tb(error.__traceback__)[-1:]
    place = f" at {Path(where[0].filename).name}:{where[0].lineno}" if where else ""
    _LOG.error("the page %s failed: %s: %s%s", request.url.path, type(error).__name__, error, place)
    return PlainTextResponse("Something failed here. The terminal of `milestone dashboard` says what it was.\n", 500)
