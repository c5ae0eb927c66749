"""What an earlier attempt left decides how the next one begins: from the start, with a review, or with a question."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

How = Literal["start", "review", "salvage"]


@dataclass(frozen=True)
class Left:
    """What Git has of a task that nobody holds.

    `base` is the commit its next attempt begins from, `commits` are its own since then that the milestone's branch
    does not have, newest first, `changed` the files in its folder that are not committed.
    """

    base: str = ""
    commits: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


def resume(left: Left, *, sent_back: bool) -> How:
    """Return how the next attempt begins.

    Files that nobody committed are shown to a person first, because only a person can tell whether they are worth
    keeping. Work that was sent back is known to be wrong in a known way, so its next attempt goes on in it.

    >>> resume(Left(commits=("c1",)), sent_back=False), resume(Left(changed=("a.py",)), sent_back=False)
    ('review', 'salvage')
    """
    if sent_back:
        return "start"
    if left.changed:
        return "salvage"
    return "review" if left.commits else "start"
