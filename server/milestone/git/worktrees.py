"""Folders in which agents work: one for each branch that is written, and detached ones to read and to run gates in."""

from __future__ import annotations

import itertools
import os
import shutil
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from milestone.domain.errors import Conflict, Refusal
from milestone.git.door import TREE_SECONDS
from milestone.git.names import TASKS, commit_id, decoded, encoded, listed
from milestone.git.names import branch as checked_branch
from milestone.git.repository import Repository
from milestone.git.trees import Worktree, existing_worktree, find_worktree, real, registered, uncommitted, worktrees

ADDING = "worktrees"  # whose turn it is to make, move or remove one
_HALF_MADE = "initializing"  # the lock that stays when git dies while it registers a worktree


def writing_worktree(repository: Repository, path: Path, branch: str, start: str) -> Worktree:
    """Return the worktree of a branch at `path`, made where it is missing; the branch is then made from `start`.

    Work that is there is never lost: an existing branch stays where it is, and files that a vanished worktree left
    are moved to a folder beside it, named `<path>.left-<n>`.

    Raises:
        Conflict: the branch, or the path, belongs to another worktree, or the branch vanished under its worktree.
    """
    checked_branch(branch)
    with repository.git.turn(ADDING):
        found = _kept(repository, path)
        if found is None:
            _free(repository, branch)
            tip = repository.create_branch(branch, start)
            found = _added(repository, Worktree(path, repository.common, branch, tip), branch)
    if found.branch != branch:
        raise Conflict(
            f"The worktree {path} belongs to {found.branch or 'no branch'}", remedy="Remove it, or choose another path."
        )
    if not found.head:
        last = _last_commit(found)
        raise Conflict(
            f"Branch {branch!r} was deleted while its worktree is still there",
            remedy=f"`git branch {branch} {last}` brings it back." if last else "Bring the branch back.",
        )
    return _filled(repository, found)


def reading_worktree(repository: Repository, path: Path, commit: str) -> Worktree:
    """Return a detached worktree at `path` that stands on a commit; one that is there is moved, if nothing was changed.

    Raises:
        Refusal: files were changed there.
        Conflict: the path belongs to the worktree of a branch.
    """
    found = _detached(repository, path, commit)
    if found.head == commit:
        return found
    door = found.door(repository)
    with door.turn():
        changed = uncommitted(door)
        if changed:
            raise Refusal(
                f"Files were changed in {path}, which is there to read: {listed([one.path for one in changed])}",
                remedy="Undo that, or remove the worktree.",
            )
        door.run("checkout", "--quiet", "--detach", "--no-recurse-submodules", commit, "--", seconds=TREE_SECONDS)
    return replace(found, head=commit)


def checkout_at(repository: Repository, path: Path, commit: str) -> Worktree:
    """Return a detached worktree at `path` that holds exactly a commit, whatever was done there before.

    Only ignored files stay, so that installed dependencies need not be installed again.

    Raises:
        Conflict: the path belongs to the worktree of a task's branch.
    """
    found = _detached(repository, path, commit, spared=TASKS)
    door = found.door(repository)
    with door.turn():
        if any(not entry.startswith("H ") for entry in door.run("ls-files", "-z", "-v", reads=True).fields):
            # Some files were told to be looked at no more: what is changed in them would stay.
            (found.git_dir / "index").unlink()
        options = ("--quiet", "--force", "--detach", "--no-recurse-submodules")
        door.run("checkout", *options, commit, "--", seconds=TREE_SECONDS)
        door.run("clean", "--quiet", "-ffd", seconds=TREE_SECONDS)
    return replace(found, branch="", head=commit)


def cleared(repository: Repository, path: Path) -> Worktree:
    """Return a worktree that holds what its branch has, ignored files and repositories of its own; capture it before.

    Raises:
        Missing: there is no worktree at `path`.
    """
    found = existing_worktree(repository, path)
    door = found.door(repository)
    with door.turn():
        door.run("reset", "--quiet", "--hard", "--no-recurse-submodules", "HEAD", "--", seconds=TREE_SECONDS)
        door.run("clean", "--quiet", "-fd", seconds=TREE_SECONDS)
    return found


def remove_worktree(repository: Repository, path: Path, *, force: bool = False) -> None:
    """Remove a worktree and its folder; its branch stays. Nothing happens where there is none.

    Raises:
        Refusal: it is the main one, or has uncommitted changes and `force` is not given.
    """
    with repository.git.turn(ADDING):
        found = find_worktree(repository, path)
        if found is None:
            if path.exists():
                raise Refusal(f"{path} is no worktree of the repository, so it is left alone")
            return
        if found.git_dir == repository.common:
            raise Refusal("The main worktree is never removed")
        with found.door(repository).turn():
            changed = uncommitted(found.door(repository)) if found.there and not force else []
            if changed:
                raise Refusal(
                    f"{path} has changes that are not committed: {listed([one.path for one in changed])}",
                    remedy="Commit them, or say that they may be lost.",
                )
            _unregistered(repository, found)


