"""A host of the toy server on the raw wire: it says anything, reads when told to, and watches what the process does."""

from __future__ import annotations

import json
import os
import queue
import select
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, Self

TOY = Path(__file__).with_name("toy_server.py")
SERVER = Path(__file__).parents[2] / "server"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(SERVER)}
PATIENCE = 60
HELLO = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "host", "version": "1"}}
ENVELOPE = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "host", "version": "1"},
}


def request(number: Any, method: str, params: dict[str, Any] | None = None, *, modern: bool = False) -> dict[str, Any]:
    """Return a request."""
    envelope = {"_meta": ENVELOPE} if modern else {}
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": {**(params or {}), **envelope}}


def call(number: Any, tool: str, /, **arguments: Any) -> dict[str, Any]:
    """Return a request that calls a toy."""
    return request(number, "tools/call", {"name": tool, "arguments": arguments})


class Toy:
    """One toy server process; `reads=False` leaves its stdout unread until `read` is called."""

    def __init__(self, *arguments: str | Path, reads: bool = True, stdin: Any = subprocess.PIPE) -> None:
        self.process = subprocess.Popen(
            [sys.executable, TOY, *arguments],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=ENVIRONMENT,
            bufsize=0,
        )
        self.answers: dict[Any, dict[str, Any]] = {}
        self._lines: queue.Queue[bytes] = queue.Queue()
        self._rest = self._unsent = b""
        self._said: list[bytes] = []
        self._threads = [threading.Thread(target=self._hear, daemon=True)]
        self._threads[0].start()
        if reads:
            self.read()

    def read(self) -> None:
        """Begin to read what the server writes."""
        self._threads.append(threading.Thread(target=self._read, daemon=True))
        self._threads[-1].start()

    def _read(self) -> None:
        while self._read_once():
            pass
        self._lines.put(b"")

    def _read_once(self) -> bool:
        assert self.process.stdout is not None
        chunk = self.process.stdout.read(1 << 20)
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            self._lines.put(line)
        return bool(chunk)

    def _hear(self) -> None:
        assert self.process.stderr is not None
        while chunk := self.process.stderr.read(1 << 16):
            self._said.append(chunk)

    def send(self, *messages: dict[str, Any] | bytes) -> None:
        """Send messages, or lines as they are."""
        lines = [one if isinstance(one, bytes) else json.dumps(one).encode() for one in messages]
        self.write(b"\n".join([*lines, b""]))

    def write(self, data: bytes) -> None:
        """Write bytes to the server."""
        assert self.process.stdin is not None
        rest = memoryview(data)
        while rest:
            rest = rest[self.process.stdin.write(rest) :]

    def line(self, patience: float = PATIENCE) -> dict[str, Any]:
        """Return the next message, which must be ASCII on one line.

        Raises:
            queue.Empty: there is none.
            ConnectionError: there will be none.
        """
        line = self._lines.get(timeout=patience)
        if not line:
            raise ConnectionError("the server has closed its stdout")
        return json.loads(line.decode("ascii"))

    def answer(self, number: Any) -> dict[str, Any]:
        """Return the answer to a request."""
        while number not in self.answers:
            message = self.line()
            self.answers[message.get("id")] = message
        return self.answers.pop(number)

    def ask(self, message: dict[str, Any]) -> dict[str, Any]:
        """Return the answer to `message`."""
        self.send(message)
        return self.answer(message["id"])

    def greet(self) -> Self:
        """Shake hands in the legacy era, and wait until the SDK is there."""
        initialized = {"jsonrpc": "2.0", "method": "notifications/initialized"}
        self.send(request("hello", "initialize", HELLO), initialized, call("first", "echo"))
        while len(self._threads) == 1 and self._lines.qsize() < 2:
            self._read_once()
        assert "result" in self.answer("first")
        return self

    def fill(self, message: dict[str, Any], most: int = 200) -> int:
        """Send `message` again and again, numbered, until nobody has read for a second; return how often, or `most`."""
        assert self.process.stdin is not None
        poller = select.poll()
        poller.register(self.process.stdin, select.POLLOUT)
        os.set_blocking(self.process.stdin.fileno(), False)
        for number in range(most):
            rest = json.dumps({**message, "id": number}).encode() + b"\n"
            while rest:
                if not poller.poll(1000):
                    os.set_blocking(self.process.stdin.fileno(), True)
                    self._unsent = rest
                    return number
                rest = rest[self.process.stdin.write(rest) or 0 :]
        return most

    def finish(self) -> None:
        """Send the rest of the message that `fill` could not send."""
        self.write(self._unsent)

    def forget_peak(self) -> None:
        """Let `peak` count from now."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5", encoding="ascii")

    def peak(self) -> int:
        """Return how much memory the server has occupied at most, in bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return 1024 * int(status.split("VmHWM:")[1].split()[0])

    def hang_up(self) -> None:
        """Close the server's stdin."""
        assert self.process.stdin is not None
        self.process.stdin.close()

    def end(self, patience: float = PATIENCE) -> tuple[int, float]:
        """Wait for the server's end; return its exit code and how long that took, in seconds."""
        began = time.monotonic()
        return self.process.wait(patience), time.monotonic() - began

    def said(self) -> list[str]:
        """Return the lines of stderr, once the server has ended."""
        self._threads[0].join(PATIENCE)
        return b"".join(self._said).decode().splitlines()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        for thread in self._threads:
            thread.join(PATIENCE)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()
