"""A repository: its commits, files and branches."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from milestone.domain.errors import Missing, Refusal
from milestone.domain.text import clip
from milestone.git import locate
from milestone.git.door import Git
from milestone.git.names import branch as checked_branch
from milestone.git.names import commit_id, decoded, is_commit_id, shown

REFS = "refs"  # whose turn it is to move a branch that no worktree has
FILE_LIMIT = 262_144
PATCH_LIMIT = 4_194_304
_PLAIN = ("100644", "100755", "100664")
_TRAILER = re.compile(r"([A-Z][A-Za-z-]*): (.*)")


@dataclass(frozen=True)
class Change:
    """A file and what happened to it: `A` added, `M` modified, `D` deleted, `T` became another kind of file,
    `U` is in conflict, `?` is new and unknown to Git. Renames are a deletion and an addition.
    """

    status: str
    path: str


class Repository:
    """A repository, opened at one of its worktrees. Opening it again is cheap; nothing is kept but settings."""

    def __init__(self, git: Git, git_dir: Path, worktree: Path) -> None:
        self.git, self.common, self.worktree = git, git.common, worktree
        self.at_main = git_dir == git.common
        self._own = git.at(git_dir, git.desk)

    @property
    def main_worktree(self) -> Path:
        """The repository's first worktree; the one it was opened at where the Git folder has another name."""
        return self.common.parent if self.common.name == ".git" else self.worktree

    def head(self) -> str:
        """Return the commit that the worktree it was opened at stands on; empty while there is none."""
        return self._own.run("rev-parse", "--verify", "--quiet", "HEAD^{commit}", codes=(0, 1), reads=True).text

    def tip(self, branch: str) -> str:
        """Return the commit at the end of a branch; empty where there is no such branch.

        Raises:
            Refusal: the name is none for a branch.
        """
        name = f"refs/heads/{checked_branch(branch)}^{{commit}}"
        return self.git.run("rev-parse", "--verify", "--quiet", name, codes=(0, 1), reads=True).text

    def existing_tip(self, branch: str) -> str:
        """Return the commit at the end of a branch.

        Raises:
            Missing: there is no such branch.
        """
        tip = self.tip(branch)
        if not tip:
            raise Missing(f"There is no branch {branch!r}")
        return tip

    def resolved(self, source: str) -> str:
        """Return a commit given as a full id, or as a branch.

        Raises:
            Missing: there is no such branch.
        """
        return source if is_commit_id(source) else self.existing_tip(source)

    def create_branch(self, name: str, commit: str) -> str:
        """Return the commit of a branch, which is made at `commit` where there is none and never moved.

        Raises:
            Refusal: the commit is not here, or another branch stands in the name's way.
        """
        checked_branch(name)
        with self.git.turn(REFS):
            tip = self.tip(name)
            if not tip:
                nothing = "0" * len(commit_id(commit))
                self.git.run("update-ref", "-m", "milestone: created", f"refs/heads/{name}", commit, nothing)
        return tip or commit

    def file_at(self, commit: str, path: str) -> bytes | None:
        """Return what a file held in a commit; nothing where there is no such regular file.

        Raises:
            Refusal: it is larger than 256 kB.
        """
        for mode, blob, name in self._entries(commit, path):
            if name == path and mode in _PLAIN:
                size = int(self.git.run("cat-file", "-s", blob, reads=True).text)
                if size > FILE_LIMIT:
                    raise Refusal(f"{shown(path)} has {size} bytes", allowed=f"at most {FILE_LIMIT}")
                return self.git.run("cat-file", "blob", blob, reads=True).out
        return None

    def exists_at(self, commit: str, path: str) -> bool:
        """Return whether a file or folder is there in a commit."""
        return bool(self._entries(commit, path.rstrip("/")))

    def _entries(self, commit: str, path: str) -> list[tuple[str, str, str]]:
        """Return what a commit has at a path (mode, id and name); a folder is one entry, or with `/` all in it."""
        commit_id(commit)
        if not path or "\0" in path or path.startswith("/") or ".." in path.split("/"):
            return []
        literal = f":(top,literal){path}"
        found = self.git.run("ls-tree", "-z", "--full-tree", commit, "--", literal, reads=True).fields
        entries = [entry.partition("\t") for entry in found]
        return [(facts.split(" ")[0], facts.split(" ")[2], name) for facts, _, name in entries]

    def is_ancestor(self, commit: str, of: str) -> bool:
        """Return whether a commit is another one or lies in its history; false for one that is not here."""
        answer = self.git.run(
            "merge-base", "--is-ancestor", commit_id(commit), commit_id(of), codes=(0, 1, 128), reads=True
        )
        return answer.code == 0

    def is_reachable(self, commit: str, branch: str) -> bool:
        """Return whether a commit is on a branch."""
        commit_id(commit)
        tip = self.tip(branch)
        return bool(tip) and self.is_ancestor(commit, tip)

    def merge_base(self, one: str, other: str) -> str:
        """Return the newest commit that two commits have in common.

        Raises:
            Refusal: they have none.
        """
        answer = self.git.run("merge-base", commit_id(one), commit_id(other), codes=(0, 1), reads=True)
        if answer.code:
            raise Refusal(f"{one[:12]} and {other[:12]} have no commit in common, so they cannot be merged")
        return answer.text

    def touched(self, base: str, commit: str) -> list[Change]:
        """Return what differs between two commits or trees, sorted by path; names are `shown`."""
        options = ("-r", "-z", "--name-status", "--no-renames", "--ignore-submodules=none")
        answer = self.git.run("diff-tree", *options, commit_id(base), commit_id(commit), reads=True)
        return paired(answer.fields)

    def patch(self, base: str, commit: str) -> str:
        """Return the difference of two commits as text, at most 4 MB of it."""
        options = ("-r", "-p", "--no-renames", "--no-ext-diff", "--no-textconv", "--no-color", "--submodule=short")
        answer = self.git.run(
            "diff-tree", *options, "--ignore-submodules=none", commit_id(base), commit_id(commit), reads=True
        )
        return clip(answer.out.decode("utf-8", "replace"), PATCH_LIMIT)

    def commits_of(self, base: str, branch: str, task: str) -> list[str]:
        """Return the commits of a branch since `base` whose trailer `Task:` names the task, newest first."""
        found = self._messages(f"{commit_id(base)}..{self.existing_tip(branch)}")
        return [commit for commit, message in found if trailers(message).get("Task") == task]

    def text_of(self, commit: str) -> str:
        """Return the text of a commit."""
        return self._messages("--max-count=1", commit_id(commit))[0][1]

    def parent(self, commit: str) -> str:
        """Return the commit before a commit; the commit itself where it is the first."""
        found = self.git.run("rev-list", "--max-count=2", "--first-parent", commit_id(commit), reads=True).text
        return found.split("\n")[-1]

    def last_task(self, base: str, tip: str, path: str) -> str:
        """Return the task that changed a file last between two commits, by its trailer; empty where none did.

        `path` is exactly as git writes it.
        """
        found = self._messages("--max-count=1", f"{commit_id(base)}..{commit_id(tip)}", "--", f":(top,literal){path}")
        return trailers(found[0][1]).get("Task", "") if found else ""

    def _messages(self, *arguments: str) -> list[tuple[str, str]]:
        answer = self.git.run("rev-list", "--no-commit-header", "--format=%H%n%B%x00", *arguments, reads=True)
        entries = [entry.removeprefix("\n").partition("\n") for entry in answer.fields]
        return [(commit, message) for commit, _, message in entries]


