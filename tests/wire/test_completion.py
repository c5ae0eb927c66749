"""Completion: what exists and begins as typed, at most a hundred, quickly, and nothing where nothing is known."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from milestone.store.engine import run
from milestone.store.store import Store
from tests.helpers.listening import Listener
from tests.helpers.projects import Project
from tests.prompts.library import AGENTS

MANY = 5_000
TEMPLATE = "milestone://{milestone_id}/tasks{?offset}"


@pytest.fixture(scope="module", params=["sqlite-modern", "postgres-legacy"])
def host(request: pytest.FixtureRequest, new_project: Callable[..., Project]) -> Iterator[Listener]:
    """A connection whose project has the milestones `goal`, `odd` by its name, and `large`, which has many tasks."""
    engine, era = request.param.split("-")
    connected = Listener(new_project(engine), era)
    for name in ("goal", "large"):
        connected.call("initialize_agent_coordination", milestone_id=name, name=f"The {name}")
        connected.call("next_actions", milestone_id=name)
    connected.call("initialize_agent_coordination", milestone_id="odd", name="The \u202e odd")

    def fill(store: Store) -> None:
        for number in range(MANY):
            store.tasks.add(
                "large",
                number + 100,
                task_id=f"t-{number:05}",
                mode="execution",
                agent_type="code-transformer",
                title="t",
                phase="execute",
                weight=1,
                produces=["task-report"],
                critical=1,
                time_limit=60,
            )

    run(connected.project.engine, lambda tx: fill(connected.project.application.store(tx)), write=True)
    yield connected
    connected.close()


def complete(host: Listener, ref: str, argument: str, typed: str = "", **known: str) -> dict[str, Any]:
    """Return what is offered for an argument of a prompt, or of an address."""
    prompt = {"type": "ref/prompt", "name": ref}
    place = {"type": "ref/resource", "uri": ref}
    asked: dict[str, Any] = {"ref": place if ":" in ref else prompt, "argument": {"name": argument, "value": typed}}
    if known:
        asked["context"] = {"arguments": known}
    return host.request("completion/complete", asked)["result"]["completion"]


@pytest.mark.parametrize("ref", ["execute", "resume", "status", "brief"])
def test_milestones_are_offered_by_their_ids(host: Listener, ref: str) -> None:
    assert set(complete(host, ref, "milestone")["values"]) == {"goal", "large", "odd"}
    assert complete(host, ref, "milestone", "LA")["values"] == ["large"]
    assert complete(host, ref, "milestone", "x") == {"values": [], "total": 0, "hasMore": False}


def test_what_is_planned_is_offered_by_the_names_that_can_be_seen(host: Listener) -> None:
    assert set(complete(host, "plan", "name")["values"]) == {"The goal", "The large"}
    assert complete(host, "plan", "name", "the g")["values"] == ["The goal"]


@pytest.mark.parametrize("ref", ["milestone://{milestone_id}", TEMPLATE])
def test_an_address_is_completed_with_milestones(host: Listener, ref: str) -> None:
    assert complete(host, ref, "milestone_id", "g")["values"] == ["goal"]
    assert complete(host, ref, "offset", "1")["values"] == []


def test_types_of_agents_are_offered_as_files_and_as_the_host_spells_them(host: Listener) -> None:
    assert complete(host, "brief", "agent_type")["values"] == sorted(AGENTS)
    assert complete(host, "brief", "agent_type", "php")["values"] == ["php-transformer"]
    assert complete(host, "brief", "agent_type", "milestone:php")["values"] == ["milestone:php-transformer"]


def test_tasks_that_wait_are_offered(host: Listener) -> None:
    """Planted and found: tasks that somebody holds among those that wait."""
    assert complete(host, "brief", "task_id", milestone="goal")["values"] == ["plan", "record"]
    found = complete(host, "brief", "task_id", milestone="goal", agent_type="milestone:project-milestone-planner")
    assert found["values"] == ["plan"]


def test_at_most_a_hundred_are_offered_and_that_there_are_more_is_said(host: Listener) -> None:
    found = complete(host, "brief", "task_id", "t-", milestone="large")
    assert len(found["values"]) == 100
    assert found["hasMore"]
    assert found["total"] > 100
    assert len(json.dumps(found)) < 4_000


def test_completing_is_quick_though_there_are_many_tasks(host: Listener) -> None:
    """As a person types: at the median under a tenth of a second, on a machine that does other things as well."""

    def took(typed: str) -> float:
        began = time.perf_counter()
        complete(host, "brief", "task_id", typed)
        return time.perf_counter() - began

    times = sorted(took(typed) for typed in ("", "t", "t-0", "t-04", "t-049", "p", "x") * 3)
    assert times[len(times) // 2] < 0.1, times


@pytest.mark.parametrize(
    ("ref", "argument"),
    [("plan", "task_id"), ("nothing", "milestone"), ("status", "agent_type"), ("other://{milestone}", "task_id")],
)
def test_of_what_is_unknown_nothing_is_offered(host: Listener, ref: str, argument: str) -> None:
    assert complete(host, ref, argument)["values"] == []


def test_a_project_without_a_database_offers_types_of_agents_alone(new_project: Callable[..., Project]) -> None:
    host = Listener(new_project())
    assert complete(host, "execute", "milestone")["values"] == []
    assert complete(host, "brief", "task_id")["values"] == []
    assert complete(host, "brief", "agent_type", "rec")["values"] == ["recovery"]
    assert not host.project.database.exists()
    host.close()
