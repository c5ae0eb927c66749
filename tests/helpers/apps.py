"""A small host of an MCP App in a real browser: it answers as it is told, and keeps what the page asked and tried."""

from __future__ import annotations

import json
from typing import Any

from playwright.sync_api import Browser, Dialog, Page, Route

from milestone.surfaces.apps import MIME, PAGE
from tests.helpers.listening import Listener

HOST, APP = "http://host.localhost/", "http://app.localhost/board.html"
POLICY = (  # what the protocol lets a page do that asks for nothing
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "media-src 'self' data:; connect-src 'none'"
)
HOST_PAGE = f"""<!doctype html><title>Host</title>
<iframe id="app" sandbox="allow-scripts" src="{APP}" style="width:100%;height:600px"></iframe>
<iframe id="stranger" srcdoc="" sandbox="allow-scripts allow-same-origin"></iframe>
<script>
window.heard = [];
const app = document.getElementById("app");
const tell = (message) => app.contentWindow.postMessage({{jsonrpc: "2.0", ...message}}, "*");
window.addEventListener("message", async (event) => {{
  if (event.source !== app.contentWindow) return;
  const {{id, method, params}} = event.data;
  window.heard.push(event.data);
  if (method === undefined || id === undefined) return;
  tell({{id, ...await window.answer(method, params)}});
}});
</script>"""


def result(value: Any) -> dict[str, Any]:
    """Return a value as a tool's result."""
    return {"content": [{"type": "text", "text": json.dumps(value)}]}


def contents(value: Any) -> dict[str, Any]:
    """Return a value as a resource that was read."""
    return {"contents": [{"uri": "milestone://goal", "text": json.dumps(value)}]}


class App:
    """A small host with the page in it: it answers as it is told, and keeps what the page asked and tried."""

    def __init__(self, browser: Browser, server: Listener, **how: Any) -> None:
        self.page: Page = browser.new_page()
        self._server = server
        self.how: dict[str, Any] = {"serverTools": {}, "serverResources": {}, "hostContext": {}, **how}
        self.tried: list[str] = []
        self.page.set_default_timeout(20_000)
        self.page.on("dialog", self._dismiss)
        self.page.on("pageerror", lambda error: self.tried.append(str(error)))
        self.page.on("request", lambda asked: self.tried.append(asked.url) if asked.url not in (HOST, APP) else None)
        self.page.route("**/*", self._serve)
        self.page.expose_function("answer", self._answer)
        self.page.goto(HOST)
        (self.frame,) = [frame for frame in self.page.frames if frame.url == APP]

    def _dismiss(self, dialog: Dialog) -> None:
        self.tried.append(dialog.message)
        dialog.dismiss()

    def _serve(self, route: Route) -> None:
        if route.request.url == HOST:
            route.fulfill(body=HOST_PAGE, content_type="text/html")
        elif route.request.url == APP:
            (content,) = self._server.request("resources/read", {"uri": PAGE})["result"]["contents"]
            assert content["mimeType"] == MIME
            headers = {"Content-Security-Policy": POLICY}
            route.fulfill(body=content["text"], content_type="text/html; charset=utf-8", headers=headers)
        else:
            route.abort()

    def _answer(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        if method == "ui/initialize":
            able = {name: self.how[name] for name in ("serverTools", "serverResources") if self.how[name] is not None}
            info = {"name": "test", "version": "1"}
            return {
                "result": {
                    "protocolVersion": params["protocolVersion"],
                    "hostInfo": info,
                    "hostCapabilities": able,
                    "hostContext": self.how["hostContext"],
                }
            }
        if method in self.how:
            given = self.how[method]
            return given if "error" in given else {"result": given}
        answer = self._server.request(method, params)
        return {key: answer[key] for key in ("result", "error") if key in answer}

    def tell(self, method: str, params: Any, **more: Any) -> None:
        """Let the host say something to the page."""
        self.page.evaluate("(message) => tell(message)", {"method": method, "params": params, **more})

    def asked(self) -> list[str]:
        """Return the methods that the page used, in order."""
        return [one["method"] for one in self.page.evaluate("window.heard") if "method" in one]

    def replied(self, number: Any) -> dict[str, Any]:
        """Return the page's answer to a request of the host."""
        found = self.page.wait_for_function(
            f"window.heard.find((one) => one.id === {json.dumps(number)} && !one.method)"
        )
        return found.json_value()

    def close(self) -> None:
        """Leave, and see that the page did nothing that it should not."""
        ran = [frame.evaluate("window.__ran") for frame in self.page.frames]
        self.page.close()
        assert (self.tried, ran) == ([], [None] * len(ran))
