"""Steering from the page: each step is confirmed first, carried out once, and stands in the log with a name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio.from_thread
import pytest
from playwright.sync_api import Page

from tests.browser.serving import Dashboard
from tests.browser.steps import confirm
from tests.browser.visiting import Visit
from tests.helpers.agents import Agents
from tests.helpers.execution import lean, task
from tests.helpers.underway import Execution

LIMITS = ".milestones/config/limits.yaml"
TASKS = (task("do-design", "design"), task("do-spec", "spec", ("do-design",)))
Opened = tuple[Execution, Page]


@pytest.fixture
def asking(
    new_execution: Callable[..., Execution], serve: Callable[..., Dashboard], visit: Callable[..., Visit]
) -> Opened:
    """A milestone whose design waits for an approval, and its page."""
    execution = new_execution(*TASKS, files=lean(**{LIMITS: lean()[LIMITS] + "approvals: [design]\nattempts: 1\n"}))
    execution.to("ask_human")
    return execution, opened(execution, serve, visit)


@pytest.fixture
def working(
    new_execution: Callable[..., Execution], serve: Callable[..., Dashboard], visit: Callable[..., Visit]
) -> Opened:
    """A milestone whose first task is at work, and its page."""
    execution = new_execution(*TASKS, files=lean(**{LIMITS: lean()[LIMITS] + "attempts: 1\n"}))
    return execution, opened(execution, serve, visit)


def opened(execution: Execution, serve: Callable[..., Dashboard], visit: Callable[..., Visit]) -> Page:
    """Return the page of a milestone."""
    window = visit(serve(execution.project))
    window.expected = ("status of 409", "status of 404")
    return window.enter(execution.milestone_id)


def row(execution: Execution) -> dict[str, Any]:
    """Return the milestone as it is stored."""
    return execution.read(lambda store: store.milestones.get(execution.milestone_id))


def test_a_phase_is_approved(asking: Opened) -> None:
    execution, page = asking
    page.get_by_role("link", name="Approve it", exact=True).click()
    assert "Approve design" in page.inner_text("main")
    assert execution.events("phase_approved") == [], "nothing happens before it is confirmed"
    confirm(page, by="Ada Lovelace", reason="Reads well")
    assert "Approved." in page.inner_text("#note")
    (event,) = execution.events("phase_approved")
    assert (event["actor"], event["subject"]) == ("Ada Lovelace", "design")
    assert [one["kind"] for one in execution.actions()] == ["transition"]


def test_a_phase_is_rejected_with_a_reason_and_comes_again(asking: Opened) -> None:
    execution, page = asking
    page.click("nav.tabs >> text=Approvals")
    page.click("#approvals >> text=Reject")
    confirm(page, by="Ada Lovelace", reason="The names are unclear")
    (event,) = execution.events("phase_rejected")
    assert event["actor"] == "Ada Lovelace"
    assert execution.task("mend-design-1")["title"] == "Mend design: The names are unclear"
    execution.to("ask_human")
    page.wait_for_selector("#waiting >> text=Phase design needs your approval")


def test_whoever_answers_second_reads_who_was_first(asking: Opened) -> None:
    execution, page = asking
    page.get_by_role("link", name="Approve it", exact=True).click()
    execution.project.operate("approve", phase="design", by="Grace", milestone_id=execution.milestone_id)
    confirm(page, by="Ada Lovelace")
    assert "It was not done." in page.inner_text("[role=alert]")
    assert "was approved by Grace" in page.inner_text("[role=alert]")
    assert page.input_value("#field-by") == "Ada Lovelace", "what was typed is still there"
    assert [one["actor"] for one in execution.events("phase_approved")] == ["Grace"]


def test_a_name_is_asked_for_by_the_browser_and_by_the_server(asking: Opened) -> None:
    execution, page = asking
    page.get_by_role("link", name="Approve it", exact=True).click()
    page.click("form button")
    assert page.evaluate("document.activeElement.id") == "field-by"
    page.evaluate("document.querySelector('form').noValidate = true")
    page.fill("#field-by", "  ")
    confirm(page)
    assert "'Your name' is empty" in page.inner_text("[role=alert]")
    assert execution.events("phase_approved") == []


def test_it_is_left_as_it_is(asking: Opened) -> None:
    execution, page = asking
    page.get_by_role("link", name="Approve it", exact=True).click()
    page.click("text=Leave it as it is")
    page.get_by_role("link", name="Approve it", exact=True).wait_for()
    assert execution.events("phase_approved") == []


def test_pause_resume_and_stop(working: Opened) -> None:
    execution, page = working
    for button, steering in (("Pause", "paused"), ("Resume", ""), ("Stop", "stopped"), ("Resume", "")):
        page.click(f"nav.steer >> text={button}")
        confirm(page)
        assert row(execution)["steering"] == steering
        page.wait_for_selector(f"#head .state >> text={steering or 'active'}")
    told = [one["subject"] for one in execution.events("milestone_steered")]
    assert told == ["pause", "resume", "stop", "resume"]


def test_sending_a_form_twice_does_it_once(working: Opened) -> None:
    execution, page = working
    page.click("nav.steer >> text=Pause")
    confirm(page)
    page.go_back()
    confirm(page)
    assert len(execution.events("milestone_steered")) == 1


def test_a_proof_is_waived_with_a_name_and_a_reason(working: Opened) -> None:
    execution, page = working
    worker = execution.worker("do-design")
    worker.agents.call("update_agent_status", status="active", **worker.who)
    worker.agents.call("report_failure", error="It cannot be done", kind="impossible", **worker.who)
    execution.actions()
    page.wait_for_selector("#waiting >> text=Waive its proof")
    page.click("#waiting >> text=Waive its proof")
    assert "It cannot be done" in page.inner_text(".quoted")
    page.click("form button")
    assert page.evaluate("document.activeElement.id") == "field-by", "a name is needed"
    confirm(page, by="Ada Lovelace", reason="Agreed in the meeting")
    (event,) = execution.events("task_waived")
    assert (event["actor"], event["subject"]) == ("Ada Lovelace", "do-design")
    assert "Ada Lovelace: Agreed in the meeting" in page.inner_text("#figures")


def test_a_task_that_failed_is_tried_again(working: Opened) -> None:
    execution, page = working
    worker = execution.worker("do-design")
    worker.agents.call("update_agent_status", status="active", **worker.who)
    worker.agents.call("report_failure", error="It cannot be done", kind="impossible", **worker.who)
    execution.actions()
    page.click("#waiting >> text=Try again")
    confirm(page, by="Ada Lovelace")
    (event,) = execution.events("person_answered")
    assert event["actor"] == "Ada Lovelace"
    assert execution.task("do-design")["status"] != "failed"


def test_a_checkpoint_is_made_and_rolled_back_to(working: Opened) -> None:
    execution, page = working
    page.click("nav.steer >> text=Checkpoint")
    confirm(page, label="before the design")
    execution.to("do-spec")
    assert execution.task("do-design")["status"] == "completed"
    page.click("nav.tabs >> text=Checkpoints")
    page.click("tr:has-text('before the design') >> text=See what would change")
    assert "This is a dry run" in page.inner_text("main")
    assert "do-design" in page.inner_text("main")
    assert execution.events("checkpoint_restored") == []
    page.click("text=Roll back …")
    confirm(page)
    assert "Rolled back." in page.inner_text("#note")
    assert len(execution.events("checkpoint_restored")) == 1
    assert execution.task("do-design")["status"] != "completed"


def test_a_rollback_that_something_is_in_the_way_of_is_not_offered(working: Opened) -> None:
    execution, page = working
    page.goto(f"{page.url.partition('/m/')[0]}/m/{execution.milestone_id}/do/rollback?checkpoint=cp-unknown")
    confirm(page)
    assert "has no checkpoint 'cp-unknown'" in page.inner_text("[role=alert]")


def test_whoever_coordinates_is_let_go_and_the_next_goes_on(
    working: Opened, portal: anyio.from_thread.BlockingPortal
) -> None:
    """Planted and found: a page that says so, and an operation that does nothing for callers without a server."""
    execution, page = working
    given = {"milestone_id": execution.milestone_id}
    with Agents(execution.project, "modern", portal) as first, Agents(execution.project, "modern", portal) as second:
        first.call("next_actions", **given)
        assert "coordinated by another live session" in second.refusal("next_actions", **given)
        page.click("nav.steer >> text=Take over")
        confirm(page)
        (event,) = execution.events("coordinator_changed")
        assert event["actor"] == "person"
        second.call("next_actions", **given)
        assert "coordinated by another live session" in first.refusal("next_actions", **given)
