"""Putting a worktree back: what moves, what stays, what is refused."""

from __future__ import annotations

import os

import pytest

from milestone.domain.errors import Conflict, Missing
from milestone.git.locks import turn
from milestone.git.putting_back import preview, put_back
from milestone.git.repository import Change
from milestone.git.trees import worktrees
from tests.git import states
from tests.git.repositories import Sandbox, branch
from tests.git.states import kept, picture


def test_a_preview_tells_what_would_change_and_changes_nothing(sandbox: Sandbox) -> None:
    """Planted and found: only the difference of the commits told."""
    sandbox.write({"src/a.py": "staged\n", "gone": "1"})
    sandbox.git("add", "src/a.py")
    first = kept(sandbox)
    sandbox.commit({"src/c.py": "c"})
    sandbox.write({"src/b.py": "b = 2\n", "new\nname": "1"})
    (sandbox.root / "gone").unlink()
    before, refs = sandbox.snapshot(), sandbox.refs()
    seen = preview(sandbox.repository, sandbox.root, first.ref)
    assert (sandbox.snapshot(), sandbox.refs()) == (before, refs)
    assert seen.files == (
        Change("A", "gone"),
        Change("D", "new\\nname"),
        Change("M", "src/b.py"),
        Change("D", "src/c.py"),
    )
    assert seen.index == (Change("D", "gone"), Change("D", "src/c.py"))
    assert seen.moves == (f"branch main moves from {sandbox.refs()['refs/heads/main'][:12]} to {first.head[:12]}",)
    assert seen.plain()["files"][0] == {"status": "A", "path": "gone"}


@pytest.mark.parametrize("to", ["switched", "detached", "renamed", "deleted", "orphan"])
def test_head_and_its_branch_come_back_from_wherever_they_went(sandbox: Sandbox, to: str) -> None:
    """Planted and found: HEAD left on the branch it is on now."""
    sandbox.git("switch", "--quiet", "--create", "work")
    first, wanted = kept(sandbox), picture(sandbox)
    sandbox.commit({"more": "1"})
    if to == "switched":
        sandbox.git("switch", "--quiet", "main")
    elif to == "orphan":
        sandbox.git("switch", "--quiet", "--orphan", "nothing")
    elif to == "renamed":
        sandbox.git("branch", "--move", "work", "other/name")
    else:
        sandbox.git("switch", "--quiet", "--detach")
    if to == "deleted":
        sandbox.git("branch", "-D", "--quiet", "work")
    before, second = picture(sandbox), kept(sandbox, name="two", also=first.ref)
    put_back(sandbox.repository, sandbox.root, first.ref)
    assert picture(sandbox) == wanted
    assert sandbox.repository.tip("work") == first.head
    put_back(sandbox.repository, sandbox.root, second.ref)
    assert picture(sandbox) == before


def test_a_detached_head_comes_back_and_no_branch_is_moved(sandbox: Sandbox) -> None:
    """Planted and found: the branch moved that HEAD is on now."""
    sandbox.git("switch", "--quiet", "--detach")
    first, wanted = kept(sandbox), picture(sandbox)
    sandbox.git("switch", "--quiet", "main")
    tip = sandbox.commit({"more": "1"})
    put_back(sandbox.repository, sandbox.root, first.ref)
    assert picture(sandbox) == wanted
    assert sandbox.repository.tip("main") == tip


def test_a_branch_that_another_worktree_has_is_refused_and_nothing_is_changed(sandbox: Sandbox) -> None:
    """Planted and found: not looked for."""
    sandbox.git("switch", "--quiet", "--create", "work")
    sandbox.write({"x": "1"})
    first = kept(sandbox)
    sandbox.git("switch", "--quiet", "main")
    (sandbox.root / "x").unlink()
    sandbox.git("worktree", "add", "--quiet", str(sandbox.root.parent / "elsewhere"), "work")
    before = sandbox.snapshot()
    for call in (preview, put_back):
        with pytest.raises(Conflict, match="elsewhere"):
            call(sandbox.repository, sandbox.root, first.ref)
    assert sandbox.snapshot() == before


