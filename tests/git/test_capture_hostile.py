"""Checkpoints of a hostile repository: nothing of it runs, and nothing outside is read, written or moved."""

from __future__ import annotations

from pathlib import Path

import pytest

from milestone.domain.errors import Conflict
from milestone.git.capture import capture, forget
from milestone.git.putting_back import preview, put_back
from milestone.git.tips import branch_tips, move_back
from tests.git import states, traps
from tests.git.repositories import Sandbox
from tests.git.states import kept, picture


def all_of_it(sandbox: Sandbox) -> None:
    """Do everything that can be done with a checkpoint."""
    first = kept(sandbox)
    tips = branch_tips(sandbox.repository, "main", "milestone", checkpoint_id="one")
    names = ("x.txt", "x.one", "x.two", "x.three", "src/a.py", "README.md", "src/new.py")
    sandbox.write(dict.fromkeys(names, "changed\n"))
    capture(sandbox.repository, sandbox.root, "two", "main", also=first.ref)
    assert preview(sandbox.repository, sandbox.root, first.ref)
    put_back(sandbox.repository, sandbox.root, first.ref)
    move_back(sandbox.repository, tips)
    forget(sandbox.repository, "one")


def test_nothing_that_a_repository_or_a_submodule_names_runs(sandbox: Sandbox) -> None:
    """Planted and found: a submodule entered with the overrides of the repository around it."""
    states.prepare(sandbox)
    states.mess(sandbox)
    config, inner = sandbox.root / ".git" / "config", sandbox.root / ".git" / "modules" / "sub"
    before = config.read_text()
    laid = traps.lay(sandbox)
    with (inner / "config").open("a") as file:
        file.write(config.read_text().removeprefix(before))
        file.write(f'[filter "only"]\n\tclean = {laid.command("only-within")}\n')
    (inner / "hooks").mkdir(exist_ok=True)
    for hook in traps.HOOKS:
        (inner / "hooks" / hook).write_text(f"#!/bin/sh\n: >{laid.folder}/sprung/{hook}\n")
        (inner / "hooks" / hook).chmod(0o755)
    sandbox.write({".gitattributes": traps.ATTRIBUTES + "one filter=only\n", "one.py": "1"}, sandbox.root / "sub")
    wanted = {name: content for name, content in states.touched(sandbox).items() if ".git" not in name}
    all_of_it(sandbox)
    assert laid.sprung == set()
    found = {name: content for name, content in states.touched(sandbox).items() if ".git" not in name}
    assert {name: content[1] for name, content in found.items()} == {name: one[1] for name, one in wanted.items()}
    sandbox.git("status", at=sandbox.root / "sub")
    assert "only-within" in laid.sprung, "plain git does run them"


def test_nothing_in_the_environment_leads_astray(sandbox: Sandbox) -> None:
    laid = traps.made(sandbox)
    other = traps.decoy(sandbox, laid)
    before = other.snapshot(), other.refs(), sandbox.snapshot()
    all_of_it(sandbox)
    sandbox.git("checkout", "--quiet", "--", ".")
    (sandbox.root / "src" / "new.py").unlink(missing_ok=True)
    found = other.snapshot(), other.refs(), sandbox.snapshot()
    assert found[:2] == before[:2]
    assert {name: one for name, one in found[2].items() if "index" not in name} == {
        name: one for name, one in before[2].items() if "index" not in name
    }
    assert laid.sprung == set()


def test_a_folder_swapped_for_a_link_leads_nobody_outside(sandbox: Sandbox) -> None:
    """Planted and found: files beyond a link taken for the worktree's."""
    outside = sandbox.root.parent / "outside"
    sandbox.write({"deep/a/one": "1", "deep/a/two": "2", "new/a/three": "3"})
    sandbox.git("add", "deep")
    sandbox.git("commit", "--quiet", "-m", "deep")
    first, wanted = kept(sandbox), picture(sandbox)
    for place in ("deep/a", "new"):
        (sandbox.root / place).rename(sandbox.root.parent / f"moved-{place.replace('/', '-')}")
        (sandbox.root / place).symlink_to(outside)
    sandbox.write({"one": "secret", "two": "secret", "a/three": "secret", "four": "secret"}, outside)
    second, swapped = kept(sandbox, name="two"), picture(sandbox)
    listing = sandbox.git("ls-tree", "-r", "--name-only", f"{second.ref}:files").split()
    assert {"deep/a", "new"} <= set(listing)
    assert not {"deep/a/one", "deep/a/four", "new/a/three"} & set(listing)
    put_back(sandbox.repository, sandbox.root, first.ref)
    assert picture(sandbox) == wanted
    assert {path.name: path.read_text() for path in outside.rglob("*") if path.is_file()} == dict.fromkeys(
        ("one", "two", "three", "four"), "secret"
    )
    put_back(sandbox.repository, sandbox.root, second.ref)
    assert picture(sandbox) == swapped
    assert sorted(path.name for path in outside.rglob("*")) == ["a", "four", "one", "three", "two"]


