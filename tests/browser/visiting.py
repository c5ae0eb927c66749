"""A window on the page, which remembers what a page must not do."""

from __future__ import annotations

import threading
from typing import Any

from playwright.sync_api import BrowserContext, Dialog, Page, Request

from tests.browser.serving import Dashboard

PATIENCE_MS = 15_000
# Runs before anything of the page does: what is to be found out later is planted here.
PLANTED = """
window.__violations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.__violations.push(event.violatedDirective + " " + event.blockedURI + " " + event.sample);
});
window.__shift = 0;
try {
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.__shift += entry.value;
  }).observe({ type: "layout-shift", buffered: true });
} catch {}
"""


class Visit:
    """A browser context of its own with one page; `noise` is whatever happened there that must not."""

    def __init__(self, context: BrowserContext, dashboard: Dashboard) -> None:
        self.context, self.dashboard = context, dashboard
        self.noise: list[str] = []
        self.expected: tuple[str, ...] = ()
        """Words of console errors that a test brings about on purpose."""
        self.allowed = "data:image/svg+xml,"
        """What may be loaded beside the dashboard's own addresses: its icon, which stands in the page."""
        context.set_default_timeout(PATIENCE_MS)
        context.add_init_script(PLANTED)
        context.on("request", self._requested)
        context.on("dialog", self._asked)
        context.on("page", self._watch)
        self.page = context.new_page()

    def _watch(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.noise.append(f"error: {error}"))
        page.on("console", lambda said: self._said(said.type, said.text))

    def _said(self, kind: str, text: str) -> None:
        if kind in ("error", "warning") and not any(words in text for words in self.expected):
            self.noise.append(f"console: {text}")

    def _requested(self, request: Request) -> None:
        if not request.url.startswith((self.dashboard.base + "/", self.allowed)):
            self.noise.append(f"request: {request.url}")

    def _asked(self, dialog: Dialog) -> None:
        self.noise.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def enter(self, milestone_id: str = "") -> Page:
        """Open the page with its link, as a person does, perhaps at one milestone."""
        self.page.goto(self.dashboard.link + (f"&milestone={milestone_id}" if milestone_id else ""))
        return self.page

    def go(self, milestone_id: str, view: str = "") -> Page:
        """Open a view of a milestone."""
        self.page.goto(self.dashboard.of(milestone_id, view))
        return self.page

    def live(self) -> None:
        """Wait until the page hears news."""
        self.page.wait_for_selector('#link[data-state="live"]')

    def evaluate(self, script: str, *given: Any) -> Any:
        """Return what a script says on the page."""
        return self.page.evaluate(script, *given)

    def close(self) -> None:
        """Close the window; what it noticed last is noted."""
        for page in self.context.pages:
            self.noise += [f"policy: {one}" for one in page.evaluate("window.__violations || []")]
        self.context.close()


def waited(condition: Any, seconds: float = 20) -> Any:
    """Return the first value of a condition that is true; nothing after `seconds`."""
    pause = threading.Event()
    for _ in range(int(seconds / 0.05)):
        if found := condition():
            return found
        pause.wait(0.05)
    return condition()
