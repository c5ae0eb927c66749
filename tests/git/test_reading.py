"""What is read of a repository, and branches that are made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from milestone.domain.errors import Missing, Refusal
from milestone.git.repository import FILE_LIMIT, open_repository
from tests.git.repositories import BRANCH, Sandbox, said

ODD = {
    "new\nline": b"",
    'quo"te': b"",
    "-dash": b"",
    "--output=x": b"",
    "tab\there": b"",
    ":(top)x": b"",
    "*": b"",
    "🦆 é.md": b"",
}
UNREADABLE = b"half-\xff.md"
SHOWN = ["new\\nline", 'quo"te', "-dash", "--output=x", "tab\\there", ":(top)x", "*", "🦆 é.md", "half-\\xff.md"]


def test_a_repository_without_a_commit_has_no_head(tmp_path: Path) -> None:
    made = Sandbox(tmp_path, tmp_path)
    made.git("init", "--quiet")
    assert made.repository.head() == ""


@pytest.mark.parametrize("kind", ["none", "bare", "hollow"])
def test_a_folder_that_is_no_usable_repository_is_refused(tmp_path: Path, kind: str) -> None:
    made = Sandbox(tmp_path / "x", tmp_path)
    made.root.mkdir()
    if kind == "bare":
        made.git("init", "--quiet", "--bare", ".git")
    if kind == "hollow":
        (made.root / ".git").mkdir()
    with pytest.raises(Refusal):
        open_repository(made.root, made.environ)


def test_a_folder_within_a_repository_opens_it(sandbox: Sandbox) -> None:
    inner = open_repository(sandbox.root / "src", sandbox.environ)
    assert inner.head() == sandbox.git("rev-parse", "HEAD")
    assert inner.worktree == inner.main_worktree == sandbox.root


def test_a_file_is_read_as_committed(sandbox: Sandbox) -> None:
    (sandbox.root / "link").symlink_to("README.md")
    commit = sandbox.commit(
        {"big": b"x" * (FILE_LIMIT + 1), "brim": b"x" * FILE_LIMIT, "nul": b"\0\xff", ":(top)x": b"odd"}
    )
    sandbox.write({"README.md": "changed"})
    repository = sandbox.repository
    assert repository.file_at(commit, "README.md") == b"hello\n"
    assert repository.file_at(commit, "nul") == b"\0\xff"
    assert repository.file_at(commit, ":(top)x") == b"odd"
    assert repository.file_at(commit, "brim") == b"x" * FILE_LIMIT
    for nothing in ("gone", "src", "src/", "link", "", "/etc/passwd", "../x", "README.md\0", "*"):
        assert repository.file_at(commit, nothing) is None
    with pytest.raises(Refusal, match="at most"):
        repository.file_at(commit, "big")


def test_what_is_there_in_a_commit_is_known(sandbox: Sandbox) -> None:
    first = sandbox.repository.head()
    second = sandbox.commit({"x": ""}, "one\n\ntwo\n")
    repository = sandbox.repository
    assert all(repository.exists_at(first, path) for path in ("README.md", "src", "src/", "src/a.py"))
    assert not any(repository.exists_at(first, path) for path in ("x", "", "/", ".", "..", "../x", "sr", "*", ":/"))
    assert (repository.parent(second), repository.parent(first)) == (first, first)
    assert repository.text_of(second) == "one\n\ntwo\n"


def test_changes_between_commits_are_listed_whatever_the_files_are_called(sandbox: Sandbox) -> None:
    """Planted and found: output split at line ends instead of NUL; renames switched on."""
    base = sandbox.repository.head()
    (sandbox.root / UNREADABLE.decode("utf-8", "surrogateescape")).write_bytes(b"")
    (sandbox.root / "src" / "a.py").rename(sandbox.root / "src" / "c.py")
    (sandbox.root / "src" / "b.py").unlink()
    (sandbox.root / "src" / "b.py").symlink_to("c.py")
    head = sandbox.commit({**ODD, "README.md": "other"})
    found = {change.path: change.status for change in sandbox.repository.touched(base, head)}
    expected = {"README.md": "M", "src/a.py": "D", "src/c.py": "A", "src/b.py": "T"}
    assert found == dict.fromkeys(SHOWN, "A") | expected


def test_a_changed_submodule_is_listed_though_the_repository_asks_to_ignore_it(sandbox: Sandbox) -> None:
    """Planted and found: diff-tree without --ignore-submodules=none."""
    base = sandbox.repository.head()
    sandbox.write({".gitmodules": '[submodule "s"]\npath = s\nurl = ./s\nignore = all\n'})
    sandbox.git("add", ".gitmodules")
    sandbox.git("update-index", "--add", "--cacheinfo", f"160000,{base},s")
    sandbox.git("commit", "-qm", "s")
    middle = sandbox.repository.head()
    sandbox.git("update-index", "--cacheinfo", f"160000,{middle},s")
    sandbox.git("commit", "-qm", "s")
    head = sandbox.repository.head()
    assert [change.path for change in sandbox.repository.touched(middle, head)] == ["s"]
    assert f"+Subproject commit {middle}" in sandbox.repository.patch(middle, head)


def test_a_patch_shows_both_sides_and_is_text_whatever_is_in_it(sandbox: Sandbox) -> None:
    base = sandbox.repository.head()
    head = sandbox.commit({"src/a.py": b"a = '\xff'\n"})
    shown = sandbox.repository.patch(base, head)
    assert "-a = 1\n+a = '\ufffd'" in shown
    shown.encode()


def test_reachable_means_on_the_branch(sandbox: Sandbox) -> None:
    repository, first = sandbox.repository, sandbox.repository.head()
    repository.create_branch(BRANCH, first)
    second = sandbox.commit({"x": ""})
    assert repository.is_reachable(first, BRANCH)
    assert not repository.is_reachable(second, BRANCH)
    assert not repository.is_reachable("0" * 40, BRANCH)
    assert not repository.is_reachable(first, "no/such")


def test_a_branch_is_made_once_and_never_moved(sandbox: Sandbox) -> None:
    """Planted and found: update-ref without the old value, with the look before it left out."""
    repository, first = sandbox.repository, sandbox.repository.head()
    assert repository.create_branch(BRANCH, first) == first
    second = sandbox.commit({"x": ""})
    assert repository.create_branch(BRANCH, second) == first == repository.tip(BRANCH)
    assert repository.tip("no/such") == ""
    with pytest.raises(Missing):
        repository.existing_tip("no/such")


def test_a_branch_is_not_made_where_there_is_no_commit_or_no_room(sandbox: Sandbox) -> None:
    repository, head = sandbox.repository, sandbox.repository.head()
    repository.create_branch("a/b", head)
    blob = sandbox.git("rev-parse", "HEAD:README.md")
    for name, commit in (("x", "1" * 40), ("x", blob), ("a/b/c", head), ("a", head)):
        with pytest.raises(Refusal, match="update-ref"):
            repository.create_branch(name, commit)
    assert "refs/heads/x" not in sandbox.refs()


def test_commits_of_a_task_are_those_whose_last_paragraph_names_it(sandbox: Sandbox) -> None:
    """Planted and found: the word looked for anywhere in the message."""
    repository, base = sandbox.repository, sandbox.repository.head()
    one = sandbox.commit({"1": ""}, said("t-1"))
    sandbox.commit({"2": ""}, said("t-10"))
    sandbox.commit({"3": ""}, "forged\n\nTask: t-1\n\nSigned-off-by: x <x@y>")
    sandbox.commit({"4": ""}, "no trailer: Task: t-1")
    five = sandbox.commit({"5": ""}, said("t-1", "again"))
    assert repository.commits_of(base, "main", "t-1") == [five, one]
    assert repository.commits_of(five, "main", "t-1") == []
