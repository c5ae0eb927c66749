"""Many agents at once, in many processes: every worktree is made, every commit is there, and nothing is damaged."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from milestone.git import commits
from milestone.git.branches import advance
from milestone.git.merging import squash
from milestone.git.trees import worktrees
from milestone.git.worktrees import remove_worktree, writing_worktree
from tests.git.repositories import BRANCH, Sandbox, branch, said
from tests.git.stuck import locks

MANY = Path(__file__).with_name("many.py")


def together(sandbox: Sandbox, groups: list[list[str]], times: int) -> list[str]:
    """Let processes work at the same time, each on a group of tasks; return what they complained about."""
    command = [sys.executable, str(MANY), str(sandbox.root), str(sandbox.home)]
    running = [
        subprocess.Popen(
            [*command, str(len(group)), str(times), *group],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for group in groups
    ]
    for one in running:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    for one in running:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    return [error for error in (one.communicate()[1] for one in running) if error]


def test_sixty_four_worktrees_are_made_at_once(sandbox: Sandbox) -> None:
    """Planted and found: worktrees handed out before their files are there."""
    sandbox.repository.create_branch(BRANCH, sandbox.repository.head())
    tasks = [f"t-{number}" for number in range(64)]
    assert together(sandbox, [tasks[start::4] for start in range(4)], 0) == []
    made = worktrees(sandbox.repository)[1:]
    assert sorted(one.branch for one in made) == sorted(branch(task) for task in tasks)
    assert {one.path for one in made} == {sandbox.folder(task) for task in tasks}
    assert all((one.path / "src" / "b.py").read_text() == "b = 1\n" for one in made)
    assert locks(sandbox) == []
    sandbox.git("fsck", "--strict")


def test_eight_agents_commit_ten_times_each_and_every_commit_is_there(sandbox: Sandbox) -> None:
    """Planted and found: worktrees that share the main one's index."""
    base = sandbox.repository.create_branch(BRANCH, sandbox.repository.head())
    tasks = [f"t-{number}" for number in range(8)]
    before = sandbox.snapshot()
    assert together(sandbox, [[task] for task in tasks], 10) == []
    for task in tasks:
        found = sandbox.git("log", "--reverse", "--format=%s", f"{base}..{branch(task)}").splitlines()
        assert found == [f"feat(execute): step {number}" for number in range(10)]
        assert len(sandbox.repository.commits_of(base, branch(task), task)) == 10
    assert sandbox.snapshot() == before
    assert locks(sandbox) == []
    sandbox.git("fsck", "--strict")


def test_eight_threads_in_one_worktree_take_turns(sandbox: Sandbox) -> None:
    """Planted and found: commits without their turn."""
    path = sandbox.task("t-1")

    def commit(number: int) -> str:
        sandbox.write({f"src/{number}": ""}, path)
        return commits.commit(sandbox.repository, path, said("t-1"), ["."]) if number % 2 else ""

    sandbox.write({"src/first": ""}, path)
    with ThreadPoolExecutor(8) as pool:
        outcomes = [pool.submit(commit, number) for number in range(8)]
    for outcome in outcomes:
        error = outcome.exception()
        assert error is None or "nothing to commit" in str(error)
    assert locks(sandbox) == []


def test_the_same_worktree_asked_for_by_many_is_made_once(sandbox: Sandbox) -> None:
    head = sandbox.repository.head()
    with ThreadPoolExecutor(8) as pool:
        asked = [
            pool.submit(writing_worktree, sandbox.repository, sandbox.folder("t-1"), branch("t-1"), head)
            for _ in range(8)
        ]
    assert {one.result().path for one in asked} == {sandbox.folder("t-1")}
    assert (sandbox.folder("t-1") / "README.md").is_file()
    assert len(worktrees(sandbox.repository)) == 2


def test_of_all_who_merge_on_the_same_tip_one_succeeds(sandbox: Sandbox) -> None:
    """Planted and found: the branch moved without comparing."""
    tasks = [f"t-{number}" for number in range(4)]
    for task in tasks:
        sandbox.task(task, {f"src/{task}": ""})
    made = [squash(sandbox.repository, BRANCH, branch(task), said(task)) for task in tasks]
    with ThreadPoolExecutor(4) as pool:
        moves = [pool.submit(advance, sandbox.repository, BRANCH, one.commit, one.tip) for one in made]
    won = [one.commit for one, move in zip(made, moves, strict=True) if move.exception() is None]
    assert won == [sandbox.repository.tip(BRANCH)]


def test_removing_and_making_again_at_once_leaves_one_whole_worktree(sandbox: Sandbox) -> None:
    head, task = sandbox.repository.head(), "t-1"
    sandbox.task(task)
    with ThreadPoolExecutor(2) as pool:
        removing = pool.submit(remove_worktree, sandbox.repository, sandbox.folder(task))
        making = pool.submit(writing_worktree, sandbox.repository, sandbox.folder(task), branch(task), head)
    assert removing.exception() is None
    assert making.exception() is None or "gone" in str(making.exception())
    writing_worktree(sandbox.repository, sandbox.folder(task), branch(task), head)
    assert (sandbox.folder(task) / "README.md").is_file()
