"""Checkpoints of worktrees: all that one holds is kept under a ref of ours, and the worktree stays as it is."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from milestone.domain.errors import Missing
from milestone.git import kept, under_way
from milestone.git.door import Git
from milestone.git.inner import inner, pointer
from milestone.git.kept import CHECKPOINTS, About, Kept, Within, checkpoint_ref
from milestone.git.looking import Seen, look
from milestone.git.names import shown
from milestone.git.repository import REFS, Repository
from milestone.git.tips import TIPS
from milestone.git.trees import Worktree, existing_worktree

__all__ = ["CHECKPOINTS", "Captured", "capture", "checkpoint_ref", "forget"]


@dataclass(frozen=True)
class Captured:
    """One worktree as it was: `ref` names the commit that keeps it. `branch` is empty where HEAD was detached, `head`
    where there was no commit yet. The counts are of files: in the index otherwise than in HEAD, changed since they
    were staged, new and not ignored, and gone. `left_out` is what cannot be kept, names as `shown`.
    """

    name: str
    path: str
    ref: str
    commit: str
    branch: str
    head: str
    staged: int = 0
    changed: int = 0
    untracked: int = 0
    deleted: int = 0
    left_out: tuple[str, ...] = ()

    def plain(self) -> dict[str, Any]:
        """Return it as what JSON can hold."""
        return asdict(self) | {"path": shown(self.path), "left_out": list(self.left_out)}


def capture(repository: Repository, path: Path, checkpoint_id: str, name: str, *, also: str = "") -> Captured:
    """Return what is now kept of the worktree at `path` (the main one, or a linked one): HEAD, the index, every file
    that is not ignored, merges and rebases under way, and the same of every repository that lies within. Nothing
    but the new ref (and objects) changes. `.milestones/` is left out. A second capture of the same name takes the
    first one's place.

    `also` is a checkpoint's ref: before that one is put back, its files are kept even where they are ignored now.

    Raises:
        Missing: there is no worktree at `path`.
        Refusal: a file cannot be read, or the id or the name is not one word.
    """
    ref = checkpoint_ref(checkpoint_id, name)
    tree = existing_worktree(repository, path)
    door = tree.door(repository)
    earlier = kept.read(door, also) if also else None
    with door.turn():
        seen = look(door, files(door, earlier.tree) if earlier else ())
        within, left_out = _within(repository, tree, seen, (checkpoint_id, name), earlier)
        about = About(
            str(tree.path),
            tree.branch,
            tree.head,
            seen.index.marks,
            sorted({entry.path for entry in seen.index.unmerged}),
            seen.index.time,
            seen.index.missing,
            under_way.read(tree.git_dir),
            within,
            seen.refused,
        )
        commit = kept.write(door, ref, seen, about)
    missed = tuple(shown(one) for one in (*seen.refused, *left_out))
    return Captured(name, str(tree.path), ref, commit, tree.branch, tree.head, **seen.counts, left_out=missed)


def files(door: Git, tree: str) -> list[str]:
    """Return the paths of all files in a tree."""
    return door.run("ls-tree", "-r", "-z", "--name-only", "--full-tree", tree, reads=True).fields


def _within(
    repository: Repository, tree: Worktree, seen: Seen, called: tuple[str, str], earlier: Kept | None
) -> tuple[list[Within], list[str]]:
    """Capture the repositories that lie within; return them, and what could not be kept."""
    found: list[Within] = []
    left_out: list[str] = []
    entered: set[Path] = set()
    before = {one["path"]: one["commit"] for one in earlier.about.within} if earlier else {}
    for path in seen.links:
        folder = tree.path / path
        one = inner(repository, tree, path)
        if one is not None and one.common not in entered:
            entered.add(one.common)
            captured = capture(one, folder, *called, also=_known(one, before.get(path, "")))
            left_out += [f"{path}/{name}" for name in captured.left_out]
            found.append({"path": path, "commit": captured.commit, "pointer": pointer(folder)})
        elif folder.is_dir() and not folder.is_symlink() and any(folder.iterdir()):
            left_out.append(f"{path}/")
        elif folder.is_dir() and not folder.is_symlink():
            found.append({"path": path, "commit": "", "pointer": ""})
    return found, left_out


def _known(repository: Repository, commit: str) -> str:
    """Return a commit if it is in a repository; another one may lie there now."""
    try:
        return kept.read(repository.git, commit).commit if commit else ""
    except Missing:
        return ""


def forget(repository: Repository, checkpoint_id: str) -> None:
    """Delete all refs of a checkpoint, those within repositories that lie within included; nothing where none are."""
    places = [f"{CHECKPOINTS}/{kept.word(checkpoint_id)}", f"{TIPS}/{checkpoint_id}"]
    git = repository.git
    for ref in git.run("for-each-ref", "--format=%(refname)", places[0], reads=True).text.split():
        for one in _inner(repository, ref):
            forget(one, checkpoint_id)
    with git.turn(REFS):
        found = git.run("for-each-ref", "--format=delete %(refname) %(objectname)", *places, reads=True).text
        if found:
            git.run("update-ref", "--stdin", given=f"{found}\n")


def _inner(repository: Repository, ref: str) -> list[Repository]:
    """Return the repositories that a checkpoint found within a worktree, as far as they are still there."""
    try:
        about = kept.read(repository.git, ref).about
        tree = existing_worktree(repository, Path(about.path))
    except Missing:
        return []
    found = [inner(repository, tree, one["path"]) for one in about.within if one["commit"]]
    return [one for one in found if one is not None]
