"""A terminal's keys and signals while something is drawn on all of it; afterwards it is as it was."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import termios
from types import FrameType, TracebackType
from typing import Any, Self

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_QUIT = b"qQ\x03\x04"  # Ctrl+C and Ctrl+D reach us as characters where the terminal sends no signal
_BROKEN_OFF = 128


class Keys:
    """Waits for time, keys and signals at once. `ended` is set when a person or another process wants an end."""

    def __init__(self) -> None:
        self.ended = self.resized = False
        self.code = 0
        self._terminal = sys.stdin.isatty()
        self._before: list[Any] = []
        self._handlers: dict[signal.Signals, Any] = {}
        self._bell, self._rope = os.pipe()
        for end in (self._bell, self._rope):
            os.set_blocking(end, False)

    def __enter__(self) -> Self:
        """Take the keys one by one, unseen; Ctrl+Z does nothing, since it would leave the screen as it is."""
        self._wakeup = signal.set_wakeup_fd(self._rope, warn_on_full_buffer=False)
        self._handlers = {one: signal.signal(one, self._heard) for one in (*_ENDING, signal.SIGWINCH)}
        if self._terminal:
            self._before = termios.tcgetattr(0)
            mode = termios.tcgetattr(0)
            mode[3] &= ~(termios.ICANON | termios.ECHO)
            mode[6] = [*mode[6]]
            mode[6][termios.VSUSP], mode[6][termios.VMIN], mode[6][termios.VTIME] = b"\0", 1, 0
            termios.tcsetattr(0, termios.TCSADRAIN, mode)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the terminal back as it was."""
        if self._before:
            with contextlib.suppress(termios.error):  # there is no terminal any more
                termios.tcsetattr(0, termios.TCSAFLUSH, self._before)
        for one, handler in self._handlers.items():
            signal.signal(one, handler)
        signal.set_wakeup_fd(self._wakeup)
        for end in (self._bell, self._rope):
            os.close(end)

    def wait(self, seconds: float) -> None:
        """Return when the time is over, or at once when something was heard."""
        self.resized = False
        sources = [self._bell, *([0] if self._terminal else [])]
        for source in select.select(sources, [], [], max(seconds, 0.0))[0]:
            heard = os.read(source, 64)
            if source == self._bell:
                self.resized = self.resized or signal.SIGWINCH in heard
            elif not heard or any(key in _QUIT for key in heard):
                self.ended = True

    def _heard(self, number: int, _frame: FrameType | None) -> None:
        if number != signal.SIGWINCH:
            self.ended, self.code = True, _BROKEN_OFF + number
