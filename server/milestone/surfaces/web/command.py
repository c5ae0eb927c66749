"""`milestone dashboard`: serves the page on this machine alone until it is ended."""

from __future__ import annotations

import json
import socket
import threading
from typing import TYPE_CHECKING, Any

import click

from milestone.domain.errors import Refusal
from milestone.wiring import Application

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from uvicorn import Server

    from milestone.surfaces.web.guard import Guard
    from milestone.surfaces.web.keys import Keys

_LOOPBACK = "127.0.0.1"
_GRACE_SECONDS = 5


@click.command("dashboard")
@click.argument("milestone", default="")
@click.option("--port", type=click.IntRange(0, 65_535), default=0, help="Port to serve on; a free one by default.")
@click.option("--open", "opened", is_flag=True, help="Open it in the browser.")
@click.option("--json", "as_json", is_flag=True, help="Say where it is as one line of JSON.")
@click.pass_obj
def dashboard_command(application: Application, milestone: str, port: int, opened: bool, as_json: bool) -> None:  # noqa: FBT001 - click passes it by name
    """Show the milestones in a browser, live, and steer them from there. Ctrl+C ends it."""
    from milestone.surfaces.web.keys import Keys

    with _listen(port) as listening:
        keys = Keys(listening.getsockname()[1])

        def tell() -> None:
            link = link_of(keys, keys.token, milestone)
            if as_json:
                click.echo(json.dumps({"link": link, "host": _LOOPBACK, "port": keys.port}))
            else:
                click.echo(f"The page of {application.settings.project_dir.name}, on this machine alone:\n\n  {link}\n")
                click.echo("Whoever has this link may steer. Ctrl+C ends it.")
            if opened:
                # A browser for terminals returns when it is left, and the page must be served meanwhile.
                threading.Thread(target=_open, args=[link_of(keys, keys.once, milestone)], daemon=True).start()

        serve(application, keys, listening, tell)


def link_of(keys: Keys, token: str, milestone: str = "") -> str:
    """Return the link that opens the page, perhaps at one milestone."""
    from urllib.parse import urlencode

    asked = {"token": token} | ({"milestone": milestone} if milestone else {})
    return f"http://{_LOOPBACK}:{keys.port}/enter?{urlencode(asked)}"


def serve(application: Application, keys: Keys, listening: socket.socket, tell: Callable[[], None]) -> None:
    """Serve the page until a signal ends it; `tell` is called once it is there."""
    import anyio

    from milestone.surfaces.web.app import build
    from milestone.surfaces.web.site import Site

    async def run() -> None:
        site = Site(application, keys)
        await server(build(site), tell, site.hub.close).serve([listening])

    anyio.run(run)


def server(guard: Guard, begun: Callable[[], None], ending: Callable[[], None]) -> Server:
    """Return what serves the page; `ending` is called before it waits for those who are connected."""
    from uvicorn import Config, Server

    class Ending(Server):
        """Ends by a signal as by itself: streams first, then quietly."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            """Begin."""
            await super().startup(sockets)
            begun()

        def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn calls it so
            """Begin to end; the second time, without waiting for anybody."""
            self.force_exit = self.should_exit
            self.should_exit = True

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            """End."""
            ending()
            await super().shutdown(sockets)

    quiet: dict[str, Any] = {"log_config": None, "log_level": "critical", "access_log": False}
    plain: dict[str, Any] = {"proxy_headers": False, "server_header": False}
    return Ending(
        Config(guard, http="h11", ws="none", lifespan="on", timeout_graceful_shutdown=_GRACE_SECONDS, **quiet, **plain)
    )


def _listen(port: int) -> socket.socket:
    """Return a socket on this machine's own address alone.

    Raises:
        Refusal: somebody else listens there.
    """
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((_LOOPBACK, port))
    except OSError as error:
        made.close()
        wrong = f"Port {port} cannot be used: {error.strerror}"
        raise Refusal(wrong, remedy="Leave --port out, and a free one is taken.") from None
    made.listen(128)
    return made


def _open(link: str) -> None:
    import webbrowser

    if not webbrowser.open(link):
        click.echo("No browser could be opened: open the link yourself.", err=True)
