"""Agents and servers that are lost in the middle of an execution: what they delivered counts, once."""

from __future__ import annotations

from typing import Any

import pytest

from tests.helpers.agents import Agents
from tests.helpers.execution import task
from tests.helpers.host import Host
from tests.helpers.underway import As, Execution, Worker, break_off, planned
from tests.helpers.wire import Wire

DECIDE = task("decide", "design", paths=("docs/",))
BUILD = task("build", "execute", paths=("app/",))


def commits(execution: Execution) -> list[str]:
    """Return the tasks of the commits on the milestone's branch, the newest first."""
    listed = execution.git("log", "--format=%(trailers:key=Task,valueonly,separator=)", f"main..{execution.branch}")
    return listed.split()


def test_what_a_silent_agent_committed_and_saved_is_taken_and_merged(repository: Agents) -> None:
    """Planted and found: a takeover that does not look at what is there."""
    execution = Execution.begin(repository, DECIDE)
    worker = execution.worker("decide").begin()
    worker.write("docs/store.md")
    worker.commit()
    worker.save()
    operate = repository.project.operate
    later: dict[str, Any] = {"milestone_id": execution.milestone_id, "later": 1_900}
    actions = operate("next_actions", **later)["actions"]
    assert "decide" not in {one.get("task_id") for one in actions}
    assert execution.task("decide")["status"] == "completed"
    assert commits(execution) == ["decide"]


def test_what_a_silent_agent_neither_changed_nor_committed_is_started_anew_after_a_wait(repository: Agents) -> None:
    execution = Execution.begin(repository, DECIDE)
    execution.worker("decide").begin().save()
    operate = repository.project.operate
    own: dict[str, Any] = {"milestone_id": execution.milestone_id}
    assert "decide" not in {one.get("task_id") for one in operate("next_actions", later=1_900, **own)["actions"]}
    actions = operate("next_actions", later=1_910, **own)["actions"]
    again = next(one for one in actions if one.get("task_id") == "decide")
    assert "silent for more than 1800 s" in again["why"]
    assert commits(execution) == []


def test_an_agent_that_stops_without_its_commit_is_sent_back_once_with_what_is_missing(
    repository: Agents, wired: Wire
) -> None:
    host = Host(wired)
    execution = Execution.begin(repository, DECIDE)
    action = execution.to("decide")
    who = host.spawn(action, "writer-1")
    worker = Worker(As(host, who), action).begin()
    worker.write("docs/store.md")
    worker.save()
    told = host.event("SubagentStop", agent_id=who[0], agent_type=who[1], prompt=action["brief"])
    assert told["decision"] == "block"
    assert "Commit with git_milestone(action='commit')" in told["reason"]
    worker.commit()
    assert host.event("SubagentStop", agent_id=who[0], agent_type=who[1], prompt=action["brief"]) == {}
    assert (execution.task("decide")["status"], commits(execution)) == ("completed", ["decide"])


def test_a_merge_whose_server_died_before_it_was_written_down_is_not_made_again(repository: Agents) -> None:
    """Planted and found: a `ready` that looks at the task's branch alone."""
    execution = Execution.begin(repository, DECIDE, task("other", "design", paths=("docs/",)))
    actions = {one.get("task_id"): one for one in execution.actions()}
    worker = Worker(repository, actions["decide"]).begin()
    worker.write("docs/store.md")
    worker.commit()
    worker.save()
    Worker(repository, actions["other"]).do("docs/other.md")
    break_off(repository.project, "complete_task", task_id="decide", **worker.who)
    assert (execution.task("decide")["status"], commits(execution)) == ("claimed", ["decide", "other"])
    tip = execution.git("rev-parse", execution.branch)
    assert worker.complete()["evidence"]["commit"]["commit"] == tip
    assert commits(execution) == ["decide", "other"]


@pytest.mark.parametrize("result", ["passed", "failed"])
def test_gates_whose_server_died_before_their_end_was_written_down_are_run_again_and_merge_once(
    repository: Agents, result: str
) -> None:
    execution = Execution.begin(repository, BUILD)
    execution.worker("build").do("app/build.py", "NAME = 1\n" if result == "passed" else "BROKEN = 1\n")
    given = {"task_id": "build", "milestone_id": execution.milestone_id}
    break_off(repository.project, "run_gates", **given)
    assert commits(execution) == (["build"] if result == "passed" else [])
    assert "gates" not in execution.proof("build")
    assert [one["kind"] for one in execution.actions() if one.get("task_id") == "build"] == ["run_gates"]
    execution.gates("build", result)
    assert commits(execution) == (["build"] if result == "passed" else [])


def test_an_execution_whose_server_died_while_it_began_begins_once(repository: Agents) -> None:
    milestone_id = planned(repository, task("decide", "design"))
    break_off(repository.project, "initialize_agent_coordination", milestone_id=milestone_id, mode="execution")
    execution = Execution(repository, milestone_id)
    base = execution.git("rev-parse", execution.branch)
    begun = Execution.of(repository, milestone_id)
    assert begun.state("execution-state")["repositories"][0]["base"] == base
    assert begun.finish()["status"] == "completed"


def test_a_transition_whose_server_died_is_made_once(repository: Agents) -> None:
    execution = Execution.begin(repository, task("decide", "design"), task("later", "execute", ("decide",)))
    action = execution.to("transition")
    given = {"phase": action["phase"], "milestone_id": execution.milestone_id}
    break_off(repository.project, "transition_phase", **given)
    assert execution.events("phase_completed") == []
    assert execution.call("transition_phase", phase=action["phase"])["status"] == "completed"
    assert [row["subject"] for row in execution.events("phase_completed")] == [action["phase"]]
