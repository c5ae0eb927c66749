"""Commits that agents make in their worktrees: what may be in them and what they say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal, get_args

from milestone.domain.errors import Refusal
from milestone.domain.paths import outside
from milestone.domain.text import clip
from milestone.git.door import TREE_SECONDS, Git
from milestone.git.identity import identity
from milestone.git.names import listed, shown
from milestone.git.repository import Repository, paired
from milestone.git.trees import Worktree, exact_changes, existing_worktree, stage

Kind = Literal["feat", "fix", "docs", "test", "refactor", "perf", "build", "ci", "chore", "style", "revert"]
SUMMARY_LIMIT = 100
_BODY_LIMIT = 8_000
_VALUE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,127}")
_OTHER_BREAKS = re.compile("\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_UNSAYABLE = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
# Lines of a body that could be taken for our trailers, or for the end of the message.
_FORGED = re.compile(r"^(?=\s*(?:milestone|phase|task)\s*:|---)", re.IGNORECASE | re.MULTILINE)
_MARK = re.compile(rb"^(?:<{7,}|>{7,}|\|{7,}) ", re.MULTILINE)


def message(kind: str, phase: str, summary: str, body: str = "", *, milestone: str, task: str) -> str:
    r"""Return the text of a semantic commit; its last paragraph is the trailers, whatever the other parts hold.

    >>> print(message("feat", "execute", "add a door", milestone="m-1", task="t-2"), end="")
    feat(execute): add a door
    <BLANKLINE>
    Milestone: m-1
    Phase: execute
    Task: t-2

    Raises:
        Refusal: the kind is unknown, an id is none, or the summary is not one line of at most 100 characters.
    """
    if kind not in get_args(Kind):
        raise Refusal(f"{shown(clip(kind, 40))!r} is no kind of commit", allowed=", ".join(get_args(Kind)))
    for value in (milestone, phase, task):
        if not _VALUE.fullmatch(value):
            raise Refusal(f"{shown(clip(value, 80))!r} cannot stand in a commit's trailer")
    summary = summary.strip(" ")
    if not summary or not summary.isprintable() or len(summary) > SUMMARY_LIMIT:
        raise Refusal(
            f"The summary {shown(clip(summary, 140))!r} does not fit",
            allowed=f"one line of 1 to {SUMMARY_LIMIT} printable characters",
        )
    text = _FORGED.sub("    ", _UNSAYABLE.sub("", _OTHER_BREAKS.sub("\n", clip(body, _BODY_LIMIT)))).strip("\n")
    paragraphs = (f"{kind}({phase}): {summary}", text.rstrip(), f"Milestone: {milestone}\nPhase: {phase}\nTask: {task}")
    return "\n\n".join(part for part in paragraphs if part) + "\n"


def commit(repository: Repository, path: Path, text: str, declared: Iterable[str]) -> str:
    """Return the commit made of everything that changed in a worktree, `.milestones/` left out; ends a merge, too.

    In a merge the other side's changes are not the task's: what counts is how the result differs from that side.

    Raises:
        Refusal: files outside `declared` changed, marks of conflict are left, there is nothing to commit, or the
            worktree has no branch.
    """
    tree = existing_worktree(repository, path)
    if not tree.branch:
        raise Refusal(
            f"{path} is there to read: it has no branch", remedy="A task that owes a commit has another folder."
        )
    door, declared = tree.door(repository), tuple(declared)
    with door.turn():
        merging = merge_head(tree)
        changed = exact_changes(door)
        _refuse_outside([shown(name) for status, name in changed if status == "?" or not merging], declared)
        stage(door, [name for _, name in changed])
        # From here on the index is judged, which is what is committed: files may still be changing.
        options = ("--cached", "-z", "--name-status", "--no-renames", "--ignore-submodules=none")
        staged = paired(door.run("diff-index", *options, merging or "HEAD", "--", reads=True).fields)
        _refuse_outside([one.path for one in staged], declared)
        if merging:
            _refuse_marks(door)
        if not staged and not merging:
            raise Refusal("There is nothing to commit", remedy="Files that .gitignore names are not committed.")
        return concluded(repository, tree, text)


def concluded(repository: Repository, tree: Worktree, text: str) -> str:
    """Return the commit made of a worktree's index; the caller has its turn."""
    door = tree.door(repository)
    options = ("--quiet", "--no-verify", "--no-gpg-sign", "--no-status", "--cleanup=verbatim", "--file=-")
    door.run("commit", *options, given=text, more=identity(repository.git), seconds=TREE_SECONDS)
    return door.run("rev-parse", "--verify", "HEAD^{commit}", reads=True).text


def merge_head(tree: Worktree) -> str:
    """Return the commit that is being merged in a worktree; empty where no merge is under way."""
    try:
        return (tree.git_dir / "MERGE_HEAD").read_text("ascii").split("\n")[0]
    except FileNotFoundError:
        return ""


def conflicted(door: Git) -> list[str]:
    """Return the entries (`mode id stage<TAB>path`) of the merge under way that were or still are in conflict."""
    kept: dict[str, None] = {}
    for option in ("--unmerged", "--resolve-undo"):
        kept |= dict.fromkeys(door.run("ls-files", "-z", option, "--", ":/", reads=True).fields)
    return list(kept)


def _refuse_outside(paths: Sequence[str], declared: tuple[str, ...]) -> None:
    undeclared = outside(paths, declared)
    if undeclared:
        raise Refusal(
            f"Files outside the declared paths changed: {listed(undeclared)}",
            allowed=listed(declared) or "none",
            remedy="Undo the changes to them, and remove=[…] those that are new, then commit again.",
        )


def _refuse_marks(door: Git) -> None:
    """Refuse files of a conflict that still hold its marks."""
    paths = dict.fromkeys(entry.partition("\t")[2] for entry in conflicted(door))
    if not paths:
        return
    literal = [f":(top,literal){path}" for path in paths]
    marked: list[str] = []
    for entry in door.run("ls-files", "-z", "--stage", "--", *literal, reads=True).fields:
        facts, _, path = entry.partition("\t")
        mode, blob, _ = facts.split(" ")
        if mode.startswith("100") and _MARK.search(door.run("cat-file", "blob", blob, reads=True).out):
            marked.append(path)
    if marked:
        raise Refusal(
            f"Marks of conflict are left in {listed(marked)}",
            remedy="Resolve them (<<<<<<<, >>>>>>>), then commit again.",
        )
