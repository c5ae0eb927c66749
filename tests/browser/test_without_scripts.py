"""The page without JavaScript: every view is readable, and every step can be taken."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from milestone.surfaces.web.pages import LOOKS
from milestone.surfaces.web.steering import ACTIONS
from tests.browser.serving import Dashboard
from tests.browser.staged import MILESTONE, Staged
from tests.browser.steps import confirm
from tests.browser.visiting import Visit


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Staged:
    """A milestone half carried out, and one that asks."""
    made = Staged(tmp_path_factory.mktemp("staged") / "shop")
    made.asking()
    made.half()
    return made


@pytest.fixture
def window(staged: Staged, serve: Callable[..., Dashboard], visit: Callable[..., Visit]) -> Visit:
    """A browser that runs no scripts."""
    made = visit(serve(staged.project), java_script_enabled=False)
    made.enter(MILESTONE)
    return made


def test_every_view_says_what_it_shows(window: Visit) -> None:
    wanted = {
        "overview": "build-login",
        "tasks": "Rotate refresh tokens",
        "agents": "code-transformer",
        "progress": "Proven",
        "messages": "seen twice",
        "events": "Ada Lovelace waived remove-passwords",
        "checkpoints": "before the build",
        "evidence": "check",
        "decisions": "token store",
        "approvals": "Ada Lovelace",
    }
    assert wanted.keys() == LOOKS.keys()
    for view, words in wanted.items():
        page = window.go(MILESTONE, "" if view == "overview" else view)
        assert words in page.inner_text("body"), view
        assert page.locator("nav.tabs [aria-current=page]").count() == 1


def test_details_open_and_lists_are_filtered_and_paged(window: Visit) -> None:
    page = window.go(MILESTONE, "events")
    page.locator("#events summary").first.click()
    assert page.locator("#events details[open] pre").is_visible()
    first = page.locator("#events tbody tr").first.get_attribute("data-key")
    page.get_by_role("link", name="Older", exact=True).click()
    assert int(page.locator("#events tbody tr").first.get_attribute("data-key") or 0) < int(first or 0)
    window.go(MILESTONE, "tasks")
    page.select_option("#status", "completed")
    page.click("text=Filter")
    assert {one.split()[-1] for one in page.locator("#tasks tbody .chip").all_inner_texts()} == {"completed"}


def test_every_step_is_taken(window: Visit, staged: Staged) -> None:
    taken = {"pause", "resume", "stop", "take-over", "checkpoint", "rollback", "waive", "retry", "reject"}
    assert taken | {"approve", "skip", "keep", "discard"} == ACTIONS.keys(), "the others have the same forms"
    page = window.page
    for button in ("Pause", "Resume", "Stop", "Resume", "Take over"):
        page.click(f"nav.steer >> text={button}")
        confirm(page)
        assert page.locator("#note h2").count() == 1, button
    page.click("nav.steer >> text=Checkpoint")
    confirm(page, label="made without scripts")
    page.click("#waiting >> text=Try again")
    confirm(page, by="Grace")
    page.goto(window.dashboard.of(MILESTONE, "tasks"))
    page.click("tr:has-text('document-login') >> text=Waive")
    confirm(page, by="Grace", reason="Written elsewhere")
    page.goto(window.dashboard.of("search-index", "approvals"))
    page.click("#approvals >> text=Reject")
    confirm(page, by="Grace", reason="Unclear")
    assert "Rejected" in page.inner_text("#note")
    page.goto(window.dashboard.of(MILESTONE, "checkpoints"))
    page.click("tr:has-text('made without scripts') >> text=See what would change")
    page.click("text=Roll back …")
    confirm(page)
    assert "Rolled back" in page.inner_text("#note")
    told = {row["event"] for row in staged.project.rows("events") if row["actor"] == "Grace"}
    assert told >= {"person_answered", "task_waived", "phase_rejected"}
