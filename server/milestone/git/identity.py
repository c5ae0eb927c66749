"""Whom a commit names as its author: the person, or Milestone where Git knows nobody."""

from __future__ import annotations

from collections.abc import Mapping

from milestone.git.door import Git

NAME, EMAIL = "Milestone", "milestone@localhost"
_ASKED = r"^(user|author|committer)\.(name|email)$"
OURS = {
    f"GIT_{role}_{what}": text for role in ("AUTHOR", "COMMITTER") for what, text in (("NAME", NAME), ("EMAIL", EMAIL))
}


def identity(git: Git) -> Mapping[str, str]:
    """Return what to add to git's environment: nothing where the person's configuration gives name and address."""
    answer = git.run("config", "-z", "--get-regexp", _ASKED, codes=(0, 1), reads=True)
    given = {key for key, _, value in (field.partition("\n") for field in answer.fields) if value.strip()}
    known = all(
        {f"{role}.{what}", f"user.{what}"} & given for role in ("author", "committer") for what in ("name", "email")
    )
    return {} if known else OURS
