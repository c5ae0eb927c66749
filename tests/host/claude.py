"""The real Claude Code in a fresh home, talking to a scripted model; every process started here is ended here."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

CHECKOUT = Path(__file__).resolve().parents[2]
PATIENCE = 180.0
"""Seconds after which a run of the host counts as hung."""

QUIET = {
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL": "1",
    "DISABLE_AUTOUPDATER": "1",
    "DISABLE_TELEMETRY": "1",
    "DISABLE_ERROR_REPORTING": "1",
}
"""Switches that keep the host off the network."""

INSTALLED = CHECKOUT / "build" / "claude" / "node_modules" / "@anthropic-ai"
"""Where `tests/check` puts the host."""


def binary() -> Path:
    """Return the host's program.

    Raises:
        FileNotFoundError: it is not installed; a missing host is a failure, never a reason to skip.
    """
    named = os.environ.get("MILESTONE_CLAUDE")
    found = [Path(named)] if named else []
    for program in (*found, *sorted(INSTALLED.glob("claude-code-*/claude"))):
        if program.is_file() and os.access(program, os.X_OK):
            return program
    raise FileNotFoundError(
        f"Claude Code is not installed: looked at {named or 'MILESTONE_CLAUDE (not set)'} and in {INSTALLED}. "
        "tests/check installs it."
    )


@dataclass(frozen=True)
class Ended:
    """A run of the host that is over."""

    code: int
    output: str
    errors: str

    @property
    def lines(self) -> Sequence[Mapping[str, Any]]:
        """The stream-json lines of the output."""
        return [json.loads(line) for line in self.output.splitlines() if line.startswith("{")]

    @property
    def answer(self) -> str:
        """The text the run ended with."""
        return next((str(line.get("result", "")) for line in self.lines if line.get("type") == "result"), "")

    @property
    def denied(self) -> Sequence[Any]:
        """Tool calls for which the host wanted a person's permission."""
        return [d for line in self.lines if line.get("type") == "result" for d in line.get("permission_denials", [])]


@dataclass
class Running:
    """A host at work, in a process group of its own."""

    process: subprocess.Popen[str]
    _texts: list[list[str]] = field(default_factory=lambda: [[], []])
    _readers: list[threading.Thread] = field(default_factory=list[threading.Thread])

    def __post_init__(self) -> None:
        for stream, texts in zip((self.process.stdout, self.process.stderr), self._texts, strict=True):
            assert stream is not None
            reader = threading.Thread(target=_collect, args=(stream, texts), daemon=True)
            reader.start()
            self._readers.append(reader)

    def said(self) -> str:
        """Return the last of what the host has printed so far, for the message of a failure."""
        return "".join(self._texts[0])[-3000:] + "".join(self._texts[1])[-1000:]

    def kill(self) -> None:
        """End the host and all that it started, at once and without warning."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE)

    def ended(self) -> Ended:
        """Wait for the end and return what was printed.

        Raises:
            AssertionError: the host did not come to an end; it has been killed, the message holds its last words.
        """
        try:
            code = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            reason = f"Claude Code did not end within {PATIENCE:.0f} s; it last said:\n{self.said()}"
            raise AssertionError(reason) from None
        finally:
            for reader in self._readers:
                reader.join(5)
        return Ended(code, *("".join(texts) for texts in self._texts))


def _collect(stream: IO[str], texts: list[str]) -> None:
    with stream:
        texts.extend(stream)


@dataclass(frozen=True)
class Host:
    """Claude Code on one project: its home, its model's address, and the plugin it is given."""

    home: Path
    project: Path
    model_url: str
    plugin: Path = CHECKOUT
    extra: Mapping[str, str] = field(default_factory=dict[str, str])
    started: list[Running] = field(default_factory=list[Running])

    def environment(self) -> dict[str, str]:
        """Return the whole environment of the host: nothing of ours leaks into it."""
        return {
            "HOME": str(self.home),
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin"]),
            "LANG": "C.UTF-8",
            "ANTHROPIC_API_KEY": "made-up-key",
            "ANTHROPIC_BASE_URL": self.model_url,
            "MILESTONE_ENV_DIR": str(self._environments()),
            "GIT_CONFIG_NOSYSTEM": "1",
            **QUIET,
            **self.extra,
        }

    def _environments(self) -> Path:
        """Return a folder in which the plugin finds this interpreter's environment in place of one of its own."""
        folder = self.home / "environments"
        lock = self.plugin / "requirements.lock"
        if lock.exists() and not folder.exists():
            folder.mkdir(parents=True)
            key = subprocess.run(["cksum"], input=lock.read_bytes(), capture_output=True, check=True).stdout.split()[0]
            (folder / f"env-{key.decode()}-tests").symlink_to(sys.prefix)
        return folder

    def run(self, *arguments: str) -> Ended:
        """Run a command of the host, `plugin validate` for example, to its end."""
        return self._start(arguments).ended()

    def prompt(self, words: str, *arguments: str) -> Ended:
        """Let the host answer one prompt with the plugin loaded."""
        return self.start(words, *arguments).ended()

    def start(self, words: str, *arguments: str) -> Running:
        """Begin to answer one prompt with the plugin loaded."""
        stream = ("--output-format", "stream-json", "--verbose")
        return self._start(("-p", words, "--plugin-dir", str(self.plugin), *stream, *arguments))

    def _start(self, arguments: Sequence[str]) -> Running:
        self.home.mkdir(parents=True, exist_ok=True)
        process = subprocess.Popen(
            [str(binary()), *arguments],
            cwd=self.project,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.started.append(Running(process))
        return self.started[-1]

    def end(self) -> None:
        """End every run that a failed test has left behind."""
        for running in self.started:
            if running.process.poll() is None:
                running.kill()
