"""Makes the Python environment that bin/milestone starts the program in; needs nothing but Python itself.

    python make_environment.py LOCKFILE BASE KEY

It is made aside and renamed into place, so what lies at its final place is whole. The path goes to stdout, everything
said to stderr.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

LONGEST_INSTALL = 900
"""Seconds after which an installation counts as failed, so that whoever waits for it gets its turn."""

LEFT_OUT = ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER", "PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV")
"""Variables that would send packages elsewhere, or another program's modules into ours."""


class Failed(Exception):
    """The environment could not be made; the text is what a person needs to know."""


def main(lockfile: Path, base: Path, key: str) -> int:
    """Print where the environment is, after making it if need be; return the exit status."""
    signal.signal(signal.SIGTERM, stop)
    python = Path(os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable))
    environment = base / f"env-{key}-{identity(python)}"
    try:
        if not usable(environment):
            base.mkdir(parents=True, exist_ok=True)
            with turn(base):
                if not usable(environment):
                    make(environment, python, lockfile)
    except Failed as failure:
        say(str(failure))
        return 1
    except OSError as error:
        say(f"{error.strerror}: {error.filename or base}. Set MILESTONE_ENV_DIR to a folder that can be written.")
        return 1
    with suppress(BrokenPipeError):  # whoever started this is gone, but the next start profits
        sys.stdout.write(f"{environment}\n")
        sys.stdout.flush()
    return 0


def stop(number: int, _frame: FrameType | None) -> None:
    """End as after an error, so that installers are stopped and nothing is left behind."""
    sys.exit(128 + number)


def identity(python: Path) -> str:
    """Return what tells environments of different Pythons apart: its version and its place."""
    return f"{sys.implementation.cache_tag}-{zlib.crc32(os.fsencode(python)):08x}"


def usable(environment: Path) -> bool:
    """Tell whether the environment is there and the Python it was made with still is, too."""
    return (environment / "bin" / "python").exists()


@contextmanager
def turn(base: Path) -> Generator[None]:
    """Wait until no other start makes an environment here; the system ends the turn of a process that dies."""
    with (base / "making.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another start is making the Python environment: waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        except OSError:  # a file system without locks: two may install, and the second finds the first one's
            yield
            return
        for left in base.glob("making-*"):  # their makers are dead, or it would not be our turn
            shutil.rmtree(left, ignore_errors=True)
        yield


def make(environment: Path, python: Path, lockfile: Path) -> None:
    """Install the locked packages beside the final place, then move them there in one step.

    Raises:
        Failed: no installer came through.
    """
    begun = time.monotonic()
    aside = Path(tempfile.mkdtemp(prefix="making-", dir=environment.parent))
    try:
        install(aside, python, lockfile)
        os.sync()  # after a power cut the new name must not stand for empty files
        if environment.exists() and not usable(environment):
            environment.rename(aside / "broken")
        settle(aside / "env", environment)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    say(f"environment ready after {time.monotonic() - begun:.0f} s.")


def settle(made: Path, environment: Path) -> None:
    """Move what was made to its place, unless another start was first where turns could not be taken."""
    try:
        made.rename(environment)
    except OSError:
        if not usable(environment):
            raise


def install(aside: Path, python: Path, lockfile: Path) -> None:
    """Make `aside`/env with uv where it is installed, else with venv and pip.

    Raises:
        Failed: with the installer's last words.
    """
    env = aside / "env"
    new = str(env / "bin" / "python")
    locked = ("--require-hashes", "-r", str(lockfile))
    uv = shutil.which("uv")
    if uv:
        say(f"first start: installing with uv into {aside.parent}")
        steps = [[uv, "venv", "--quiet", "--python", str(python), str(env)]]
        steps += [[uv, "pip", "install", "--quiet", "--python", new, *locked]]
        if run(steps, aside):
            return
        say(f"uv did not come through, trying pip:\n{last_words(aside, 3)}")
        shutil.rmtree(env, ignore_errors=True)
    say(f"first start: installing with pip into {aside.parent} (about half a minute, once)")
    steps = [[str(python), "-I", "-m", "venv", str(env)]]
    steps += [[new, "-I", "-m", "pip", "install", "--quiet", "--no-user", "--no-compile", "--no-input", *locked]]
    if not run(steps, aside):
        raise Failed(explanation(aside))


def run(steps: list[list[str]], aside: Path) -> bool:
    """Run programs one after the other, their output into `aside`/log; tell whether all came through."""
    variables = {name: value for name, value in os.environ.items() if name not in LEFT_OUT}
    with (aside / "log").open("ab") as log:
        for step in steps:
            try:
                # In the folder aside no configuration of somebody's project is found.
                subprocess.run(
                    step, check=True, cwd=aside, env=variables, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                    timeout=LONGEST_INSTALL,
                )  # fmt: skip
            except subprocess.CalledProcessError:
                return False
            except (subprocess.TimeoutExpired, OSError) as error:
                log.write(f"{error}\n".encode())
                return False
    return True


def explanation(aside: Path) -> str:
    """Return why no environment could be made and what to do about it."""
    last = last_words(aside, 12)
    remedy = "see that Python packages can be downloaded, then start again."
    if "ensurepip" in last:
        remedy = "this Python makes no environments: install python3-venv (Debian, Ubuntu) or uv, then start again."
    return f"the Python environment could not be made, and nothing is left of it:\n{last}\nmilestone: {remedy}"


def last_words(aside: Path, count: int) -> str:
    """Return the last lines that the installers wrote, indented."""
    lines = [line for line in (aside / "log").read_text(errors="replace").split("\n") if line.strip()]
    return "\n".join(f"  {line[:300]}" for line in lines[-count:])


def say(text: str) -> None:
    """Tell the person, who may have gone."""
    with suppress(OSError):
        sys.stderr.write(f"milestone: {text}\n")
        sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]))
