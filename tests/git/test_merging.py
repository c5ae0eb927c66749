"""Merging a task: tried without touching anything, guarded, made one commit, and the branch moved on."""

from __future__ import annotations

from pathlib import Path

import pytest

from milestone.domain.errors import Conflict, Missing, Refusal
from milestone.git.branches import advance
from milestone.git.bringing import bring_up
from milestone.git.merging import Preview, guard, preview, squash
from milestone.git.repository import Change
from tests.git.repositories import BRANCH, Sandbox, branch, said


def take(sandbox: Sandbox, task: str) -> str:
    """Merge a task into the milestone's branch and return the commit."""
    made = squash(sandbox.repository, BRANCH, branch(task), said(task))
    advance(sandbox.repository, BRANCH, made.commit, made.tip)
    return made.commit


def everything(root: Path) -> dict[str, bytes]:
    """Return all files but Git's objects."""
    return {str(one): one.read_bytes() for one in root.rglob("*") if one.is_file() and "objects" not in one.parts}


def test_a_preview_tells_what_would_change_and_changes_nothing(sandbox: Sandbox) -> None:
    """Planted and found: the merge tried, and given up, in the checkout."""
    sandbox.task("t-1", {"src/a.py": "2", "src/b.py": None, "new/🦆\n": ""})
    before = everything(sandbox.root)
    seen = preview(sandbox.repository, BRANCH, branch("t-1"))
    assert seen == preview(sandbox.repository, BRANCH, sandbox.repository.tip(branch("t-1")))
    assert {one.path: one.status for one in seen.touched} == {"src/a.py": "M", "src/b.py": "D", "new/🦆\\n": "A"}
    assert (seen.deleted, seen.clashes, seen.tip) == (("src/b.py",), (), sandbox.repository.tip(BRANCH))
    assert everything(sandbox.root) == before


def test_what_the_branch_gained_meanwhile_is_not_the_tasks(sandbox: Sandbox) -> None:
    """Planted and found: the preview compared with the merge base."""
    for task, file in (("t-1", "src/a.py"), ("t-2", "src/b.py")):
        sandbox.task(task, {file: "2"}, sandbox.repository.head())
        sandbox.repository.create_branch(BRANCH, sandbox.repository.head())
    take(sandbox, "t-1")
    assert [one.path for one in preview(sandbox.repository, BRANCH, branch("t-2")).touched] == ["src/b.py"]


def test_a_conflict_report_names_every_file_and_the_task_that_changed_it_last(sandbox: Sandbox) -> None:
    """Planted and found: the task's own commits asked instead of those on the milestone's branch."""
    odd = b"half-\xff\n.md".decode("utf-8", "surrogateescape")
    sandbox.commit({"src/c.py": "1", "src/d.py": "1", odd: "1"}, said("long-ago"))
    for task, line in (("t-1", "one"), ("t-2", "two")):
        sandbox.task(task, {"src/a.py": line, "src/c.py": line, odd: line}, sandbox.repository.head())
        sandbox.repository.create_branch(BRANCH, sandbox.repository.head())
    sandbox.task("t-3", {"src/c.py": None, "src/a.py": "one\n\nthree"}, sandbox.repository.head())
    take(sandbox, "t-1")
    seen = preview(sandbox.repository, BRANCH, branch("t-3"))
    assert {one.path: (one.how, one.task) for one in seen.clashes} == {
        "src/a.py": ("changed on both sides", "t-1"),
        "src/c.py": ("changed on the milestone's branch, deleted on the task's", "t-1"),
    }
    sandbox.task("t-4", {"src/d.py": "4"})
    take(sandbox, "t-4")
    with pytest.raises(Conflict, match=r"half-\\xff\\n\.md \(changed on both sides, last changed by task t-1\)"):
        squash(sandbox.repository, BRANCH, branch("t-2"), said("t-2"))
    found = {one.path: one.task for one in preview(sandbox.repository, BRANCH, branch("t-2")).clashes}
    assert found == dict.fromkeys(["src/a.py", "src/c.py", "half-\\xff\\n.md"], "t-1")


def test_files_and_folders_of_one_name_are_a_conflict(sandbox: Sandbox) -> None:
    start = sandbox.repository.head()
    sandbox.task("t-1", {"thing": "file"}, start)
    sandbox.task("t-2", {"thing/inner": "folder"}, start)
    sandbox.repository.create_branch(BRANCH, start)
    take(sandbox, "t-1")
    assert preview(sandbox.repository, BRANCH, branch("t-2")).clashes


def test_branches_without_a_common_past_are_not_merged(sandbox: Sandbox) -> None:
    sandbox.task("t-1")
    sandbox.git("checkout", "-q", "--orphan", "alone")
    sandbox.commit({"x": ""})
    with pytest.raises(Refusal, match="no commit in common"):
        preview(sandbox.repository, BRANCH, "alone")
    with pytest.raises(Missing):
        preview(sandbox.repository, "no/such", "alone")
    with pytest.raises(Missing):
        preview(sandbox.repository, BRANCH, "no/such")


def test_a_deletion_that_was_not_declared_is_not_merged(sandbox: Sandbox) -> None:
    """Planted and found: all touched files asked about; none."""
    sandbox.task("t-1", {"src/a.py": None, "src/b.py": None, "x": ""})
    seen = preview(sandbox.repository, BRANCH, branch("t-1"))
    with pytest.raises(Refusal, match=r"did not declare: src/a\.py\."):
        guard(seen, ["src/b.py", "x"])
    guard(seen, ["src"])
    guard(Preview("b", "t", "s", "b", "t", (), (Change("M", "other"), Change("A", "more"))), [])


