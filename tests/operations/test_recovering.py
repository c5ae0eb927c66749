"""A failure is decided about once, waits as long as it must, and is told in log, state and actions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from milestone.domain.errors import NotYours, Refusal
from milestone.operations.recovering import LOG
from tests.conftest import ENGINES
from tests.helpers.failing import MAIN, Planning
from tests.helpers.projects import Project

LONG = 100_000.0


@pytest.fixture(params=ENGINES)
def planning(request: pytest.FixtureRequest, new_project: Callable[..., Project]) -> Planning:
    """A planning that has just begun."""
    return Planning(new_project(request.param))


def test_a_reported_failure_is_tried_again_after_a_wait_that_grows_and_then_a_person_is_asked(
    planning: Planning,
) -> None:
    """Planted and found: no wait, and a failure that is not counted."""
    first = planning.actions()
    told = planning.report(first["scope"])
    assert told["status"] == "ready"
    assert "it broke" in told["why"]
    assert "scope" not in planning.actions(later=2)
    second = planning.actions(later=5.5)["scope"]
    planning.report(second, later=6)
    assert "scope" not in planning.actions(later=15)
    third = planning.actions(later=27)["scope"]
    assert planning.report(third, later=28)["status"] == "failed"
    assert "scope" not in planning.actions(later=LONG)
    decided = planning.events("recovery_decided")
    assert [(one["decision"], one["attempt"]) for one in decided] == [("retry", 1), ("retry", 2), ("ask", 3)]
    assert 2.5 <= decided[0]["seconds"] <= 5
    assert 10 <= decided[1]["seconds"] <= 20
    logged = [one for one in planning.log() if one["task_id"] == "scope"]
    assert [one["why"] for one in logged] == [one["why"] for one in decided]


def test_a_failure_reported_twice_is_one(planning: Planning) -> None:
    """Planted and found: a second report that fails the next attempt, too."""
    action = planning.actions()["scope"]
    first = planning.report(action)
    assert planning.report(action, error="in other words") == first
    again = planning.actions(later=10)["scope"]
    assert planning.report(action, later=11)["status"] == "claimed"
    assert planning.task()["failures"] == 1
    assert planning.report(again, later=11)["status"] == "ready"
    assert len(planning.events("recovery_decided")) == 2


def test_what_was_reported_is_kept_as_the_agents_error_info(planning: Planning) -> None:
    action = planning.actions()["scope"]
    planning.report(action, kind="impossible")
    kept = planning.project.operate("load_agent_state", agent_id=action["agent_id"], key="error-info")["value"]
    assert kept == {"error": "it broke", "kind": "impossible", "task_id": "scope", "attempt": 1}


def test_an_agent_that_saves_its_error_info_itself_goes_on(planning: Planning) -> None:
    action = planning.actions()["scope"]
    who = {"agent_id": action["agent_id"], "token": action["token"], "key": "error-info"}
    value = {"error": "odd", "kind": "error", "task_id": "scope", "attempt": 1}
    assert planning.project.operate("save_agent_state", **who, value=value)["version"] == 1
    assert planning.task()["status"] == "claimed"
    with pytest.raises(Refusal, match=r"value\.kind"):
        planning.project.operate("save_agent_state", **who, value={**value, "kind": "fatal"})


def test_nobody_reports_for_another_agent_but_the_coordinator(planning: Planning) -> None:
    """Planted and found: everybody may."""
    actions = planning.actions()
    other = planning.bound(actions["research"])
    scope: dict[str, Any] = {"agent_id": actions["scope"]["agent_id"], "error": "it is slow"}
    wrong: list[dict[str, Any]] = [{}, {"token": "1-wrong"}, {"caller": other}]
    for given in (*wrong, {"caller": other, "token": actions["scope"]["token"]}):
        with pytest.raises(NotYours):
            planning.project.operate("report_failure", **scope, **given)
    assert planning.task()["status"] == "claimed"
    assert planning.project.operate("report_failure", **scope, caller=MAIN)["status"] == "ready"


def test_an_agent_whose_task_somebody_else_has_is_told_so(planning: Planning) -> None:
    action = planning.actions()["scope"]
    newer = planning.actions(later=61)["scope"]
    with pytest.raises(NotYours, match=newer["agent_id"]):
        planning.report(action)
    assert planning.task()["status"] == "claimed"


def test_only_an_agent_with_a_task_can_fail(planning: Planning) -> None:
    with pytest.raises(NotYours, match="No task was given"):
        planning.project.operate("report_failure", agent_id=planning.coordinator, error="I am tired", caller=MAIN)


def test_what_is_impossible_is_asked_about_at_once_and_where_it_is_not_critical_done_without(
    planning: Planning,
) -> None:
    action = planning.actions()["scope"]
    planning.uncritical()
    assert planning.report(action, kind="impossible")["status"] == "skipped"
    (decided,) = planning.events("recovery_decided")
    assert decided["decision"] == "degrade"
    assert "not critical" in planning.task()["detail"]
    assert planning.events("task_skipped") == [{"why": planning.task()["detail"]}]
    assert "scope" not in planning.actions(later=LONG)


def test_what_is_not_critical_is_tried_as_often_and_then_done_without(planning: Planning) -> None:
    action = planning.actions()["scope"]
    planning.uncritical()
    for later, status in ((0, "ready"), (100, "ready"), (200, "skipped")):
        assert planning.report(action, later=later)["status"] == status
        action = planning.actions(later=later + 50).get("scope", {})
    assert not action


def test_what_is_damaged_waits_for_one_rollback_and_is_then_asked_about(planning: Planning) -> None:
    action = planning.actions()["scope"]
    assert planning.report(action, kind="damaged")["status"] == "failed"
    planning.project.operate("update_milestone", milestone_id=planning.milestone_id, retry_tasks=["scope"])
    kept = {"scope_id": planning.milestone_id, "scope": "milestone"}
    checkpoint = planning.project.operate("create_agent_checkpoint", **kept)["checkpoint_id"]
    action = planning.actions()["scope"]
    assert planning.report(action, kind="damaged")["status"] == "blocked"
    assert planning.events("recovery_decided")[-1]["checkpoint"] == checkpoint
    assert planning.actions()["scope"]["kind"] == "roll_back"
    planning.project.operate("restore_agent_checkpoint", checkpoint_id=checkpoint, dry_run=False)
    action = planning.actions(later=LONG)["scope"]
    assert action["kind"] == "spawn"
    assert planning.report(action, later=LONG, kind="damaged")["status"] == "failed"


def test_the_recovery_log_is_written_by_the_server_alone_and_keeps_the_newest_50(planning: Planning) -> None:
    for number in range(55):
        action = planning.actions(later=number * LONG)["scope"]
        planning.report(action, later=number * LONG, error=f"error {number}", kind="impossible")
        planning.project.operate("update_milestone", milestone_id=planning.milestone_id, retry_tasks=["scope"])
    entries = planning.log()
    assert len(entries) == 50
    assert "error 54" in entries[-1]["why"]
    assert entries[-1]["task_id"] == "scope"
    with pytest.raises(NotYours, match="by the server alone"):
        planning.project.operate("save_agent_state", agent_id=planning.coordinator, key=LOG, value=[], caller=MAIN)
