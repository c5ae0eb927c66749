"""A clone to carry a plan out on: it borrows a repository's objects, and nothing there is written or run."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from milestone.git.door import TREE_SECONDS
from milestone.git.environment import OPTIONS, clean
from milestone.git.identity import EMAIL, NAME
from milestone.git.locate import find
from milestone.surfaces.rehearse.listing import MAX_FILES, count, shown
from milestone.surfaces.rehearse.planner import NOTES

if TYPE_CHECKING:
    from collections.abc import Mapping

GATES = ".milestones/config/gates.yaml"
_BRANCH = "refs/heads/rehearsal"
_AUTHOR = {
    f"GIT_{role}_{what}": text for role in ("AUTHOR", "COMMITTER") for what, text in (("NAME", NAME), ("EMAIL", EMAIL))
}
# What compilers leave behind is nobody's change. The other file lets Git look for blanks in notes, whatever it is told.
_OWN = {"exclude": "__pycache__/\n", "attributes": f"{NOTES}/*.md diff whitespace=blank-at-eol\n"}


class Unfit(Exception):
    """Nothing can be carried out on a folder; the message says why, in words that follow `Not carried out: `."""


@dataclass(frozen=True, slots=True)
class Origin:
    """A repository to start from: its Git folder, the commit it stands on, its files there, whether it has gates."""

    common: Path
    head: str
    files: tuple[str, ...]
    gated: bool
    object_format: str


@dataclass(frozen=True, slots=True)
class Clone:
    """A clone, checked out at a commit."""

    folder: Path
    environ: Mapping[str, str]
    origin: Origin

    def commit_gates(self, text: str) -> str:
        """Return the commit that adds the gates; the working tree stands on it then."""
        self._git("read-tree", self.origin.head)
        blob = self._git("hash-object", "-w", "--stdin", given=text)
        # By way of the index alone: whatever lies at that path in the working tree is neither followed nor opened.
        self._git("update-index", "--add", "--replace", "--cacheinfo", f"100644,{blob},{GATES}")
        tree = self._git("write-tree")
        commit = self._git("commit-tree", tree, "-p", self.origin.head, "-m", "Add gates for a rehearsal")
        self.check_out(commit)
        return commit

    def check_out(self, commit: str) -> None:
        """Let branch and working tree stand on a commit."""
        self._git("update-ref", _BRANCH, commit)
        self._git("symbolic-ref", "HEAD", _BRANCH)
        self._git("reset", "--hard", "--quiet")

    def _git(self, *arguments: str, given: str = "") -> str:
        places = (f"--git-dir={self.folder / '.git'}", f"--work-tree={self.folder}")
        return _git(self.folder, self.environ, *places, *arguments, given=given)


def look(root: Path, environ: Mapping[str, str]) -> Origin:
    """Return what a clone of the repository that a folder lies in would start from.

    Raises:
        Unfit: it lies in none, there is no commit yet, or it is too large.
    """
    repository = find(root)
    if repository is None:
        raise Unfit("execution needs Git, and this folder lies outside of it.")
    # Only reading: it may belong to somebody else.
    here = ("-c", "safe.directory=*", "-C", str(root))
    head = _git(root, environ, *here, "rev-parse", "--verify", "--quiet", "HEAD^{commit}", missing=True)
    if not head:
        raise Unfit("execution starts from a commit, and this repository has none yet.")
    files = _git(root, environ, *here, "ls-tree", "-r", "-z", "--name-only", "--full-tree", head).split("\0")[:-1]
    if len(files) > MAX_FILES:
        raise Unfit(f"every task gets a working tree, and {count(len(files), 'file')} are too many for a rehearsal.")
    kind = _git(root, environ, *here, "rev-parse", "--show-object-format")
    return Origin(repository.common, head, tuple(files), GATES in files, kind)


def make_clone(origin: Origin, target: Path, environ: Mapping[str, str]) -> Clone:
    """Return a clone at `target` that stands on the same commit.

    Raises:
        Unfit: Git cannot make one.
    """
    if "\n" in str(origin.common):
        raise Unfit("a clone cannot name its origin, since there is a line break in the path.")
    target.mkdir()
    _git(target, environ, "init", "--quiet", "--template=", f"--object-format={origin.object_format}", str(target))
    git_dir = target / ".git"
    (git_dir / "info").mkdir()
    for name, text in _OWN.items():
        (git_dir / "info" / name).write_text(text, "utf-8")
    (git_dir / "objects" / "info").mkdir(exist_ok=True)
    (git_dir / "objects" / "info" / "alternates").write_bytes(os.fsencode(origin.common / "objects") + b"\n")
    if (origin.common / "shallow").is_file():
        (git_dir / "shallow").write_bytes((origin.common / "shallow").read_bytes())
    clone = Clone(target, environ, origin)
    clone.check_out(origin.head)
    return clone


def log(folder: Path, environ: Mapping[str, str], base: str, branch: str) -> list[str]:
    """Return the commits of a branch since a base, newest first: short id and first line of each."""
    here = ("-c", "safe.directory=*", "-C", str(folder))
    said = _git(folder, environ, *here, "log", "--format=%h %s", f"{base}..{branch}", "--")
    return said.splitlines()


def _git(folder: Path, environ: Mapping[str, str], *arguments: str, given: str = "", missing: bool = False) -> str:
    """Return what Git printed, without the line's end; nothing where it did not find something that may be missing."""
    try:
        done = subprocess.run(
            ["git", *OPTIONS, *arguments],
            cwd=folder,
            env={**clean(environ), **_AUTHOR, "GIT_OPTIONAL_LOCKS": "0"},
            input=given.encode(),
            capture_output=True,
            timeout=TREE_SECONDS,
            check=False,
        )
    except FileNotFoundError:
        raise Unfit("execution needs Git, which is not installed.") from None
    except subprocess.TimeoutExpired:
        raise Unfit(f"Git took longer than {TREE_SECONDS} s.") from None
    if done.returncode and not (missing and done.returncode == 1):
        lines = [line for line in os.fsdecode(done.stderr).splitlines() if line and not line.startswith("hint:")]
        raise Unfit(f"Git refuses: {shown('; '.join(lines), 300)}.")
    return os.fsdecode(done.stdout).removesuffix("\n")
