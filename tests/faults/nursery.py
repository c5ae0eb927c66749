"""Many processes at little cost: one loads the product, opens nothing, and forks off as many actors as are wanted."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 900


class Actor:
    """A process that does what it is told: a function of `actor.py` by name, with JSON arguments."""

    def __init__(self, pipe: socket.socket) -> None:
        self._pipe = pipe
        self._file = pipe.makefile("rw")
        self.pid = int(self.read())

    def begin(self, do: str, /, **arguments: Any) -> None:
        """Tell it what to do."""
        self._file.write(json.dumps({"do": do, **arguments}) + "\n")
        self._file.flush()

    def read(self) -> Any:
        """Return the next thing it says: what it tells on the way, then its result; None when it has ended."""
        try:
            line = self._file.readline()
        except ConnectionResetError:  # killed before it had heard what to do
            return None
        return json.loads(line) if line.endswith("\n") else None

    def call(self, do: str, /, **arguments: Any) -> Any:
        """Return the result of what it is told to do."""
        self.begin(do, **arguments)
        return self.read()

    def kill(self) -> None:
        """End it as a power cut would, unless it has ended."""
        os.kill(self.pid, signal.SIGKILL)

    def rest(self) -> Iterator[Any]:
        """Yield what it still said before it ended."""
        while (said := self.read()) is not None:
            yield said

    def close(self) -> None:
        """Hang up; that ends it."""
        with self._pipe, suppress(BrokenPipeError):
            self._file.close()


class Nursery:
    """Where actors come from."""

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair()
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{ROOT / 'server'}:{ROOT}"}
        program = [sys.executable, str(Path(__file__).with_name("actor.py"))]
        self._process = subprocess.Popen(program, stdin=theirs.fileno(), env=environment)
        theirs.close()

    def actor(self) -> Actor:
        """Return a new process."""
        ours, theirs = socket.socketpair()
        ours.settimeout(PATIENCE)
        with theirs:
            socket.send_fds(self._control, [b"1"], [theirs.fileno()])
        return Actor(ours)

    @contextmanager
    def actors(self, count: int) -> Iterator[list[Actor]]:
        """Return new processes that end with the block."""
        made: list[Actor] = []
        try:
            made += [self.actor() for _ in range(count)]
            yield made
        finally:
            for one in made:
                one.close()

    def close(self) -> None:
        """End it; the actors go on until they are hung up on."""
        self._control.close()
        self._process.wait(PATIENCE)


def together(actors: list[Actor], do: str, /, **arguments: Any) -> list[Any]:
    """Tell all the same at once and return their results."""
    for one in actors:
        one.begin(do, **arguments)
    return [one.read() for one in actors]
