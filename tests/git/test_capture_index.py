"""The index in a checkpoint: conflicts, marks and every form that Git gives it come back."""

from __future__ import annotations

import os

import pytest

from milestone.git.putting_back import preview, put_back
from tests.git import states
from tests.git.repositories import Sandbox
from tests.git.states import kept, picture, there_and_back


@pytest.mark.parametrize("how", ["merge", "cherry-pick", "rebase"])
def test_conflicts_and_what_is_under_way_come_back(sandbox: Sandbox, how: str) -> None:
    """Planted and found: what is under way left as it is now; the stages of a conflict forgotten."""
    start = sandbox.repository.head()
    sandbox.commit({"src/a.py": "ours\n", "src/b.py": "ours\n", "other": "1"})
    clean, begin = picture(sandbox), kept(sandbox, name="begin")
    sandbox.git("branch", "side", start)
    sandbox.git("worktree", "add", "--quiet", str(sandbox.root.parent / "side"), "side")
    sandbox.commit({"src/a.py": "theirs\n", "src/b.py": "theirs\n"}, at=sandbox.root.parent / "side")
    sandbox.git("worktree", "remove", str(sandbox.root.parent / "side"))
    sandbox.git(how, "side", check=False)
    sandbox.write({"src/b.py": "resolved\n"})
    sandbox.git("add", "src/b.py")
    wanted, first = picture(sandbox), kept(sandbox)
    assert "\nM " in "\n" + sandbox.git("ls-files", "--stage", "-v")
    assert wanted["resolved"]
    sandbox.git(how, "--abort")
    assert "what it was" in "".join(preview(sandbox.repository, sandbox.root, first.ref).moves)
    there_and_back(sandbox, sandbox.root, first)
    assert picture(sandbox) == wanted
    sandbox.git("reflog", "expire", "--expire=now", "--all")
    sandbox.git("gc", "--quiet", "--prune=now")
    there_and_back(sandbox, sandbox.root, begin)
    assert picture(sandbox) == clean
    sandbox.git("fsck", "--strict")


def test_a_merge_of_which_all_is_resolved_comes_back(sandbox: Sandbox) -> None:
    """Planted and found: which files were in conflict forgotten."""
    start = sandbox.repository.head()
    sandbox.commit({"src/a.py": "ours\n"})
    sandbox.git("switch", "--quiet", "--create", "side", start)
    sandbox.commit({"src/a.py": "theirs\n"})
    sandbox.git("merge", "main", check=False)
    sandbox.write({"src/a.py": "resolved\n"})
    sandbox.git("add", "src/a.py")
    wanted, first = picture(sandbox), kept(sandbox)
    assert wanted["resolved"]
    sandbox.git("merge", "--abort")
    there_and_back(sandbox, sandbox.root, first)
    assert picture(sandbox) == wanted


def test_what_only_a_conflict_holds_is_not_collected_as_garbage(sandbox: Sandbox) -> None:
    """Planted and found: the content of a conflict's stages held on to by nothing."""
    blobs = [sandbox.git("hash-object", "-w", "--stdin", given=f"side {number}".encode()) for number in (1, 2, 3)]
    stages = "".join(f"100644 {blob} {number}\tsrc/a.py\n" for number, blob in enumerate(blobs, 1))
    nothing = f"0 {'0' * 40}\tsrc/a.py\n"
    sandbox.git("update-index", "--index-info", given=(nothing + stages).encode())
    wanted, first = picture(sandbox), kept(sandbox)
    sandbox.git("reset", "--quiet", "--hard")
    sandbox.git("gc", "--quiet", "--prune=now")
    put_back(sandbox.repository, sandbox.root, first.ref)
    assert picture(sandbox) == wanted
    assert [sandbox.git("cat-file", "blob", blob) for blob in blobs] == ["side 1", "side 2", "side 3"]


