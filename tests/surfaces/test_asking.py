"""A person is asked about failed tasks where the host can ask; in both eras nothing is decided without an answer."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import anyio
import anyio.from_thread
import pytest
from mcp_types import (
    CallToolRequestParams,
    ClientCapabilities,
    ElicitationCapability,
    ElicitResult,
    FormElicitationCapability,
)

from milestone.surfaces import asking
from milestone.surfaces.door import Door
from tests.helpers.agents import Agents
from tests.helpers.projects import Project
from tests.helpers.samples import SAMPLES

ERAS = ("modern", "legacy")
CAN_ASK = ClientCapabilities(elicitation=ElicitationCapability(form=FormElicitationCapability()))
WORD = {"scope": "planning-scope", "research": "planning-research", "dependencies": "planning-dependencies"}


class Person:
    """Whoever sits at the host: notes what it is asked, and answers with what it was told to."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.answer: ElicitResult | None = None

    def says(self, decision: str) -> None:
        """Choose this from now on."""
        self.answer = ElicitResult(action="accept", content={"decision": decision})

    async def __call__(self, _: Any, params: Any) -> ElicitResult:
        """Answer a question."""
        self.asked.append(params)
        assert self.answer is not None
        return self.answer


@pytest.fixture(scope="module", params=ERAS)
def asking_host(
    request: pytest.FixtureRequest, new_project: Callable[..., Project], portal: anyio.from_thread.BlockingPortal
) -> Iterator[tuple[Agents, Person]]:
    """A host that can ask its person."""
    person = Person()
    with Agents(new_project(), request.param, portal, elicitation_callback=person) as connected:
        yield connected, person


@pytest.fixture
def agents(asking_host: tuple[Agents, Person]) -> Agents:
    """That host with a planning of the test's own, in which nothing is left to do but to ask."""
    stuck(asking_host[0])
    return asking_host[0]


@pytest.fixture
def person(asking_host: tuple[Agents, Person]) -> Person:
    """Somebody who has not been asked yet."""
    asking_host[1].asked, asking_host[1].answer = [], None
    return asking_host[1]


def stuck(agents: Agents) -> None:
    """Let the scope of a new planning be impossible, and all the rest that can be done be done."""
    agents.milestone_id = agents.call("initialize_agent_coordination", name=f"Goal {uuid.uuid4()}")["milestone_id"]
    for action in agents.actions():
        who = {"agent_id": action["agent_id"], "token": action["token"]}
        agents.call("update_agent_status", status="active", **who)
        if action["task_id"] == "scope":
            told = agents.call("report_failure", error="there is no code", kind="impossible", **who)
            assert told["status"] == "failed"
            continue
        key = WORD[action["task_id"]]
        agents.call("save_agent_state", key=key, value=SAMPLES[key], **who)
        agents.call("complete_task", task_id=action["task_id"], **who)


def kinds(agents: Agents) -> list[tuple[str, str]]:
    """Return what is to be done, and with which task."""
    return [(one["kind"], one.get("task_id") or ", ".join(one.get("tasks", []))) for one in agents.actions()]


def answered(agents: Agents) -> list[dict[str, Any]]:
    """Return the events that tell of a person's answers."""
    known = [dict(row) for row in agents.project.rows("events") if row["event"] == "person_answered"]
    return [row for row in known if row["milestone_id"] == agents.milestone_id]


def test_whoever_says_try_again_gets_the_task_handed_out_in_the_same_call(agents: Agents, person: Person) -> None:
    """Planted and found: an answer that is not carried out."""
    person.says("retry")
    assert kinds(agents) == [("spawn", "scope")]
    (question,) = person.asked
    assert "scope" in question.message
    assert "there is no code" in question.message
    assert question.requested_schema["properties"]["decision"]["enum"] == ["retry", "stop"]
    assert len(answered(agents)) == 1


