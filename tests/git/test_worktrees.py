"""Worktrees: made, found again, mended and removed, and never at the cost of somebody's work."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from milestone.domain.errors import Conflict, Refusal
from milestone.git.trees import Worktree, changes, find_worktree, worktrees
from milestone.git.worktrees import checkout_at, reading_worktree, remove_worktree, writing_worktree
from tests.git.repositories import BRANCH, Sandbox, branch


def writing(sandbox: Sandbox, task: str = "t-1") -> Worktree:
    """Ask for the worktree of a task."""
    return writing_worktree(sandbox.repository, sandbox.folder(task), branch(task), sandbox.repository.head())


def test_a_writing_worktree_has_a_branch_from_the_start_it_was_given(sandbox: Sandbox) -> None:
    start = sandbox.repository.head()
    sandbox.commit({"later": ""})
    made = writing_worktree(sandbox.repository, sandbox.folder("t-1"), branch("t-1"), start)
    assert (made.branch, made.head, made.path) == (branch("t-1"), start, sandbox.folder("t-1"))
    assert sorted(path.name for path in made.path.iterdir()) == [".git", "README.md", "src"]
    assert sandbox.git("status", "--porcelain", at=made.path) == ""


def test_asked_for_again_it_is_the_same_with_all_that_was_done_there(sandbox: Sandbox) -> None:
    path = sandbox.task("t-1", {"src/a.py": "2"})
    sandbox.write({"half": "way"}, path)
    again = writing(sandbox)
    assert again.head == sandbox.repository.tip(branch("t-1")) != sandbox.repository.head()
    assert [(change.status, change.path) for change in changes(sandbox.repository, path)] == [("?", "half")]
    assert len(worktrees(sandbox.repository)) == 2


def test_what_is_not_committed_is_told_without_the_workspace(sandbox: Sandbox) -> None:
    """Planted and found: status without -z; without the exclusion."""
    path = writing(sandbox).path
    odd = b"half-\xff\n.md".decode("utf-8", "surrogateescape")
    sandbox.write({".milestones/x.yaml": "", "new/deep/x": "", odd: "", "src/a.py": "2", ".gitignore": "*.log\n"}, path)
    sandbox.write({"x.log": "", "staged": ""}, path)
    sandbox.git("add", "staged", at=path)
    sandbox.git("mv", "README.md", "READ.md", at=path)
    (path / "src" / "b.py").unlink()
    found = {change.path: change.status for change in changes(sandbox.repository, path)}
    unknown = dict.fromkeys(["new/deep/x", "half-\\xff\\n.md", ".gitignore"], "?")
    assert found == unknown | {"src/a.py": "M", "src/b.py": "D", "staged": "A", "READ.md": "A", "README.md": "D"}


def test_a_path_or_branch_of_another_worktree_is_not_taken(sandbox: Sandbox) -> None:
    repository, head = sandbox.repository, sandbox.repository.head()
    first = writing(sandbox)
    with pytest.raises(Conflict, match="belongs to milestone/m/t-1"):
        writing_worktree(repository, first.path, branch("t-2"), head)
    with pytest.raises(Conflict, match="is checked out in"):
        writing_worktree(repository, sandbox.folder("t-2"), branch("t-1"), head)
    with pytest.raises(Conflict, match="belongs to branch"):
        reading_worktree(repository, first.path, head)
    with pytest.raises(Conflict, match="belongs to branch"):
        checkout_at(repository, first.path, head)
    with pytest.raises(Conflict, match="main worktree"):
        writing_worktree(repository, sandbox.root, branch("t-2"), head)


def test_a_folder_that_was_deleted_is_made_again_from_its_branch(sandbox: Sandbox) -> None:
    path = sandbox.task("t-1", {"src/a.py": "2"})
    shutil.rmtree(path)
    assert writing(sandbox).path == path
    assert (path / "src" / "a.py").read_text() == "2"
    shutil.rmtree(path)
    elsewhere = writing_worktree(sandbox.repository, sandbox.folder("new"), branch("t-1"), sandbox.repository.head())
    assert (elsewhere.path / "src" / "a.py").read_text() == "2"


def test_other_worktrees_whose_folder_is_away_keep_their_registration(sandbox: Sandbox, tmp_path: Path) -> None:
    """Planted and found: `git worktree prune`, which forgets what lies on a disk that is not mounted."""
    sandbox.git("worktree", "add", "-q", "--detach", str(tmp_path / "usb" / "w"))
    (tmp_path / "usb").rename(tmp_path / "unmounted")
    shutil.rmtree(sandbox.task("t-1"))
    writing(sandbox)
    remove_worktree(sandbox.repository, sandbox.folder("t-1"))
    (tmp_path / "unmounted").rename(tmp_path / "usb")
    assert sandbox.git("status", "--porcelain", at=tmp_path / "usb" / "w") == ""


def test_a_registration_that_was_deleted_is_made_again_and_its_files_are_kept_beside(sandbox: Sandbox) -> None:
    """Planted and found: a leftover folder removed instead of moved."""
    path = sandbox.task("t-1", {"src/a.py": "2"})
    sandbox.write({"src/a.py": "3, not committed"}, path)
    shutil.rmtree(sandbox.root / ".git" / "worktrees" / "t-1")
    assert writing(sandbox).path == path
    assert (path / "src" / "a.py").read_text() == "2"
    assert (path.with_name("t-1.left-1") / "src" / "a.py").read_text() == "3, not committed"


def test_a_project_that_was_moved_finds_its_worktrees_again(sandbox: Sandbox) -> None:
    sandbox.write({"half": "way"}, sandbox.task("t-1", {"src/a.py": "2"}))
    moved = Sandbox(sandbox.root.with_name("moved"), sandbox.home)
    sandbox.root.rename(moved.root)
    again = writing(moved)
    assert again.path == moved.folder("t-1")
    assert [change.path for change in changes(moved.repository, again.path)] == ["half"]


def test_a_copied_worktree_does_not_take_the_registration_of_the_one_it_was_copied_from(sandbox: Sandbox) -> None:
    """Planted and found: `git worktree repair` for whatever has a `.git` file."""
    original = sandbox.task("t-1", {"src/a.py": "2"})
    shutil.copytree(original, sandbox.folder("copy"))
    made = writing_worktree(sandbox.repository, sandbox.folder("copy"), branch("copy"), sandbox.repository.head())
    assert made.branch == branch("copy")
    assert writing(sandbox).path == original
    assert sandbox.git("branch", "--show-current", at=original) == branch("t-1")


@pytest.mark.parametrize("text", ["gitdir: /nowhere/.git/worktrees/t-1\n", "garbage", None])
def test_a_git_file_that_was_changed_is_mended(sandbox: Sandbox, text: str | None) -> None:
    path = sandbox.task("t-1", {"src/a.py": "2"})
    (path / ".git").unlink()
    if text is not None:
        (path / ".git").write_text(text)
    sandbox.write({"src/a.py": "3"}, path)
    assert writing(sandbox).path == path
    assert [change.path for change in changes(sandbox.repository, path)] == ["src/a.py"]
    assert sandbox.git("status", "--porcelain", at=path) == " M src/a.py"


@pytest.mark.parametrize("what", ["files", "file", "link"])
def test_whatever_else_is_in_the_way_stays_and_is_named(sandbox: Sandbox, tmp_path: Path, what: str) -> None:
    path, elsewhere = sandbox.folder("t-1"), tmp_path / "elsewhere"
    elsewhere.mkdir()
    path.parent.mkdir(parents=True)
    if what == "files":
        sandbox.write({"mine": "x"}, path)
    elif what == "file":
        path.write_text("mine")
    else:
        path.symlink_to(elsewhere)
    with pytest.raises(Conflict, match="t-1"):
        writing(sandbox)
    assert not list(elsewhere.iterdir())
    assert path.is_symlink() or path.read_text() == "mine" if path.is_file() else path.exists()


def test_a_worktree_whose_making_was_interrupted_is_finished(sandbox: Sandbox) -> None:
    repository, path = sandbox.repository, sandbox.folder("t-1")
    repository.create_branch(branch("t-1"), repository.head())
    sandbox.git("worktree", "add", "-q", "--no-checkout", str(path), branch("t-1"))
    assert (writing(sandbox).path / "README.md").is_file()
    shutil.rmtree(path)
    (sandbox.root / ".git" / "worktrees" / "t-1" / "locked").write_text("initializing")
    assert (writing(sandbox).path / "README.md").is_file()
    for left in ("index", "HEAD"):
        (sandbox.root / ".git" / "worktrees" / "t-1" / left).unlink()
        (sandbox.root / ".git" / "worktrees" / "t-1" / "locked").write_text("initializing")
        for one in (".git", "README.md", "src/a.py", "src/b.py"):
            (path / one).unlink()
        (path / "src").rmdir()
        assert (writing(sandbox).path / "README.md").is_file()


def test_a_branch_that_vanished_under_its_worktree_is_not_begun_anew(sandbox: Sandbox) -> None:
    """Planted and found: the branch made from the start again, so that its commits are on none."""
    sandbox.task("t-1", {"src/a.py": "2"})
    last = sandbox.repository.tip(branch("t-1"))
    sandbox.git("update-ref", "-d", f"refs/heads/{branch('t-1')}")
    with pytest.raises(Conflict, match=f"git branch milestone/m/t-1 {last}"):
        writing(sandbox)
    assert sandbox.repository.tip(branch("t-1")) == ""


def test_a_reading_worktree_is_detached_and_follows_while_it_is_clean(sandbox: Sandbox) -> None:
    """Planted and found: moved with --force."""
    repository, path, first = sandbox.repository, sandbox.folder("read"), sandbox.repository.head()
    made = reading_worktree(repository, path, first)
    assert (made.branch, made.head) == ("", first)
    second = sandbox.commit({"src/a.py": "2"})
    assert reading_worktree(repository, path, second).head == second
    assert (path / "src" / "a.py").read_text() == "2"
    sandbox.write({"src/b.py": "note", "new": ""}, path)
    assert reading_worktree(repository, path, second).head == second
    with pytest.raises(Refusal, match=r"src/b\.py, new"):
        reading_worktree(repository, path, first)
    assert (path / "src" / "b.py").read_text() == "note"


def test_the_gates_worktree_holds_exactly_the_commit_and_what_is_ignored(sandbox: Sandbox) -> None:
    """Planted and found: clean with -x; clean left out; reset instead of a detached checkout; files that the index
    says are not to be looked at left as they are.
    """
    first = sandbox.commit({".gitignore": "deps/\n"})
    second = sandbox.commit({"src/a.py": "2", "src/new.py": ""})
    repository, path = sandbox.repository, sandbox.folder("gates")
    assert checkout_at(repository, path, second).head == second
    sandbox.write({"src/a.py": "tampered", "cache/x": "", "deps/lib": "installed", "README.md": ""}, path)
    sandbox.write({"nested/x": ""}, path)
    sandbox.git("init", "-q", at=path / "nested")
    sandbox.git("add", "README.md", at=path)
    sandbox.git("checkout", "-q", "-b", "made-by-a-gate", at=path)
    sandbox.git("update-index", "--assume-unchanged", "src/a.py", at=path)
    sandbox.git("update-index", "--skip-worktree", "src/b.py", at=path)
    sandbox.write({"src/b.py": "tampered"}, path)
    made = checkout_at(repository, path, first)
    assert (made.head, made.branch) == (first, "")
    assert sorted(str(one.relative_to(path)) for one in path.rglob("*") if one.is_file()) == [
        *(".git", ".gitignore", "README.md", "deps/lib", "src/a.py", "src/b.py"),
    ]
    assert (path / "src" / "a.py").read_text() == "a = 1\n"
    assert (path / "src" / "b.py").read_text() == "b = 1\n"
    assert sandbox.repository.tip("made-by-a-gate") == second


def test_a_worktree_is_removed_with_its_folder_and_its_branch_stays(sandbox: Sandbox) -> None:
    path = sandbox.task("t-1", {"src/a.py": "2"})
    remove_worktree(sandbox.repository, path)
    remove_worktree(sandbox.repository, path)
    assert not path.exists()
    assert find_worktree(sandbox.repository, path) is None
    assert sandbox.repository.tip(branch("t-1"))
    assert BRANCH in sandbox.git("branch", "--list", BRANCH)


def test_a_worktree_with_changes_is_removed_only_by_force(sandbox: Sandbox) -> None:
    """Planted and found: force always."""
    path = sandbox.task("t-1")
    sandbox.write({"new": ""}, path)
    with pytest.raises(Refusal, match="not committed: new"):
        remove_worktree(sandbox.repository, path)
    assert (path / "new").exists()
    remove_worktree(sandbox.repository, path, force=True)
    assert not path.exists()


def test_nothing_but_a_linked_worktree_is_ever_removed(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.write({"x": ""}, tmp_path / "other")
    for path in (sandbox.root, tmp_path / "other", sandbox.root / "src"):
        with pytest.raises(Refusal):
            remove_worktree(sandbox.repository, path, force=True)
    assert (tmp_path / "other" / "x").exists()
    assert (sandbox.root / "src" / "a.py").exists()
