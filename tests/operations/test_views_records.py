"""Views of what is kept: pages that leave nothing out and repeat nothing, and what waits for a person."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from milestone.domain.milestones import stamp
from milestone.operations.catalogue import REGISTRY
from milestone.operations.views import board, records, time
from milestone.operations.views.waiting import waiting
from milestone.surfaces.looking import look
from tests.conftest import ENGINES
from tests.helpers.commands import milestone
from tests.helpers.execution import committed, lean, task
from tests.helpers.looking import multiply, seen
from tests.helpers.projects import Project
from tests.helpers.underway import Execution, InProcess

LIMITS = ".milestones/config/limits.yaml"
PLAN = (task("decide", "design"), task("build", "execute", paths=("app/",)))


@pytest.fixture(scope="module", params=ENGINES)
def execution(request: pytest.FixtureRequest, new_repository: Callable[..., Project]) -> Execution:
    """A milestone that has been carried out as far as a task whose gates fail; agents wrote to each other."""
    project = new_repository(request.param)
    execution = Execution.begin(InProcess(project), *PLAN)
    worker = execution.worker("decide")
    coordinator = f"coordinator-{execution.begun['session_id']}"
    for recipient, text in ((coordinator, "May I?"), ("code-transformer", "Look at it"), ("*", "Done")):
        given = {"from_agent": worker.agent_id, "to": recipient, "type": "info", "payload": {"text": text}}
        execution.agents.call("send_agent_message", **given, token=worker.who["token"])
    assert seen(execution, board.board)["messages"]["recipients"] == [coordinator, "code-transformer"]
    worker.begin()
    worker.save()
    worker.complete()
    worker = execution.worker("build").begin()
    worker.write("app/build.py", "BROKEN = 1\n")
    worker.commit()
    worker.save()
    worker.complete()
    execution.gates("build", "failed")
    return execution


@pytest.fixture
def asking(new_repository: Callable[..., Project]) -> Execution:
    """An execution whose design a person has to approve, with all tasks of it done."""
    project = new_repository()
    with committed(project.folder, {LIMITS: lean()[LIMITS] + "approvals: [design]\n"}):
        execution = Execution.begin(InProcess(project), *PLAN)
    execution.to("ask_human")
    return execution


def whole(execution: Execution, view: Callable[..., Any]) -> list[dict[str, Any]]:
    """Return everything that a view has, page by page."""
    count, items = seen(execution, view)["count"], []
    while len(items) < count:
        page = seen(execution, view, len(items), 2)["items"]
        assert 0 < len(page) <= 2
        items += page
    return items


@pytest.mark.parametrize("view", [records.messages, records.evidence, records.gate_runs])
def test_pages_leave_nothing_out_and_repeat_nothing(execution: Execution, view: Callable[..., Any]) -> None:
    found = whole(execution, view)
    assert found == seen(execution, view, 0, 1_000)["items"]
    assert len(found) == seen(execution, view)["count"] > 0


def test_events_are_read_backwards_from_a_position_to_the_first(execution: Execution) -> None:
    known = [one for one in execution.project.rows("events") if one["milestone_id"] == execution.milestone_id]
    items: list[dict[str, Any]] = []
    more, before = True, 0
    while more:
        page = seen(execution, records.events, before, 7)
        items, more, before = items + page["items"], page["more"], page["items"][-1]["position"]
    assert [one["position"] for one in items] == sorted((one["position"] for one in known), reverse=True)
    assert all(one["text"] for one in items)


def test_a_message_says_how_far_it_is(execution: Execution) -> None:
    found = {one["recipient"]: one for one in seen(execution, records.messages)["items"]}
    asked, offered = (found[name] for name in sorted(found, reverse=True) if name != "*")
    assert asked["payload"] == '{"text":"May I?"}'
    rows = [one for one in execution.project.rows("message_receipts") if one["message_id"] == asked["message_id"]]
    facts = {"delivered": "delivered_at", "read": "read_at", "acknowledged": "acked_at"}
    far = {name: sum(bool(one[column]) for one in rows) for name, column in facts.items()}
    assert asked["receipts"] == {"queued": len(rows), **far}
    assert (offered["recipient"], offered["receipts"]["queued"]) == ("code-transformer", 1), "whoever came later"
    late = seen(execution, board.board)["messages"]
    assert late["recipients"] == [asked["recipient"]]
    assert late["queued"] == 2, "what was written to everybody is for the coordinator, too"


def test_gates_are_shown_with_what_they_wrote(execution: Execution) -> None:
    (run,) = [one for one in seen(execution, records.gate_runs)["items"] if one["task_id"] == "build"][:1]
    (result,) = run["results"]
    assert (run["status"], result["gate"], result["exit_code"]) == ("failed", "check", 1)
    assert "the code is broken" in result["output"]
    gates = seen(execution, board.board)["gates"]
    assert gates["last"][0]["outcome"] == "failed"
    assert (gates["running"], gates["none"]) == ([], False)


def test_a_proof_is_told_in_words(execution: Execution) -> None:
    found = seen(execution, records.evidence)["items"]
    (proof,) = [one for one in found if one["task_id"] == "decide"]
    assert proof["described"].startswith("task-report (version 1 by ")


def test_decisions_name_the_tasks_that_serve_them(execution: Execution) -> None:
    found = seen(execution, records.decisions)
    assert [one["tasks"] for one in found["items"]] == [["build", "decide"]]
    assert found["drift"] == []
    assert found["drift_at"], "it was looked at when design was completed"


def test_checkpoints_come_newest_first(execution: Execution) -> None:
    found = seen(execution, records.checkpoints)
    assert {"auto:begin", "auto:design"} <= {one["label"] for one in found}
    assert [one["position"] for one in found] == sorted((one["position"] for one in found), reverse=True)


def test_a_phase_to_approve_waits_until_a_person_has_answered(asking: Execution) -> None:
    (asked,) = seen(asking, board.board)["waiting"]
    assert (asked["kind"], asked["phase"], asked["tasks"]) == ("approval", "design", [])
    assert set(asked["choices"]) == {"approve", "reject"}
    assert asked["since"]
    (row,) = seen(asking, records.approvals)
    assert (row["status"], row["by"]) == ("waiting", "")
    (listed,) = look(asking.project.application, board.milestones) or []
    assert listed["waiting"] == 1
    command = shlex.split(asked["commands"][0].replace("NAME", "Ada"))
    assert milestone(asking.project, *command[1:]).returncode == 0
    shown = seen(asking, board.board)
    assert shown["waiting"] == []
    assert [one["approval"] for one in shown["progress"]["phases"]] == ["approved", "", "", ""]
    (row,) = seen(asking, records.approvals)
    assert (row["status"], row["by"]) == ("approved", "Ada")


def test_a_task_that_failed_for_good_waits_with_what_can_be_answered(new_repository: Callable[..., Project]) -> None:
    execution = Execution.begin(InProcess(new_repository(files=lean(**{LIMITS: "attempts: 1\n"}))), *PLAN)
    worker = execution.worker("decide").begin()
    execution.agents.call("report_failure", error="no <such> file", **worker.who)
    if execution.task("decide")["status"] != "failed":
        execution.project.write("UPDATE tasks SET status = 'failed', detail = 'no' WHERE task_id = 'decide'")
    (asked,) = seen(execution, board.board)["waiting"]
    assert (asked["kind"], asked["tasks"], asked["phase"]) == ("failed", ["decide"], "design")
    assert list(asked["choices"]) == ["retry", "skip", "stop"]
    assert asked["since"] == execution.read(lambda s: s.tasks.last_claim(execution.milestone_id, "decide"))["ended_at"]
    question = execution.project.operate("question", tasks=["decide"], milestone_id=execution.milestone_id)
    assert question["choices"] == asked["choices"], "everybody is asked the same"
    assert all(set(one["choices"]) <= _decisions() for one in seen_waiting(execution))
    for command in asked["commands"][:1]:
        done = milestone(execution.project, *shlex.split(command.replace("NAME", "Ada"))[1:])
        assert done.returncode == 0, done.stderr
    assert seen(execution, board.board)["waiting"] == []


def seen_waiting(execution: Execution) -> list[dict[str, Any]]:
    """Return what waits for a person."""
    return seen(execution, waiting, "execution")


def _decisions() -> set[str]:
    return set(REGISTRY["answer"].schema["properties"]["decision"]["enum"])


def test_a_burn_up_of_many_tasks_has_few_points(execution: Execution) -> None:
    """Planted and found: spans of one size, however long the milestone takes."""
    (done,) = [one for one in execution.project.rows("tasks") if one["task_id"] == "decide"]

    def later(number: int) -> dict[str, Any]:
        at = stamp(_time(done["completed_at"]) + timedelta(minutes=7 * number))
        return {"task_id": f"copy-{number}", "ordinal": 500 + number, "completed_at": at}

    multiply(execution.project, "tasks", 900, later, task_id="decide")
    points = seen(execution, time.burnup)["points"]
    execution.project.write("DELETE FROM tasks WHERE task_id LIKE 'copy-%'")
    assert 20 < len(points) <= 200
    assert [one["done"] for one in points] == sorted(one["done"] for one in points)


def _time(at: str) -> Any:
    return datetime.fromisoformat(at)