def test_a_branch_whose_name_is_a_folder_of_branches_now_is_refused(sandbox: Sandbox) -> None:
    sandbox.git("switch", "--quiet", "--create", "work")
    sandbox.write({"x": "1"})
    first = kept(sandbox)
    sandbox.git("switch", "--quiet", "main")
    sandbox.git("branch", "--quiet", "-D", "work")
    sandbox.git("branch", "work/more")
    before = sandbox.snapshot()
    with pytest.raises(Conflict, match="work/more"):
        put_back(sandbox.repository, sandbox.root, first.ref)
    assert sandbox.snapshot() == before


def test_only_the_worktree_that_is_meant_is_put_back(sandbox: Sandbox) -> None:
    one, other = sandbox.task("t-1", {"src/a.py": "1"}), sandbox.task("t-2", {"src/a.py": "2"})
    first = kept(sandbox, one)
    sandbox.commit({"src/a.py": "3"}, at=one)
    sandbox.write({"src/b.py": "4"}, other)
    before = picture(sandbox), picture(sandbox, other), sandbox.repository.tip(branch("t-2"))
    put_back(sandbox.repository, one, first.ref)
    assert (picture(sandbox), picture(sandbox, other), sandbox.repository.tip(branch("t-2"))) == before
    assert sandbox.repository.tip(branch("t-1")) == first.head
    with pytest.raises(Missing):
        put_back(sandbox.repository, sandbox.root / "src", first.ref)


def test_ignored_files_stay_whatever_happens_to_the_rules(sandbox: Sandbox) -> None:
    """Planted and found: the rules of now, or of then, not looked at; what was ignored forgotten by a second call."""
    sandbox.commit({".gitignore": "*.old\n"})
    sandbox.write({"was.old": "1", "was.new": "in the checkpoint"})
    first = kept(sandbox)
    sandbox.write({".gitignore": "*.new\ncache/\n", "late.old": "2", "late.new": "3", "cache/deep/x": "4", "late": "5"})
    sandbox.write({"was.new": "changed while it was ignored"})
    second = kept(sandbox, name="two", also=first.ref)
    for _ in range(2):
        put_back(sandbox.repository, sandbox.root, first.ref)
        names = ("was.old", "was.new", "late.old", "late.new", "cache/deep/x")
        assert [(sandbox.root / name).read_text() for name in names] == ["1", "in the checkpoint", "2", "3", "4"]
        assert not (sandbox.root / "late").exists()
    put_back(sandbox.repository, sandbox.root, second.ref)
    assert (sandbox.root / "was.new").read_text() == "changed while it was ignored"
    assert (sandbox.root / "late").read_text() == "5"


@pytest.mark.parametrize("there", ["cache", "pipe", "file", "link"])
def test_what_nobody_kept_is_not_overwritten(sandbox: Sandbox, there: str) -> None:
    """Planted and found: one by one, what is in the way not looked for."""
    sandbox.commit({".gitignore": "*.cache\nplace\n"})
    name = "place/file" if there in ("file", "link") else "place"
    sandbox.write({name: "kept"})
    sandbox.git("add", "--force", name)
    first = kept(sandbox)
    sandbox.git("rm", "--quiet", "--force", name)
    if there == "cache":
        sandbox.write({"place/x.cache": "ignored"})
    elif there == "pipe":
        os.mkfifo(sandbox.root / "place")
    elif there == "file":
        sandbox.write({"place": "ignored"})
    else:
        (sandbox.root / "place").symlink_to(sandbox.home)
    before = sandbox.snapshot()
    with pytest.raises(Conflict, match="place"):
        put_back(sandbox.repository, sandbox.root, first.ref)
    assert sandbox.snapshot() == before


