"""The page with the keyboard alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.browser.serving import Dashboard
from tests.browser.steps import focused, tab_to
from tests.browser.visiting import Visit
from tests.helpers.execution import lean, task
from tests.helpers.underway import Execution

LIMITS = ".milestones/config/limits.yaml"
# The ring around what has the focus: wide enough to be seen, and of another colour than what it lies on.
RING = """() => {
  const style = getComputedStyle(document.activeElement);
  return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 && !style.outlineColor.endsWith(" 0)");
}"""
INSIDE = """() => {
  const box = document.activeElement.getBoundingClientRect();
  return box.width > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
}"""


@pytest.fixture
def execution(new_execution: Callable[..., Execution]) -> Execution:
    """A milestone whose design waits for an approval."""
    files = lean(**{LIMITS: lean()[LIMITS] + "approvals: [design]\n"})
    made = new_execution(task("do-design", "design"), task("do-spec", "spec", ("do-design",)), files=files)
    made.to("ask_human")
    return made


@pytest.fixture
def window(execution: Execution, serve: Callable[..., Dashboard], visit: Callable[..., Visit]) -> Visit:
    """Its page."""
    made = visit(serve(execution.project))
    made.enter(execution.milestone_id)
    return made


def test_the_first_tab_leads_past_what_every_page_has(window: Visit) -> None:
    page = window.page
    page.keyboard.press("Tab")
    assert focused(page) == "Skip to the content"
    assert window.evaluate(INSIDE), "it shows when it has the focus"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('#waiting') !== null"), "what waits for a person comes first"


def test_tabs_go_in_the_order_in_which_it_is_read(window: Visit) -> None:
    """From the head over the steering and the views to what is shown. Planted and found: no ring around the focus."""
    page, seen = window.page, list[str]()
    places = page.locator("a[href], button, input, select, summary, [tabindex='0']").count()
    for _ in range(places):
        page.keyboard.press("Tab")
        seen.append(focused(page))
        assert window.evaluate(RING), f"no ring around {seen[-1]!r}"
        assert window.evaluate(INSIDE), f"{seen[-1]!r} has the focus and is not to be seen"
    order = [seen.index(name) for name in ("Milestone", "Pause", "Tasks", "Approve it")]
    assert order == sorted(order)
    assert page.evaluate("[...document.querySelectorAll('[tabindex]')].every((one) => one.tabIndex < 1)")


def test_a_phase_is_approved_with_keys_alone(window: Visit, execution: Execution) -> None:
    page = window.page
    tab_to(page, "Approve it")
    page.keyboard.press("Enter")
    page.wait_for_selector("#field-by")
    tab_to(page, "Your name")
    page.keyboard.type("Ada Lovelace")
    tab_to(page, "Reason.*")
    page.keyboard.type("Reads well")
    tab_to(page, "Approve design")
    page.keyboard.press("Enter")
    page.wait_for_selector("#note >> text=Approved.")
    (event,) = execution.events("phase_approved")
    assert event["actor"] == "Ada Lovelace"


def test_details_open_and_tables_scroll_with_keys(window: Visit, execution: Execution) -> None:
    page = window.page
    tab_to(page, "What to type instead")
    page.keyboard.press("Enter")
    assert page.locator("#waiting details[open] pre").is_visible()
    page.set_viewport_size({"width": 360, "height": 740})
    window.go(execution.milestone_id, "events")
    tab_to(page, "Events, as a table")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.activeElement.scrollLeft > 0 || document.activeElement.scrollWidth <= innerWidth")
