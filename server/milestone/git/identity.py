"""Whom a commit names as its author: the person, or Milestone where Git knows nobody."""

from __future__ import annotations

from collections.abc import Mapping

from milestone.git.door import Git

NAME, EMAIL = "Milestone", "milestone@localhost"
_OURS = {
    f"GIT_{role}_{what}": text for role in ("AUTHOR", "COMMITTER") for what, text in (("NAME", NAME), ("EMAIL", EMAIL))
}


def identity(git: Git) -> Mapping[str, str]:
    """Return what to add to git's environment: nothing where the person's configuration gives name and address."""
    for role in ("GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"):
        given = git.run("var", role, settings=("user.useConfigOnly=true",), codes=(0, 1, 128), reads=True)
        if given.code:
            return _OURS
    return {}
