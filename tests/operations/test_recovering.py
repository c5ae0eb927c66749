"""A failure is decided about once, waits as long as it must, and is told in log, state and actions."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from milestone.domain.errors import NotYours, Refusal
from milestone.domain.identity import Caller
from milestone.operations import recovering
from milestone.operations.recovering import LOG
from milestone.store.engine import run
from milestone.store.queries import Query
from tests.conftest import ENGINES
from tests.helpers.projects import Project
from tests.helpers.samples import SAMPLES

MAIN = Caller("session-1")
LONG = 100_000.0


class Planning:
    """A planning on a new project; its coordinator is the main conversation of a host session."""

    def __init__(self, project: Project) -> None:
        self.project = project
        begun = project.operate("initialize_agent_coordination", name="Goal", caller=MAIN)
        self.milestone_id, self.coordinator = begun["milestone_id"], begun["agent_id"]

    def actions(self, later: float = 0) -> dict[str, dict[str, Any]]:
        """Return what is to be done, by task or kind, at some time."""
        found = self.project.operate("next_actions", milestone_id=self.milestone_id, caller=MAIN, later=later)
        return {one.get("task_id", one["kind"]): one for one in found["actions"]}

    def bound(self, action: dict[str, Any], name: str = "a1") -> Caller:
        """Let the host start the agent of an action, and return who it is."""
        child: dict[str, Any] = {"tool_name": "Agent", "prompt": action["brief"], "child_agent_id": name}
        self.project.operate("host_event", event="PostToolUse", session_id=MAIN.host_session, **child)
        return Caller(MAIN.host_session, name, action["agent_type"])

    def report(self, action: dict[str, Any], *, later: float = 0, **given: Any) -> dict[str, Any]:
        """Let the agent of an action report that it failed."""
        told = {"agent_id": action["agent_id"], "token": action["token"], "error": "it broke", **given}
        return self.project.operate("report_failure", later=later, **told)

    def limit(self, caller: Caller = MAIN, said: str = "", *, later: float = 0, error: str = "rate_limit") -> None:
        """Let the host say that a conversation ended because of a usage limit."""
        who: dict[str, Any] = {"session_id": caller.host_session, "agent_id": caller.host_agent}
        who["agent_type"] = caller.host_type
        self.project.operate("host_event", event="StopFailure", error=error, last_message=said, later=later, **who)

    def task(self, task_id: str = "scope") -> dict[str, Any]:
        """Return a task."""
        return self.project.read(lambda store: store.tasks.get(self.milestone_id, task_id))

    def events(self, name: str, subject: str = "scope") -> list[dict[str, Any]]:
        """Return the details of the events of a name that are about a task, oldest first."""
        rows = sorted(self.project.rows("events"), key=lambda row: row["position"])
        return [json.loads(row["detail"]) for row in rows if (row["event"], row["subject"]) == (name, subject)]

    def log(self) -> list[dict[str, Any]]:
        """Return the recovery log."""
        return json.loads(self.project.read(lambda store: store.state.newest(self.coordinator, LOG))["value"])

    def uncritical(self) -> None:
        """Let the scope be a task that the plan could do without."""
        query = Query(
            "uncritical", "UPDATE tasks SET critical = 0 WHERE project_id = :project_id AND task_id = 'scope'"
        )
        project_id = (self.project.application.settings.data / "project").read_text().strip()
        run(self.project.engine, lambda tx: tx.change(query, project_id=project_id), write=True)


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


def test_a_usage_limit_of_the_coordinator_parks_the_milestone_until_its_end_and_counts_as_no_failure(
    planning: Planning,
) -> None:
    """Planted and found: handed out before the reset, never again after it, counted as a failure."""
    planning.limit(said="You've hit your limit; try again in 2 hours")
    for later in (0, 60, 7_100):
        (action,) = planning.actions(later=later).values()
        assert action["kind"] == "retry_at"
        assert "usage limit" in action["why"]
        assert action["seconds"] == pytest.approx(7_201 - later, abs=5)  # pyright: ignore[reportUnknownMemberType]
    assert {"scope", "research", "dependencies"} <= set(planning.actions(later=7_205))
    assert planning.task()["failures"] == 0
    assert len(planning.events("milestone_parked", "")) == len(planning.events("milestone_unparked", "")) == 1
    (span,) = planning.project.rows("parkings")
    assert span["from_at"] < span["until_at"]


def test_an_agent_that_meets_the_usage_limit_parks_the_milestone_and_its_task_is_tried_again_after_it(
    planning: Planning,
) -> None:
    actions = planning.actions()
    agent = planning.bound(actions["scope"])
    planning.limit(agent, "Claude AI usage limit reached")
    assert planning.task()["status"] == "ready"
    assert planning.task()["failures"] == 0
    assert planning.actions(later=890)["retry_at"]["seconds"] == pytest.approx(10, abs=5)  # pyright: ignore[reportUnknownMemberType]
    assert planning.actions(later=905)["scope"]["kind"] == "spawn"
    assert {one["decision"] for one in planning.log() if one["task_id"] == "scope"} == {"park"}


def test_what_an_agent_had_delivered_counts_when_the_limit_comes(planning: Planning) -> None:
    action = planning.actions()["scope"]
    agent = planning.bound(action)
    key = {"key": "planning-scope", "value": SAMPLES["planning-scope"]}
    planning.project.operate("save_agent_state", agent_id=action["agent_id"], **key, caller=agent)
    planning.limit(agent)
    assert planning.task()["status"] == "completed"
    assert "retry_at" in planning.actions()


def test_agents_that_went_down_with_the_limit_have_failed_in_nothing(planning: Planning) -> None:
    """Planted and found: each usage limit costs every task an attempt."""
    action = planning.actions()["scope"]
    planning.bound(action)
    for number in range(1, 5):
        moment = number * 1_000.0
        planning.limit(later=moment - 999, said="usage limit reached")
        found = planning.project.operate(
            "next_actions", milestone_id=planning.milestone_id, caller=MAIN, alive=lambda _: False, later=moment
        )
        again = next(one for one in found["actions"] if one.get("task_id") == "scope")
        assert planning.task()["failures"] == 0
        planning.project.operate(
            "update_agent_status", agent_id=again["agent_id"], token=again["token"], status="active", later=moment
        )


def test_a_limit_without_an_end_does_not_shorten_or_lengthen_one_whose_end_is_known(planning: Planning) -> None:
    planning.limit(said="try again in 60 minutes")
    planning.limit(said="", later=3_000)
    assert planning.actions(later=3_590)["retry_at"]["seconds"] <= 15
    assert "scope" in planning.actions(later=3_605)
    planning.limit(said="", later=4_000)
    planning.limit(said="try again in 60 minutes", later=4_010)
    assert "retry_at" in planning.actions(later=7_600)
    planning.limit(said="try again in 1 minute", later=4_020)
    assert "retry_at" in planning.actions(later=7_600)
    assert "scope" in planning.actions(later=7_620)
    assert len(planning.project.rows("parkings")) == 2


def test_after_another_boot_the_time_of_day_says_when_the_limit_ends(planning: Planning) -> None:
    """Planted and found: a machine that is started anew goes on at once."""
    planning.limit(said="try again in 60 minutes")
    query = Query("reboot", "UPDATE milestones SET parked_era = 'another boot' WHERE project_id = :project_id")
    project_id = (planning.project.application.settings.data / "project").read_text().strip()
    run(planning.project.engine, lambda tx: tx.change(query, project_id=project_id), write=True)
    assert planning.actions(later=3_500)["retry_at"]["seconds"] <= 110
    assert "scope" in planning.actions(later=3_610)


@pytest.mark.parametrize(("error", "said"), [("server_error", "API Error: 529 Overloaded"), ("unknown", "400 broken")])
def test_another_failure_of_the_host_parks_nothing_and_its_task_waits_alone(
    planning: Planning, error: str, said: str
) -> None:
    actions = planning.actions()
    agent = planning.bound(actions["scope"])
    planning.limit(agent, said, error=error)
    planning.limit(MAIN, said, error=error)
    assert planning.task()["failures"] == 1
    assert "retry_at" not in planning.actions() or planning.actions()["retry_at"]["seconds"] <= 5
    assert planning.actions(later=5.5)["scope"]["kind"] == "spawn"
    assert planning.project.rows("parkings") == []


def test_a_conversation_of_somebody_else_parks_nothing(planning: Planning) -> None:
    planning.limit(Caller("another-session"))
    assert "scope" in planning.actions()


def test_a_person_lets_a_parked_milestone_go_on_before_its_time(planning: Planning) -> None:
    planning.limit(said="try again in 60 minutes")
    assert "retry_at" in planning.actions(later=10)

    def go_on(tx: Any) -> None:
        context = planning.project.application.context(tx, Caller(), set())
        recovering.unpark(context, context.store.milestones.get(planning.milestone_id))  # type: ignore[arg-type]

    run(planning.project.engine, go_on, write=True)
    assert "scope" in planning.actions()
    (span,) = planning.project.rows("parkings")
    assert span["until_at"][:16] <= planning.events("milestone_unparked", "")[0]["until"][:16]
