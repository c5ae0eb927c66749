"""Fixtures of the execution tests: the stage, and the repository on it."""

from __future__ import annotations

from pathlib import Path

import pytest

from .stage import Stage


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """A repository with a gate, a remote, and a person's unfinished work in it."""
    made = Stage(tmp_path / "app", tmp_path / "traces", tmp_path / "remote.git")
    made.set_up()
    return made


@pytest.fixture
def repository(stage: Stage) -> Path:
    """The repository that the host works in."""
    return stage.folder
