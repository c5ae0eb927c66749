"""A real terminal: tmux on a socket of its own, whose screen is read back as a person sees it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.helpers.following import until
from tests.helpers.projects import ROOT

PATIENCE = 20.0
PROMPT = "ready> "


def program() -> str:
    """Return tmux. Where tests must be whole a missing one fails, elsewhere it is said what to install."""
    found = shutil.which("tmux")
    if not found:
        missing = "tmux is not installed: apt-get install tmux"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    return found


class Tmux:
    """One window with a plain shell in it; everything in it ends with `close`."""

    def __init__(self, folder: Path, environment: Mapping[str, str], size: tuple[int, int]) -> None:
        self._base = [program(), "-S", str(folder / "tmux"), "-f", os.devnull]
        (folder / "milestone").write_text(f'#!/bin/sh\nexec "{sys.executable}" "{ROOT}/server" "$@"\n', "utf-8")
        (folder / "milestone").chmod(0o755)
        path = f"{folder}{os.pathsep}{environment['PATH']}"
        own = {"PS1": PROMPT, "TERM": "xterm-256color", "SHELL": "/bin/sh", "PATH": path}
        self._environment = {"LC_ALL": "C.UTF-8", **environment, **own}
        width, height = size
        self.tmux("new-session", "-d", "-x", str(width), "-y", str(height), "exec sh")
        self.until(PROMPT.strip())

    def tmux(self, *arguments: str) -> str:
        """Return what a command of tmux prints."""
        done = subprocess.run(
            [*self._base, *arguments], env=self._environment, capture_output=True, text=True, check=True, timeout=30
        )
        return done.stdout

    def type(self, words: str) -> None:
        """Type a line and send it off."""
        self.tmux("send-keys", "-l", words)
        self.tmux("send-keys", "Enter")

    def key(self, name: str) -> None:
        """Press one key."""
        self.tmux("send-keys", name)

    def screen(self) -> str:
        """Return what is on the screen, without what follows the last character of each line."""
        return self.tmux("capture-pane", "-p")

    def lines(self) -> list[str]:
        """Return the lines of the screen, down to the last that has something on it."""
        return self.screen().rstrip("\n").split("\n")

    def asked(self, what: str) -> str:
        """Return what tmux knows of the window: `alternate_on`, `cursor_flag`, `pane_pid`."""
        return self.tmux("display-message", "-p", f"#{{{what}}}").strip()

    def until(self, *words: str) -> str:
        """Return the screen as soon as all the words are on it."""

        def there() -> str:
            shown = self.screen()
            return shown if all(one in shown for one in words) else ""

        try:
            return until(there, PATIENCE)
        except AssertionError:
            raise AssertionError(f"{words} did not come on the screen:\n{self.screen()}") from None

    def resize(self, width: int, height: int) -> None:
        """Give the window another size."""
        self.tmux("resize-window", "-x", str(width), "-y", str(height))

    def running(self) -> int:
        """Return the process that the shell has started."""
        shell = self.asked("pane_pid")
        children = until(lambda: Path(f"/proc/{shell}/task/{shell}/children").read_text().split(), PATIENCE)
        return int(children[0])

    def close(self) -> None:
        """End the window and all in it."""
        subprocess.run(
            [*self._base, "kill-server"], env=self._environment, capture_output=True, check=False, timeout=30
        )
