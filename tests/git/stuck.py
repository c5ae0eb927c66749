"""A person's git that stops half-way with its lock files made: stopped by a hook that tells so and then waits."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from tests.git.repositories import WHO, Sandbox

_HOOK = """#!/bin/sh
case "{name} $1" in "reference-transaction prepared" | pre-commit*) ;; *) exit 0 ;; esac
echo here >{told}
read _ <{wait}
"""


@contextmanager
def stuck_commit(sandbox: Sandbox, at: Path, hook: str) -> Generator[psutil.Process, None, None]:
    """Yield a `git commit --all` that waits: in `pre-commit` it has the index locked, in the other hook refs too."""
    pipes = {name: sandbox.root.parent / f"{at.name}.{name}" for name in ("told", "wait")}
    for pipe in pipes.values():
        os.mkfifo(pipe)
    path = sandbox.root / ".git" / "hooks" / hook
    path.parent.mkdir(exist_ok=True)
    path.write_text(_HOOK.format(name=hook, **pipes))
    path.chmod(0o755)
    environment = {"PATH": os.environ["PATH"], "HOME": str(sandbox.home), **WHO}
    command = ["git", "commit", "--quiet", "--all", "-m", "stuck"]
    with subprocess.Popen(command, cwd=at, env=environment, start_new_session=True) as running:
        assert pipes["told"].read_text() == "here\n"
        path.unlink()
        try:
            yield psutil.Process(running.pid)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(running.pid, signal.SIGKILL)
            running.wait()


@contextmanager
def git_like(
    sandbox: Sandbox, arguments: list[str], where: Path, more: dict[str, str]
) -> Generator[psutil.Process, None, None]:
    """Yield a living process that the system calls `git-like`, with arguments and an environment of git's."""
    program = sandbox.home / "git-like"
    shutil.copy("/bin/sh", program)
    command = [str(program), "-c", "echo here; read _", "git", *arguments]
    environment = {"PATH": "/", **more}
    with subprocess.Popen(
        command, cwd=where, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == b"here\n"
        try:
            yield psutil.Process(running.pid)
        finally:
            running.kill()


def locks(sandbox: Sandbox) -> list[str]:
    """Return the lock files that lie in the repository."""
    git = sandbox.root / ".git"
    return sorted(str(path.relative_to(git)) for path in git.rglob("*.lock"))
