"""Steering from the page: each step is confirmed, carried out once by the operation, and refused in its words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html import unescape
from typing import Any

import pytest

from milestone.surfaces.web.steering import ACTIONS
from tests.helpers.execution import committed, lean, task
from tests.helpers.projects import Project
from tests.helpers.underway import Execution, InProcess
from tests.web.serving import Answer, Dashboard, serving

LIMITS = ".milestones/config/limits.yaml"
WORK = (task("design-it", "design"), task("build-it", "execute", ("design-it",), ("app/",)))


class Steered:
    """A milestone of the test's own, and the dashboard of its project."""

    def __init__(self, dashboard: Dashboard, execution: Execution) -> None:
        self.dashboard, self.execution, self.project = dashboard, execution, execution.project
        self.path = f"/m/{execution.milestone_id}"

    def do(self, action: str, **fields: str) -> Answer:
        """Confirm an action on its page."""
        return self.dashboard.submit(f"{self.path}/do/{action}", **fields)

    def said(self, answer: Answer) -> str:
        """Return what the page says that an answer leads to."""
        assert answer.status == 303, answer.text
        assert re.fullmatch(rf"{self.path}\?said=[0-9a-f]+", answer.headers["location"])
        return re.findall(r'id="note-title"[^>]*>([^<]+)<', self.dashboard.get(answer.headers["location"]))[0]

    def events(self, name: str) -> list[dict[str, Any]]:
        """Return the events of a name in this milestone."""
        wanted = {"event": name, "milestone_id": self.execution.milestone_id}
        return [dict(row) for row in self.project.rows("events") if wanted.items() <= row.items()]

    @property
    def steering(self) -> str:
        """Whether it is paused or stopped."""
        return self.project.read(lambda store: store.milestones.get(self.execution.milestone_id) or {})["steering"]

    def task(self, task_id: str) -> Any:
        """Return a task."""
        return self.project.read(lambda store: store.tasks.get(self.execution.milestone_id, task_id))


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def served(
    request: pytest.FixtureRequest, new_repository: Callable[..., Project]
) -> Iterator[tuple[Project, Dashboard]]:
    """A repository and its dashboard."""
    project = new_repository(request.param)
    with serving(project) as dashboard:
        yield project, dashboard


@pytest.fixture
def steered(served: tuple[Project, Dashboard]) -> Steered:
    """A milestone under way whose design a person has to approve."""
    project, dashboard = served
    with committed(project.folder, {LIMITS: lean()[LIMITS] + "approvals: [design]\n"}):
        return Steered(dashboard, Execution.begin(InProcess(project), *WORK))


def test_pause_stop_and_resume_are_confirmed_and_are_events(steered: Steered) -> None:
    asked = steered.dashboard.get(f"{steered.path}/do/pause")
    assert "Nothing new is started" in asked
    assert steered.steering == "", "a page that asks changes nothing"
    for action, after in (("pause", "paused"), ("stop", "stopped"), ("resume", "")):
        assert steered.said(steered.do(action))
        assert steered.steering == after
    assert [one["subject"] for one in steered.events("milestone_steered")] == ["pause", "stop", "resume"]


def test_taking_over_is_the_operation_of_that_name(steered: Steered) -> None:
    assert "resume" in steered.said(steered.do("take-over"))


def test_a_phase_that_waits_is_approved_in_a_persons_name(steered: Steered) -> None:
    steered.execution.to("ask_human")
    page = steered.dashboard.get(steered.path)
    assert f'href="{steered.path}/do/approve?phase=design"' in page
    answer = steered.dashboard.submit(f"{steered.path}/do/approve?phase=design", by="Ada", reason="good")
    assert steered.said(answer) == "Approved."
    (event,) = steered.events("phase_approved")
    assert (event["actor"], event["subject"]) == ("Ada", "design")
    again = steered.dashboard.submit(f"{steered.path}/do/approve?phase=design", by="Ben", reason="")
    assert again.status == 409
    assert "was approved by" in again.text
    assert 'value="Ben"' in again.text, "what was typed is not lost"


def test_a_phase_is_rejected_only_for_a_reason(steered: Steered) -> None:
    """Planted and found: fields that must be filled in are not looked at."""
    steered.execution.to("ask_human")
    path = f"{steered.path}/do/reject?phase=design"
    for fields in ({"by": "Ada", "reason": " "}, {"by": "", "reason": "no"}, {"by": "Ada"}):
        refused = steered.dashboard.submit(path, **fields)
        assert (refused.status, "is empty. Fill it in" in refused.text) == (409, True)
    assert steered.events("phase_rejected") == []
    assert "mends" in steered.said(steered.dashboard.submit(path, by="Ada", reason="too vague"))
    assert steered.task("mend-design-1")["status"] == "pending"


