"""What proves a task: its keys, a commit that touches declared paths alone, and a review by somebody else."""

from __future__ import annotations

import pytest

from milestone.operations.catalogue import REGISTRY
from tests.helpers.agents import Agents
from tests.helpers.execution import git, task, value
from tests.helpers.host import Host
from tests.helpers.underway import As, Execution, Worker
from tests.helpers.wire import Wire

DECIDE = task("decide", "design", paths=("docs/",))
BUILD = task("build", "execute", paths=("app/", "tests/*.py"))
CHANGES = {
    "task_id": "build",
    "verdict": "changes_requested",
    "summary": "A name is missing",
    "findings": [{"severity": "high", "statement": "no name", "places": [{"file": "app/build.py", "line": 1}]}],
}


def test_a_task_is_completed_by_its_keys_in_their_shape_and_its_commit_and_not_before(repository: Agents) -> None:
    """Planted and found: a `save_agent_state` that asks for no shape; a `deliver` that does not look at the commit."""
    execution = Execution.begin(repository, DECIDE)
    worker = execution.worker("decide").begin()
    assert "nothing is saved under 'task-report'" in worker.refused()
    assert "does not have the shape of 'task-report'" in worker.refused(
        "save_agent_state", key="task-report", value={"summary": "Done"}
    )
    worker.save()
    assert "nothing is committed for it: change its files" in worker.refused()
    worker.write("docs/store.md")
    assert "nothing is committed for it" in worker.refused()
    worker.commit(summary="describe the store", kind="docs")
    done = worker.complete()
    assert (done["status"], done["evidence"]["keys"]) == ("completed", {"task-report": 1})
    assert done["evidence"]["commit"]["touched"] == ["docs/store.md"]
    assert worker.complete()["status"] == "completed"
    tip = execution.git("rev-parse", execution.branch)
    assert done["evidence"]["commit"]["commit"] == tip
    assert execution.git("show", "-s", "--format=%B", tip) == (
        f"docs(design): describe the store\n\nMilestone: {execution.milestone_id}\nPhase: design\nTask: decide"
    )
    assert execution.git("rev-list", "--count", f"main..{execution.branch}") == "1"


def test_a_commit_with_a_file_outside_the_declared_paths_is_refused_and_names_it(repository: Agents) -> None:
    """Planted and found: a `commit` that stages whatever is there."""
    execution = Execution.begin(repository, DECIDE)
    worker = execution.worker("decide").begin()
    for path in ("docs/store.md", "app/tokens.py", "setup.py"):
        worker.write(path)
    told = worker.refused("git_milestone", action="commit", summary="describe the store")
    assert "Files outside the declared paths changed: app/tokens.py, setup.py. Allowed: docs/" in told
    assert git(worker.folder, "log", "-1", "--format=%s") == "Begin"
    git(worker.folder, "checkout", "-q", "--", "app/tokens.py")
    (worker.folder / "setup.py").unlink()
    worker.commit()
    worker.save()
    assert worker.complete()["evidence"]["commit"]["touched"] == ["docs/store.md"]


def test_a_commit_that_somebody_made_by_hand_is_held_to_the_declared_paths_as_well(repository: Agents) -> None:
    """Planted and found: a `ready` that trusts what is on the task's branch."""
    execution = Execution.begin(repository, DECIDE)
    worker = execution.worker("decide").begin()
    worker.write("docs/store.md")
    worker.write("app/tokens.py")
    git(worker.folder, "add", "-A")
    git(worker.folder, "commit", "-qm", "Whatever")
    worker.save()
    before = execution.git("rev-parse", execution.branch)
    assert "app/tokens.py" in worker.refused()
    assert execution.git("rev-parse", execution.branch) == before
    assert execution.task("decide")["status"] == "claimed"


def test_a_task_without_paths_owes_no_commit_and_its_folder_is_there_to_read(repository: Agents) -> None:
    execution = Execution.begin(repository, task("decide", "design"))
    worker = execution.worker("decide").begin()
    assert (worker.folder / "app" / "tokens.py").is_file()
    assert "owes no commit" in worker.refused("git_milestone", action="commit", summary="x")
    worker.save()
    assert worker.complete()["status"] == "completed"


