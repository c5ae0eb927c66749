"""Runs real commands as gates, and looks for their processes."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest

from milestone.domain.gates import Gate, GateLimits, GateResult
from milestone.gates.runner import run_gate


class Gates:
    """Runs gates in a folder of the test's own; `told` is what was said meanwhile."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.told: list[str] = []
        self.cancelled = threading.Event()

    def run(
        self,
        *command: str,
        seconds: int = 30,
        environ: Mapping[str, str] | None = None,
        progress: Callable[[str], None] | None = None,
        limits: Mapping[str, int] | None = None,
    ) -> GateResult:
        """Run a command."""
        return run_gate(
            Gate("tests", command, seconds=seconds),
            self.folder,
            environ=dict(os.environ) if environ is None else environ,
            limits=GateLimits(**(limits or {})),
            progress=progress or self.told.append,
            cancelled=self.cancelled,
        )

    def python(self, code: str, **given: Any) -> GateResult:
        """Run Python code."""
        return self.run(sys.executable, "-c", code, **given)

    def noted(self, name: str) -> int:
        """Return the process id that a command wrote into a file; 0 while there is none."""
        path = self.folder / name
        return int(path.read_text() or 0) if path.exists() else 0


@pytest.fixture
def gates(tmp_path: Path) -> Gates:
    """Gates in a new folder."""
    return Gates(tmp_path)


@pytest.fixture
def alive() -> Callable[[int], bool]:
    """Tells whether a process runs; one that only waits to be counted does not."""

    def runs(pid: int) -> bool:
        try:
            return psutil.Process(pid).status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
        except psutil.NoSuchProcess:
            return False

    return runs