def test_a_waiver_needs_a_name_and_a_reason_and_shows(steered: Steered) -> None:
    path = f"{steered.path}/do/waive?task=build-it"
    assert "without its proof" in steered.dashboard.get(path)
    assert steered.dashboard.submit(path, by="Ada", reason="").status == 409
    assert steered.task("build-it")["status"] == "pending"
    steered.said(steered.dashboard.submit(path, by="Ada", reason="demo tomorrow"))
    assert steered.task("build-it")["status"] == "completed"
    assert "demo tomorrow" in steered.dashboard.get(steered.path)
    refused = steered.dashboard.submit(path, by="Ada", reason="again")
    assert (refused.status, "It was not done." in refused.text) == (409, True)


@pytest.mark.parametrize(("decision", "after"), [("retry", "ready"), ("skip", "skipped")])
def test_a_task_that_failed_is_tried_again_or_left_out(steered: Steered, decision: str, after: str) -> None:
    values: dict[str, Any] = {"milestone_id": steered.execution.milestone_id, "task_id": "design-it"}
    steered.project.write(
        "UPDATE tasks SET status = 'failed', detail = 'no' WHERE milestone_id = :milestone_id AND task_id = :task_id",
        **values,
    )
    page = steered.dashboard.get(steered.path)
    assert f'href="{steered.path}/do/{decision}?task=design-it&amp;"' in page
    steered.said(steered.dashboard.submit(f"{steered.path}/do/{decision}?task=design-it", by="Ada", reason="so be it"))
    assert steered.task("design-it")["status"] == after
    (event,) = steered.events("person_answered")
    assert event["actor"] == "Ada"


def test_files_of_a_lost_agent_are_only_decided_about_where_somebody_asks(steered: Steered) -> None:
    for decision in ("keep", "discard"):
        path = f"{steered.path}/do/{decision}?task=design-it"
        refused = steered.dashboard.submit(path, by="Ada", reason="")
        assert (refused.status, "Nobody asks about files" in refused.text) == (409, True)


def test_a_checkpoint_is_made_and_rolled_back_to(steered: Steered) -> None:
    steered.said(steered.do("checkpoint", label="before all"))
    path = re.findall(
        r'href="(/m/[^"]+/checkpoints/checkpoint-\w+)"', steered.dashboard.get(f"{steered.path}/checkpoints")
    )
    waived = steered.dashboard.submit(f"{steered.path}/do/waive?task=build-it", by="Ada", reason="late")
    assert waived.status == 303
    preview = steered.dashboard.get(f"{path[0]}?tree=1")
    (confirm,) = re.findall(rf'href="({steered.path}/do/rollback[^"]+)"', preview)
    assert "tree=1" in confirm
    assert "Rolled back" in steered.said(steered.dashboard.submit(confirm.replace("&amp;", "&")))
    assert steered.task("build-it")["status"] == "pending"
    assert len(steered.events("checkpoint_restored")) == 1


def test_a_checkpoint_of_another_milestone_is_not_rolled_back_to_from_here(steered: Steered) -> None:
    other = Execution.begin(InProcess(steered.project), *WORK)
    given: dict[str, Any] = {"scope": "milestone", "scope_id": other.milestone_id}
    made = steered.project.operate("create_agent_checkpoint", **given)["checkpoint_id"]
    assert steered.dashboard.ask("GET", f"{steered.path}/checkpoints/{made}").status == 404
    assert steered.dashboard.submit(f"{steered.path}/do/rollback?checkpoint={made}").status == 404


def test_a_form_that_is_sent_twice_makes_one_checkpoint(steered: Steered) -> None:
    target, fields = steered.dashboard.filled(f"{steered.path}/do/checkpoint", label="once")
    assert [steered.dashboard.send(target, fields).status for _ in range(2)] == [303, 303]
    assert len([one for one in steered.events("checkpoint_created") if "once" in one["detail"]]) == 1


def test_a_form_without_its_mark_from_elsewhere_or_of_another_page_does_nothing(steered: Steered) -> None:
    """Planted and found: no look at the origin; no look at the mark."""
    target, fields = steered.dashboard.filled(f"{steered.path}/do/pause")
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    mark = dict(fields)["mark"]
    for origin in ("http://evil.com", "null", "http://localhost:3000"):
        sent = steered.dashboard.ask("POST", target, {**kind, "Origin": origin}, f"mark={mark}")
        assert sent.status == 403
    assert steered.dashboard.ask("POST", target, kind, f"mark={mark}").status == 403
    assert steered.dashboard.send(target, []).status == 403
    assert steered.dashboard.send(target.replace("pause", "stop"), fields).status == 403
    assert (steered.steering, steered.events("milestone_steered")) == ("", [])


@pytest.mark.parametrize("action", ACTIONS)
def test_every_action_says_what_it_does_and_an_address_that_names_nothing_is_refused(
    steered: Steered, action: str
) -> None:
    about = ACTIONS[action].about
    bare = steered.dashboard.ask("GET", f"{steered.path}/do/{action}")
    assert bare.status == (400 if about else 200)
    asked = steered.dashboard.ask("GET", f"{steered.path}/do/{action}?{about}=design")
    assert (asked.status, asked.headers["referrer-policy"]) == (200, "same-origin")
    assert ACTIONS[action].says in unescape(asked.text)
    assert steered.events("milestone_steered") == []
