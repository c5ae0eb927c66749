"""Human gates: a phase that needs a person's approval is completed with it and not without, wherever it is given."""

from __future__ import annotations

from typing import Any

import anyio.from_thread
import pytest

from milestone.operations import overview
from milestone.operations.catalogue import REGISTRY
from tests.helpers.agents import Agents
from tests.helpers.execution import committed, lean, task
from tests.helpers.underway import Execution, planned

LIMITS = ".milestones/config/limits.yaml"
DESIGN = (task("do-design", "design"), task("do-spec", "spec", ("do-design",)))


@pytest.fixture
def asking(repository: Agents) -> Execution:
    """An execution whose design a person has to approve, with all tasks of it done."""
    with committed(repository.project.folder, {LIMITS: lean()[LIMITS] + "approvals: [design]\n"}):
        execution = Execution.begin(repository, *DESIGN)
    execution.to("ask_human")
    return execution


def person(execution: Execution, operation: str, **arguments: Any) -> dict[str, str]:
    """Answer as a person does, past the tools."""
    return execution.project.operate(operation, milestone_id=execution.milestone_id, **arguments)


def status(execution: Execution) -> str:
    """Return what has become of the approval."""
    return execution.read(lambda store: store.approvals.of(execution.milestone_id)["design"]["status"])


def test_nothing_passes_without_a_person(asking: Execution) -> None:
    """Planted and found: a transition that does not look at approvals; a choice that does not."""
    (action,) = asking.actions()
    assert (action["kind"], action["phase"]) == ("ask_human", "design")
    assert "a person has to approve it" in asking.refusal("transition_phase", phase="design")
    assert (status(asking), asking.events("phase_completed")) == ("waiting", [])
    assert len(asking.events("phase_approval_asked")) == 1, "it is asked once, however often it is looked at"


def test_what_is_asked_names_the_commands_that_answer(asking: Execution) -> None:
    (action,) = asking.actions()
    assert [command.split()[1] for command in action["commands"]] == ["approve", "reject"]
    assert "you cannot answer for them" in asking.call("next_actions")["next"]


def test_answering_is_no_tool(asking: Execution) -> None:
    """Planted and found: `approve` as a tool that is listed, and one that is not listed and can be called."""
    for name in ("approve", "reject", "waive", "answer", "accept_gates"):
        assert REGISTRY[name].people
        assert not REGISTRY[name].listed
        assert "only people call" in asking.refusal(name, phase="design", by="agent")
    assert status(asking) == "waiting"


def test_an_approved_phase_is_completed_and_the_name_is_kept(asking: Execution) -> None:
    person(asking, "approve", phase="design", by="Ada")
    assert [one["kind"] for one in asking.actions()] == ["transition"]
    asking.finish()
    (event,) = asking.events("phase_approved")
    assert (event["actor"], event["subject"]) == ("Ada", "design")


def test_whoever_answers_second_is_told_who_was_first(asking: Execution) -> None:
    person(asking, "approve", phase="design", by="Ada")
    for operation in ("approve", "reject"):
        with pytest.raises(Exception, match="was approved by Ada"):
            person(asking, operation, phase="design", by="Bob", reason="late")
    assert asking.events("phase_rejected") == []


def test_what_is_rejected_is_mended_by_a_task_and_then_asked_about_again(asking: Execution) -> None:
    told = person(asking, "reject", phase="design", by="Ada", reason="The names\nare unclear")
    assert told["task_id"] == "mend-design-1"
    mending = asking.task("mend-design-1")
    assert mending["title"] == "Mend design: The names are unclear"
    assert mending["acceptance"] == ("The names\nare unclear",)
    assert mending["proof"] == asking.task("do-design")["proof"]
    assert "tasks have not ended: mend-design-1" in asking.refusal("transition_phase", phase="design")
    assert asking.to("ask_human")["phase"] == "design"
    assert status(asking) == "waiting"
    person(asking, "reject", phase="design", by="Ada", reason="Still unclear")
    asking.to("ask_human")
    person(asking, "approve", phase="design", by="Ada")
    asking.finish()
    done = [one["task_id"] for one in asking.read(lambda store: store.tasks.all(asking.milestone_id, "execution"))]
    assert {"mend-design-1", "mend-design-2"} <= {*done}


def test_another_server_knows_the_question_and_who_answered(
    asking: Execution, portal: anyio.from_thread.BlockingPortal
) -> None:
    with Agents(asking.project, "modern", portal) as later:
        again = Execution(later, asking.milestone_id, **asking.begun)
        later.call("steer_milestone", action="take_over", milestone_id=asking.milestone_id)
        assert again.actions()[0]["phase"] == "design"
        person(again, "approve", phase="design", by="Ada")
        assert [one["kind"] for one in again.actions()] == ["transition"]


def test_an_approval_lapses_when_there_is_work_in_the_phase_again(asking: Execution) -> None:
    """Planted and found: an approval that is not reconsidered, so that the phase passes with work nobody has seen."""
    person(asking, "approve", phase="design", by="Ada")
    put_back = "UPDATE tasks SET status = 'ready' WHERE milestone_id = :milestone_id AND task_id = 'do-design'"
    asking.project.write(put_back, milestone_id=asking.milestone_id)
    asking.actions()
    assert status(asking) == "needed"
    assert [one["subject"] for one in asking.events("phase_approval_lapsed")] == ["design"]


def test_a_phase_that_still_works_is_not_to_be_approved(repository: Agents) -> None:
    with committed(repository.project.folder, {LIMITS: lean()[LIMITS] + "approvals: [design]\n"}):
        execution = Execution.begin(repository, *DESIGN)
    for operation in ("approve", "reject"):
        with pytest.raises(Exception, match="its tasks have not all ended"):
            person(execution, operation, phase="design", by="Ada", reason="early")


def test_a_phase_that_needs_none_says_where_that_is_set(asking: Execution) -> None:
    with pytest.raises(Exception, match=r"needs no approval.*limits\.yaml"):
        person(asking, "approve", phase="spec", by="Ada")


def test_taking_the_rule_away_later_changes_nothing(asking: Execution) -> None:
    """Planted and found: a rule that is read when the phase ends, and no agent is kept from the file then."""
    assert "approvals" not in (asking.project.folder / LIMITS).read_text("utf-8")
    assert asking.actions()[0]["kind"] == "ask_human"


def test_a_phase_that_waits_shows_where_the_milestone_is_shown_and_to_a_new_session(asking: Execution) -> None:
    assert asking.shown()["approvals"] == {"design": "waiting"}
    told = asking.read(overview.reminder)
    assert asking.milestone_id in told
    assert "waits for a person to approve: design" in told


def test_a_phase_without_tasks_is_asked_about_when_its_turn_comes_and_can_be_approved(repository: Agents) -> None:
    """Planted and found: a phase that counts as at work because it never began."""
    with committed(repository.project.folder, {LIMITS: lean()[LIMITS] + "approvals: [design, spec]\n"}):
        milestone_id = planned(repository, task("do-design", "design"))
        repository.call("update_milestone", milestone_id=milestone_id, strategy="sequential")
        execution = Execution.of(repository, milestone_id)
    assert execution.to("ask_human")["phase"] == "design"
    with pytest.raises(Exception, match="its tasks have not all ended"):
        person(execution, "approve", phase="spec", by="Ada")
    person(execution, "approve", phase="design", by="Ada")
    assert execution.to("ask_human")["phase"] == "spec"
    person(execution, "approve", phase="spec", by="Ada")
    execution.finish()
