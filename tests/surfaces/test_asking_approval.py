"""A phase that a person has to approve is asked about where the host can ask; whoever answers first has answered."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import anyio
import anyio.from_thread
import pytest
from mcp_types import ElicitResult

from milestone.surfaces import asking
from tests.helpers.agents import Agents
from tests.helpers.execution import committed, lean, task
from tests.helpers.projects import PROGRAM, Project
from tests.helpers.underway import Execution, planned

LIMITS = ".milestones/config/limits.yaml"


class Person:
    """Whoever sits at the host: answers as it was told to, after it has done something else first."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.content: dict[str, Any] = {}
        self.first: Callable[[], Any] = lambda: None
        self.silent = False

    async def __call__(self, _: Any, params: Any) -> ElicitResult:
        """Answer a question, or never."""
        self.asked.append(params)
        await anyio.to_thread.run_sync(self.first)
        if self.silent:
            await anyio.sleep_forever()
        return ElicitResult(action="accept", content=self.content)


@pytest.fixture(scope="module", params=["modern", "legacy"])
def host(
    request: pytest.FixtureRequest, new_repository: Callable[..., Project], portal: anyio.from_thread.BlockingPortal
) -> Iterator[tuple[Agents, Person]]:
    """A host that can ask its person."""
    person = Person()
    with Agents(new_repository("sqlite"), request.param, portal, elicitation_callback=person) as connected:
        yield connected, person


@pytest.fixture
def asked(host: tuple[Agents, Person]) -> tuple[Execution, Person]:
    """An execution in which only the approval of its design is missing, and a person who was not asked yet."""
    agents, person = host
    Person.__init__(person)
    with committed(agents.project.folder, {LIMITS: lean()[LIMITS] + "approvals: [design]\n"}):
        milestone_id = planned(agents, task("do-design", "design"))
        agents.call("update_milestone", milestone_id=milestone_id, strategy="sequential")
        execution = Execution.of(agents, milestone_id)
    for action in execution.actions():
        execution.carry_out(action)
    assert person.asked == []
    return execution, person


def approve_in_a_terminal(execution: Execution) -> None:
    """Approve the design with the command."""
    given = ("approve", "--phase", "design", "--by", "Ada", "--milestone-id", execution.milestone_id)
    subprocess.run([*PROGRAM, *given], env=execution.project.environment, check=True, capture_output=True)


def test_who_approves_at_the_host_lets_the_same_call_go_on(asked: tuple[Execution, Person]) -> None:
    """Planted and found: an elicited answer that is not carried out."""
    execution, person = asked
    person.content = {"decision": "approve"}
    assert [one["kind"] for one in execution.actions()] == ["transition"]
    (question,) = person.asked
    assert "Is it approved?" in question.message
    assert question.requested_schema["properties"]["decision"]["enum"] == ["approve", "reject"]
    (event,) = execution.events("phase_approved")
    assert event["actor"] == "the person at the host"


def test_who_rejects_at_the_host_gives_the_reason_there(asked: tuple[Execution, Person]) -> None:
    execution, person = asked
    person.content = {"decision": "reject", "reason": "too vague"}
    assert [one.get("task_id") for one in execution.actions()] == ["mend-design-1"]
    assert execution.task("mend-design-1")["acceptance"] == ("too vague",)


def test_an_answer_that_comes_second_changes_nothing_and_the_call_goes_on(asked: tuple[Execution, Person]) -> None:
    """Planted and found: the late answer's refusal as the end of the call, with the old question in it."""
    execution, person = asked
    person.first = lambda: approve_in_a_terminal(execution)
    person.content = {"decision": "reject", "reason": "late"}
    assert [one["kind"] for one in execution.actions()] == ["transition"]
    assert execution.events("phase_rejected") == []


def test_a_question_that_was_answered_elsewhere_is_not_waited_for(
    host: tuple[Agents, Person], asked: tuple[Execution, Person]
) -> None:
    """Only an older host is asked while the call waits. Planted and found: a question that waits for its host alone."""
    execution, person = asked
    person.first = lambda: approve_in_a_terminal(execution)
    person.silent = host[0].era == "legacy"
    person.content = {"decision": "approve"}
    call = host[0].begin("next_actions", milestone_id=execution.milestone_id)
    _, text = call.result(asking.PATIENCE / 2)
    assert [one["kind"] for one in json.loads(text)["actions"]] == ["transition"]
    assert len(execution.events("phase_approved")) == 1
