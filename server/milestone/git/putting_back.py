"""Putting a worktree back to what a checkpoint kept: shown first, then done in steps that can be taken again."""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from milestone.domain.errors import Conflict, Missing, Refusal
from milestone.git import heads, kept, staged, under_way
from milestone.git.capture import files
from milestone.git.door import Git
from milestone.git.heads import Move
from milestone.git.inner import inner, lead, pointed
from milestone.git.kept import Kept, Within
from milestone.git.looking import Seen, look, workspace
from milestone.git.names import shown
from milestone.git.places import reached_by_link
from milestone.git.repository import Change, Repository
from milestone.git.sparing import Sparing, refuse_in_the_way
from milestone.git.trees import Worktree, existing_worktree
from milestone.git.worktrees import ADDING


@dataclass(frozen=True)
class Difference:
    """What putting back would change: `files` in the worktree, `index` in what is staged (`A` comes back, `D` goes,
    `M` or `T` becomes what it was, `U` is a conflict or another mark), `moves` are words on HEAD and the branch. All
    names are `shown`.
    """

    files: tuple[Change, ...]
    index: tuple[Change, ...]
    moves: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.files or self.index or self.moves)

    def plain(self) -> dict[str, Any]:
        """Return it as what JSON can hold: `files` and `index` as lists of `{status, path}`, `moves` as texts."""
        found = asdict(self)
        return {name: list(found[name]) for name in ("files", "index", "moves")}


@dataclass(frozen=True)
class _Plan:
    """One worktree, as it is and as it was. `lost` are repositories within whose folders have to be made again."""

    repository: Repository
    tree: Worktree
    seen: Seen
    kept: Kept
    changed: tuple[tuple[str, str], ...]
    sparing: Sparing
    move: Move
    within: tuple[_Plan, ...]
    lost: tuple[Within, ...]

    @property
    def door(self) -> Git:
        return self.tree.door(self.repository)


def preview(repository: Repository, path: Path, ref: str) -> Difference:
    """Return what `put_back` would change in the worktree at `path`. Changes nothing.

    Raises:
        Missing: there is no such checkpoint, or no worktree at `path`.
        Conflict: `put_back` would refuse, too.
    """
    with ExitStack() as turns:
        return _difference(_planned(repository, path, ref, turns))


def put_back(repository: Repository, path: Path, ref: str) -> None:
    """Make the worktree at `path` what `ref` (a `Captured.ref`) keeps: files, index, HEAD and its branch, merges under
    way. Files that came after go, ignored ones and repositories that came after stay. A branch that moved since is
    moved back, a deleted one is made again. Capture the worktree first, with `also=ref`: then all this can be undone.

    A call that was broken off is completed by calling it again.

    Raises:
        Missing: there is no such checkpoint, or no worktree at `path`.
        Conflict: its branch is checked out in another worktree now, something ignored is in the way of what comes
            back, a repository that lay within is gone, or somebody changes the same files at the same time.
    """
    with ExitStack() as turns:
        turns.enter_context(repository.git.turn(ADDING))
        _make(_planned(repository, path, ref, turns), turns)


def _planned(repository: Repository, path: Path, name: str, turns: ExitStack) -> _Plan:
    """Return all that has to be done, the worktree's turn held from now on; nothing is changed yet."""
    tree = existing_worktree(repository, path)
    door = tree.door(repository)
    turns.enter_context(door.turn())
    found = kept.read(door, name)
    seen = look(door, files(door, found.tree))
    options = ("-r", "-z", "--name-status", "--no-renames")
    flat = iter(door.run("diff-tree", *options, seen.tree, found.tree, reads=True).fields)
    changed = tuple((status[:1], path) for status, path in zip(flat, flat, strict=True))
    if any(workspace(path) for _, path in changed):
        raise Refusal("The checkpoint holds files of `.milestones/`, which no checkpoint of ours does")
    sparing = Sparing(door, seen, found.commit, found.tree, changed)
    refuse_in_the_way(tree.path, changed, sparing.paths)
    move = heads.planned(repository, tree, found.about)
    within, lost = _planned_within(repository, tree, found, turns)
    return _Plan(repository, tree, seen, found, changed, sparing, move, within, lost)


