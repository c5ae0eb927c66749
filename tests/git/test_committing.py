"""What an agent commits in its worktree, and how it is brought up to the milestone's branch."""

from __future__ import annotations

from pathlib import Path

import pytest

from milestone.domain.errors import Refusal
from milestone.git import commits
from milestone.git.bringing import bring_up
from milestone.git.trees import changes
from milestone.git.worktrees import reading_worktree
from tests.git.repositories import Sandbox, branch, said


def committed(sandbox: Sandbox, path: Path, *declared: str) -> str:
    """Commit as the agent of t-1."""
    return commits.commit(sandbox.repository, path, said("t-1"), declared or ["."])


def test_everything_but_the_workspace_is_committed_whatever_it_is_called(sandbox: Sandbox) -> None:
    """Planted and found: staging without the exclusion."""
    path = sandbox.task("t-1")
    odd = [b"half-\xff\n.md".decode("utf-8", "surrogateescape"), "-x", ":(top)y", "é 🦆", "a/.milestones/z"]
    sandbox.write({".milestones/state": "", **dict.fromkeys(odd, "x")}, path)
    (path / "src" / "b.py").unlink()
    made = committed(sandbox, path)
    assert sandbox.repository.tip(branch("t-1")) == made
    touched = {one.path: one.status for one in sandbox.repository.touched(f"{sandbox.repository.head()}", made)}
    assert touched == {"half-\\xff\\n.md": "A", **dict.fromkeys(odd[1:], "A"), "src/b.py": "D"}
    assert changes(sandbox.repository, path) == []
    assert sandbox.git("log", "-1", "--format=%B", made) == said("t-1")


def test_files_outside_the_declared_paths_are_refused_by_name(sandbox: Sandbox) -> None:
    """Planted and found: deletions left out of the check."""
    path, before = sandbox.task("t-1"), sandbox.repository.head()
    sandbox.write({"src/a.py": "2", "docs/new.md": ""}, path)
    (path / "README.md").unlink()
    with pytest.raises(Refusal, match=r"changed: README\.md, docs/new\.md\. Allowed: src/\.") as refused:
        committed(sandbox, path, "src/")
    assert "Undo" in str(refused.value)
    assert sandbox.repository.tip(branch("t-1")) == before
    sandbox.git("checkout", "README.md", at=path)
    committed(sandbox, path, "src/", "docs")


def test_a_file_that_was_staged_behind_our_back_is_judged_too(sandbox: Sandbox) -> None:
    """Planted and found: only the files of the work tree judged."""
    path = sandbox.task("t-1")
    sandbox.write({"hidden": "x", "src/a.py": "2"}, path)
    sandbox.git("add", "hidden", at=path)
    sandbox.git("update-index", "--skip-worktree", "hidden", at=path)
    (path / "hidden").unlink()
    with pytest.raises(Refusal, match="hidden"):
        committed(sandbox, path, "src")


def test_nothing_to_commit_is_said(sandbox: Sandbox) -> None:
    path = sandbox.task("t-1")
    sandbox.write({".milestones/x": ""}, path)
    with pytest.raises(Refusal, match="nothing to commit"):
        committed(sandbox, path)


def test_nothing_is_committed_where_there_is_no_branch(sandbox: Sandbox) -> None:
    path = reading_worktree(sandbox.repository, sandbox.folder("read"), sandbox.repository.head()).path
    sandbox.write({"src/a.py": "2"}, path)
    with pytest.raises(Refusal, match="there to read"):
        committed(sandbox, path)
    with pytest.raises(Refusal, match="no branch"):
        bring_up(sandbox.repository, path, sandbox.repository.head())


def test_a_worktree_without_commits_of_its_own_just_moves_on(sandbox: Sandbox) -> None:
    path, tip = sandbox.task("t-1"), sandbox.commit({"src/a.py": "2"})
    assert bring_up(sandbox.repository, path, tip) == ()
    assert bring_up(sandbox.repository, path, tip) == ()
    assert sandbox.repository.tip(branch("t-1")) == tip
    assert (path / "src" / "a.py").read_text() == "2"


def test_work_that_goes_together_is_merged_at_once(sandbox: Sandbox) -> None:
    path = sandbox.task("t-1", {"src/a.py": "2"})
    tip = sandbox.commit({"src/b.py": "3"})
    assert bring_up(sandbox.repository, path, tip) == ()
    assert ((path / "src" / "a.py").read_text(), (path / "src" / "b.py").read_text()) == ("2", "3")
    assert sandbox.repository.is_reachable(tip, branch("t-1"))
    assert changes(sandbox.repository, path) == []


