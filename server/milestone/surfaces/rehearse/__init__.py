"""`milestone rehearse`: the main job without a model, on the real server, with stand-ins for the agents."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def rehearse(
    path: Path,
    *,
    keep: bool,
    name: str,
    plan_only: bool = False,
    as_json: bool = False,
    environ: Mapping[str, str] | None = None,
) -> int:
    """Plan a milestone for the repository at `path`, carry it out, and return the exit code.

    With `keep` the project's real places are used, else a temporary folder with a clone; with `plan_only` the end comes
    after the planning. An empty `name` is made from the folder's. `environ` is what the server and its gates are given.
    With `as_json` the output is one line of JSON, and what happens meanwhile goes to stderr.
    """
    # Other commands import this package, and only this one needs what pydantic and the SDK cost.
    from milestone.surfaces.rehearse.play import perform

    return perform(path, environ or {}, keep=keep, name=name, plan_only=plan_only, as_json=as_json)
