"""What the tests of the Git room share."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.git.repositories import Sandbox


@pytest.fixture(scope="session")
def beginning(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a repository of one commit, and a home without any configuration, to be copied."""
    folder = tmp_path_factory.mktemp("beginning")
    made = Sandbox(folder / "project", folder / "home")
    made.root.mkdir()
    made.home.mkdir()
    made.git("init", "--quiet", "--initial-branch=main", "--template=")
    made.commit({"README.md": "hello\n", "src/a.py": "a = 1\n", "src/b.py": "b = 1\n"}, "begin")
    return folder


@pytest.fixture
def sandbox(beginning: Path, tmp_path: Path) -> Sandbox:
    """A repository with one commit, and a home without any configuration."""
    shutil.copytree(beginning, tmp_path, dirs_exist_ok=True)
    return Sandbox(tmp_path / "project", tmp_path / "home")
