"""Names that come from outside: which of them git is ever given, and how those that git gives are shown."""

from __future__ import annotations

import re

from milestone.domain.errors import Refusal
from milestone.domain.text import clip

_BRANCH = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(?:/[A-Za-z0-9][A-Za-z0-9._-]*)*")
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_BRANCH_LIMIT = 200
# Control characters, halves of characters, line separators, and what turns the direction of writing.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028-\u202e\u2066-\u2069]")
_WORD = "milestone-"
TASKS = "milestone/"  # what every task's branch begins with
_SHOWN = 20


def branch(name: str) -> str:
    """Return a branch's short name, now known to be harmless.

    Stricter than git: words of letters, digits, `.`, `_` and `-`, each beginning with a letter or digit.

    Raises:
        Refusal: it is none.
    """
    if not _BRANCH.fullmatch(name) or len(name) > _BRANCH_LIMIT or _COMMIT.fullmatch(name) or not _stored(name):
        raise Refusal(
            f"{shown(clip(name, 80))!r} is no name for a branch",
            allowed="words of letters, digits, '.', '_' and '-' with '/' between them",
        )
    return name


def _stored(name: str) -> bool:
    """Whether git can keep a ref of this name, whose words are already of the right characters."""
    return ".." not in name and not any(word.endswith((".", ".lock")) for word in name.split("/"))


def commit_id(text: str) -> str:
    """Return a full commit id, now known to be one.

    Raises:
        Refusal: it is a short one, a name, or anything else.
    """
    if not is_commit_id(text):
        raise Refusal(f"{shown(clip(text, 80))!r} is no commit", allowed="a full commit id: 40 or 64 hex digits")
    return text


def is_commit_id(text: str) -> bool:
    """Return whether a text is a full commit id."""
    return _COMMIT.fullmatch(text) is not None


def milestone_branch(milestone_id: str) -> str:
    """Return the branch of a milestone.

    >>> milestone_branch("add-oauth"), milestone_branch("milestone-1")
    ('feature/milestone-add-oauth', 'feature/milestone-1')
    """
    return branch(f"feature/{_WORD}{milestone_id.removeprefix(_WORD)}")


def task_branch(milestone_id: str, task_id: str) -> str:
    """Return the branch of a task; git keeps no ref that ends in `.lock`, so such a task's gets a `_` behind it.

    >>> task_branch("add-oauth", "t-1")
    'milestone/add-oauth/t-1'
    """
    return branch(f"{TASKS}{milestone_id}/{task_id}{'_' if task_id.endswith('.lock') else ''}")


def decoded(raw: bytes) -> str:
    """Return what git wrote, exactly: it can be handed back to git, and may hold halves of characters."""
    return raw.decode("utf-8", "surrogateescape")


def encoded(text: str) -> bytes:
    """Return a text as git is given it."""
    return text.encode("utf-8", "surrogateescape")


def shown(name: str) -> str:
    r"""Return a name so that it stays one line and can be stored: what nobody sees is written as an escape.

    >>> shown("a b.md"), shown("a\nb\udcff"), shown("c:\\d\x1b")
    ('a b.md', 'a\\nb\\xff', 'c:\\\\d\\x1b')
    """
    if not _UNSEEN.search(name):
        return name
    return _UNSEEN.sub(_escape, name.replace("\\", "\\\\"))


def _escape(found: re.Match[str]) -> str:
    character = found[0]
    if "\udc80" <= character <= "\udcff":  # a byte that is no UTF-8, as `decoded` keeps it
        return f"\\x{character.encode('utf-8', 'surrogateescape')[0]:02x}"
    return character.encode("unicode_escape", "backslashreplace").decode("ascii")


def listed(names: tuple[str, ...] | list[str]) -> str:
    """Return names as one line for a sentence, the first twenty of them.

    >>> listed(["a", "b"])
    'a, b'
    """
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(shown(name) for name in names[:_SHOWN]) + more