def open_repository(path: Path, environ: Mapping[str, str]) -> Repository:
    """Return the repository that a folder lies in. `environ` is the environment of this process.

    Raises:
        Missing: it lies in none.
        Refusal: the repository is bare, or git cannot read it.
    """
    found = locate.find(path)
    if found is None:
        raise Missing(f"{path} lies in no Git repository", remedy="git init, and a first commit, make it one.")
    git_dir = _git_dir(found.worktree)
    if not ((git_dir / "HEAD").exists() and (found.common / "objects").is_dir()):  # what git itself asks
        raise Refusal(f"{git_dir} is no Git folder", remedy="Look at it: parts are missing.")
    git = Git(found.common, environ)
    bare = git.run("config", "--type=bool", "--get", "core.bare", codes=(0, 1), reads=True).text
    if bare == "true" and git_dir == found.common:
        raise Refusal(f"The repository at {path} is bare", remedy="Work in a clone, or in one of its worktrees.")
    return Repository(git, git_dir, found.worktree)


def _git_dir(worktree: Path) -> Path:
    entry = worktree / ".git"
    if entry.is_dir():
        return entry.resolve()
    return (worktree / decoded(entry.read_bytes()).removeprefix("gitdir:").strip()).resolve()


def paired(fields: Sequence[str]) -> list[Change]:
    """Return changes from what `--name-status -z` prints."""
    flat = iter(fields)
    return [Change(status[:1], shown(path)) for status, path in zip(flat, flat, strict=True)]


def trailers(message: str) -> dict[str, str]:
    r"""Return the trailers of a commit's message: the lines `Word: value` that are its last paragraph.

    >>> trailers("feat: x\n\nTask: no\n\nMilestone: m\nTask: t\n")
    {'Milestone': 'm', 'Task': 't'}
    """
    paragraph = message.rstrip("\n").rpartition("\n\n")[2]
    lines = [_TRAILER.fullmatch(line) for line in paragraph.split("\n")]
    return {line[1]: line[2] for line in lines if line}
