"""After whatever ended an attempt the next one does what is left: nothing twice, nothing lost, files asked about."""

from __future__ import annotations

from typing import Any

import pytest

from milestone.domain.resuming import Left, resume
from tests.helpers.agents import Agents
from tests.helpers.execution import git, task
from tests.helpers.host import Host
from tests.helpers.mirrored import command
from tests.helpers.underway import As, Execution, Worker
from tests.helpers.wire import Wire

DECIDE = task("decide", "design", paths=("docs/",))
LATER = 1_910


def lost(repository: Agents, *done: str) -> tuple[Execution, Worker]:
    """Begin to carry out a task, do what is named of it, and fall silent."""
    execution = Execution.begin(repository, DECIDE)
    worker = execution.worker("decide").begin()
    for step in done:
        {"write": lambda: worker.write("docs/store.md"), "commit": worker.commit, "save": worker.save}[step]()
    operate = repository.project.operate
    operate("next_actions", later=1_900, milestone_id=execution.milestone_id)
    return execution, worker


def actions(execution: Execution, later: float = LATER) -> dict[str, dict[str, Any]]:
    """Return what is to be done some time later, by task or kind."""
    operate = execution.project.operate
    given = operate("next_actions", later=later, milestone_id=execution.milestone_id)["actions"]
    return {(one.get("task_id") or ",".join(one.get("tasks") or ())) or one["kind"]: one for one in given}


def test_what_is_left_decides_how_the_next_attempt_begins() -> None:
    changed, commits = ("docs/a.md",), ("c1",)
    assert resume(Left(), sent_back=False) == "start"
    assert resume(Left(commits=commits), sent_back=False) == "review"
    assert resume(Left(changed=changed), sent_back=False) == "salvage"
    assert resume(Left(commits=commits, changed=changed), sent_back=False) == "salvage"
    assert resume(Left(commits=commits, changed=changed), sent_back=True) == "start"


def test_what_nobody_touched_is_started_from_the_milestones_branch(repository: Agents) -> None:
    execution, _ = lost(repository)
    again = actions(execution)["decide"]
    assert "already committed" not in again["brief"]
    claims = [row for row in execution.project.rows("claims") if row["agent_id"] == again["agent_id"]]
    assert claims[0]["base_commit"] == execution.git("rev-parse", execution.branch)


def test_what_was_committed_is_only_reviewed(repository: Agents) -> None:
    """Planted and found: a `scout` that sees no commits lets the work be done again."""
    execution, worker = lost(repository, "write", "commit")
    commit = git(worker.folder, "rev-parse", "HEAD")
    again = actions(execution)["decide"]
    assert f"already committed by an attempt that was lost: {commit}" in again["brief"]
    assert "do not do it again" in again["brief"]
    claims = [row for row in execution.project.rows("claims") if row["agent_id"] == again["agent_id"]]
    assert claims[0]["base_commit"] == commit
    second = Worker(repository, again).begin()
    second.save()
    assert second.complete()["status"] == "completed"
    assert execution.git("rev-list", "--count", f"main..{execution.branch}") == "1"


def test_what_was_committed_and_saved_is_taken_without_another_attempt(repository: Agents) -> None:
    execution, _ = lost(repository, "write", "commit", "save")
    assert "decide" not in actions(execution)
    assert execution.task("decide")["status"] == "completed"
    assert execution.task("decide")["attempts"] == 1


def test_files_that_nobody_committed_are_shown_and_asked_about_until_a_person_has_decided(repository: Agents) -> None:
    """Planted and found: a `resume` that knows no salvage."""
    execution, _ = lost(repository, "write")
    question = actions(execution)["decide"]
    assert (question["kind"], question["files"]) == ("ask_human", ["docs/store.md"])
    assert [call.split("'")[1] for call in question["choices"]] == ["keep", "discard"]
    assert execution.task("decide")["status"] == "blocked"
    assert actions(execution)["decide"] == question, "nothing else is under way"


