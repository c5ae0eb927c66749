"""What Git knows of worktrees: where they lie, what they stand on, and what is not committed in them."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from milestone.domain.errors import Missing
from milestone.git.door import TREE_SECONDS, Answer, Git
from milestone.git.names import decoded, shown
from milestone.git.repository import Change, Repository

WORKSPACE = ".milestones"
_TRIES, _AGAIN = 50, 0.02  # a registration takes a few milliseconds
EVERYTHING_ELSE = (":/", f":(top,exclude){WORKSPACE}")


@dataclass(frozen=True)
class Worktree:
    """A worktree as Git knows it. `branch` is empty where it is detached; `head` is empty where there is no commit."""

    path: Path
    git_dir: Path
    branch: str
    head: str
    locked: str | None = None  # a person's reason, which may be empty; nothing where it is not locked

    @property
    def there(self) -> bool:
        """Whether its folder exists; a link in its place does not count."""
        return self.path.is_dir() and not self.path.is_symlink()

    def door(self, repository: Repository) -> Git:
        """Return the door that works in it."""
        return repository.git.at(self.git_dir, self.path)


def worktrees(repository: Repository) -> list[Worktree]:
    """Return all worktrees of a repository, the main one first, whether their folders exist or not."""
    listing = decoded(_listed(repository).out)
    known = registered(repository)
    found: list[Worktree] = []
    for number, record in enumerate(listing.split("\0\0")):
        facts = {word: rest for word, _, rest in (line.partition(" ") for line in record.split("\0"))}
        if "HEAD" not in facts:  # the end, or a repository that has no main worktree
            continue
        main = number == 0
        # In a submodule git takes the Git folder for the worktree.
        path = repository.main_worktree if main and repository.at_main else Path(facts["worktree"])
        git_dir = repository.common if main else known.get(real(path))
        if git_dir is not None:
            head = facts["HEAD"] if facts["HEAD"].strip("0") else ""
            branch = facts.get("branch", "").removeprefix("refs/heads/")
            found.append(Worktree(path, git_dir, branch, head, facts.get("locked")))
    return found


def _listed(repository: Repository) -> Answer:
    """Return what git lists; it dies of a worktree that another process is just registering, so it is asked again."""
    for _ in range(_TRIES):
        answer = repository.git.run("worktree", "list", "--porcelain", "-z", reads=True, codes=(0, 128))
        if answer.code == 0:
            return answer
        time.sleep(_AGAIN)
    return repository.git.run("worktree", "list", "--porcelain", "-z", reads=True)


def find_worktree(repository: Repository, path: Path) -> Worktree | None:
    """Return the worktree registered at a path, or nothing."""
    place = real(path)
    if place != real(repository.main_worktree) and place not in registered(repository):
        return None
    return next((one for one in worktrees(repository) if real(one.path) == place), None)


def existing_worktree(repository: Repository, path: Path) -> Worktree:
    """Return the worktree at a path.

    Raises:
        Missing: there is none.
    """
    found = find_worktree(repository, path)
    if found is None or not found.there:
        raise Missing(f"{path} is no worktree of the repository", remedy="Ask for the worktree again.")
    return found


def changes(repository: Repository, path: Path) -> list[Change]:
    """Return what is not committed in a worktree, new files included; what lies in `.milestones/` does not count."""
    return uncommitted(existing_worktree(repository, path).door(repository))


def uncommitted(door: Git) -> list[Change]:
    """Return the same for a worktree whose door is known."""
    return [Change(status, shown(path)) for status, path in exact_changes(door)]


def exact_changes(door: Git) -> list[tuple[str, str]]:
    """Return the same as statuses and paths, which are exactly as git writes them."""
    options = ("--porcelain=v1", "-z", "--untracked-files=all", "--no-renames", "--ignore-submodules=dirty")
    answer = door.run("status", *options, "--", *EVERYTHING_ELSE, reads=True, seconds=TREE_SECONDS)
    return [(_status(field[:2]), field[3:]) for field in answer.fields]


def stage(door: Git, paths: list[str]) -> None:
    """Put files into the index as they are now; `git add` would start a git in every repository that lies within."""
    given = "".join(f"{path.removesuffix('/')}\0" for path in paths)
    door.run("update-index", "-z", "--add", "--remove", "--replace", "--stdin", given=given, seconds=TREE_SECONDS)


def _status(pair: str) -> str:
    if pair == "??":
        return "?"
    if "U" in pair or pair in ("AA", "DD"):
        return "U"
    return pair[1] if pair[1] != " " else pair[0]


def registered(repository: Repository) -> dict[Path, Path]:
    """Return where the linked worktrees are registered to lie, with their Git folders."""
    found: dict[Path, Path] = {}
    with suppress(FileNotFoundError):
        for entry in (repository.common / "worktrees").iterdir():
            with suppress(OSError):
                target = decoded((entry / "gitdir").read_bytes()).strip("\n")
                found[real(Path(os.path.normpath(entry / target)).parent)] = entry
    return found


def real(path: Path) -> Path:
    """Return a path without links on the way to it; it may itself be one."""
    return Path(os.path.realpath(path.parent)) / path.name
