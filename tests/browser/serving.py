"""A dashboard in a process of its own, as a person starts it."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.helpers.projects import PROGRAM, Project

PATIENCE = 20


class Dashboard:
    """`milestone dashboard` of a project; `link` opens it, `base` is the address without the token."""

    def __init__(self, project: Project, port: int = 0, program: tuple[str, ...] = PROGRAM) -> None:
        self.project, self.port = project, port
        self.log = Path(f"{project.folder}-dashboard.log")
        self.link = self.base = ""
        self._program = program
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Dashboard:
        command = [*self._program, "dashboard", "--json", "--port", str(self.port)]
        with self.log.open("a") as log:
            self._process = subprocess.Popen(
                command,
                env=self.project.environment,
                cwd=self.project.folder,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, self.log.read_text()
        told: dict[str, Any] = json.loads(line)
        self.link, self.port = told["link"], told["port"]
        self.base = "http://" + urlsplit(self.link).netloc
        return self

    @property
    def pid(self) -> int:
        """The server's process."""
        assert self._process is not None
        return self._process.pid

    def of(self, milestone_id: str, view: str = "") -> str:
        """Return the address of a milestone's view."""
        return f"{self.base}/m/{milestone_id}" + (f"/{view}" if view else "")

    def __exit__(self, *_: object) -> None:
        process = self._process
        if process is None:
            return
        self._process = None
        process.send_signal(signal.SIGINT)
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        finally:
            assert process.stdout is not None
            process.stdout.close()
        said = self.log.read_text()
        assert not said, said
