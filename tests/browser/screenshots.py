"""Pictures of every view: `python -m tests.browser.screenshots FOLDER`, light and dark, desktop and phone."""

from __future__ import annotations

import itertools
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import FloatRect, ViewportSize

from tests.browser.serving import Dashboard
from tests.browser.staged import MILESTONE, Staged
from tests.browser.visiting import Visit
from tests.helpers.chromium import running_chromium

SIZES: dict[str, ViewportSize] = {"desktop": {"width": 1280, "height": 800}, "phone": {"width": 360, "height": 740}}
VIEWS = ("tasks", "agents", "progress", "messages", "events", "checkpoints", "evidence", "decisions", "approvals")
MOST = 6_000  # a picture is no longer than this many pixels


def addresses(staged: Staged) -> dict[str, str]:
    """Return what pictures are taken of, by the name of the picture."""
    checkpoints = [one for one in staged.project.rows("agent_checkpoints") if one["label"] == "before the build"]
    base, going_back = f"/m/{MILESTONE}", f"checkpoints/{checkpoints[0]['checkpoint_id']}"
    return {
        "home": "/",
        "overview": base,
        **{view: f"{base}/{view}" for view in VIEWS},
        "rollback": f"{base}/{going_back}",
        "waive": f"{base}/do/waive?task=build-logout",
        "approve": "/m/search-index/do/approve?phase=design",
        "overview-asking": "/m/search-index",
        "approvals-asking": "/m/search-index/approvals",
        "unknown": "/m/no-such-milestone",
    }


def take(staged: Staged, folder: Path, *, empty: bool = False) -> None:
    """Take all pictures."""
    with Dashboard(staged.project) as dashboard, running_chromium() as browser:
        for theme, (size, viewport) in itertools.product(("light", "dark"), SIZES.items()):
            visit = Visit(browser.new_context(color_scheme=theme, viewport=viewport), dashboard)
            visit.enter()
            for name, address in ({"empty": "/"} if empty else addresses(staged)).items():
                visit.page.goto(dashboard.base + address)
                visit.page.wait_for_timeout(600)
                high = min(visit.evaluate("document.documentElement.scrollHeight"), MOST)
                whole: FloatRect = {"x": 0, "y": 0, "width": viewport["width"], "height": max(high, viewport["height"])}
                visit.page.screenshot(path=folder / f"{name}-{theme}-{size}.png", clip=whole, full_page=True)
            visit.close()


def main(folder: Path) -> None:
    """Take the pictures of a milestone that is half carried out, and of a project without one."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        staged = Staged(Path(place) / "shop")
        take(staged, folder, empty=True)
        staged.asking()
        staged.half()
        take(staged, folder)
        staged.project.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
