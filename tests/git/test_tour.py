"""The life of a milestone in Git, and what it leaves of the person's own: everything, byte for byte."""

from __future__ import annotations

import pytest

from milestone.git.merging import squash
from tests.git.repositories import BRANCH, Sandbox, branch, said
from tests.git.tour import tour


def test_two_tasks_that_clash_end_as_two_commits_with_trailers(sandbox: Sandbox) -> None:
    tip = tour(sandbox)
    assert sandbox.git("show", f"{BRANCH}:src/a.py") == "a = 5"
    assert sandbox.git("log", "-1", "--format=%(trailers:key=Task,valueonly)", tip).strip() == "t-2"
    assert sandbox.git("log", "-1", "--format=%(trailers:key=Milestone,valueonly)", tip).strip() == "m"
    assert sandbox.git("log", "-1", "--format=%an <%ae>", tip) == "Milestone <milestone@localhost>"
    sandbox.git("fsck", "--strict")


@pytest.mark.parametrize("given", ["user", "author"])
def test_commits_name_the_person_whom_git_knows(sandbox: Sandbox, given: str) -> None:
    more = "[committer]\nname = C\nemail = c@x\n" if given == "author" else ""
    (sandbox.home / ".gitconfig").write_text(f"[{given}]\nname = Ada\nemail = ada@example.org\n{more}")
    sandbox.task("t-1", {"src/a.py": "2"})
    made = squash(sandbox.repository, BRANCH, branch("t-1"), said("t-1")).commit
    for commit in (made, branch("t-1")):
        assert sandbox.git("log", "-1", "--format=%an <%ae>", commit) == "Ada <ada@example.org>"


def test_the_persons_files_index_stash_and_branches_stay_as_they_are(sandbox: Sandbox) -> None:
    """Planted and found: a merge tried with `git merge --no-commit` in the checkout, and a stash before moving on."""
    sandbox.write({"src/b.py": "stashed\n"})
    sandbox.git("stash")
    sandbox.write({"src/a.py": "half-way\n", "new.txt": "unknown\n", "staged.txt": "s\n"})
    sandbox.git("add", "staged.txt")
    (sandbox.root / "link").symlink_to("/nowhere")
    before = sandbox.snapshot()
    tour(sandbox)
    assert sandbox.snapshot() == before


def test_work_goes_on_in_a_linked_worktree_of_the_person_too(sandbox: Sandbox) -> None:
    other = sandbox.root.parent / "other"
    sandbox.git("worktree", "add", "-q", "-b", "side", str(other))
    tip = sandbox.commit({"side.txt": "s"}, at=other)
    linked = Sandbox(other, sandbox.home).repository
    assert linked.head() == tip
    assert linked.main_worktree == sandbox.root
    assert linked.worktree == other
    assert sandbox.repository.head() != tip
