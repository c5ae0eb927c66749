"""Waits for what another process does, without guessing how long it takes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
PATIENCE = 30.0
_never = threading.Event()


def until(look: Callable[[], T], patience: float = PATIENCE) -> T:
    """Return the first true answer of `look`."""
    deadline = time.monotonic() + patience
    while not (found := look()):
        assert time.monotonic() < deadline, f"it did not come within {patience} s"
        _never.wait(0.01)
    return found
