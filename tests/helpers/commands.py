"""The command line in this process: what a command says, and with which exit code it ends."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from typing import Any, NamedTuple

import pytest

from milestone.surfaces.cli import cli
from milestone.wiring import Application, read_settings
from tests.helpers.projects import Project

BEGIN = ("initialize-agent-coordination", "--name", "Goal", "--json")


class Done(NamedTuple):
    """What became of a command."""

    returncode: int
    stdout: str
    stderr: str


def milestone(project: Project, *arguments: str) -> Done:
    """Run a command in this process and return what became of it."""
    said, complained = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["milestone", *arguments])
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(complained):
            code = cli(Application(read_settings(project.environment)))
    return Done(code, said.getvalue(), complained.getvalue())


def told(project: Project, *arguments: str, code: int = 0) -> dict[str, Any]:
    """Return what a command answers with `--json`."""
    done = milestone(project, *arguments, "--json")
    assert done.returncode == code, done.stderr
    assert done.stdout.count("\n") == 1
    return json.loads(done.stdout)


def refused(project: Project, *arguments: str) -> str:
    """Return the one line with which a command is refused."""
    done = milestone(project, *arguments)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("milestone: ")
    return done.stderr
