"""A machine to rehearse on: a home that no other test sees, a repository in it, and what a rehearsal prints there."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = [sys.executable, str(ROOT / "server"), "rehearse"]
CONFLICTED = {
    "README.md": "# The shop\n",
    "pyproject.toml": '[project]\nname = "shop"\ndependencies = ["requests>=2.30"]\n',
    "requirements.txt": "requests<2.30\n",
    "shop/__init__.py": "",
    "shop/cart.py": "def total() -> int:\n    return 1\n",
    "tests/test_cart.py": "from shop.cart import total\n",
    "tools/report.py": "print(1)\n",
}


@dataclass(frozen=True)
class Machine:
    """A home, and a folder for temporary files."""

    home: Path
    temporary: Path

    @property
    def environment(self) -> dict[str, str]:
        """The variables that a program is started with."""
        return {"HOME": str(self.home), "TMPDIR": str(self.temporary), "PATH": os.environ["PATH"]}

    def rehearse(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a rehearsal to its end."""
        return subprocess.run(
            [*PROGRAM, *arguments],
            env=self.environment | more,
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    def started(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a rehearsal in the background, as a shell with job control does."""
        return subprocess.Popen(
            [*PROGRAM, *arguments],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def git(self, root: Path, *arguments: str) -> str:
        """Return what git says of a repository."""
        who = ("-c", "user.name=Person", "-c", "user.email=person@localhost", "-c", "init.defaultBranch=main")
        done = subprocess.run(
            ["git", "-C", str(root), *who, *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    def repository(self, files: Mapping[str, str] | None = None, *, commit: bool = False) -> Path:
        """Return a new repository; its files are added, and committed if wanted."""
        root = self.home / "shop"
        for path, content in (CONFLICTED if files is None else files).items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(content)
        self.git(root, "init", "-q")
        self.git(root, "add", "-Af")
        if commit:
            self.git(root, "commit", "-qm", "Begin")
        return root


def new_machine(folder: Path) -> Machine:
    """Return an empty machine."""
    for name in ("home", "temporary"):
        (folder / name).mkdir()
    return Machine(folder / "home", folder / "temporary")


def contents(root: Path) -> dict[str, tuple[bytes, int]]:
    """Return every file and folder below a folder with its bytes and the time it was last changed.

    Git itself notes on an object when it was last needed, by clones that borrow it, too: of these the bytes alone.
    """
    found = ((path.relative_to(root), path) for path in root.rglob("*"))
    return {
        str(name): (
            path.read_bytes() if path.is_file() else b"",
            0 if name.parts[:2] == (".git", "objects") else path.lstat().st_mtime_ns,
        )
        for name, path in found
    }


def said(output: str, label: str) -> str:
    """Return what a rehearsal says behind a label, the last time it does."""
    return [line[15:] for line in output.splitlines() if line.startswith(f"  {label} ")][-1]


def steps(output: str) -> list[tuple[str, str]]:
    """Return who did what, in the order in which a rehearsal says so."""
    lines = [line for line in output.splitlines() if line[6:9] == "s  "]
    return [(line[9:21].strip(), line[22:]) for line in lines]


def plan(output: str) -> dict[str, Any]:
    """Return the milestone file that a rehearsal names."""
    return yaml.safe_load(Path(said(output, "plan")).read_text("utf-8"))
