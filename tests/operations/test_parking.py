"""At a usage limit a milestone rests until its end, and what was under way has failed in nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from milestone.domain.identity import Caller
from milestone.operations import recovering
from milestone.store.engine import run
from milestone.store.queries import Query
from tests.conftest import ENGINES
from tests.helpers.failing import MAIN, Planning
from tests.helpers.projects import Project
from tests.helpers.samples import SAMPLES


@pytest.fixture(params=ENGINES)
def planning(request: pytest.FixtureRequest, new_project: Callable[..., Project]) -> Planning:
    """A planning that has just begun."""
    return Planning(new_project(request.param))


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