def test_files_that_are_kept_lie_in_the_folder_of_the_next_attempt(repository: Agents) -> None:
    """Planted and found: a person who said keep is asked again."""
    execution, first = lost(repository, "write")
    actions(execution)
    answered = execution.call("steer_milestone", action="keep", task_id="decide")
    assert answered["decision"] == "keep"
    again = Worker(repository, actions(execution)["decide"])
    assert "a person wants them kept" in again.action["brief"]
    again.begin()
    assert (again.folder / "docs" / "store.md").read_bytes() == (first.folder / "docs" / "store.md").read_bytes()
    again.commit()
    again.save()
    assert again.complete()["status"] == "completed"


def test_files_that_are_discarded_are_put_away_where_they_can_be_found(repository: Agents) -> None:
    """Planted and found: a folder that is emptied before its files are kept."""
    execution, first = lost(repository, "write")
    actions(execution)
    answered = execution.call("steer_milestone", action="discard", task_id="decide")
    ref = answered["kept_under"]
    assert ref.startswith("refs/milestone/checkpoints/")
    assert not (first.folder / "docs" / "store.md").exists()
    kept = execution.git("grep", "-l", "NAME = 1", ref).splitlines()
    assert any(name.endswith("docs/store.md") for name in kept)
    again = actions(execution)["decide"]
    assert again["kind"] == "spawn"
    assert "kept" not in again["brief"]


@pytest.mark.parametrize("action", ["keep", "discard"])
def test_nobody_decides_about_files_where_nothing_is_asked(repository: Agents, action: str) -> None:
    execution = Execution.begin(repository, DECIDE)
    told = execution.refusal("steer_milestone", action=action, task_id="decide")
    assert "Nobody asks about files of task 'decide'" in told


def test_what_a_live_agent_holds_is_left_to_it(repository: Agents) -> None:
    execution = Execution.begin(repository, DECIDE)
    worker = execution.worker("decide").begin()
    resumed = execution.call("steer_milestone", action="resume")
    assert resumed["mode"] == "execution"
    assert "decide" not in {one.get("task_id") for one in execution.actions()}
    assert execution.task("decide")["status"] == "claimed"
    worker.write("docs/store.md")
    worker.commit()
    worker.save()
    assert worker.complete()["status"] == "completed"


def test_a_pause_starts_nothing_new_and_lets_agents_finish_until_it_is_lifted(repository: Agents) -> None:
    """Planted and found: a `choose` that does not look at `steering`."""
    execution = Execution.begin(repository, DECIDE, task("more", "design", needs=("decide",), paths=("docs/",)))
    worker = execution.worker("decide").begin()
    execution.call("steer_milestone", action="pause")
    worker.write("docs/store.md")
    worker.commit()
    worker.save()
    assert worker.complete()["status"] == "completed"
    kinds = {one["kind"] for one in execution.actions()}
    assert kinds <= {"wait", "ask_human"}
    execution.call("steer_milestone", action="resume")
    assert execution.to("more")["kind"] == "spawn"
    steered = [row["subject"] for row in execution.events("milestone_steered")]
    assert steered == ["pause", "resume"]


def test_a_stop_tells_the_agents_that_are_at_work(repository: Agents) -> None:
    execution = Execution.begin(repository, DECIDE)
    worker = execution.worker("decide").begin()
    execution.call("steer_milestone", action="stop")
    told = repository.call("receive_agent_messages", **worker.who)["messages"]
    assert [one["type"] for one in told] == ["stop"]
    assert {one["kind"] for one in execution.actions()} == {"wait"}


def test_an_agent_with_a_task_steers_nothing(repository: Agents, wired: Wire) -> None:
    """Planted and found: a `steer_milestone` without `coordinator_or_person`."""
    host = Host(wired)
    execution = Execution.begin(repository, DECIDE)
    action = execution.to("decide")
    who = host.spawn(action, "writer-9")
    told = As(host, who).refusal("steer_milestone", action="stop", milestone_id=execution.milestone_id)
    assert "only the coordinator or a person changes" in told


def test_what_waits_for_a_person_and_why_nothing_starts_shows_in_the_status(repository: Agents) -> None:
    execution, _ = lost(repository, "write")
    actions(execution)
    execution.call("steer_milestone", action="pause")
    shown = command(execution.project, "status", execution.milestone_id).output
    assert "decide left files  a lost attempt left files" in shown
    assert "paused by a person; /milestone:resume goes on" in shown
