"""Git as the tools show it: folders of tasks, conflicts, the guard, and what is told of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import REPOSITORIES
from tests.helpers.agents import Agents
from tests.helpers.execution import git, task
from tests.helpers.underway import Execution, Worker

# What Git does is the same on every engine.
pytestmark = pytest.mark.parametrize("repository", REPOSITORIES[:1], ids="-".join, indirect=True)
GATES = ".milestones/config/gates.yaml"
ONE = task("one", "design", paths=("docs/", "app/tokens.py"))
TWO = task("two", "design", paths=("docs/", "app/tokens.py"))
GATED = tuple(task(name, "execute", paths=("app/",)) for name in ("one", "two"))


def both(execution: Execution) -> tuple[Worker, Worker]:
    """Return the agents of the two tasks, each in its folder."""
    actions = {one.get("task_id"): one for one in execution.actions()}
    while not {"one", "two"} <= set(actions):
        execution.call("transition_phase", phase=actions[None]["phase"])
        actions |= {one.get("task_id"): one for one in execution.actions()}
    return Worker(execution.agents, actions["one"]).begin(), Worker(execution.agents, actions["two"]).begin()


def test_asking_again_gives_the_same_folder_on_a_branch_of_the_task(repository: Agents) -> None:
    execution = Execution.begin(repository, ONE)
    worker = execution.worker("one").begin()
    place = repository.project.mirror / "worktrees" / execution.milestone_id / "one"
    worker.write("docs/store.md", "half\n")
    told = worker.tree()
    assert Path(told["path"]) == place
    assert told["branch"] == f"milestone/{execution.milestone_id}/one"
    assert told["you_may_change"] == ["docs/", "app/tokens.py"]
    assert (place / "docs" / "store.md").read_text() == "half\n"
    assert git(place, "branch", "--show-current") == told["branch"]
    assert execution.git("branch", "--list", "--format=%(refname:short)", "*" + execution.milestone_id + "*") == (
        f"{execution.branch}\n{told['branch']}"
    )


def test_the_next_attempt_continues_in_the_same_folder_with_what_the_one_before_left(repository: Agents) -> None:
    """Planted and found: a folder that is made anew for each attempt."""
    execution = Execution.begin(repository, ONE, TWO)
    one, two = both(execution)
    one.write("docs/first.md")
    first = one.commit()
    one.write("docs/second.md", "half\n")
    two.write("docs/two.md")
    two.commit()
    two.save()
    two.complete()
    operate = repository.project.operate
    operate("next_actions", later=1_900, milestone_id=execution.milestone_id)
    anew = operate("next_actions", later=1_910, milestone_id=execution.milestone_id)["actions"]
    question = next(action for action in anew if action["kind"] == "ask_human")
    assert (question["tasks"], question["files"]) == (["one"], ["docs/second.md"])
    execution.call("steer_milestone", action="keep", task_id="one")
    again = Worker(repository, execution.to("one"))
    repository.call("update_agent_status", status="active", **again.who)
    told = again.tree()
    assert (again.folder, told["left_by_the_attempt_before"]) == (one.folder, ["docs/second.md"])
    assert git(again.folder, "rev-parse", "HEAD") == first
    again.commit(summary="write the rest")
    told = again.tree()
    assert "left_by_the_attempt_before" not in told
    assert (again.folder / "docs" / "two.md").is_file(), "the milestone's branch is merged in"
    again.save()
    assert again.complete()["evidence"]["commit"]["touched"] == ["docs/first.md", "docs/second.md"]
    assert "(attempt 2) had it last" in one.refused("git_milestone", action="worktree")


def test_a_conflict_names_the_files_and_both_tasks_and_is_resolved_by_the_next_attempt(repository: Agents) -> None:
    """Planted and found: a preview that sees no clash, so that what is marked would be merged."""
    execution = Execution.begin(repository, *GATED)
    one, two = both(execution)
    for worker in (one, two):
        worker.write("app/tokens.py", f"def token(name):\n    return {worker.task_id!r} + name\n")
        worker.commit()
        worker.save()
        worker.complete()
    execution.gates("one")
    before = execution.git("rev-parse", execution.branch)
    seen = execution.call("git_milestone", action="preview", task_id="two")
    assert seen["conflicts"] == [
        "app/tokens.py (changed on both sides, last changed by task one); task two changed it, too"
    ]
    ran = execution.gates("two", "conflict")
    assert "task two conflicts with what is on the milestone's branch by now: app/tokens.py" in ran["why"]
    assert "last changed by task one" in ran["why"]
    assert (execution.git("rev-parse", execution.branch), execution.task("two")["status"]) == (before, "ready")
    action = next(one for one in execution.actions() if one.get("task_id") == "two")
    assert action["agent_type"] == "milestone:infra-git-operator"
    again = Worker(repository, action)
    assert "conflicts with what is on the milestone's branch" in again.brief
    repository.call("update_agent_status", status="active", **again.who)
    told = again.tree()
    assert told["conflicts"] == ["app/tokens.py (changed on both sides, last changed by task one)"]
    assert "<<<<<<<" in (again.folder / "app" / "tokens.py").read_text()
    assert "Marks of conflict are left in app/tokens.py" in again.refused(
        "git_milestone", action="commit", summary="resolve"
    )
    again.write("app/tokens.py", "def token(name):\n    return 'one' + 'two' + name\n")
    again.commit(summary="join both ways to make a token")
    again.save()
    again.complete()
    execution.gates("two")
    tip = execution.git("show", f"{execution.branch}:app/tokens.py")
    assert "'one' + 'two' + name" in tip
    assert execution.git("rev-list", "--count", f"main..{execution.branch}") == "2"


def test_without_gates_a_conflict_shows_when_the_task_is_handed_in(repository: Agents) -> None:
    execution = Execution.begin(repository, ONE, TWO)
    one, two = both(execution)
    for worker in (one, two):
        worker.write("docs/store.md", f"{worker.task_id}\n")
        worker.commit()
        worker.save()
    one.complete()
    told = two.refused()
    assert "task two conflicts" in told
    assert "docs/store.md (added on both sides, last changed by task one)" in told
    assert two.tree()["conflicts"] == ["docs/store.md (added on both sides, last changed by task one)"]
    two.write("docs/store.md", "one and two\n")
    two.commit()
    assert two.complete()["status"] == "completed"


def test_a_deletion_that_was_not_declared_is_never_merged(repository: Agents) -> None:
    """Planted and found: a `_problem` that finds none."""
    execution = Execution.begin(repository, ONE)
    worker = execution.worker("one").begin()
    git(worker.folder, "rm", "-q", "app/old.py")
    worker.write("docs/store.md")
    told = worker.refused("git_milestone", action="commit", summary="tidy")
    assert "Files outside the declared paths changed: app/old.py" in told
    git(worker.folder, "add", "-A")
    git(worker.folder, "commit", "-qm", "tidy")
    worker.save()
    assert "app/old.py" in worker.refused()
    assert "app/old.py" in execution.call("git_milestone", action="preview", task_id="one")["problem"]
    git(worker.folder, "reset", "-q", "--hard", "HEAD~1")
    git(worker.folder, "rm", "-q", "app/tokens.py")
    worker.commit(summary="drop the tokens")
    assert worker.complete()["evidence"]["commit"]["touched"] == ["app/tokens.py"]
    assert execution.git("ls-tree", "--name-only", execution.branch, "app/").split() == [
        "app/__init__.py",
        "app/old.py",
    ]


def test_only_what_lies_in_the_folder_of_the_task_can_be_removed(repository: Agents, tmp_path: Path) -> None:
    """Planted and found: a path that is joined to the folder, so that an absolute one leads out of it."""
    execution = Execution.begin(repository, task("one", "design", paths=(".",)))
    worker = execution.worker("one").begin()
    victim = tmp_path / "victim"
    victim.write_text("somebody else's\n", "utf-8")
    (worker.folder / "app" / "out").symlink_to(tmp_path)
    climbing = "../" * 20 + str(victim).lstrip("/")
    before = sorted(worker.folder.rglob("*"))
    for path in (
        str(victim),
        climbing,
        "app/out/victim",
        "",
        ".",
        "..",
        ".git",
        "app/../.git",
        GATES,
        "app/nothing.py",
    ):
        told = worker.refused("git_milestone", action="commit", summary="tidy", remove=["app/old.py", path])
        assert "nothing to commit" not in told, path
        assert sorted(worker.folder.rglob("*")) == before, path
        assert victim.is_file(), path
    (worker.folder / "app" / "out").unlink()
    worker.commit(summary="drop the old way", remove=["app/old.py"])
    worker.save()
    assert worker.complete()["evidence"]["commit"]["touched"] == ["app/old.py"]


def test_the_state_of_the_branch_and_a_pull_request_are_told_and_kept(repository: Agents) -> None:
    execution = Execution.begin(repository, ONE)
    execution.worker("one").do("docs/store.md")
    (told,) = execution.call("git_milestone", action="status")["repositories"]
    assert (told["name"], told["branch"], told["files"], told["pr_url"]) == ("", execution.branch, 1, "")
    assert told["to_merge"] == f"git merge {execution.branch}"
    for url in ("", "javascript:alert(1)", "https://a b", "github.com/x"):
        assert "url is no web address" in execution.refusal("git_milestone", action="pr", url=url)
    url = "https://git.example/pull/7"
    assert execution.call("git_milestone", action="pr", url=url)["pr_url"] == url
    assert execution.call("git_milestone", action="status")["repositories"][0]["pr_url"] == url
    assert "There is no repository 'elsewhere'" in execution.refusal(
        "git_milestone", action="pr", url=url, task_id="elsewhere"
    )


@pytest.mark.parametrize("action", ["diff", "preview", "merge"])
def test_what_is_asked_of_a_task_needs_one_that_is_there(repository: Agents, action: str) -> None:
    execution = Execution.begin(repository, ONE)
    assert "needs a task" in execution.refusal("git_milestone", action=action)
    assert "has no task 'x'" in execution.refusal("git_milestone", action=action, task_id="x")


def test_nothing_is_merged_before_its_proof(repository: Agents) -> None:
    execution = Execution.begin(repository, ONE, *(task(name, "execute", paths=("app/",)) for name in ("three",)))
    worker = execution.worker("one").begin()
    worker.write("docs/store.md")
    worker.commit()
    assert "complete_task merges it" in execution.refusal("git_milestone", action="merge", task_id="one")
    assert "run_gates merges it once they pass" in execution.refusal("git_milestone", action="merge", task_id="three")
    assert "Agent 'nobody' is not registered" in repository.refusal(
        "git_milestone", action="worktree", agent_id="nobody"
    )