def test_a_budget_that_is_used_up_is_asked_about_likewise(agents: Agents, person: Person) -> None:
    """Planted and found: a `question` that knows failed tasks alone."""
    over = "UPDATE tasks SET status = 'blocked', detail = 'it has used 4 of 4 turns', left_behind = :left "
    where = "WHERE milestone_id = :milestone_id AND task_id = 'scope'"
    agents.project.write(over + where, left='{"how": "budget"}', milestone_id=agents.milestone_id)
    person.says("retry")
    assert ("spawn", "scope") in kinds(agents)
    assert "4 of 4 turns" in str(person.asked[0])


def test_whoever_says_stop_stops_the_milestone(agents: Agents, person: Person) -> None:
    """Planted and found: whatever is said counts as another try."""
    person.says("stop")
    assert [kind for kind, _ in kinds(agents)] == ["ask_human"]
    steering = {row["milestone_id"]: row["steering"] for row in agents.project.rows("milestones")}
    assert steering[agents.milestone_id] == "stopped"


@pytest.mark.parametrize("action", ["decline", "cancel"])
def test_whoever_does_not_want_to_answer_is_not_asked_again_and_nothing_is_decided(
    agents: Agents, person: Person, action: Any
) -> None:
    person.answer = ElicitResult(action=action)
    assert kinds(agents) == [("ask_human", "scope")]
    assert kinds(agents) == [("ask_human", "scope")]
    assert len(person.asked) == 1
    assert answered(agents) == []


@pytest.mark.parametrize("content", [None, {}, {"decision": "skip"}, {"decision": "all of it"}, {"decision": None}])
def test_what_was_not_offered_is_no_answer(agents: Agents, person: Person, content: Any) -> None:
    person.answer = ElicitResult(action="accept", content=content)
    assert kinds(agents) == [("ask_human", "scope")]
    assert answered(agents) == []


def test_a_question_is_put_anew_when_the_task_failed_again(agents: Agents, person: Person) -> None:
    person.answer = ElicitResult(action="decline")
    assert kinds(agents) == [("ask_human", "scope")]
    agents.call("update_milestone", milestone_id=agents.milestone_id, retry_tasks=["scope"])
    (action,) = agents.actions()
    who = {"agent_id": action["agent_id"], "token": action["token"]}
    agents.call("report_failure", error="still none", kind="impossible", **who)
    person.says("retry")
    assert kinds(agents) == [("spawn", "scope")]
    assert len(person.asked) == 2


def test_a_host_that_cannot_ask_is_told_to_ask_in_words(
    new_project: Callable[..., Project], portal: anyio.from_thread.BlockingPortal
) -> None:
    for era in ERAS:
        with Agents(new_project(), era, portal) as agents:
            stuck(agents)
            assert kinds(agents) == [("ask_human", "scope")]


def test_of_a_person_who_says_nothing_an_older_host_is_told_in_words_when_the_patience_ends(
    new_project: Callable[..., Project], portal: anyio.from_thread.BlockingPortal
) -> None:
    assert asking.PATIENCE < 60, "some hosts give a call up after a minute"
    with Agents(new_project(), "legacy", portal) as agents:
        stuck(agents)
        answer = agents.call("next_actions", milestone_id=agents.milestone_id)
    withdrawn: list[str] = []

    async def silence(message: str, _: Any, __: Any) -> None:
        try:
            await anyio.sleep_forever()
        finally:
            withdrawn.append(message)

    session = SimpleNamespace(client_capabilities=CAN_ASK, elicit_form=silence)
    context: Any = SimpleNamespace(session=session, protocol_version="2025-11-25", request_id=1)
    told = anyio.run(_about, agents.project, answer, context)
    assert told == answer
    assert len(withdrawn) == 1
    assert answered(agents) == []


async def _about(project: Project, answer: dict[str, Any], context: Any) -> Any:
    async def again() -> dict[str, Any]:
        raise AssertionError("nothing was settled")

    door = Door(project.application)
    patient = asking.Asking(door, patience=0.05)
    told = await patient.about(answer, context, CallToolRequestParams(name="next_actions"), again)
    await door.close()
    return told
