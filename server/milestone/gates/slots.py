"""How many gates run at once in a project: a place for each, held by a lock that the kernel drops with its holder."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import threading
import time
from collections.abc import Callable, Generator
from pathlib import Path

from milestone.gates.runner import new_mark
from milestone.gates.tree import Tree

TELL = 2.0
_STEP = 0.05
_MARK = re.compile(r"[0-9a-f]{32}")


class Cancelled(Exception):
    """Waiting for a place was given up."""


@contextlib.contextmanager
def slot(
    folder: Path, count: int, *, progress: Callable[[str], None], cancelled: threading.Event
) -> Generator[str, None, None]:
    """Hold one of `count` places that all processes using `folder` share; gives the mark to run the gate with.

    What the gate of a crashed holder left running is ended before its place is given on. `progress` gets a line at
    once when there is no free place, then about every 2 seconds.

    Raises:
        Cancelled: `cancelled` was set before a place was free.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    began, told = time.monotonic(), -TELL
    while (place := _take(folder, count)) is None:
        waited = time.monotonic() - began
        if waited - told >= TELL:
            told = waited
            progress(f"waiting for a free place, {waited:.0f} s: {count} of {count} gates are running in this project")
        if cancelled.wait(_STEP):
            raise Cancelled
    try:
        mark = new_mark()
        os.pwrite(place, mark.encode(), 0)
        yield mark
        os.ftruncate(place, 0)
    finally:
        os.close(place)


def _take(folder: Path, count: int) -> int | None:
    """Return an open file that is locked for us alone, or nothing; tidies up after all holders that crashed."""
    taken: int | None = None
    for number in range(count):
        place = os.open(folder / f"gate-{number + 1}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _tidy(place)
        except BlockingIOError:
            os.close(place)
            continue
        if taken is None:
            taken = place
        else:
            os.close(place)
    return taken


def _tidy(place: int) -> None:
    mark = os.pread(place, 64, 0).decode("ascii", "replace")
    if _MARK.fullmatch(mark):
        Tree(mark).end()
    if mark:
        os.ftruncate(place, 0)