def test_a_task_that_owes_a_review_is_completed_by_the_review_of_somebody_else(repository: Agents) -> None:
    execution = Execution.begin(repository, BUILD)
    execution.worker("build").do("app/build.py")
    assert execution.gates("build")["status"] == "in_review"
    review = execution.worker("review-build-1")
    assert review.action["agent_type"] == "milestone:quality-enforcer"
    assert 'task build; `git_milestone(action="diff", task_id="build")`' in review.brief
    shown = repository.call("git_milestone", action="diff", task_id="build", agent_id=review.agent_id)
    assert shown["files"] == ["A app/build.py"]
    assert "+NAME = 1" in shown["diff"]
    review.begin()
    review.save("review", {**value("review", "review-build-1"), "task_id": "decide"})
    assert "value.task_id of 'review' is 'decide', and you review 'build'" in review.refused()
    review.save("review")
    assert review.complete()["status"] == "completed"
    assert execution.task("build")["status"] == "completed"
    assert execution.proof("build")["review"]["by"] == review.agent_id


def test_a_review_that_asks_for_changes_sends_the_task_back_with_what_it_says(repository: Agents) -> None:
    """Planted and found: a `follow` that does not look at the verdict."""
    execution = Execution.begin(repository, BUILD)
    execution.worker("build").do("app/build.py")
    execution.gates("build")
    review = execution.worker("review-build-1").begin()
    assert "shape of 'review'" in review.refused("save_agent_state", key="review", value={**CHANGES, "findings": []})
    review.save("review", CHANGES)
    review.complete()
    assert (execution.task("build")["status"], execution.proof("build")) == ("ready", {})
    assert execution.shown()["progress"]["by_phase"]["execute"] == 0
    again = execution.worker("build")
    assert f"sent back: {review.agent_id} asks for changes: A name is missing" in again.brief
    again.do("app/build.py", "NAME = 2\n")
    execution.gates("build")
    review = execution.worker("review-build-2").begin()
    review.save("review")
    review.complete()
    assert (execution.task("build")["status"], execution.proof("build")["review"]["task"]) == (
        "completed",
        "review-build-2",
    )


def test_a_review_by_the_author_itself_does_not_count(repository: Agents, wired: Wire) -> None:
    """Planted and found: a `prove` that lets a host's agent act as another one whose token it shows."""
    host = Host(wired)
    execution = Execution.begin(repository, BUILD)
    action = execution.to("build")
    author = host.spawn(action, "author-1")
    build = Worker(As(host, author), action)
    build.do("app/build.py")
    execution.gates("build")
    review = execution.worker("review-build-1")
    host.event("PostToolUse", tool_name="SendMessage", prompt=review.brief, child_agent_id="author-1")
    mine = Worker(As(host, author), review.action)
    for tool, arguments in (
        ("update_agent_status", {"status": "active"}),
        ("save_agent_state", {"key": "review", "value": value("review", "review-build-1")}),
        ("complete_task", {}),
    ):
        assert f"You are {build.agent_id!r} and named {review.agent_id!r}" in mine.refused(tool, **arguments)
    host.event("SubagentStop", agent_id=author[0], agent_type=author[1], prompt=review.brief)
    assert (execution.task("build")["status"], execution.task("review-build-1")["status"]) == ("in_review", "claimed")
    other = Worker(As(host, host.spawn(review.action, "reviewer-1")), review.action)
    other.save("review")
    other.complete()
    assert execution.task("build")["status"] == "completed"


@pytest.mark.parametrize("tool", ["complete_task", "run_gates", "git_milestone", "update_milestone"])
def test_no_argument_of_a_tool_sets_progress_proof_or_a_command(tool: str) -> None:
    fields = set(REGISTRY[tool].schema["properties"])
    assert not fields & {"progress", "percentage", "evidence", "proof", "commit", "command", "run", "gates", "paths"}
