"""Everybody can use the page: screen readers find no trouble, narrow screens suffice, nothing jumps or moves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from milestone.surfaces.web.pages import LOOKS
from tests.browser.serving import Dashboard
from tests.browser.staged import MILESTONE, Staged
from tests.browser.visiting import Visit
from tests.helpers.execution import task
from tests.helpers.projects import Project
from tests.helpers.underway import Execution

DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 360, "height": 740}
LABEL = "before the build"
SCREENS = [("light", DESKTOP), ("dark", PHONE)]
NAMES = [f"{theme}-{'desktop' if size is DESKTOP else 'phone'}" for theme, size in SCREENS]
# The browser has drawn what there was to draw, and has nothing else to do.
SETTLED = (
    "() => new Promise((done) => requestIdleCallback(() => requestAnimationFrame(() => requestAnimationFrame(done))))"
)
# What is wider than the screen, and what is cut off without a way to scroll to it.
WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
TARGETS = """() => [...document.querySelectorAll("a, button, input, select, summary")].filter((one) => {
  const box = one.getBoundingClientRect();
  return box.width && box.height && !one.closest(".skip, td, th, p, dd, .plain") && (box.height < 24 || box.width < 24);
}).map((one) => one.outerHTML.slice(0, 120))"""


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Staged:
    """A milestone half carried out, and one that asks."""
    made = Staged(tmp_path_factory.mktemp("staged") / "shop")
    made.asking()
    made.half()
    return made


@pytest.fixture(scope="module")
def dashboard(staged: Staged) -> Iterator[Dashboard]:
    """Its page."""
    with Dashboard(staged.project) as running:
        yield running


@pytest.fixture(params=SCREENS, ids=NAMES)
def window(request: pytest.FixtureRequest, dashboard: Dashboard, visit: Callable[..., Visit]) -> Visit:
    """A window in each theme and on each screen."""
    theme, size = request.param
    made = visit(dashboard, color_scheme=theme, viewport=size)
    made.enter()
    return made


def found(window: Visit) -> list[str]:
    """Return what is serious or critical on the page that is open, what is too wide, and what is too small to hit."""
    results = Axe().run(window.page).response
    said = [
        f"{one['id']} ({one['impact']}): {[node['html'][:160] for node in one['nodes']][:3]}"
        for one in results["violations"]
        if one["impact"] in ("serious", "critical")
    ]
    wide = window.evaluate(WIDE)
    return said + ([f"{wide} px too wide"] if wide > 0 else []) + window.evaluate(TARGETS)


def addresses(staged: Staged) -> dict[str, str]:
    """Return every view, and a page of each kind that asks."""
    (checkpoint,) = (one["checkpoint_id"] for one in staged.project.rows("agent_checkpoints") if one["label"] == LABEL)
    base = f"/m/{MILESTONE}"
    return {
        "home": "/",
        **{name: base if name == "overview" else f"{base}/{name}" for name in LOOKS},
        "checkpoint": f"{base}/checkpoints/{checkpoint}",
        "asking": "/m/search-index",
        "asking-approvals": "/m/search-index/approvals",
        "approve": "/m/search-index/do/approve?phase=design",
        "waive": f"{base}/do/waive?task=build-logout",
        "stop": f"{base}/do/stop",
        "rollback": f"{base}/do/rollback?checkpoint={checkpoint}",
        "unknown": "/m/nothing-of-that-name",
    }


def test_nothing_serious_is_found_in_any_view(window: Visit, staged: Staged) -> None:
    """Planted and found: words too pale for their ground."""
    window.expected = ("status of 404",)
    troubles: dict[str, Any] = {}
    for name, address in addresses(staged).items():
        window.page.goto(window.dashboard.base + address)
        for summary in window.page.locator("main details:not([open]) > summary").all()[:3]:
            summary.click()
        if said := found(window):
            troubles[name] = said
    assert troubles == {}


def test_nothing_serious_is_found_in_a_refusal(window: Visit) -> None:
    window.expected = ("status of 409",)
    window.page.goto(window.dashboard.of(MILESTONE, "do/waive?task=build-logout"))
    window.page.fill("#field-by", " ")
    window.evaluate("document.querySelector('form').noValidate = true")
    window.page.click("form button")
    window.page.wait_for_selector("[role=alert]")
    assert found(window) == []


def test_nothing_serious_is_found_where_there_is_nothing_yet(
    new_repository: Callable[..., Project], serve: Callable[..., Dashboard], visit: Callable[..., Visit]
) -> None:
    project = new_repository()
    window = visit(serve(project), color_scheme="dark", viewport=PHONE)
    page = window.enter()
    assert "No milestone yet" in page.inner_text("main")
    assert found(window) == []
    milestone_id = project.operate("initialize_agent_coordination", name="Just begun")["milestone_id"]
    troubles = {}
    for view in LOOKS:
        window.go(milestone_id, "" if view == "overview" else view)
        troubles[view] = found(window)
    assert troubles == {view: [] for view in LOOKS}


@pytest.mark.parametrize(
    "size", [{"width": 1280, "height": 1800}, {"width": 360, "height": 3000}], ids=["wide", "narrow"]
)
def test_a_page_does_not_jump_while_it_follows(
    new_execution: Callable[..., Execution],
    serve: Callable[..., Dashboard],
    visit: Callable[..., Visit],
    size: dict[str, int],
) -> None:
    """All of it is in sight, since nothing else counts. Planted and found: lists that are as high as they are long."""
    execution = new_execution(*(task(f"design-{one}", "design") for one in "abcdef"))
    window = visit(serve(execution.project), viewport=size)
    page = window.enter(execution.milestone_id)
    window.live()
    window.evaluate(SETTLED)
    before = window.evaluate("window.__shift")
    for number in range(3):
        execution.call("log_milestone_event", event="note", subject=f"event {number}")
        page.wait_for_selector(f"#newest >> text=event {number}")
    action = execution.to("design-a")
    page.wait_for_selector("#front tr[data-key=design-a] >> text=claimed")
    execution.carry_out(action)
    page.wait_for_selector("#newest >> text=design-a is completed")
    window.evaluate(SETTLED)
    assert before < 0.02
    assert window.evaluate("window.__shift") - before < 0.02


@pytest.mark.parametrize("view", ["", "tasks", "agents", "progress"])
def test_a_page_does_not_jump_while_it_loads(dashboard: Dashboard, visit: Callable[..., Visit], view: str) -> None:
    for size in (DESKTOP, PHONE):
        window = visit(dashboard, viewport=size)
        window.enter()
        window.go(MILESTONE, view)
        window.live()
        window.evaluate(SETTLED)
        assert window.evaluate("window.__shift") < 0.02


def test_who_wants_no_movement_sees_none(dashboard: Dashboard, visit: Callable[..., Visit]) -> None:
    moving = """() => [...document.querySelectorAll("*")].filter((one) => {
      const style = getComputedStyle(one);
      return style.animationName !== "none" || parseFloat(style.transitionDuration) > 0.001;
    }).length"""
    window = visit(dashboard, reduced_motion="reduce")
    window.enter(MILESTONE)
    assert window.evaluate(moving) == 0
    window = visit(dashboard, reduced_motion="no-preference")
    window.enter(MILESTONE)
    assert window.evaluate(moving) > 0, "what moves is found where movement is welcome"
