"""What a worktree holds at a moment, all of it: the bytes of its files and its index."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from milestone.git import staged
from milestone.git.door import TREE_SECONDS, Git
from milestone.git.shadow import Shadow, shadow
from milestone.git.staged import Staged
from milestone.git.trees import EVERYTHING_ELSE, WORKSPACE

_IN_CONFLICT = ("DD", "AU", "UD", "UA", "DU", "AA", "UU")


@dataclass(frozen=True)
class Seen:
    """What a worktree holds. `tree` has every file that is tracked, or new and not ignored, and those asked for,
    byte for byte; `links` are the folders with repositories of their own; `refused` cannot be kept for their names.
    """

    shadow: Shadow
    index: Staged
    tree: str
    links: tuple[str, ...]
    refused: tuple[str, ...]
    counts: Mapping[str, int]

    @property
    def tracked(self) -> set[str]:
        """The files in the index."""
        return {entry.path for entry in self.index.entries}


def look(door: Git, also: Iterable[str] = ()) -> Seen:
    """Return what the worktree of a door holds; the caller has its turn. `also` are files to take even if ignored."""
    beside = shadow(door, door.git_dir, door.tree)
    staged.unlock(door, beside)
    index, more = staged.read(door, beside)
    options = ("--porcelain=v1", "-z", "--untracked-files=all", "--no-renames", "--ignore-submodules=dirty")
    answer = door.run("status", *options, "--", *EVERYTHING_ELSE, reads=True, seconds=TREE_SECONDS, more=more)
    lines = [(field[:2], field[3:]) for field in answer.fields]
    meant = {path: "A" for pair, path in lines if pair[0] == " " and pair[1] == "A"}
    index = replace(staged.with_tree(door, index, more), marks={**index.marks, **meant})
    new = [path for pair, path in lines if pair == "??"]
    links = {path.removesuffix("/") for path in new if path.endswith("/")} | set(index.links)
    files = [entry.path for entry in index.entries] + [path for path in new if not path.endswith("/")] + list(also)
    tree, refused = beside.take(dict.fromkeys(path for path in files if not workspace(path)))
    within = tuple(sorted(path for path in links if not workspace(path)))
    return Seen(beside, index, tree, within, tuple(refused), _counts(lines))


def workspace(path: str) -> bool:
    """Return whether a path is `.milestones/` or lies in it."""
    return path.partition("/")[0] == WORKSPACE


def _counts(lines: list[tuple[str, str]]) -> dict[str, int]:
    changed = ("M", "T", "A")
    return {
        "staged": sum(pair[0] not in " ?" and pair not in _IN_CONFLICT for pair, _ in lines),
        "changed": sum(pair[1] in changed or pair in _IN_CONFLICT for pair, _ in lines),
        "untracked": sum(pair == "??" for pair, _ in lines),
        "deleted": sum(pair[1] == "D" and pair not in _IN_CONFLICT for pair, _ in lines),
    }


def ignored(door: Git) -> list[str]:
    """Return what is ignored in a worktree now; a folder of nothing else is one line that ends in `/`."""
    options = ("--others", "--ignored", "--exclude-standard", "--directory")
    return door.run("ls-files", "-z", *options, reads=True, seconds=TREE_SECONDS).fields
