"""`milestone rehearse`: the main job without a model, on the real server, with stand-ins for the agents."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def rehearse(path: Path, *, keep: bool, name: str, environ: Mapping[str, str] | None = None) -> int:
    """Play the planning of a milestone on the repository at `path` and return the exit code.

    With `keep` the project's real places are used, else a temporary folder. An empty `name` is made from the folder's.
    `environ` is where `MILESTONE_*` settings are taken from.
    """
    # Other commands import this package, and only this one needs what pydantic and the SDK cost.
    from milestone.surfaces.rehearse.play import perform

    return perform(path, environ or {}, keep=keep, name=name)
