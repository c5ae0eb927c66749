"""Machines to start bin/milestone on."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.bootstrap.machine import PROGRAM, PYTHON, ROOT, UV, Machine, lock, wheel


@pytest.fixture
def bare(tmp_path: Path) -> Machine:
    """A machine with neither uv nor pip's index: what is installed comes from a folder of wheels."""
    machine = Machine(tmp_path / "a plugin", tmp_path / "home", tmp_path / "tools")
    for folder in (machine.root / "bin", machine.root / "server", machine.home, machine.tools):
        folder.mkdir(parents=True)
    shutil.copy(ROOT / "bin" / "milestone", machine.root / "bin")
    shutil.copy(ROOT / "server" / "make_environment.py", machine.root / "server")
    (machine.root / "server" / "__main__.py").write_text(PROGRAM)
    (machine.root / "server" / "sibling.py").write_text("here = __file__\n")
    lock(machine, wheel(tmp_path / "wheels"))
    for name in ("cksum", "dirname", "head", "id", "readlink"):
        machine.give(name, Path(shutil.which(name) or name))
    machine.give("python3", PYTHON)
    wheels = str(tmp_path / "wheels")
    (tmp_path / "offline.toml").write_text(f"no-index = true\nfind-links = ['{wheels}']\n")
    machine.variables = {"HOME": str(machine.home), "PATH": str(machine.tools)}
    machine.variables |= {"PIP_FIND_LINKS": wheels, "PIP_NO_INDEX": "1"}
    machine.variables |= {"UV_CONFIG_FILE": str(tmp_path / "offline.toml"), "UV_CACHE_DIR": str(tmp_path / "cache")}
    return machine


@pytest.fixture
def machine(bare: Machine) -> Machine:
    """A machine that has uv, where an installation takes a moment only."""
    bare.give("uv", UV)
    return bare
