"""Merging a task's work into its milestone's branch: tried without a work tree, guarded, and made one commit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from milestone.domain.errors import Conflict, Refusal
from milestone.domain.paths import outside
from milestone.git.door import TREE_SECONDS
from milestone.git.identity import identity
from milestone.git.names import listed, shown
from milestone.git.repository import Change, Repository

_ASKED = 50
_UNKNOWN_OPTION = 129
_HOW = {
    frozenset("123"): "changed on both sides",
    frozenset("23"): "added on both sides",
    frozenset("12"): "changed on {ours}, deleted on {theirs}",
    frozenset("13"): "deleted on {ours}, changed on {theirs}",
}


@dataclass(frozen=True)
class Clash:
    """A file that cannot be merged, how it clashes, and the task that changed it last on the milestone's branch."""

    path: str
    how: str
    task: str = ""

    def __str__(self) -> str:
        return f"{self.path} ({self.how}{f', last changed by task {self.task}' if self.task else ''})"


@dataclass(frozen=True)
class Preview:
    """What merging `source` into a branch at `tip` would give. `touched` is what it would change on the branch.

    With clashes, `tree` holds marks of conflict and is good for nothing.
    """

    branch: str
    tip: str
    source: str
    base: str
    tree: str
    clashes: tuple[Clash, ...]
    touched: tuple[Change, ...]

    @property
    def deleted(self) -> tuple[str, ...]:
        """The files that the branch would lose."""
        return tuple(change.path for change in self.touched if change.status == "D")


@dataclass(frozen=True)
class Squashed:
    """A commit that is made but on no branch yet: `advance` takes the branch from `tip` to `commit`."""

    branch: str
    tip: str
    commit: str


def preview(repository: Repository, branch: str, source: str) -> Preview:
    """Return what merging a branch or commit would give; no branch, index or work tree is touched.

    Raises:
        Missing: there is no such branch.
        Refusal: they have no history in common, or git is older than 2.38.
    """
    tip, commit = repository.existing_tip(branch), repository.resolved(source)
    base = repository.merge_base(tip, commit)
    options = ("--write-tree", "-z", "--no-messages")
    answer = repository.git.run(
        "merge-tree", *options, tip, commit, codes=(0, 1, _UNKNOWN_OPTION), seconds=TREE_SECONDS
    )
    if answer.code == _UNKNOWN_OPTION:
        raise Refusal("This git cannot merge without a work tree", allowed="git 2.38 or newer")
    tree, *entries = answer.fields
    sides = ("the milestone's branch", "the task's")
    found = clashes(repository, base, tip, entries, sides)
    if answer.code and not found:
        found = (Clash(".", "files and folders were moved in ways that do not go together"),)
    return Preview(branch, tip, commit, base, tree, found, tuple(repository.touched(tip, tree)))


def clashes(
    repository: Repository, base: str, tip: str, entries: Iterable[str], sides: tuple[str, str]
) -> tuple[Clash, ...]:
    """Return the clashes behind unmerged entries (`mode id stage<TAB>path`); `tip` ends the milestone's branch."""
    stages: dict[str, set[str]] = {}
    for entry in entries:
        facts, _, path = entry.partition("\t")
        if path:
            stages.setdefault(path, set()).add(facts.rpartition(" ")[2])
    found: list[Clash] = []
    for number, (path, seen) in enumerate(stages.items()):
        how = _HOW.get(frozenset(seen), "moved on both sides, or on one and changed on the other")
        task = repository.last_task(base, tip, path) if number < _ASKED else ""
        found.append(Clash(shown(path), how.format(ours=sides[0], theirs=sides[1]), task))
    return tuple(found)


def guard(seen: Preview, declared: Iterable[str]) -> None:
    """Return if a merge deletes only files that its task declared.

    Raises:
        Refusal: it deletes others.
    """
    lost = outside(seen.deleted, declared)
    if lost:
        raise Refusal(
            f"Merging would delete files that the task did not declare: {listed(lost)}",
            remedy="Bring them back in the task's worktree and commit, or have the paths declared.",
        )


def squash(repository: Repository, branch: str, source: str, message: str) -> Squashed:
    """Return a new commit with all that `source` adds to a branch; nothing is moved.

    Raises:
        Conflict: it cannot be merged; every file is named with the task that changed it last.
        Refusal: it adds nothing.
    """
    seen = preview(repository, branch, source)
    if seen.clashes:
        raise Conflict(
            f"Merging into {branch!r} fails: {'; '.join(str(one) for one in seen.clashes[:_ASKED])}",
            remedy="Merge the branch into the task's worktree, resolve it there and commit.",
        )
    if not seen.touched:
        raise Refusal(f"There is nothing to merge: {branch!r} holds all of it already")
    answer = repository.git.run(
        "commit-tree", "-p", seen.tip, "-F", "-", seen.tree, given=message, more=identity(repository.git)
    )
    return Squashed(branch, seen.tip, answer.text)
