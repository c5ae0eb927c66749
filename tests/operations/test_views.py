"""Views: what people look at says what the data says, on both engines."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from milestone.operations import spending, tracking
from milestone.operations.views import board, time, work
from milestone.surfaces.looking import look
from tests.conftest import ENGINES
from tests.helpers.execution import play, task
from tests.helpers.looking import counted, multiply, seen, shown
from tests.helpers.projects import Project
from tests.helpers.underway import Execution, InProcess, Worker, by_hand

PLAN = (
    task("decide", "design"),
    task("specify", "spec", ("decide",), ("docs/",)),
    task("build", "execute", ("specify",), ("app/",)),
    task("tidy", "execute", (), ("app/",)),
)


@pytest.fixture(scope="module", params=ENGINES)
def engine_name(request: pytest.FixtureRequest) -> str:
    """An engine."""
    return request.param


@pytest.fixture(scope="module")
def under_way(engine_name: str, new_repository: Callable[..., Project]) -> tuple[Execution, Worker]:
    """A milestone in the middle: design is done, somebody specifies."""
    project = new_repository(engine_name)
    execution = Execution.begin(InProcess(project), *PLAN)
    return execution, execution.worker("specify").begin()


def test_a_project_without_a_database_shows_nothing(new_project: Callable[..., Project]) -> None:
    project = new_project()
    assert look(project.application, board.milestones) is None
    assert not project.database.exists()


def test_minutes_are_those_of_every_attempt_over_midnight_and_up_to_now(project: Project) -> None:
    """Planted and found: attempts that end on another day than they began, or that go on, left out."""
    milestone_id = project.operate("initialize_agent_coordination", name="Goal")["milestone_id"]
    project.operate("next_actions", milestone_id=milestone_id)
    now = datetime(2026, 3, 1, 0, 10, 0, 500_000, UTC)
    assert project.read(lambda store: spending.told(store, milestone_id, now)) == {}
    for task_id, began, ended in (
        ("scope", "2026-02-28T23:50:00.000Z", "2026-03-01T00:05:30.000Z"),  # 15.5
        ("research", "2026-03-01T00:00:00.500Z", ""),  # 10
        ("dependencies", "2026-03-01T00:09:00.000Z", "2026-03-01T00:08:00.000Z"),  # a clock that was set back: nothing
    ):
        values = {"began": began, "ended": ended, "task_id": task_id, "milestone_id": milestone_id}
        where = "WHERE task_id = :task_id AND milestone_id = :milestone_id"
        project.write(f"UPDATE claims SET started_at = :began, ended_at = :ended {where}", **values)  # noqa: S608 - ours
    assert project.read(lambda store: spending.told(store, milestone_id, now))["minutes"] == 25.5


def test_the_board_of_a_planning_shows_the_tasks_of_the_planning(project: Project) -> None:
    milestone_id = project.operate("initialize_agent_coordination", name="Goal")["milestone_id"]
    project.operate("next_actions", milestone_id=milestone_id)
    found = shown(project, milestone_id, board.board)
    assert (found["mode"], found["status"], found["progress"]["percentage"]) == ("planning", "planning", 0.0)
    tasks = project.read(lambda store: store.tasks.all(milestone_id, "planning"))
    assert {one["task_id"] for one in found["tasks"]["front"]} == {one["task_id"] for one in tasks}
    assert sum(found["tasks"]["counts"].values()) == len(tasks) == found["progress"]["tasks_total"]
    order = [one["status"] for one in found["tasks"]["front"]]
    assert order == sorted(order, key=("claimed", "ready", "pending").index)
    assert set(order) == {"claimed", "pending"}
    assert not found["gates"]["none"], "gates are no matter of the planning"


def test_the_board_says_who_is_at_work_on_what_and_until_when(under_way: tuple[Execution, Worker]) -> None:
    execution, worker = under_way
    found = seen(execution, board.board)
    (held,) = [one for one in found["tasks"]["front"] if one["status"] == "claimed"]
    assert (held["task_id"], held["agent_id"]) == ("specify", worker.agent_id)
    (agent,) = [one for one in found["agents"] if one["agent_id"] == worker.agent_id]
    assert (agent["task_id"], agent["status"]) == ("specify", "active")
    limit = execution.task("specify")["time_limit"]
    assert limit - 60 < agent["lease_seconds"] <= limit
    assert agent["turns"] > 0
    assert 0 <= agent["silent_seconds"] <= agent["age_seconds"] + 1
    (coordinator,) = [one for one in found["agents"] if one["agent_id"].startswith("coordinator-")]
    assert coordinator["lease_seconds"] is None
    assert found["agent_counts"]["active"] == 2


def test_a_lease_that_has_ended_shows_as_less_than_nothing(under_way: tuple[Execution, Worker]) -> None:
    execution, worker = under_way
    before = execution.read(lambda store: store.tasks.claim_of(worker.agent_id))["lease_until"]
    change = "UPDATE claims SET lease_until = :until WHERE agent_id = :agent_id"
    execution.project.write(change, until=1, agent_id=worker.agent_id)
    (agent,) = [one for one in seen(execution, board.board)["agents"] if one["task_id"]]
    execution.project.write(change, until=before, agent_id=worker.agent_id)
    assert agent["lease_seconds"] < 0


def test_the_board_counts_what_a_person_would_count(under_way: tuple[Execution, Worker]) -> None:
    execution, _ = under_way
    found = seen(execution, board.board)
    assert found["progress"]["percentage"] == pytest.approx(float(by_hand(execution)), abs=0.1)
    assert found["tasks"]["counts"] == {"completed": 1, "claimed": 1, "pending": 1, "ready": 1}
    assert {one["phase"]: one["tasks"] for one in found["progress"]["phases"]} == {
        "design": {"completed": 1},
        "spec": {"claimed": 1},
        "task": {},
        "execute": {"pending": 1, "ready": 1},
    }
    assert [one["weight"] for one in found["progress"]["phases"]] == [15, 25, 20, 40]
    assert found["position"] == execution.read(lambda store: store.log.position)
    assert found["log"][0]["position"] > found["log"][-1]["position"]
    assert not [one for one in found["log"] if one["event"] == "state_saved"]
    assert found["progress"]["eta_hours"] is None
    assert found["waiting"] == found["waived"] == []
    assert set(found["spend"]) == {"turns", "minutes", "tokens", "most"}


def test_every_task_is_on_one_page_with_what_it_needs_and_lacks(under_way: tuple[Execution, Worker]) -> None:
    execution, _ = under_way
    whole = seen(execution, work.tasks)
    pages = [seen(execution, work.tasks, offset, 2)["items"] for offset in range(0, whole["count"], 2)]
    assert [one for page in pages for one in page] == whole["items"]
    assert whole["count"] == len(whole["items"]) == 5
    known = {one["task_id"]: one for one in whole["items"]}
    assert known["specify"]["needs"] == ["decide"]
    assert (known["tidy"]["status"], known["build"]["status"]) == ("ready", "pending")
    assert known["executor"]["standing"]

    def owed(name: str) -> list[str]:
        def ask(ctx: Any) -> list[str]:
            return list(tracking.owes(ctx, ctx.store.tasks.get(execution.milestone_id, name)))

        found = look(execution.project.application, ask)
        assert found is not None
        return found

    open_ones = [one for one in whole["items"] if one["status"] not in ("completed", "skipped")]
    assert open_ones
    assert all(one["lacks"] == owed(one["task_id"]) for one in open_ones)


def test_the_graph_has_every_need_as_a_line_from_a_lower_level(under_way: tuple[Execution, Worker]) -> None:
    execution, _ = under_way
    found = seen(execution, work.graph)
    levels = {one["task_id"]: one["level"] for one in found["nodes"]}
    assert levels == {"executor": 0, "decide": 0, "tidy": 0, "specify": 1, "build": 2}
    rows = execution.read(lambda store: store.tasks.dependencies(execution.milestone_id))
    inside = {(one["needs_task"], one["task_id"]) for one in rows if one["task_id"] in levels}
    assert {(earlier, later) for earlier, later in found["edges"]} == inside
    assert found["left_out"] == 0
    fewer = seen(execution, work.graph, 3)
    assert {one["task_id"] for one in fewer["nodes"]} == {"specify", "tidy", "build"}, "what goes on comes first"
    assert fewer["left_out"] == 2


def test_tasks_that_need_each_other_end_the_look_at_the_graph_all_the_same() -> None:

    found = work._levels({"a": ["b"], "b": ["a"], "c": [], "d": ["c"]})  # noqa: SLF001
    assert set(found) == {"a", "b", "c", "d"}
    assert found["d"] == 1


def test_a_time_line_shows_every_attempt_and_what_became_of_it(under_way: tuple[Execution, Worker]) -> None:
    execution, worker = under_way
    found = seen(execution, time.timeline)
    claims = [one for one in execution.project.rows("claims") if one["milestone_id"] == execution.milestone_id]
    assert len(found["rows"]) == len(claims)
    (running,) = [one for one in found["rows"] if not one["ended_at"]]
    assert (running["agent_id"], running["task_id"], running["outcome"]) == (worker.agent_id, "specify", "")
    assert {one["outcome"] for one in found["rows"] if one["ended_at"]} == {"completed"}
    assert found["from"] <= min(one["handed_out_at"] for one in found["rows"]) < found["to"]
    last = seen(execution, time.timeline, 1)
    assert [one["task_id"] for one in last["rows"]] == ["specify"]
    assert last["left_out"] == len(claims) - 1


def test_a_time_line_shows_when_the_milestone_was_parked(under_way: tuple[Execution, Worker]) -> None:
    execution, _ = under_way
    rows = seen(execution, time.timeline)["rows"]
    spans = (("2020-01-01T00:00:00.000Z", "2020-01-01T01:00:00.000Z"), (rows[0]["handed_out_at"], "2999"))

    def park(row: dict[str, Any]) -> None:
        columns = "(project_id, milestone_id, from_at, until_at)"
        statement = f"INSERT INTO parkings {columns} VALUES (:project_id, :milestone_id, :from_at, :until_at)"  # noqa: S608
        execution.project.write(statement, **row)

    project_id = execution.project.application.project
    for since, until in spans:
        where = {"project_id": project_id, "milestone_id": execution.milestone_id}
        park({**where, "from_at": since, "until_at": until})
    parked = seen(execution, time.timeline)["parked"]
    execution.project.write("DELETE FROM parkings WHERE project_id = :project_id", project_id=project_id)
    assert parked == [{"from": rows[0]["handed_out_at"], "to": "2999"}], "one that was over before is left out"


def test_milestones_are_listed_with_what_is_saved_of_them(under_way: tuple[Execution, Worker]) -> None:
    execution, _ = under_way
    (found,) = look(execution.project.application, board.milestones) or []
    whole = seen(execution, board.board)
    assert (found["milestone_id"], found["percentage"]) == (execution.milestone_id, whole["progress"]["percentage"])
    assert (found["phase"], found["mode"], found["waiting"]) == ("spec", "execution", 0)


def test_a_burn_up_rises_to_what_is_proven_now(engine_name: str, new_repository: Callable[..., Project]) -> None:
    execution = Execution.begin(InProcess(new_repository(engine_name)), *PLAN)
    play(execution.agents.call, execution.milestone_id)
    found = seen(execution, time.burnup)
    shares = [one["done"] for one in found["points"]]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 100.0)
    assert [one["at"] for one in found["points"]] == sorted(one["at"] for one in found["points"])
    ended = seen(execution, board.board)
    assert (ended["status"], ended["waiting"]) == ("completed", [])


def test_a_board_reads_as_few_rows_of_thousands_as_of_a_few(
    engine_name: str, new_repository: Callable[..., Project]
) -> None:
    """Planted and found: the first tasks of a status without a limit; the agents of a session without one."""
    execution = Execution.begin(InProcess(new_repository(engine_name)), *PLAN)
    execution.worker("specify").begin()
    project = execution.project
    views = (board.board, work.graph, time.burnup, time.timeline)
    with counted() as few:
        for view in views:
            seen(execution, view)
    multiply(project, "tasks", 1_500, lambda n: {"task_id": f"copy-{n}", "ordinal": 100 + n}, task_id="tidy")
    multiply(project, "tasks", 500, lambda n: {"task_id": f"held-{n}", "ordinal": 9_000 + n}, task_id="specify")
    multiply(project, "agent_registry", 400, _agent, agent_type="doc-api-documenter")
    multiply(project, "events", 3_000, lambda n: {"position": 10_000 + n}, event="task_claimed")
    with counted() as many:
        for view in views:
            seen(execution, view)
    more = {name: (few.get(name, 0), count) for name, count in many.items() if count > few.get(name, 0)}
    graph = {"views.graph_open": 150, "views.front": 40, "views.live_agents": board.AGENTS, "tasks.ready": board.FRONT}
    assert all(count <= before + graph.get(name, 10) for name, (before, count) in more.items()), more
    found = seen(execution, board.board)
    assert len(found["tasks"]["front"]) == board.FRONT
    assert len(found["agents"]) == board.AGENTS
    assert found["progress"]["tasks_total"] == 2_004
    assert seen(execution, work.graph)["left_out"] == 2_005 - 150


def _agent(number: int) -> dict[str, Any]:
    return {"agent_id": f"copy-{number}", "token_digest": f"copy-{number}", "host_session": "", "host_agent": ""}
