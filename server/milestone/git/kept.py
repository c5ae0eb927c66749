"""The form in which a checkpoint keeps a worktree: one commit with all files, the index, and a note about the rest."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypedDict, cast

from milestone.domain.errors import Missing, Refusal
from milestone.git.door import TREE_SECONDS, Git
from milestone.git.identity import OURS
from milestone.git.looking import Seen
from milestone.git.names import branch as checked
from milestone.git.names import decoded, is_commit_id, shown
from milestone.git.staged import Staged
from milestone.git.under_way import commits

CHECKPOINTS = "refs/milestone/checkpoints"
_VERSION = 1


class Within(TypedDict):
    """A repository that lies within: where, the commit there that keeps it, and what its `.git` file says, if it is
    one. Without a commit it is a folder that was empty, or was not entered.
    """

    path: str
    commit: str
    pointer: str


@dataclass(frozen=True)
class About:
    """What a checkpoint keeps of a worktree beside files and content of the index."""

    path: str
    branch: str
    head: str
    marks: Mapping[str, str]
    conflicts: Sequence[str]
    time: int
    missing: bool
    under_way: Mapping[str, str]
    within: Sequence[Within]
    refused: Sequence[str] = field(default=())


@dataclass(frozen=True)
class Kept:
    """A checkpoint of one worktree, as it was read: `tree` are the files, `staged` what was in the index."""

    commit: str
    about: About
    tree: str
    staged: Staged


def checkpoint_ref(checkpoint_id: str, name: str) -> str:
    """Return the ref that keeps one worktree in a checkpoint.

    >>> checkpoint_ref("checkpoint-ab12c", "main")
    'refs/milestone/checkpoints/checkpoint-ab12c/main'

    Raises:
        Refusal: the id or the name is not one word of letters, digits, `.`, `_` and `-`.
    """
    return f"{CHECKPOINTS}/{word(checkpoint_id)}/{word(name)}"


def word(name: str) -> str:
    """Return a part of a ref's name, now known to be one.

    Raises:
        Refusal: it is none.
    """
    if "/" in name:
        raise Refusal(f"{shown(name)!r} is not one word", allowed="letters, digits, '.', '_' and '-'")
    return checked(name)


def write(door: Git, ref: str, seen: Seen, about: About) -> str:
    """Return the commit that now keeps what was seen, under a ref."""
    parts = [("blob", _blob(door, json.dumps({"version": _VERSION, **vars(about)})), "about")]
    if seen.index.raw:
        parts.append(("blob", _blob(door, decoded(seen.index.raw)), "index"))
    parts += [("tree", seen.index.tree, "staged"), ("tree", seen.tree, "files")]
    unmerged = seen.index.unmerged
    if unmerged:  # nothing else holds on to these
        listing = [f"{one.mode} {_type(one.mode)} {one.blob}\t{number}" for number, one in enumerate(unmerged)]
        parts.append(("tree", _tree(door, listing), "conflicts"))
    tree = _tree(door, [f"{_MODES[kind]} {kind} {name_of}\t{name}" for kind, name_of, name in parts])
    heads = [about.head] if about.head else []
    parents = [part for head in dict.fromkeys(heads + _there(door, about)) for part in ("-p", head)]
    text = f"milestone: {ref.removeprefix(CHECKPOINTS + '/')}\n"
    commit = door.run("commit-tree", *parents, "-F", "-", tree, given=text, more=OURS).text
    door.run("update-ref", ref, commit)
    return commit


_MODES = {"blob": "100644", "tree": "040000"}


def _type(mode: str) -> Literal["commit", "blob"]:
    return "commit" if mode == "160000" else "blob"


def _blob(door: Git, content: str) -> str:
    return door.run("hash-object", "-w", "--no-filters", "--stdin", given=content, seconds=TREE_SECONDS).text


def _tree(door: Git, listing: Sequence[str]) -> str:
    given = "".join(f"{line}\0" for line in listing)
    return door.run("mktree", "-z", given=given, seconds=TREE_SECONDS).text


def _there(door: Git, about: About) -> list[str]:
    """Return the commits of what is under way that are really there."""
    named = commits(about.under_way)
    if not named:
        return []
    given = "".join(f"{one}\n" for one in named)
    answer = door.run("cat-file", "--batch-check=%(objectname) %(objecttype)", given=given, reads=True)
    return [line.partition(" ")[0] for line in answer.text.split("\n") if line.endswith(" commit")]


def read(door: Git, name: str) -> Kept:
    """Return what a checkpoint keeps of a worktree; `name` is its ref or its commit.

    Raises:
        Missing: there is none.
        Refusal: a newer program made it.
    """
    if not (is_commit_id(name) or name.startswith(f"{CHECKPOINTS}/")):
        raise Missing(f"{shown(name)!r} is no checkpoint")
    options = ("rev-parse", "--verify", "--quiet", "--end-of-options")
    commit = door.run(*options, f"{name}^{{commit}}", codes=(0, 1, 128), reads=True).text
    if not is_commit_id(commit):
        raise Missing(f"There is no checkpoint at {shown(name)!r}", remedy="It was forgotten; choose another one.")
    lines = [line.partition("\t") for line in door.run("ls-tree", "-z", commit, reads=True).fields]
    parts = {name: facts.split(" ")[2] for facts, _, name in lines}
    if not {"about", "files", "staged"} <= parts.keys():
        raise Missing(f"{commit[:12]} is no checkpoint")
    about = _about(door.run("cat-file", "blob", parts["about"], reads=True).text)
    raw = (
        door.run("cat-file", "blob", parts["index"], reads=True, seconds=TREE_SECONDS).out if "index" in parts else b""
    )
    staged = Staged((), parts["staged"], about.marks, raw, about.time, about.missing)
    return Kept(commit, about, parts["files"], staged)


def _about(text: str) -> About:
    found = cast("dict[str, Any]", json.loads(text))
    version = found.pop("version")
    if version != _VERSION:
        raise Refusal(f"The checkpoint has form {version}, this program knows form {_VERSION}", remedy="Upgrade it.")
    return About(**found)
