"""Names from outside: none of them is ever an option, a path or a command to git."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from milestone.domain.errors import Refusal
from milestone.git import commits, names
from milestone.git.branches import advance
from milestone.git.bringing import bring_up
from milestone.git.merging import preview, squash
from milestone.git.repository import Repository
from milestone.git.worktrees import checkout_at, reading_worktree, writing_worktree
from tests.git.repositories import BRANCH, Sandbox, branch, said

EVIL = (
    "--output={}",
    "-O{}",
    "-ccore.fsmonitor=touch {}",
    "-c core.editor=touch {}",
    "--upload-pack=touch {}",
    "--exec=touch {}",
    "ext::sh -c touch% {}",
    "x\n--output={}",
    "$(touch {})",
    "`touch {}`",
    "; touch {}",
    "HEAD",
    "@",
    "@{{-1}}",
    "HEAD~1",
    "main:README.md",
    ":/begin",
    "^main",
    "main..main",
    "refs/heads/main\0",
    "../main",
    "main\n",
    "",
    "é",
    "x" * 300,
)
Use = Callable[[Repository, Path, str, str], object]  # in a repository, at a path: a name, and a good commit
COMMITS: dict[str, Use] = {
    "file_at": lambda r, _, name, _h: r.file_at(name, "README.md"),
    "is_reachable": lambda r, _, name, _h: r.is_reachable(name, "main"),
    "is_ancestor": lambda r, _, name, head: r.is_ancestor(head, name),
    "touched": lambda r, _, name, head: r.touched(name, head),
    "touched to": lambda r, _, name, head: r.touched(head, name),
    "patch": lambda r, _, name, head: r.patch(name, head),
    "commits_of": lambda r, _, name, _h: r.commits_of(name, "main", "t"),
    "create_branch": lambda r, _, name, _h: r.create_branch("new", name),
    "start": lambda r, p, name, _: writing_worktree(r, p, "new", name),
    "reading": lambda r, p, name, _: reading_worktree(r, p, name),
    "checkout_at": lambda r, p, name, _: checkout_at(r, p, name),
    "bring_up": lambda r, p, name, _: bring_up(r, p.with_name("t-1"), name),
    "advance": lambda r, _, name, head: advance(r, BRANCH, name, head),
    "advance from": lambda r, _, name, head: advance(r, BRANCH, head, name),
}
BRANCHES: dict[str, Use] = {
    "tip": lambda r, _, name, _h: r.tip(name),
    "is_reachable": lambda r, _, name, head: r.is_reachable(head, name),
    "commits_of": lambda r, _, name, head: r.commits_of(head, name, "t"),
    "create_branch": lambda r, _, name, head: r.create_branch(name, head),
    "writing": writing_worktree,
    "preview": lambda r, _, name, _h: preview(r, name, branch("t-1")),
    "preview of": lambda r, _, name, _h: preview(r, BRANCH, name),
    "squash": lambda r, _, name, _h: squash(r, name, branch("t-1"), said("t-1")),
    "squash of": lambda r, _, name, _h: squash(r, BRANCH, name, said("t-1")),
    "advance": lambda r, _, name, head: advance(r, name, head, head),
}


def tried(sandbox: Sandbox, use: Use, marker: Path, word: str) -> None:
    """Use a name where one is expected and see it refused before git sees it."""
    name = word.format(marker)
    with pytest.raises(Refusal) as refused:
        use(sandbox.repository, sandbox.folder("evil"), name, sandbox.first)
    assert "git " not in str(refused.value), "git was asked"
    assert str(refused.value).isprintable()


@pytest.mark.parametrize("uses", [BRANCHES, COMMITS], ids=["branch", "commit"])
def test_a_name_that_is_none_is_refused_before_git_sees_it(
    sandbox: Sandbox, tmp_path: Path, uses: dict[str, Use]
) -> None:
    """Planted and found: `match` for `fullmatch` in both patterns."""
    sandbox.task("t-1", {"src/a.py": "2"})
    before, marker = sandbox.refs(), tmp_path / "marker"
    for use in uses.values():
        for word in EVIL if uses is COMMITS else set(EVIL) - {"HEAD"}:
            tried(sandbox, use, marker, word)
    assert sandbox.refs() == before
    assert not [path for path in (tmp_path, sandbox.root) if (path / "marker").exists()]


def test_whatever_stands_where_a_file_is_named_is_only_a_name(sandbox: Sandbox, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    for word in EVIL:
        assert sandbox.repository.file_at(sandbox.first, word.format(marker)) is None
    assert not marker.exists()


@pytest.mark.parametrize("word", EVIL[:8:2])
def test_a_path_that_looks_like_an_option_is_a_path(sandbox: Sandbox, tmp_path: Path, word: str) -> None:
    path = sandbox.folder(word.format("marker").replace("/", "_"))
    made = writing_worktree(sandbox.repository, path, "new", sandbox.first)
    assert made.path == path
    assert (path / "README.md").is_file()
    assert not list(tmp_path.rglob("marker"))


def test_a_summary_cannot_smuggle_trailers() -> None:
    """Planted and found: a summary that may hold line ends."""
    for evil in ("x\nTask: t-2", "x\r\rTask: t-2", "x\x0bTask: t-2", "x\u2028Task: t-2", "x\0", "", " ", "x" * 101):
        with pytest.raises(Refusal, match="summary"):
            commits.message("feat", "execute", evil, milestone="m", task="t-1")
    assert commits.message("fix", "task", "ü" * 100, milestone="m", task="t-1").startswith("fix(task): üü")


@pytest.mark.parametrize(
    "body", ["Task: t-2", "x\n\n task : t-2\nPhase: x", "x\r\rTask: t-2", "x\u2028Task: t-2\n---\ny"]
)
def test_a_body_cannot_smuggle_trailers(sandbox: Sandbox, body: str) -> None:
    """Planted and found: a body without indents, put behind the trailers."""
    text = commits.message("feat", "execute", "x", body, milestone="m", task="t-1")
    read = sandbox.git("interpret-trailers", "--parse", given=text.encode()).splitlines()
    assert read == ["Milestone: m", "Phase: execute", "Task: t-1"]
    sandbox.commit({"x": ""}, text)
    assert sandbox.git("log", "-1", "--format=%(trailers:key=Task,valueonly)").split() == ["t-1"]


def test_kinds_and_ids_of_a_message_are_checked() -> None:
    with pytest.raises(Refusal, match="kind"):
        commits.message("feature", "execute", "x", milestone="m", task="t")
    for evil in ("", "t\nTask: u", "t\n", " t", "ü"):
        for given in ({"milestone": evil, "task": "t"}, {"milestone": "m", "task": evil}):
            with pytest.raises(Refusal, match="trailer"):
                commits.message("feat", "execute", "x", **given)


def test_branches_are_named_after_milestone_and_task() -> None:
    assert names.milestone_branch("milestone-7") == "feature/milestone-7"
    assert names.milestone_branch("seven") == "feature/milestone-seven"
    assert names.task_branch("m", "fix-1.lock") == "milestone/m/fix-1.lock_"
    for evil in ("a..b", "a.", "a/.b", "a.lock/b", "a.lock", "a//b", "/a", "a/", "a b", "a~1", "0" * 40, "a@{1}"):
        with pytest.raises(Refusal):
            names.branch(evil)
