"""Fixtures of the host tests: a scripted model, a small real repository, and the host on it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from .claude import CHECKOUT, Host
from .ledger import Ledger
from .scripted_model import ScriptedModel

FILES = {
    "README.md": "# Door\n\nLets people in.\n",
    "app/login.py": "def login(name: str, password: str) -> bool:\n    return bool(name and password)\n",
    "tests/test_login.py": "from app.login import login\n\n\ndef test_login() -> None:\n    assert login('a', 'b')\n",
    "requirements.txt": "flask>=3\n",
}


@pytest.fixture
def model() -> Iterator[ScriptedModel]:
    """A model that follows its script; a script that broke fails the test, with its reason first."""
    with ScriptedModel() as scripted:
        yield scripted
    if scripted.broken:
        raise scripted.broken[0]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A small Git repository with one commit."""
    folder = tmp_path / "door"
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    who = ["-c", "user.name=Tester", "-c", "user.email=tester@example.invalid"]
    for command in (["init", "--quiet"], ["add", "."], [*who, "commit", "--quiet", "--message", "Begin"]):
        subprocess.run(["git", *command], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture
def plugin() -> Path:
    """The plugin under test: this checkout, or another copy of it."""
    return Path(os.environ.get("MILESTONE_PLUGIN", CHECKOUT))


@pytest.fixture
def clone(tmp_path: Path, plugin: Path) -> Path:
    """The plugin as a person gets it: only the files that belong to the repository."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=plugin, check=True, capture_output=True, text=True).stdout.split("\0")
    for name in (name for name in names if (plugin / name).is_file()):
        (tmp_path / "clone" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(plugin / name, tmp_path / "clone" / name, follow_symlinks=False)
    return tmp_path / "clone"


@pytest.fixture
def host(tmp_path: Path, repository: Path, model: ScriptedModel, plugin: Path) -> Iterator[Host]:
    """Claude Code with a fresh home in the repository."""
    claude = Host(tmp_path / "home", repository, model.url, plugin)
    model.when_broken = claude.end
    yield claude
    claude.end()


@pytest.fixture
def ledger(repository: Path) -> Ledger:
    """The database and the mirror of the repository, for reading."""
    return Ledger(repository)
