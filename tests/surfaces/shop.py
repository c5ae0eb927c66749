"""A small shop to rehearse on, and what the stand-ins make of a repository."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from milestone.domain.results import SHAPES
from milestone.surfaces.rehearse.listing import Project
from milestone.surfaces.rehearse.standins import STAND_INS

ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1"}
Files = Mapping[str, str | bytes]
SHOP = {
    "README.md": "# The shop\n\nSells things.\n",
    "pyproject.toml": '[project]\nname = "shop"\nrequires-python = ">=3.11"\nlicense = "MIT"\n'
    'dependencies = [\n    "requests>=2,<3",\n    "click",\n]\n[project.scripts]\nshop = "shop.main:run"\n',
    "requirements.txt": "requests==2.31\nclick\n",
    "shop/__init__.py": "",
    "shop/cart.py": "def total() -> int:\n    return 1\n",
    "tests/test_cart.py": "import pytest\nfrom shop.cart import total\n",
    "tools/report.py": "print(1)\n# TODO a\n# TODO b\n# FIXME c\n# XXX d\n# HACK e\n",
    "tools/forgotten.txt": "",
    "tools/copy_one.py": "print('the same words in two files, long enough to count')\n# filler\n",
    "tools/copy_two.py": "print('the same words in two files, long enough to count')\n# filler\n",
}


def repository(root: Path, files: Files) -> Project:
    """Return a new Git repository with these files, all of them added."""
    root.mkdir()
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    subprocess.run(["git", "init", "-q", str(root)], env=ENVIRONMENT, check=True)
    subprocess.run(["git", "-C", str(root), "add", "-A"], env=ENVIRONMENT, check=True)
    return Project(root, ENVIRONMENT)


def deliver(project: Project) -> dict[str, Any]:
    """Return what all stand-ins save, each value sent through JSON as on the wire and checked as the server does."""
    saved: dict[str, Any] = {}
    for stand_in in STAND_INS.values():
        for key, value in stand_in.work(project, {need: saved[need] for need in stand_in.needs}).items():
            saved[key] = json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8"))
            TypeAdapter[Any](SHAPES[key]).validate_python(saved[key])
    return saved


def candidates(value: Mapping[str, Any], kind: str) -> dict[str, list[str]]:
    """Return the candidates of a kind: what, and its places as `file:line`."""
    return {
        each["what"]: [f"{place['file']}:{place['line']}" for place in each["places"]]
        for each in value["candidates"]
        if each["kind"] == kind
    }