def test_files_and_folders_change_places(sandbox: Sandbox) -> None:
    sandbox.write({"a": "file", "b/c/d": "deep", "e/f": "1"})
    first, wanted = kept(sandbox), picture(sandbox)
    for name in ("a", "b/c/d", "e/f"):
        (sandbox.root / name).unlink()
    (sandbox.root / "b" / "c").rmdir()
    (sandbox.root / "e").rmdir()
    sandbox.write({"a/x/y": "now a folder", "b/c": "now a file", "e": "now a file"})
    (sandbox.root / "a" / "empty").mkdir()
    before, second = picture(sandbox), kept(sandbox, name="two")
    put_back(sandbox.repository, sandbox.root, first.ref)
    assert picture(sandbox) == wanted
    put_back(sandbox.repository, sandbox.root, second.ref)
    assert picture(sandbox) == before


def test_a_submodules_folder_that_was_removed_comes_back(sandbox: Sandbox) -> None:
    """Planted and found: the folder not made again."""
    states.prepare(sandbox)
    sandbox.write({"sub/one": "dirty"})
    first, wanted = kept(sandbox), picture(sandbox)
    sandbox.git("rm", "--quiet", "--force", "sub")
    assert not (sandbox.root / "sub").exists()
    put_back(sandbox.repository, sandbox.root, first.ref)
    assert picture(sandbox) == wanted


def test_a_repository_within_that_is_gone_for_good_is_refused(sandbox: Sandbox) -> None:
    inner = Sandbox(sandbox.root / "inner", sandbox.home)
    inner.root.mkdir()
    inner.git("init", "--quiet")
    inner.commit({"x": "1"})
    first = kept(sandbox)
    (inner.root / ".git").rename(sandbox.root.parent / "moved")
    before = sandbox.snapshot()
    with pytest.raises(Conflict, match="inner"):
        put_back(sandbox.repository, sandbox.root, first.ref)
    assert sandbox.snapshot() == before
    inner.git("init", "--quiet")
    inner.commit({"x": "2"})
    with pytest.raises(Conflict, match="inner"):
        put_back(sandbox.repository, sandbox.root, first.ref)
    assert (inner.root / "x").read_text() == "2"


def test_a_repository_that_came_after_stays(sandbox: Sandbox) -> None:
    sandbox.write({"new": "1", "late": "1"})
    first = kept(sandbox)
    (sandbox.root / "late").unlink()
    inner = Sandbox(sandbox.root / "inner", sandbox.home)
    inner.root.mkdir()
    inner.git("init", "--quiet")
    inner.commit({"x": "1"})
    put_back(sandbox.repository, sandbox.root, first.ref)
    assert (sandbox.root / "late").read_text() == "1"
    assert inner.git("status", "--porcelain") == ""
    (sandbox.root / "new").unlink()
    bare = Sandbox(sandbox.root / "new", sandbox.home)
    bare.root.mkdir()
    bare.git("init", "--quiet")
    with pytest.raises(Conflict, match="new"):
        put_back(sandbox.repository, sandbox.root, first.ref)
    assert (sandbox.root / "new" / ".git").is_dir()


def test_a_call_waits_for_its_turn_and_holds_it(sandbox: Sandbox) -> None:
    """Planted and found: put back without the worktree's turn."""
    from concurrent.futures import ThreadPoolExecutor

    path = sandbox.task("t-1")
    first = kept(sandbox, path)
    sandbox.write({"src/a.py": "2"}, path)
    desk = sandbox.repository.git.desk
    git_dir = next(one.git_dir for one in worktrees(sandbox.repository) if one.path == path)
    with ThreadPoolExecutor(1) as pool:
        with turn(desk, f"worktree-{git_dir.name}"):
            going = pool.submit(put_back, sandbox.repository, path, first.ref)
            with pytest.raises(TimeoutError):
                going.result(0.5)
            assert (path / "src" / "a.py").read_text() == "2"
        going.result()
    assert (path / "src" / "a.py").read_text() == "a = 1\n"
