"""Every ability of the Git room once, in the order of a milestone's life."""

from __future__ import annotations

from milestone.git import commits
from milestone.git.branches import advance
from milestone.git.bringing import bring_up
from milestone.git.merging import guard, preview, squash
from milestone.git.trees import changes, worktrees
from milestone.git.worktrees import checkout_at, reading_worktree, remove_worktree, writing_worktree
from tests.git.repositories import BRANCH, Sandbox, branch, said

DECLARED = ["src", "docs"]


def tour(sandbox: Sandbox) -> str:
    """Carry two tasks that clash through a milestone and return the commit its branch ends at."""
    repository = sandbox.repository
    base = repository.create_branch(BRANCH, repository.head())
    for task, line in (("t-1", "a = 2\n"), ("t-2", "a = 3\n")):
        path = writing_worktree(repository, sandbox.folder(task), branch(task), base).path
        sandbox.write({"src/a.py": line, f"docs/{task}.md": "told\n"}, path)
        assert {change.path for change in changes(repository, path)} == {"src/a.py", f"docs/{task}.md"}
        made = commits.commit(repository, path, said(task), DECLARED)
        assert repository.commits_of(base, branch(task), task) == [made]
        assert {change.path for change in repository.touched(base, made)} == {"src/a.py", f"docs/{task}.md"}
        assert line.encode() == repository.file_at(made, "src/a.py")
        assert line in repository.patch(base, made)
    reading = reading_worktree(repository, sandbox.folder("reader"), base)
    _take(sandbox, "t-1")
    assert preview(repository, BRANCH, branch("t-2")).clashes
    assert [clash.task for clash in bring_up(repository, sandbox.folder("t-2"), repository.tip(BRANCH))] == ["t-1"]
    sandbox.write({"src/a.py": "a = 5\n"}, sandbox.folder("t-2"))
    commits.commit(repository, sandbox.folder("t-2"), said("t-2", "agree"), DECLARED)
    tip = _take(sandbox, "t-2")
    assert reading_worktree(repository, reading.path, tip).head == tip
    assert repository.is_reachable(base, BRANCH)
    for one in worktrees(repository)[1:]:
        remove_worktree(repository, one.path, force=True)
    assert sandbox.git("log", "--format=%s", f"{base}..{BRANCH}").splitlines() == ["feat(execute): do it"] * 2
    return tip


def _take(sandbox: Sandbox, task: str) -> str:
    """Merge a task as the gates do: try, check out, move the branch."""
    repository = sandbox.repository
    seen = preview(repository, BRANCH, branch(task))
    guard(seen, DECLARED)
    made = squash(repository, BRANCH, branch(task), said(task))
    checkout_at(repository, sandbox.folder("gates"), made.commit)
    advance(repository, BRANCH, made.commit, made.tip)
    return made.commit