@pytest.mark.parametrize("how", ["file", "link", "commondir", "refs"])
def test_a_git_folder_that_lies_elsewhere_is_not_entered(sandbox: Sandbox, how: str) -> None:
    """Planted and found, one by one: a place that leads elsewhere entered."""
    other = Sandbox(sandbox.root.parent / "other", sandbox.home)
    other.root.mkdir()
    other.git("init", "--quiet")
    other.commit({"x": "1"})
    inner = Sandbox(sandbox.root / "inner", sandbox.home)
    inner.root.mkdir()
    place = inner.root / ".git"
    if how == "file":
        place.write_text(f"gitdir: {other.root}/.git\n")
    elif how == "link":
        place.symlink_to(other.root / ".git")
    else:
        inner.git("init", "--quiet")
        inner.commit({"y": "1"})
        if how == "commondir":
            (place / "commondir").write_text(f"{other.root}/.git\n")
        else:
            (place / "refs").rename(place / "old")
            (place / "refs").symlink_to(other.root / ".git" / "refs")
    sandbox.write({"x": "2"}, inner.root)
    before = other.snapshot(), other.refs()
    first = kept(sandbox)
    assert first.left_out == ("inner/",)
    sandbox.write({"x": "3", "README.md": "changed"}, inner.root)
    put_back(sandbox.repository, sandbox.root, first.ref)
    assert (other.snapshot(), other.refs()) == before
    assert (inner.root / "x").read_text() == "3"


def test_a_submodule_that_leads_elsewhere_since_is_not_put_back(sandbox: Sandbox) -> None:
    states.prepare(sandbox)
    other = Sandbox(sandbox.root.parent / "other", sandbox.home)
    other.root.mkdir()
    other.git("init", "--quiet")
    other.commit({"one": "theirs"})
    first = kept(sandbox)
    (sandbox.root / "sub" / ".git").write_text(f"gitdir: {other.root}/.git\n")
    sandbox.write({"one": "mine", "../README.md": "changed"}, sandbox.root / "sub")
    before = other.snapshot(), other.refs(), states.touched(sandbox)
    for call in (preview, put_back):
        with pytest.raises(Conflict, match="leads elsewhere"):
            call(sandbox.repository, sandbox.root, first.ref)
    assert (other.snapshot(), other.refs(), states.touched(sandbox)) == before


def test_a_checkpoint_that_an_agent_made_up_writes_nothing_of_ours(sandbox: Sandbox) -> None:
    """Planted and found: what lies in `.milestones/` put back; paths out of the folder of a rebase followed."""
    first = kept(sandbox)
    blob = sandbox.git("hash-object", "-w", "--stdin", given=b"evil")
    inner = sandbox.git("mktree", given=f"100644 blob {blob}\tstate.yaml\n".encode())
    files = sandbox.git("mktree", given=f"040000 tree {inner}\t.milestones\n".encode())
    about = sandbox.git("cat-file", "blob", f"{first.ref}:about")
    told = about.replace('"under_way": {}', '"under_way": {"../evil": "1", "rebase-merge/..": "1", "config": "1"}')
    assert told != about
    made: dict[str, str] = {}
    for name, tree in (("files", files), ("told", sandbox.git("rev-parse", f"{first.ref}:files"))):
        note = sandbox.git("hash-object", "-w", "--stdin", given=told.encode())
        staged = sandbox.git("rev-parse", f"{first.ref}:staged")
        lines = f"100644 blob {note}\tabout\n040000 tree {tree}\tfiles\n040000 tree {staged}\tstaged\n"
        made[name] = sandbox.git("commit-tree", "-m", "x", sandbox.git("mktree", given=lines.encode()))
    config = (sandbox.root / ".git" / "config").read_bytes()
    with pytest.raises(Exception, match=r"\.milestones"):
        put_back(sandbox.repository, sandbox.root, made["files"])
    put_back(sandbox.repository, sandbox.root, made["told"])
    assert (sandbox.root / ".git" / "config").read_bytes() == config
    assert not (sandbox.root / "evil").exists()
    assert not (sandbox.root / ".milestones" / "state.yaml").exists()


def test_settings_of_the_repository_cannot_hide_a_change(sandbox: Sandbox) -> None:
    """Planted and found: `core.fileMode=false` believed."""
    sandbox.commit({"run": "#!/bin/sh\n"})
    for name, value in (("core.fileMode", "false"), ("core.ignoreStat", "true"), ("core.checkStat", "minimal")):
        sandbox.git("config", name, value)
    sandbox.git("config", "core.worktree", str(sandbox.home))
    (sandbox.root / "run").chmod(0o755)
    first = kept(sandbox)
    assert "100755" in sandbox.git("ls-tree", f"{first.ref}:files", "run")
    assert Path(first.path) == sandbox.root
    (sandbox.root / "run").chmod(0o644)
    put_back(sandbox.repository, sandbox.root, first.ref)
    assert (sandbox.root / "run").stat().st_mode & 0o111


def test_somebody_who_writes_at_the_same_time_loses_nothing(sandbox: Sandbox) -> None:
    """A file that changes after it was looked at is either refused, or its new content is kept.

    Planted and found: files overwritten without a last look.
    """
    sandbox.write({"a": "1"})
    first = kept(sandbox)
    sandbox.write({"a": "2"})
    program = sandbox.root.parent / "bin" / "git"
    script = f"""#!/bin/sh
case "$*" in *"read-tree -m -u"*) echo "just written" >"{sandbox.root}/a" ;; esac
PATH="{sandbox.environ["PATH"]}" exec git "$@"
"""
    sandbox.write({"bin/git": script}, sandbox.root.parent)
    program.chmod(0o755)
    racing = Sandbox(sandbox.root, sandbox.home, {"PATH": f"{program.parent}:{sandbox.environ['PATH']}"})
    with pytest.raises(Conflict, match="call again"):
        put_back(racing.repository, racing.root, first.ref)
    assert (sandbox.root / "a").read_text() == "just written\n"
    put_back(sandbox.repository, sandbox.root, first.ref)
    assert (sandbox.root / "a").read_text() == "1"
