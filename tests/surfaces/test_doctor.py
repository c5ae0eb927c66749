"""The doctor finds what is damaged, says what it means, mends what it can, and changes nothing the second time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import ENGINES
from tests.helpers.mirrored import Mirrored, command
from tests.helpers.patients import Report, change, everything, mended, place, servers
from tests.helpers.projects import Project

CLAIMED = "project_id = :project_id AND milestone_id = :milestone_id AND task_id = :task_id"


@pytest.fixture(params=ENGINES)
def plan(request: pytest.FixtureRequest, new_project: Callable[..., Project]) -> Mirrored:
    """A milestone that is planned and well."""
    found = Mirrored.planned(new_project(request.param))
    assert Report(found.project).wrong == {}
    return found


@pytest.fixture(params=ENGINES)
def held(request: pytest.FixtureRequest, new_project: Callable[..., Project]) -> dict[str, Any]:
    """A task that an agent holds: its project, milestone_id, task_id and agent_id."""
    project = new_project(request.param)
    milestone_id = project.operate("initialize_agent_coordination", name="Goal")["milestone_id"]
    action = project.operate("next_actions", milestone_id=milestone_id)["actions"][0]
    Mirrored(project, milestone_id)
    assert Report(project)["leases"]["state"] == "ok"
    known = {name: action[name] for name in ("task_id", "agent_id", "token")}
    return {"project": project, "milestone_id": milestone_id, **known}


def _where(held: dict[str, Any]) -> dict[str, str]:
    return {name: held[name] for name in ("milestone_id", "task_id")}


def _status(held: dict[str, Any]) -> str:
    return held["project"].read(lambda store: store.tasks.get(held["milestone_id"], held["task_id"]))["status"]


def test_a_task_whose_agent_has_ended_is_given_back(held: dict[str, Any]) -> None:
    """Planted and found: a look at the claims alone, without their agents."""
    sql = "UPDATE agent_registry SET status = 'retired' WHERE project_id = :project_id AND agent_id = :agent_id"
    change(held["project"], sql, agent_id=held["agent_id"])
    assert f"gave back {held['task_id']}" in mended(held["project"], "leases", "its agent is retired")
    assert _status(held) == "ready"


def test_a_task_whose_lease_is_over_and_whose_server_is_gone_is_given_back(held: dict[str, Any]) -> None:
    sql = f"UPDATE claims SET era = 'before', lease_until = 1, server = :server WHERE {CLAIMED}"  # noqa: S608 - our own
    change(held["project"], sql, server=f"{place(held['project'])}.0-gone", **_where(held))
    assert f"gave back {held['task_id']}" in mended(held["project"], "leases", "its lease is over, and its server is")


def test_what_a_lost_agent_delivered_is_accepted_and_not_done_again(held: dict[str, Any]) -> None:
    """Planted and found: a fix that gives back without a look at what was delivered."""
    from tests.helpers.samples import SAMPLES

    project = held["project"]
    keys = project.read(lambda store: store.tasks.get(held["milestone_id"], held["task_id"]))["produces"]
    for key in keys:
        given: dict[str, Any] = {"agent_id": held["agent_id"], "token": held["token"]}
        project.operate("save_agent_state", key=key, value=SAMPLES[key], **given)
    sql = f"UPDATE claims SET era = 'before', lease_until = 1, server = :server WHERE {CLAIMED}"  # noqa: S608 - our own
    change(project, sql, server=f"{place(project)}.0-gone", **_where(held))
    assert f"accepted {held['task_id']}" in mended(project, "leases", "its lease is over")
    assert _status(held) == "completed"


def test_a_task_that_is_claimed_and_that_nobody_holds_is_given_back(held: dict[str, Any]) -> None:
    change(held["project"], f"UPDATE claims SET ended_at = 'then' WHERE {CLAIMED}", **_where(held))  # noqa: S608 - our own
    assert f"gave back {held['task_id']}" in mended(held["project"], "leases", "claimed, and nobody holds it")
    assert _status(held) == "ready"


def test_a_claim_on_a_task_that_is_not_claimed_is_ended(held: dict[str, Any]) -> None:
    change(held["project"], f"UPDATE tasks SET status = 'ready' WHERE {CLAIMED}", **_where(held))  # noqa: S608 - our own
    assert f"ended the claim on {held['task_id']}" in mended(
        held["project"], "leases", "its claim is open, and it is ready"
    )
    assert held["project"].read(lambda store: store.health.claims())[0]["task_id"] != held["task_id"]


def test_an_agent_at_work_is_left_alone(held: dict[str, Any]) -> None:
    before = _status(held)
    assert Report(held["project"], "--fix").mended == {}
    assert _status(held) == before == "claimed"


def test_a_session_of_a_milestone_that_has_ended_is_closed(plan: Mirrored) -> None:
    sql = "UPDATE sessions SET status = 'open' WHERE project_id = :project_id AND milestone_id = :milestone_id"
    change(plan.project, sql, milestone_id=plan.milestone_id)
    sql = "UPDATE milestones SET status = 'cancelled' WHERE project_id = :project_id AND milestone_id = :milestone_id"
    change(plan.project, sql, milestone_id=plan.milestone_id)
    plan.write()
    assert "closed planning-" in mended(plan.project, "sessions", "open, and their milestone has ended")


@pytest.mark.parametrize("status", ["pending", "ready", "failed"])
def test_needs_that_were_miscounted_are_counted_anew(held: dict[str, Any], status: str) -> None:
    sql = f"UPDATE tasks SET unmet = unmet + 2, status = :status WHERE {CLAIMED}"  # noqa: S608 - our own
    where = {**_where(held), "task_id": "plan"}
    change(held["project"], sql, status=status, **where)
    assert "counted the needs of plan" in mended(held["project"], "needs", "plan")


def test_messages_for_an_agent_that_has_ended_are_taken_back(plan: Mirrored) -> None:
    project = plan.project
    given: dict[str, Any] = {"agent_type": "worker", "milestone_id": plan.milestone_id}
    project.operate("initialize_agent_coordination", milestone_id=plan.milestone_id)
    sql = "UPDATE sessions SET status = 'open' WHERE project_id = :project_id AND milestone_id = :milestone_id"
    change(project, sql, milestone_id=plan.milestone_id)
    for name in ("ann", "bob"):
        project.operate("register_agent", agent_id=name, **given)
    project.operate("send_agent_message", from_agent="ann", to="bob", type="note", payload={"a": 1})
    sql = "UPDATE agent_registry SET status = 'completed' WHERE project_id = :project_id AND agent_id = 'bob'"
    change(project, sql)
    plan.write()
    assert "took back 1 for bob" in mended(project, "messages", "nobody will read 1 for bob")


def test_a_dead_server_s_file_is_removed_and_that_of_one_that_runs_stays(plan: Mirrored) -> None:
    from milestone.wiring import Application, read_settings

    folder = servers(plan.project)
    folder.mkdir(exist_ok=True)
    (folder / "1-dead").touch()
    running = Application(read_settings(plan.project.environment), serves=True)
    try:
        assert running.engine() is not None
        assert mended(plan.project, "servers", "1 servers ended without a word: 1-dead") == "removed 1-dead"
        assert len([*folder.iterdir()]) == 1
    finally:
        running.close()


def test_without_a_database_the_doctor_says_so_and_makes_none(new_project: Callable[..., Project]) -> None:
    project = new_project()
    report = Report(project, "--fix")
    assert (report.code, report.known["status"] != "broken") == (0, True)
    assert report["database"]["said"] == "there is no database in this project yet"
    assert not project.database.exists()


def test_the_screen_fits_eighty_columns_and_says_what_to_do(plan: Mirrored) -> None:
    plan.replace("duration: 2 weeks", "duration: 14")
    done = command(plan.project, "doctor")
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "\x1b" not in done.stdout
    assert "warning  edits: cannot be taken in: active/" in done.stdout
    assert "-> Mend it; `milestone doctor --fix` puts it under edits/." in done.stdout
    assert "0 broken" in done.stdout
    fixed = command(plan.project, "doctor", "--fix").stdout
    assert "mended: dealt with active/" in fixed
    assert len(plan.kept) == 1


def test_the_exit_code_is_one_only_where_something_is_broken(plan: Mirrored) -> None:
    plan.path.unlink()
    assert Report(plan.project).code == 0
    sql = "UPDATE tasks SET unmet = 7, status = 'ready' WHERE project_id = :project_id AND task_id = 'plan'"
    change(plan.project, sql)
    report = Report(plan.project)
    assert (report.code, report.known["status"]) == (1, "broken")
    before = everything(plan.project)
    assert Report(plan.project).code == 1
    assert everything(plan.project) == before