def test_a_clash_is_left_with_marks_and_names_the_task_on_the_other_side(sandbox: Sandbox) -> None:
    path = sandbox.task("t-1", {"src/a.py": "mine\n", "src/b.py": None, "both": "1"})
    sandbox.commit({"src/a.py": "theirs\n"}, said("t-7"))
    tip = sandbox.commit({"src/b.py": "kept\n", "both": "2"}, said("t-8"))
    found = {clash.path: (clash.how, clash.task) for clash in bring_up(sandbox.repository, path, tip)}
    assert found == {
        "src/a.py": ("changed on both sides", "t-7"),
        "src/b.py": ("deleted on the task's branch, changed on the milestone's", "t-8"),
        "both": ("added on both sides", "t-8"),
    }
    assert "<<<<<<< " in (path / "src" / "a.py").read_text()
    again = bring_up(sandbox.repository, path, tip)
    assert {clash.path for clash in again} == set(found)


def clash(sandbox: Sandbox) -> tuple[Path, str]:
    """Return a worktree in the middle of a merge that clashes in src/a.py, and what is merged in."""
    path = sandbox.task("t-1", {"src/a.py": "mine\n"})
    tip = sandbox.commit({"src/a.py": "theirs\n", "other/x": "theirs"}, said("t-7"))
    assert bring_up(sandbox.repository, path, tip)
    return path, tip


def test_marks_of_conflict_are_not_committed_however_often_it_is_tried(sandbox: Sandbox) -> None:
    """Planted and found: conflicted files looked up after staging has forgotten them."""
    path, _ = clash(sandbox)
    for _ in range(2):
        with pytest.raises(Refusal, match=r"Marks of conflict are left in src/a\.py"):
            committed(sandbox, path, "src")
    sandbox.write({"src/a.py": "both\n=======\n", "notes/x": ""}, path)
    with pytest.raises(Refusal, match="notes/x"):
        committed(sandbox, path, "src")
    sandbox.write({"src/a.py": "x\n>>>>>>> theirs\n"}, path)
    (path / "notes" / "x").unlink()
    with pytest.raises(Refusal, match="Marks"):
        committed(sandbox, path, "src")


def test_a_resolved_merge_is_committed_and_the_other_sides_files_are_not_the_tasks(sandbox: Sandbox) -> None:
    """Planted and found: a merge judged against the task's own last commit."""
    path, tip = clash(sandbox)
    sandbox.write({"src/a.py": "both\n"}, path)
    made = committed(sandbox, path, "src")
    assert sandbox.git("log", "-1", "--format=%P", made).split()[1] == tip
    assert [one.path for one in sandbox.repository.touched(tip, made)] == ["src/a.py"]
    assert bring_up(sandbox.repository, path, tip) == ()


def test_the_other_sides_files_are_not_changed_under_cover_of_a_merge(sandbox: Sandbox) -> None:
    """Planted and found: only new files judged in a merge."""
    path, _ = clash(sandbox)
    sandbox.write({"src/a.py": "both\n", "other/x": "mine"}, path)
    with pytest.raises(Refusal, match="other/x"):
        committed(sandbox, path, "src")
    (path / "other" / "x").unlink()
    with pytest.raises(Refusal, match="other/x"):
        committed(sandbox, path, "src")


def test_marks_in_files_that_did_not_clash_are_text(sandbox: Sandbox) -> None:
    path = sandbox.task("t-1")
    sandbox.write({"docs/git.md": "<<<<<<< HEAD\na\n=======\nb\n>>>>>>> x\n"}, path)
    committed(sandbox, path)


def test_nothing_is_merged_over_changes_that_are_not_committed(sandbox: Sandbox) -> None:
    """Planted and found: autostash."""
    path, tip = sandbox.task("t-1", {"src/a.py": "2"}), sandbox.commit({"src/b.py": "3"})
    sandbox.write({"src/b.py": "half", "new": ""}, path)
    with pytest.raises(Refusal, match=r"not committed: src/b\.py, new"):
        bring_up(sandbox.repository, path, tip)
    assert (path / "src" / "b.py").read_text() == "half"


def test_a_merge_whose_git_ended_before_it_was_committed_is_ended(sandbox: Sandbox) -> None:
    path, tip = sandbox.task("t-1", {"src/a.py": "2"}), sandbox.commit({"src/b.py": "3"})
    sandbox.git("merge", "--no-commit", "--no-ff", tip, at=path)
    newer = sandbox.commit({"src/c.py": "4"})
    assert bring_up(sandbox.repository, path, newer) == ()
    assert sandbox.repository.is_reachable(newer, branch("t-1"))
    assert changes(sandbox.repository, path) == []
