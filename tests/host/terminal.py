"""The host's interactive interface on a terminal of its own, without any program but Python."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import threading
from collections.abc import Iterator, Sequence

from .claude import PATIENCE, Host, binary

_SIZE = struct.pack("HHHH", 50, 160, 0, 0)
_KEY_SHOWN = 20
_READ_SECONDS = 0.2


class Terminal:
    """Claude Code as a person has it in front of them: what they type, and the process behind it."""

    def __init__(self, host: Host, *arguments: str) -> None:
        environment = {**host.environment(), "TERM": "xterm-256color"}
        _as_a_known_user(host, environment["ANTHROPIC_API_KEY"])
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, _SIZE)
        command: Sequence[str] = (str(binary()), "--plugin-dir", str(host.plugin), *arguments)
        self.process = subprocess.Popen(
            command, cwd=host.project, env=environment, stdin=slave, stdout=slave, stderr=slave, start_new_session=True
        )
        os.close(slave)
        self._shown = bytearray()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def type(self, words: str) -> None:
        """Type a line, and send it off."""
        os.write(self._master, words.encode())
        os.write(self._master, b"\r")

    def shown(self) -> str:
        """Return the last of what was written to the terminal, for the message of a failure."""
        return self._shown[-4000:].decode("utf-8", "replace")

    def kill(self) -> None:
        """End the host at once and without warning; what it started has to notice by itself."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        os.close(self._master)

    def _read(self) -> None:
        """Take what the host writes, so that it never waits for us."""
        while self.process.poll() is None:
            if select.select([self._master], [], [], _READ_SECONDS)[0]:
                try:
                    self._shown += os.read(self._master, 1 << 16)
                except OSError:
                    return


@contextlib.contextmanager
def interactive(host: Host, *arguments: str) -> Iterator[Terminal]:
    """Start the host on a terminal; it is gone afterwards."""
    terminal = Terminal(host, *arguments)
    try:
        yield terminal
    finally:
        if terminal.process.poll() is None:
            terminal.kill()


def _as_a_known_user(host: Host, key: str) -> None:
    """Answer beforehand what the host asks a person once."""
    host.home.mkdir(parents=True, exist_ok=True)
    trusted = {"hasTrustDialogAccepted": True, "hasCompletedProjectOnboarding": True}
    known = {
        "hasCompletedOnboarding": True,
        "theme": "dark",
        "customApiKeyResponses": {"approved": [key[-_KEY_SHOWN:]], "rejected": []},
        "projects": {str(host.project.resolve()): trusted},
    }
    (host.home / ".claude.json").write_text(json.dumps(known), "utf-8")