def _detached(repository: Repository, path: Path, commit: str, *, spared: str = "") -> Worktree:
    """Return the worktree at a path, made on a commit where it is missing; not that of a branch that begins so."""
    commit_id(commit)
    with repository.git.turn(ADDING):
        made = Worktree(path, repository.common, "", commit)
        found = _kept(repository, path) or _added(repository, made, "--detach", commit)
    if found.branch and found.branch.startswith(spared):
        raise Conflict(f"The worktree {path} belongs to branch {found.branch!r}", remedy="Choose another path.")
    return _filled(repository, found)


def _kept(repository: Repository, path: Path) -> Worktree | None:
    """Return the worktree that is registered at a path and there, mended; else make the path free for one."""
    found = find_worktree(repository, path)
    if found is not None:
        if found.git_dir == repository.common:
            raise Conflict(f"{path} is the main worktree", remedy="Choose another path.")
        if found.there and found.locked != _HALF_MADE:
            return _repaired(found)
        _unregistered(repository, found)
    if path.is_symlink() or (path.exists() and not path.is_dir()):
        raise Conflict(f"{path} is no folder", remedy="Remove it.")
    if path.is_dir() and any(path.iterdir()):
        return _taken_back(repository, path)
    return None


def _taken_back(repository: Repository, path: Path) -> Worktree | None:
    """Register a worktree again whose folder was moved; move aside what a vanished one left."""
    pointer = _pointer(path)
    if pointer is None or pointer.parent.name != "worktrees":
        raise Conflict(f"{path} holds files that belong to no worktree", remedy="Move them away.")
    admin = repository.common / "worktrees" / pointer.name
    target = next((place for place, git_dir in registered(repository).items() if git_dir == admin), None)
    if target is not None and not os.path.lexists(target):
        repository.git.run("worktree", "repair", "--", str(path))
        return find_worktree(repository, path)
    places = (path.with_name(f"{path.name}.left-{number}") for number in itertools.count(1))
    path.rename(next(place for place in places if not os.path.lexists(place)))
    return None


def _repaired(found: Worktree) -> Worktree:
    """Make a worktree's `.git` file lead back to its registration, for those who run git there without us."""
    if (found.path / ".git").is_dir():
        raise Refusal(f"{found.path}/.git is a folder, so it is no worktree any more", remedy="Move that folder away.")
    if _pointer(found.path) != found.git_dir:
        (found.path / ".git").unlink(missing_ok=True)  # it may be a link
        (found.path / ".git").write_bytes(encoded(f"gitdir: {found.git_dir}\n"))
    return found


def _free(repository: Repository, branch: str) -> None:
    """Make sure that no worktree has a branch; a registration whose folder is gone is removed."""
    for one in worktrees(repository):
        if one.branch == branch and one.there:
            raise Conflict(f"Branch {branch!r} is checked out in {one.path}", remedy="Use that worktree, or remove it.")
        if one.branch == branch:
            _unregistered(repository, one)


def _added(repository: Repository, made: Worktree, *what: str) -> Worktree:
    """Register a worktree on a branch or, detached, on a commit; nobody waits for its files, which come later."""
    options, place = ("--quiet", "--no-checkout", *what[:-1]), real(made.path)
    repository.git.run("worktree", "add", *options, "--", str(place), what[-1])
    return replace(made, path=place, git_dir=registered(repository)[place])


def _filled(repository: Repository, found: Worktree) -> Worktree:
    """Check the files out where that has not happened, or was interrupted: then there is no index."""
    door = found.door(repository)
    if not (found.git_dir / "index").exists():
        with door.turn():
            if not (found.git_dir / "index").exists():
                door.run("reset", "--quiet", "--hard", "--no-recurse-submodules", "HEAD", "--", seconds=TREE_SECONDS)
    return found


def _unregistered(repository: Repository, found: Worktree) -> None:
    """Let git forget a worktree and remove its folder."""
    if found.locked == _HALF_MADE:  # too little of it may be there for git; files there are none yet
        (found.path / ".git").unlink(missing_ok=True)
        shutil.rmtree(found.git_dir)
        return
    if found.there:
        _repaired(found)
    repository.git.run("worktree", "remove", "--force", "--", str(found.path), seconds=TREE_SECONDS)


def _pointer(worktree: Path) -> Path | None:
    """Return the Git folder that a worktree's `.git` file leads to."""
    with suppress(OSError):
        text = decoded((worktree / ".git").read_bytes())
        if text.startswith("gitdir: "):
            return Path(os.path.normpath(worktree / text.removeprefix("gitdir: ").rstrip("\n")))
    return None


def _last_commit(found: Worktree) -> str:
    with suppress(OSError):
        return decoded((found.git_dir / "logs" / "HEAD").read_bytes().splitlines()[-1]).split(" ")[1]
    return ""
