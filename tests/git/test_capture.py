"""A checkpoint of a worktree: nothing is touched when it is made, and all of it comes back, byte for byte."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from milestone.domain.errors import Missing, Refusal
from milestone.git.capture import CHECKPOINTS, capture, forget
from milestone.git.putting_back import put_back
from milestone.git.tips import branch_tips
from tests.git import states
from tests.git.repositories import Sandbox
from tests.git.states import kept, picture, there_and_back


@pytest.mark.parametrize("where", ["main", "linked"])
def test_every_kind_of_change_comes_back_byte_for_byte_and_can_be_undone(sandbox: Sandbox, where: str) -> None:
    """Planted and found: the index rebuilt from its tree alone; executable bits not looked at; repositories within
    left out.
    """
    at = sandbox.root if where == "main" else sandbox.task("t-1")
    states.prepare(sandbox, at)
    states.mess(sandbox, at)
    first, wanted = kept(sandbox, at), picture(sandbox, at)
    states.mess(sandbox, at, mark="2")
    sandbox.commit({"later": "x"}, "later", at=at)
    sandbox.git("reset", "--quiet", "--hard", at=at)
    sandbox.git("switch", "--quiet", "--create", "elsewhere", at=at)
    sandbox.write({"after": "1", "new/after": "2", "forced.ignored": "3", "sub/after": "4"}, at)
    sandbox.commit({"one": "another commit"}, at=at / "sub")
    (at / "mode").chmod(0o644)
    (at / "run").chmod(0o755)
    there_and_back(sandbox, at, first)
    assert picture(sandbox, at) == wanted
    sandbox.git("fsck", "--strict")


def test_capturing_touches_nothing(sandbox: Sandbox) -> None:
    """Planted and found: `write-tree` on the index itself, which writes into it."""
    states.prepare(sandbox)
    states.mess(sandbox)
    seen, refs = picture(sandbox), sandbox.refs()
    before = states.touched(sandbox)
    made = kept(sandbox)
    assert states.touched(sandbox) == before
    assert picture(sandbox) == seen
    assert sandbox.refs() == refs | {made.ref: made.commit}


def test_what_is_captured_is_told_in_numbers_that_json_can_hold(sandbox: Sandbox) -> None:
    states.prepare(sandbox)
    head = sandbox.git("rev-parse", "HEAD")
    sandbox.write({"staged": "1", "changed": "2", "new": "4"})
    sandbox.git("add", "staged")
    (sandbox.root / "gone").unlink()
    made = kept(sandbox)
    assert json.loads(json.dumps(made.plain())) == {
        "name": "main",
        "path": str(sandbox.root),
        "ref": f"{CHECKPOINTS}/one/main",
        "commit": made.commit,
        "branch": "main",
        "head": head,
        "staged": 1,
        "changed": 1,
        "untracked": 1,
        "deleted": 1,
        "left_out": [],
    }


def test_line_ends_keywords_and_encodings_are_left_as_they_are(sandbox: Sandbox) -> None:
    """Planted and found: the second index without attributes of its own."""
    sandbox.git("config", "core.autocrlf", "true")
    attributes = (
        "*.id ident\n*.u16 text working-tree-encoding=UTF-16\n*.lf text eol=lf\n*.crlf text eol=crlf\n*.a filter=x\n"
    )
    files = {"x.id": "$Id$\n", "x.u16": "hé\n".encode("utf-16"), "x.lf": "1\n", "x.crlf": "1\r\n", "x.a": "a\r\n"}
    sandbox.commit({".gitattributes": attributes, **files, "text": "1\r\n2\r\n"})
    for name in (*files, "text"):
        (sandbox.root / name).unlink()
    sandbox.git("checkout", "--", ".")
    assert (sandbox.root / "x.id").read_bytes().startswith(b"$Id: ")
    sandbox.write({"mixed": "1\r\n2\n", "x.lf": "1\r\n2\n", "new.id": "$Id: mine $", "new.u16": b"\xfe\xffa"})
    wanted, first = picture(sandbox), kept(sandbox)
    sandbox.write(dict.fromkeys((*files, "mixed", "text", ".gitattributes"), "other"))
    sandbox.git("config", "core.autocrlf", "false")
    there_and_back(sandbox, sandbox.root, first)
    sandbox.git("config", "core.autocrlf", "true")
    assert picture(sandbox) == wanted


def test_a_repository_without_a_commit_comes_back(tmp_path: Path) -> None:
    """Planted and found: a branch that was not born yet left where it is now."""
    empty = Sandbox(tmp_path / "empty", tmp_path / "home")
    empty.root.mkdir()
    empty.home.mkdir()
    empty.git("init", "--quiet", "--initial-branch=main")
    nothing, first = picture(empty), kept(empty)
    assert (first.branch, first.head) == ("main", "")
    empty.write({"a": "1", "b/c": "2"})
    empty.git("add", "a")
    staged, second = picture(empty), kept(empty, name="staged")
    empty.commit({"d": "3"})
    there_and_back(empty, empty.root, second)
    assert picture(empty) == staged
    there_and_back(empty, empty.root, first)
    assert picture(empty) == nothing
    assert not (empty.root / ".git" / "index").exists()


def test_workspace_files_are_neither_kept_nor_put_back(sandbox: Sandbox) -> None:
    """Planted and found: `.milestones/` not left out."""
    sandbox.commit({".milestones/state.yaml": "1", "a": "1"})
    sandbox.git("add", "--force", ".milestones")
    sandbox.git("commit", "--quiet", "-m", "their choice", check=False)
    first = kept(sandbox)
    assert ".milestones" not in sandbox.git("ls-tree", "--name-only", f"{first.ref}:files")
    sandbox.write({".milestones/state.yaml": "2", ".milestones/new": "3", "a": "2"})
    put_back(sandbox.repository, sandbox.root, first.ref)
    assert (sandbox.root / ".milestones" / "state.yaml").read_text() == "2"
    assert (sandbox.root / ".milestones" / "new").read_text() == "3"
    assert (sandbox.root / "a").read_text() == "1"


def test_names_that_git_refuses_are_told_and_left_alone(sandbox: Sandbox) -> None:
    """Planted and found: refused names forgotten."""
    sandbox.write({".GIT/config": "1", "fine": "1", "sub/git~1": "1"})
    first = kept(sandbox)
    assert first.left_out == (".GIT/config",)
    sandbox.write({".GIT/config": "2", "fine": "2", ".GIT/new": "3", "sub/git~1": "2"})
    put_back(sandbox.repository, sandbox.root, first.ref)
    found = {name: (sandbox.root / name).read_text() for name in (".GIT/config", "fine", ".GIT/new", "sub/git~1")}
    assert found == {".GIT/config": "2", "fine": "1", ".GIT/new": "3", "sub/git~1": "1"}


def test_what_is_forgotten_is_gone_and_other_checkpoints_stay(sandbox: Sandbox) -> None:
    """Planted and found: the refs within submodules left."""
    states.prepare(sandbox)
    first, second = kept(sandbox), kept(sandbox, name="two")
    branch_tips(sandbox.repository, "main", checkpoint_id="one")
    inner = sandbox.git("for-each-ref", "--format=%(refname)", "refs/milestone", at=sandbox.root / "sub").split()
    assert inner == [first.ref, second.ref]
    forget(sandbox.repository, "one")
    forget(sandbox.repository, "one")
    assert [name for name in sandbox.refs() if name.startswith("refs/milestone/")] == [second.ref]
    inner = sandbox.git("for-each-ref", "--format=%(refname)", "refs/milestone", at=sandbox.root / "sub").split()
    assert inner == [second.ref]
    with pytest.raises(Missing):
        put_back(sandbox.repository, sandbox.root, first.ref)


@pytest.mark.parametrize("name", ["", "a/b", "..", "-x", "a b", "x.lock", "@", "a\n", "../../heads/main", "a" * 300])
def test_only_words_become_names_of_refs(sandbox: Sandbox, name: str) -> None:
    refs = sandbox.refs()
    for called in ((name, "main"), ("one", name)):
        with pytest.raises(Refusal):
            capture(sandbox.repository, sandbox.root, *called)
    with pytest.raises(Refusal):
        forget(sandbox.repository, name)
    assert sandbox.refs() == refs


@pytest.mark.parametrize("ref", ["refs/heads/main", "main", "HEAD", "refs/milestone/checkpoints/no/where", "--all", ""])
def test_only_a_checkpoint_is_put_back(sandbox: Sandbox, ref: str) -> None:
    before = sandbox.snapshot()
    with pytest.raises(Missing):
        put_back(sandbox.repository, sandbox.root, ref)
    assert sandbox.snapshot() == before


def test_a_clean_worktree_costs_few_processes_however_many_files_it_has(sandbox: Sandbox) -> None:
    """Planted and found: a process for each file."""
    counted = sandbox.root.parent / "counted"
    program = sandbox.root.parent / "bin" / "git"
    sandbox.write(
        {"bin/git": f'#!/bin/sh\necho >>{counted}\nexec /usr/bin/env PATH="{os.environ["PATH"]}" git "$@"\n'},
        sandbox.root.parent,
    )
    program.chmod(0o755)
    sandbox.more["PATH"] = f"{program.parent}:{os.environ['PATH']}"
    numbers: list[int] = []
    for count in (5, 500):
        sandbox.commit({f"many/{count}/{number}": f"{number}" for number in range(count)})
        kept(sandbox)
        counted.write_text("")
        kept(sandbox)
        numbers.append(counted.read_text().count("\n"))
    assert numbers[0] == numbers[1] <= 12
