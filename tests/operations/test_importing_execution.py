"""What a person writes into the file of a milestone that is being carried out: of the tasks, those not begun."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import ENGINES
from tests.helpers.execution import task
from tests.helpers.mirrored import Mirrored
from tests.helpers.projects import Project


@pytest.fixture(params=ENGINES)
def execution(request: pytest.FixtureRequest, new_repository: Callable[..., Project]) -> Mirrored:
    """A milestone that is being carried out."""
    return Mirrored.planned(new_repository(request.param)).execute()


def test_of_an_execution_the_tasks_that_have_not_begun_can_be_edited(execution: Mirrored) -> None:
    execution.edit(
        lambda document: _task(document, "build").update(
            title="Build it well", paths=["app/", "lib/"], acceptance=["it runs"]
        )
    )
    execution.write()
    built = execution.task("build")
    assert (built["title"], built["paths"], built["acceptance"]) == ("Build it well", ("app/", "lib/"), ("it runs",))
    changed = ["tasks.build.title", "tasks.build.paths", "tasks.build.acceptance"]
    assert execution.events("edit_imported")[0]["changed"] == changed
    assert _task(execution.shown(), "build")["acceptance"] == ["it runs"]


@pytest.mark.parametrize(
    ("task_id", "field", "value", "said"),
    [
        ("build", "weight", 3, "tasks.build.weight is computed"),
        ("build", "status", "completed", "tasks.build.status is computed"),
        ("build", "evidence", ["keys"], "tasks.build.evidence is computed"),
        ("build", "paths", [], "what proves a task depends on whether it changes files"),
        ("build", "paths", ["/etc"], "'/etc' leads out of the repository"),
        ("build", "acceptance", [], "acceptance: List should have at least 1 item"),
        ("build", "title", 7, "title: Input should be a valid string"),
        ("decide", "title", "Other", "task decide is claimed: only tasks of the plan that have not begun"),
        ("executor", "title", "Other", "task executor is"),
        ("build", "id", "other", "there is no task other, and none can be added to an execution"),
    ],
)
def test_of_an_execution_nothing_else_can_be(begun: Mirrored, task_id: str, field: str, value: Any, said: str) -> None:
    was, before = begun.path.read_text("utf-8"), begun.project.dump()
    begun.edit(lambda document: _task(document, task_id).update({field: value}))
    try:
        done = begun.command("import")
    finally:
        begun.path.write_text(was, "utf-8")
    assert said in done.stdout, done.stdout
    assert begun.project.dump() == before


@pytest.fixture(scope="module")
def begun(new_repository: Callable[..., Project]) -> Mirrored:
    """An execution whose first task is at work."""
    found = Mirrored.planned(new_repository()).execute()
    found.project.operate("next_actions", milestone_id=found.milestone_id)
    assert found.task("decide")["status"] == "claimed"
    found.write()
    return found


def test_a_task_that_began_while_it_was_edited_stays_as_it_began(new_repository: Callable[..., Project]) -> None:
    execution = Mirrored.planned(new_repository()).execute()
    opened = execution.path.read_text("utf-8")
    execution.project.operate("next_actions", milestone_id=execution.milestone_id)
    execution.path.write_text(opened.replace("Carry out decide", "Other").replace("Carry out ship", "Send it"), "utf-8")
    execution.write()
    assert execution.task("decide")["title"] == "Carry out decide"
    assert execution.task("ship")["title"] == "Send it"
    [told] = execution.events("edit_imported")
    assert told["changed"] == ["tasks.ship.title"]
    assert [one.split(" ")[0] for one in told["conflicts"]] == ["tasks.decide.title"]


@pytest.mark.parametrize("broken", [False, True], ids=["taken in", "refused"])
def test_many_tasks_are_edited_in_the_file_beside(new_repository: Callable[..., Project], *, broken: bool) -> None:
    tasks = [task(f"t-{number}", "execute", paths=("app/",)) for number in range(501)]
    execution = Mirrored.planned(new_repository(), *tasks).execute()
    beside = execution.path.with_name(f"{execution.milestone_id}.tasks.yaml")
    assert execution.shown()["tasks"]["file"] == beside.name
    lines = beside.read_text("utf-8").splitlines(keepends=True)
    number = next(n for n, line in enumerate(lines) if '"t-400"' in line)
    lines[number] = lines[number].replace('"Carry out t-400"', "7" if broken else '"Do it"')
    beside.write_text("".join(lines), "utf-8")
    done = execution.command("import")
    assert done.return_value == int(broken)
    if broken:
        assert f"active/{beside.name}, line {number + 1}: title: Input should be a valid string" in done.stdout
    assert execution.task("t-400")["title"] == ("Carry out t-400" if broken else "Do it")
    execution.write()
    assert '"Do it"' in beside.read_text("utf-8") or broken
    assert len(execution.kept) == 1


def _task(document: dict[str, Any], task_id: str) -> dict[str, Any]:
    return next(one for one in document["tasks"] if one["id"] == task_id)
