"""A hostile repository, and a hostile environment: nothing of theirs runs, and no other repository is reached."""

from __future__ import annotations

import os

import pytest

from milestone.domain.errors import Refusal
from milestone.git import commits
from milestone.git.bringing import bring_up
from milestone.git.trees import changes
from tests.git import traps
from tests.git.repositories import Sandbox, branch, said
from tests.git.tour import tour


def test_the_traps_catch_plain_git(sandbox: Sandbox) -> None:
    """The tests below mean something only while these would go off."""
    laid = traps.lay(sandbox)
    sandbox.git("config", "commit.gpgSign", "false")
    sandbox.git("branch", "milestone/m/t", check=False)
    sandbox.git("checkout", "-q", "milestone/m/t", check=False)
    sandbox.write(dict.fromkeys(("src/a.py", "x.txt", "x.one", "x.two", "README.md"), "changed\n"))
    for command in (["diff"], ["diff", "--no-ext-diff"], ["commit", "-qam", "x"], ["checkout", "-q", "main"]):
        sandbox.git(*command, check=False)
    sandbox.git("worktree", "add", "-q", str(sandbox.folder("w")), "milestone/m/t", check=False)
    sandbox.commit({"src/a.py": "other\n"})
    sandbox.git("merge", "--no-verify-signatures", "milestone/m/t", check=False)
    sandbox.git("commit", "-q", "--allow-empty", "-S", "-m", "signed", check=False)
    settings = {"core.fsmonitor", "filter.evil.clean", "filter.evil.smudge", "filter.long.process", "filter.a=b.clean"}
    settings |= {"diff.external", "diff.evil.textconv", "merge.evil.driver", "gpg.program"}
    hooks = {"pre-commit", "post-checkout", "post-commit", "reference-transaction", "post-index-change"}
    assert laid.sprung >= settings | hooks | {"included", "on-branch", "in-worktree"}


def test_nothing_that_a_repository_names_runs(sandbox: Sandbox) -> None:
    """Planted and found, one by one: fsmonitor, hooksPath, the overrides, conditional includes not followed; overrides
    by `-c`, which splits `filter.a=b.clean` at the wrong place.
    """
    laid = traps.lay(sandbox)
    before = sandbox.snapshot()
    tour(sandbox)
    assert laid.sprung == set()
    assert sandbox.snapshot() == before


def test_nothing_in_the_environment_leads_astray(sandbox: Sandbox) -> None:
    """Planted and found: GIT_* handed on."""
    laid = traps.made(sandbox)
    other = traps.decoy(sandbox, laid)
    before = other.snapshot(), other.refs(), sandbox.snapshot()
    tip = tour(sandbox)
    assert (other.snapshot(), other.refs(), sandbox.snapshot()) == before
    assert laid.sprung == set()
    assert sandbox.git("log", "-1", "--format=%an <%ae>", tip) == "Milestone <milestone@localhost>"


def test_settings_made_after_the_repository_was_opened_are_seen(sandbox: Sandbox) -> None:
    """Planted and found: the configuration read once and for all."""
    repository, path = sandbox.repository, sandbox.task("t-1", {"x.two": "1"})
    laid = traps.lay(sandbox)
    sandbox.write({".gitattributes": traps.ATTRIBUTES, "x.two": "2", "src/a.py": "2"}, path)
    commits.commit(repository, path, said("t-1"), ["."])
    assert laid.sprung == set()


def test_an_agent_that_rewrites_its_worktrees_git_file_leads_nobody_astray(sandbox: Sandbox) -> None:
    """Planted and found: the door to a worktree without its Git folder, so that the file there is followed."""
    path, evil = sandbox.task("t-1"), Sandbox(sandbox.root.parent / "evil", sandbox.home)
    evil.root.mkdir()
    evil.git("init", "--quiet")
    laid = traps.lay(evil)
    before = evil.refs()
    (path / ".git").write_text(f"gitdir: {evil.root}/.git\n")
    sandbox.write({"src/a.py": "2"}, path)
    assert [change.path for change in changes(sandbox.repository, path)] == ["src/a.py"]
    made = commits.commit(sandbox.repository, path, said("t-1"), ["src"])
    assert sandbox.repository.tip(branch("t-1")) == made
    assert bring_up(sandbox.repository, path, sandbox.commit({"src/b.py": "2"})) == ()
    assert laid.sprung == set()
    assert evil.refs() == before


