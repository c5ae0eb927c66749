"""Repositories for the tests: made with plain git, as a person would, and looked at byte for byte."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from milestone.git import commits
from milestone.git.repository import Repository, open_repository
from milestone.git.worktrees import writing_worktree

BRANCH = "feature/milestone-m"
WHO = {
    "GIT_AUTHOR_NAME": "Person",
    "GIT_AUTHOR_EMAIL": "person@example.org",
    "GIT_COMMITTER_NAME": "Person",
    "GIT_COMMITTER_EMAIL": "person@example.org",
}
OURS = ("milestone", "worktrees", "logs", "objects")


@dataclass
class Sandbox:
    """A person's repository with a home of its own; `more` is what else the product's environment holds."""

    root: Path
    home: Path
    more: dict[str, str] = field(default_factory=dict)

    @property
    def environ(self) -> dict[str, str]:
        """The environment that the product is started with."""
        return {"PATH": os.environ["PATH"], "HOME": str(self.home), **self.more}

    @cached_property
    def repository(self) -> Repository:
        """The repository as the product opens it."""
        return open_repository(self.root, self.environ)

    @cached_property
    def first(self) -> str:
        """The commit that the repository stood on when this was first asked."""
        return self.repository.head()

    def git(self, *arguments: str, at: Path | None = None, given: bytes = b"", check: bool = True) -> str:
        """Return what plain git prints, as the person runs it: no door of ours."""
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.home), **WHO}
        ran = subprocess.run(
            ["git", *arguments], cwd=at or self.root, env=environment, input=given, capture_output=True, check=False
        )
        assert not check or ran.returncode == 0, ran.stderr
        return ran.stdout.decode("utf-8", "surrogateescape").removesuffix("\n")

    def write(self, files: dict[str, str | bytes], at: Path | None = None) -> None:
        """Write files below the repository, or below another folder."""
        for name, content in files.items():
            path = (at or self.root) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)

    def commit(self, files: dict[str, str | bytes], text: str = "change", at: Path | None = None) -> str:
        """Commit files as the person and return the commit."""
        self.write(files, at)
        self.git("add", "--all", "--", ":/", ":(top,exclude).milestones", at=at)
        self.git("commit", "--quiet", "--allow-empty", "-m", text, at=at)
        return self.git("rev-parse", "HEAD", at=at)

    def folder(self, task: str) -> Path:
        """Return where a task's worktree belongs."""
        return self.root / ".milestones" / "worktrees" / "m" / task

    def task(self, task: str, files: dict[str, str | bytes | None] | None = None, start: str = "") -> Path:
        """Return the worktree of a task on a branch of its own, with files written (or deleted) there and committed."""
        repository = self.repository
        start = start or repository.tip(BRANCH) or repository.create_branch(BRANCH, repository.head())
        path = writing_worktree(repository, self.folder(task), branch(task), start).path
        self.write({name: content for name, content in (files or {}).items() if content is not None}, path)
        for name, content in (files or {}).items():
            if content is None:
                (path / name).unlink()
        if files:
            commits.commit(repository, path, said(task), ["."])
        return path

    def refs(self) -> dict[str, str]:
        """Return every ref with its commit."""
        lines = self.git("for-each-ref", "--format=%(refname) %(objectname)").splitlines()
        return {name: commit for name, _, commit in (line.partition(" ") for line in lines)}

    def snapshot(self) -> dict[str, bytes]:
        """Return all that is the person's, byte for byte: files, index, HEAD, configuration, hooks, branches, stash."""
        return dict(self._own())

    def _own(self) -> Iterator[tuple[str, bytes]]:
        for path in sorted(self.root.rglob("*")):
            parts = path.relative_to(self.root).parts
            if parts[0] == ".milestones" or (parts[0] == ".git" and len(parts) > 1 and parts[1] in OURS):
                continue
            if "refs" in parts and ("milestone" in parts or "feature" in parts):
                continue
            if path.is_symlink():
                yield str(path.relative_to(self.root)), os.fsencode(path.readlink())
            elif path.is_file():
                yield str(path.relative_to(self.root)), path.read_bytes()
        for name in ("HEAD", "refs/stash"):
            log = self.root / ".git" / "logs" / name
            yield f"log of {name}", log.read_bytes() if log.exists() else b""


def branch(task: str) -> str:
    """Return a task's branch."""
    return f"milestone/m/{task}"


def said(task: str, summary: str = "do it") -> str:
    """Return the text of a task's commit."""
    return commits.message("feat", "execute", summary, milestone="m", task=task)