def _planned_within(
    repository: Repository, tree: Worktree, found: Kept, turns: ExitStack
) -> tuple[tuple[_Plan, ...], tuple[Within, ...]]:
    plans: list[_Plan] = []
    lost: list[Within] = []
    for one in found.about.within:
        folder = tree.path / one["path"]
        other = inner(repository, tree, one["path"]) if one["commit"] else None
        if other is not None:
            plans.append(_entered(other, one, turns))
        elif not one["commit"] or (not os.path.lexists(folder / ".git") and pointed(tree, folder, one["pointer"])):
            lost.append(one)
        else:
            raise Conflict(
                f"The repository in {shown(one['path'])} is gone, or its `.git` leads elsewhere now",
                remedy="Bring it back, then call again.",
            )
    return tuple(plans), tuple(lost)


def _entered(repository: Repository, one: Within, turns: ExitStack) -> _Plan:
    try:
        return _planned(repository, repository.worktree, one["commit"], turns)
    except Missing:
        raise Conflict(
            f"Another repository lies in {shown(one['path'])} now", remedy="Bring the old one back, then call again."
        ) from None


def _make(plan: _Plan, turns: ExitStack) -> None:
    """Take the steps. The index is the last: by it the next call tells what was tracked if this one is broken off."""
    door, shadow = plan.door, plan.seen.shadow
    plan.sparing.note()
    heads.make(door, plan.move)
    shadow.drop(sorted(plan.sparing.paths))
    if any(path not in plan.sparing.paths for _, path in plan.changed):
        answer = shadow.run("read-tree", "-m", "-u", plan.kept.tree, codes=(0, 128))
        if answer.code:
            raise Conflict(f"Files cannot be put back: {door.said(answer)}", remedy="Mend that, then call again.")
    for one in plan.lost:
        _bring_back(plan, one, turns)
    for other in plan.within:
        _make(other, turns)
    under_way.put(plan.tree.git_dir, plan.kept.about.under_way)
    staged.put(door, shadow, plan.kept.staged)


def _bring_back(plan: _Plan, one: Within, turns: ExitStack) -> None:
    """Make the folder of a repository again, and lead it to its Git folder."""
    folder = plan.tree.path / one["path"]
    if reached_by_link(plan.tree.path, one["path"]):
        raise Conflict(f"A link is in the place of {shown(one['path'])}", remedy="Remove it, then call again.")
    folder.mkdir(parents=True, exist_ok=True)
    if one["commit"]:
        lead(folder, one["pointer"])
        other = inner(plan.repository, plan.tree, one["path"])
        if other is None:
            raise Conflict(f"The repository in {shown(one['path'])} cannot be brought back")
        _make(_entered(other, one, turns), turns)


def _difference(plan: _Plan) -> Difference:
    changed = [Change(status, shown(path)) for status, path in plan.changed if path not in plan.sparing.paths]
    index = plan.repository.touched(plan.seen.index.tree, plan.kept.staged.tree)
    now, then = plan.seen.index.marks, plan.kept.staged.marks
    marked = {path for path in now.keys() | then.keys() if now.get(path) != then.get(path)}
    index += [Change("U", shown(path)) for path in sorted(marked) if shown(path) not in {one.path for one in index}]
    moves = plan.move.said
    if under_way.read(plan.tree.git_dir) != dict(plan.kept.about.under_way):
        moves.append("a merge, rebase or the like that is under way now, or was then, becomes what it was")
    moves += [f"the repository in {shown(one['path'])} comes back" for one in plan.lost if one["commit"]]
    for other in plan.within:
        inner_one, place = _difference(other), shown(f"{other.tree.path.relative_to(plan.tree.path)}")
        changed += [Change(one.status, f"{place}/{one.path}") for one in inner_one.files]
        index += [Change(one.status, f"{place}/{one.path}") for one in inner_one.index]
        moves += [f"in {place}: {said}" for said in inner_one.moves]
    return Difference(tuple(changed), tuple(index), tuple(moves))