def test_a_file_moved_out_of_the_declared_paths_counts_as_deleted(sandbox: Sandbox) -> None:
    """Planted and found: renames recognised, so that the old name is not seen."""
    sandbox.commit({"big.txt": "line\n" * 100})
    sandbox.task("t-1", {"big.txt": None, "moved.txt": "line\n" * 100}, sandbox.repository.head())
    sandbox.repository.create_branch(BRANCH, sandbox.repository.head())
    with pytest.raises(Refusal, match=r"big\.txt"):
        guard(preview(sandbox.repository, BRANCH, branch("t-1")), ["moved.txt"])


def test_a_task_becomes_one_commit_and_nothing_moves_before_it_may(sandbox: Sandbox) -> None:
    sandbox.task("t-1", {"src/a.py": "2"})
    sandbox.task("t-1", {"src/a.py": "3", "more": ""})
    before = sandbox.refs()
    made = squash(sandbox.repository, BRANCH, branch("t-1"), said("t-1"))
    assert sandbox.refs() == before
    advance(sandbox.repository, BRANCH, made.commit, made.tip)
    assert sandbox.refs() == before | {f"refs/heads/{BRANCH}": made.commit}
    assert sandbox.git("log", "--format=%P", "-1", made.commit) == made.tip
    assert sandbox.git("log", "--format=%B", "-1", made.commit) == said("t-1")
    with pytest.raises(Refusal, match="nothing to merge"):
        squash(sandbox.repository, BRANCH, branch("t-1"), said("t-1"))


def test_a_branch_moves_only_from_where_it_was_seen_and_only_forward(sandbox: Sandbox) -> None:
    """Planted and found: update-ref without the old value; the look for a descendant left out."""
    repository = sandbox.repository
    sandbox.task("t-1", {"src/a.py": "2"})
    sandbox.task("t-2", {"src/b.py": "2"})
    one, two = (squash(repository, BRANCH, branch(task), said(task)) for task in ("t-1", "t-2"))
    advance(repository, BRANCH, one.commit, one.tip)
    advance(repository, BRANCH, one.commit, one.tip)
    with pytest.raises(Conflict, match="is at"):
        advance(repository, BRANCH, two.commit, two.tip)
    with pytest.raises(Refusal, match="does not follow"):
        advance(repository, BRANCH, two.commit, one.commit)
    assert repository.tip(BRANCH) == one.commit


def test_where_the_branch_is_checked_out_its_files_move_along(sandbox: Sandbox) -> None:
    """Planted and found: only the ref moved, so that the checkout seems to take everything back."""
    sandbox.task("t-1", {"src/a.py": "2", "src/b.py": None})
    sandbox.git("checkout", "-q", BRANCH)
    sandbox.write({"README.md": "half-way", "mine": "unknown"})
    made = take(sandbox, "t-1")
    assert sandbox.repository.head() == made
    assert sandbox.git("status", "--porcelain", "--", ":!.milestones") == " M README.md\n?? mine"
    assert (sandbox.root / "src" / "a.py").read_text() == "2"
    assert (sandbox.root / "README.md").read_text() == "half-way"


@pytest.mark.parametrize("linked", [False, True])
def test_where_changes_are_in_the_way_the_worktree_is_named_and_left_as_it_is(sandbox: Sandbox, linked: bool) -> None:
    """Planted and found: autostash; the ref moved all the same."""
    sandbox.task("t-1", {"src/a.py": "2", "new": "theirs"})
    sandbox.write({"kept": "x"})
    sandbox.git("stash", "--include-untracked", "--", "kept")
    sandbox.commit({})
    where = sandbox.root.parent / "linked" if linked else sandbox.root
    if linked:
        sandbox.git("worktree", "add", "-q", str(where), BRANCH)
    else:
        sandbox.git("checkout", "-q", BRANCH)
    sandbox.write({"src/a.py": "mine", "new": "mine"}, where)
    before, tip = sandbox.snapshot(), sandbox.repository.tip(BRANCH)
    with pytest.raises(Refusal, match=f"checked out in {where} .*Commit or stash there"):
        take(sandbox, "t-1")
    after = sandbox.snapshot()
    after.pop(".git/ORIG_HEAD", None)  # git notes where it stood before it tries
    assert after == before
    assert sandbox.repository.tip(BRANCH) == tip
    assert (where / "src" / "a.py").read_text() == (where / "new").read_text() == "mine"
    assert sandbox.git("stash", "list").count("\n") == 0


def test_a_checkout_whose_folder_is_gone_is_in_nobodys_way(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.task("t-1", {"src/a.py": "2"})
    sandbox.git("worktree", "add", "-q", str(tmp_path / "gone"), BRANCH)
    (tmp_path / "gone").rename(tmp_path / "away")
    assert take(sandbox, "t-1") == sandbox.repository.tip(BRANCH)


def test_options_that_a_branch_carries_are_not_followed(sandbox: Sandbox) -> None:
    """Planted and found: mergeOptions left as they are."""
    for one in (BRANCH, branch("t-2")):
        sandbox.git("config", f"branch.{one}.mergeOptions", "--no-ff --strategy=ours")
    sandbox.task("t-1", {"src/a.py": "2"})
    path = sandbox.task("t-2", {"src/b.py": "2"})
    sandbox.git("checkout", "-q", BRANCH)
    assert take(sandbox, "t-1") == sandbox.repository.head()
    assert bring_up(sandbox.repository, path, sandbox.repository.head()) == ()
    assert (path / "src" / "a.py").read_text() == "2"