def test_nothing_that_a_checkpoint_needs_is_collected_as_garbage(sandbox: Sandbox) -> None:
    """Planted and found: the commit of a deleted branch held on to by nothing."""
    states.prepare(sandbox)
    sandbox.git("switch", "--quiet", "--create", "short-lived")
    sandbox.commit({"lived": "1"})
    sandbox.write({"both": "only staged"})
    sandbox.git("add", "both")
    sandbox.write({"both": "only on disk", "fresh": "only on disk, too"})
    wanted, first = picture(sandbox), kept(sandbox)
    sandbox.git("switch", "--quiet", "--force", "main")
    sandbox.git("branch", "--quiet", "-D", "short-lived")
    (sandbox.root / "fresh").unlink()
    sandbox.git("reflog", "expire", "--expire=now", "--all")
    sandbox.git("gc", "--quiet", "--prune=now")
    put_back(sandbox.repository, sandbox.root, first.ref)
    assert picture(sandbox) == wanted


def test_marks_of_files_in_the_index_come_back(sandbox: Sandbox) -> None:
    """Planted and found: all but what is staged left out."""
    sandbox.commit({"a": "1", "b": "1", "c/d": "1"})
    sandbox.git("update-index", "--assume-unchanged", "a")
    sandbox.git("sparse-checkout", "set", "--no-cone", "/*", "!/c")
    sandbox.write({"a": "not looked at", "meant": "x"})
    sandbox.git("add", "--intent-to-add", "meant")
    assert not (sandbox.root / "c").exists()
    wanted, first = picture(sandbox), kept(sandbox)
    sandbox.git("update-index", "--no-assume-unchanged", "a")
    sandbox.git("reset", "--quiet", "--hard")
    sandbox.git("sparse-checkout", "disable")
    seen = preview(sandbox.repository, sandbox.root, first.ref)
    assert {"a", "c/d", "meant"} <= {change.path for change in seen.index}
    there_and_back(sandbox, sandbox.root, first)
    assert picture(sandbox) == wanted


@pytest.mark.parametrize(
    "settings", [{"core.splitIndex": "true"}, {"index.version": "4"}, {"core.untrackedCache": "true"}]
)
def test_every_form_of_index_comes_back(sandbox: Sandbox, settings: dict[str, str]) -> None:
    """Planted and found: half of a split index kept."""
    for name, value in settings.items():
        sandbox.git("config", name, value)
    sandbox.commit({f"many/{number}": f"{number}" for number in range(50)})
    sandbox.write({"many/1": "staged", "new": "1"})
    sandbox.git("add", "many/1")
    sandbox.git("add", "--intent-to-add", "new")
    wanted, first = picture(sandbox), kept(sandbox)
    sandbox.git("reset", "--quiet", "--hard")
    sandbox.git("config", "--unset", next(iter(settings)))
    sandbox.git("update-index", "--no-split-index", "--index-version=2")
    for old in (sandbox.root / ".git").glob("sharedindex.*"):
        old.unlink()
    there_and_back(sandbox, sandbox.root, first)
    assert picture(sandbox) == wanted


def test_a_change_that_leaves_size_and_time_alone_is_seen_after_putting_back(sandbox: Sandbox) -> None:
    """Planted and found: the index written with the time of now, so that git trusts a file's time that it must not."""
    sandbox.git("config", "core.trustctime", "false")
    same, index = sandbox.root / "same", sandbox.root / ".git" / "index"
    sandbox.write({"same": "1111", "meant": ""})
    time = same.stat().st_mtime_ns - 10**10
    os.utime(same, ns=(time, time))
    sandbox.git("add", "same")
    sandbox.git("add", "--intent-to-add", "meant")
    os.utime(index, ns=(time, time))  # as when both were written at the same moment
    same.write_text("2222")
    os.utime(same, ns=(time, time))
    first = kept(sandbox)
    index.unlink()
    put_back(sandbox.repository, sandbox.root, first.ref)
    assert "AM same" in sandbox.git("status", "--porcelain")