def test_a_repository_within_a_worktree_runs_nothing(sandbox: Sandbox) -> None:
    """Planted and found: submodules looked into."""
    path, inner = sandbox.task("t-1"), Sandbox(sandbox.root.parent / "inner", sandbox.home)
    inner.root.mkdir()
    inner.git("init", "--quiet")
    laid = traps.lay(inner)
    inner.root.rename(path / "sub")
    first = commits.commit(sandbox.repository, path, said("t-1"), ["sub"])
    start = sandbox.repository.head()
    assert [(one.path, one.status) for one in sandbox.repository.touched(start, first)] == [("sub", "A")]
    sandbox.write({"sub/x.txt": "changed\n", "src/a.py": "2"}, path)
    assert [change.path for change in changes(sandbox.repository, path)] == ["src/a.py"]
    commits.commit(sandbox.repository, path, said("t-1"), ["src"])
    assert bring_up(sandbox.repository, path, sandbox.commit({"src/b.py": "2"})) == ()
    assert laid.sprung == set()


def test_an_object_that_is_missing_is_not_fetched(sandbox: Sandbox) -> None:
    """Planted and found: protocols allowed, lazy fetches too."""
    commit = sandbox.repository.head()
    blob = sandbox.git("rev-parse", "HEAD:README.md")
    laid = traps.lay(sandbox)
    with (sandbox.root / ".git" / "config").open("a") as config:
        config.write("[core]\n\trepositoryformatversion = 1\n[extensions]\n\tpartialClone = origin\n")
    (sandbox.root / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(Refusal):
        sandbox.repository.file_at(commit, "README.md")
    assert laid.sprung == set()
    sandbox.git("cat-file", "blob", blob, check=False)
    assert "remote" in laid.sprung, "plain git does fetch it"


def test_what_the_person_configured_for_all_repositories_stands(sandbox: Sandbox) -> None:
    """Planted and found: the person's own filter overridden together with the repository's of the same name."""
    (sandbox.home / ".gitconfig").write_text('[filter "x"]\n\tclean = tr a-z A-Z\n\trequired = true\n')
    sandbox.git("config", "filter.x.clean", "false")
    path = sandbox.task("t-1", {".gitattributes": "*.txt filter=x\n", "x.txt": "loud"})
    assert sandbox.repository.file_at(sandbox.repository.tip(branch("t-1")), "x.txt") == b"LOUD"
    assert (path / "x.txt").read_text() == "loud"


def test_a_merge_driver_of_the_repository_is_replaced_by_gits_own_merge(sandbox: Sandbox) -> None:
    """Planted and found: an empty driver, with which git keeps one side and calls it merged."""
    text = "".join(f"{number}\n" for number in range(20))
    start = sandbox.commit({"many.py": text, "raw.py": b"\0" * 40, ".gitattributes": "*.py merge=x\n"})
    path = sandbox.task("t-1", {"many.py": text.replace("3\n", "three\n", 1), "raw.py": b"\0\1"}, start)
    tip = sandbox.commit({"many.py": text.replace("17\n", "seventeen\n"), "raw.py": b"\0\2"})
    sandbox.git("config", "merge.x.driver", "true")
    assert [clash.path for clash in bring_up(sandbox.repository, path, tip)] == ["raw.py"]
    merged = (path / "many.py").read_text()
    assert "three" in merged
    assert "seventeen" in merged


@pytest.mark.parametrize("how", ["loop", "pipe", "missing", "broken"])
def test_configuration_that_cannot_be_read_is_refused_in_time(sandbox: Sandbox, how: str) -> None:
    sandbox.git("config", "include.path", "extra")
    extra = sandbox.root / ".git" / "extra"
    if how == "loop":
        extra.write_text("[include]\n\tpath = config\n")
    elif how == "pipe":
        os.mkfifo(extra)
    elif how == "broken":
        extra.write_text("[broken\n")
    if how == "missing":
        assert sandbox.repository.head()
        return
    with pytest.raises(Refusal):
        sandbox.repository.head()
