"""The page follows what happens, by itself and without disturbing whoever reads it."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.browser.serving import Dashboard
from tests.browser.visiting import Visit, waited
from tests.helpers.execution import FILES, make_repository, task
from tests.helpers.projects import PROGRAM, Project
from tests.helpers.underway import Execution

TASKS = (
    task("do-design", "design"),
    task("do-spec", "spec", ("do-design",), ("docs/",)),
    task("build-one", "execute", ("do-spec",), ("app/",)),
)
# Which sections something is changed in from now on; that none is put in another's place is seen by its mark.
WATCH = """() => {
  window.__touched = new Set();
  for (const one of document.querySelectorAll("[data-live]")) {
    one.__same = true;
    new MutationObserver(() => window.__touched.add(one.id)).observe(
      one, { subtree: true, childList: true, characterData: true, attributes: true });
  }
}"""
TOUCHED = "() => [...window.__touched].sort()"
REPLACED = "() => [...document.querySelectorAll('[data-live]')].filter((one) => !one.__same).map((one) => one.id)"


@pytest.fixture
def execution(new_execution: Callable[..., Execution]) -> Execution:
    """A milestone of which nothing has been carried out yet."""
    return new_execution(*TASKS)


@pytest.fixture
def watching(execution: Execution, serve: Callable[..., Dashboard], visit: Callable[..., Visit]) -> Visit:
    """A window on its overview, which listens."""
    window = visit(serve(execution.project))
    window.enter(execution.milestone_id)
    window.live()
    return window


def test_phases_front_and_events_follow_the_work_without_a_reload(execution: Execution, watching: Visit) -> None:
    page = watching.page
    watching.evaluate(WATCH)
    worker = execution.worker("do-design")
    page.wait_for_selector("#front tr[data-key=do-design] >> text=claimed")
    page.wait_for_selector(f"#agents tr[data-key='{worker.agent_id}']")
    worker.agents.call("update_agent_status", status="active", **worker.who)
    worker.save()
    worker.complete()
    page.wait_for_selector("#newest >> text=do-design is completed")
    page.wait_for_selector("#phases tr[data-key=design] >> text=100 %")
    execution.to("do-spec")
    page.wait_for_selector("#phases tr[data-key=design] >> text=completed")
    page.wait_for_selector("#front tr[data-key=do-spec]")
    page.wait_for_selector(".state >> text=15 % proven")
    assert watching.evaluate(REPLACED) == []
    assert watching.evaluate("performance.getEntriesByType('navigation').length") == 1


def test_what_did_not_change_is_not_touched(execution: Execution, watching: Visit) -> None:
    """Planted and found: a page that puts every section anew in the place of the old one."""
    watching.evaluate(WATCH)
    execution.call("log_milestone_event", event="note", subject="a word in between")
    watching.page.wait_for_selector("#newest >> text=a word in between")
    assert {*watching.evaluate(TOUCHED)} - {"agents"} == {"newest"}, "ages go on by themselves"
    assert watching.evaluate(REPLACED) == []


def test_each_change_loads_the_page_once_and_nothing_else_is_loaded(execution: Execution, watching: Visit) -> None:
    loads: list[str] = []
    watching.context.on("request", lambda request: loads.append(request.url))
    execution.call("log_milestone_event", event="note", subject="first")
    watching.page.wait_for_selector("#newest >> text=first")
    execution.call("log_milestone_event", event="note", subject="second")
    watching.page.wait_for_selector("#newest >> text=second")
    assert len(loads) == 2


def test_focus_opened_details_and_text_in_a_field_survive(execution: Execution, watching: Visit) -> None:
    page = watching.page
    execution.call("log_milestone_event", event="note", subject="before", detail={"why": "it was opened"})
    watching.go(execution.milestone_id, "events")
    watching.live()
    page.locator("#events details").first.locator("summary").click()
    page.locator("#events details").first.locator("summary").focus()
    watching.evaluate("() => { window.__focused = document.activeElement; }")
    execution.call("log_milestone_event", event="note", subject="after", detail={"why": "new"})
    page.wait_for_selector("#events >> text=after")
    assert watching.evaluate("() => document.activeElement === window.__focused && window.__focused.isConnected")
    assert page.locator("#events details[open]").count() == 1
    assert "it was opened" in (page.locator("#events details[open]").text_content() or "")
    watching.go(execution.milestone_id, "tasks")
    watching.live()
    page.select_option("#status", "failed")
    execution.actions()
    page.wait_for_selector("#tasks tr[data-key=do-design] >> text=claimed")
    assert page.input_value("#status") == "failed"


def test_text_in_a_form_is_left_alone(execution: Execution, watching: Visit) -> None:
    page = watching.go(execution.milestone_id, "do/checkpoint")
    page.fill("#field-label", "half a wo")
    other = watching.context.new_page()
    other.goto(watching.dashboard.of(execution.milestone_id))
    execution.call("log_milestone_event", event="note", subject="meanwhile")
    other.wait_for_selector("#newest >> text=meanwhile")
    assert page.input_value("#field-label") == "half a wo"


def test_where_a_reader_has_scrolled_to_stays(execution: Execution, watching: Visit) -> None:
    for number in range(40):
        execution.call("log_milestone_event", event="note", subject=f"event {number}")
    page = watching.go(execution.milestone_id, "events")
    watching.live()
    row = page.locator("#events tr", has_text="event 5").last
    row.scroll_into_view_if_needed()
    before = row.bounding_box()
    execution.call("log_milestone_event", event="note", subject="one above it")
    page.wait_for_selector("#events >> text=one above it")
    after = row.bounding_box()
    assert before is not None
    assert after is not None
    assert abs(after["y"] - before["y"]) < 2


def test_a_pause_shows_and_is_told_to_who_listens(execution: Execution, watching: Visit) -> None:
    execution.call("steer_milestone", action="pause")
    page = watching.page
    page.wait_for_selector(".held")
    page.wait_for_selector("nav.steer >> text=Resume")
    assert "is paused" in (page.locator("#news[aria-live=polite]").text_content() or "")


def test_a_server_that_is_gone_shows_and_one_that_is_back_is_found(
    execution: Execution, serve: Callable[..., Dashboard], visit: Callable[..., Visit]
) -> None:
    """Its keys are new: a page finds it again once its new link was opened in the same browser."""
    first = serve(execution.project)
    window = visit(first)
    window.expected = (
        "ERR_CONNECTION_REFUSED",
        "ERR_INCOMPLETE_CHUNKED_ENCODING",
        "status of 401",
        "ERR_CONNECTION_RESET",
    )
    page = window.enter(execution.milestone_id)
    window.live()
    first.__exit__()
    page.wait_for_selector('#link[data-state="lost"] >> text=Connection lost')
    execution.call("log_milestone_event", event="note", subject="while it was gone")
    again = serve(execution.project, first.port)
    page.wait_for_selector("#link >> text=Started anew: open its new link")
    other = window.context.new_page()
    other.goto(again.link)
    other.close()
    page.wait_for_selector('#link[data-state="live"]')
    page.wait_for_selector("#newest >> text=while it was gone")


def test_a_rehearsal_is_followed_to_its_end(
    new_project: Callable[..., Project], serve: Callable[..., Dashboard], visit: Callable[..., Visit]
) -> None:
    """A real run in another process: the page is opened before the milestone exists, and never loaded anew."""
    project = new_project()
    os.rmdir(project.folder / ".git")  # noqa: PTH106 - what makes the repository wants to make it
    make_repository(project.folder, FILES)
    window = visit(serve(project))
    page = window.enter()
    page.wait_for_selector("text=No milestone yet")
    command = [*PROGRAM, "rehearse", str(project.folder), "--keep", "--name", "Rehearsed"]
    log = Path(f"{project.folder}-rehearsal.log")
    with log.open("w") as written:
        running = subprocess.Popen(command, env=project.environment, stdout=written, stderr=written)
    try:
        page.wait_for_selector(".cards h2 >> text=Rehearsed", timeout=60_000)
        page.click(".cards h2 a")
        window.live()
        window.evaluate(WATCH)
        seen: set[str] = set()

        def done() -> bool:
            seen.add(page.locator("#phases").inner_text())
            return bool(re.search(r"100 % proven", page.locator("#head").inner_text()))

        assert waited(done, 120), log.read_text()
        page.wait_for_selector("#head .chip.good", timeout=30_000)
        assert len(seen) > 3
        assert window.evaluate(REPLACED) == []
    finally:
        running.wait(120)
    assert running.returncode == 0, log.read_text()
