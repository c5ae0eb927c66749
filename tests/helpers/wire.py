"""A host on the raw wire: what it sends is what the server reads, byte for byte."""

from __future__ import annotations

import itertools
import json
import queue
import subprocess
import threading
from typing import Any

from tests.helpers.projects import PROGRAM, Project

PATIENCE = 60
LEGACY = "2025-11-25"
MODERN = "2026-07-28"
_PREFIX = "io.modelcontextprotocol/"
_ENVELOPE = {
    f"{_PREFIX}protocolVersion": MODERN,
    f"{_PREFIX}clientCapabilities": {},
    f"{_PREFIX}clientInfo": {"name": "test", "version": "1"},
}


class Wire:
    """One server process and the lines exchanged with it. `command` stands for `python server`."""

    def __init__(self, project: Project, era: str = "modern", command: tuple[str, ...] = ()) -> None:
        self.project, self.era = project, era
        self._ids = itertools.count(1)
        self._answers: dict[Any, dict[str, Any]] = {}
        self._lines: queue.Queue[bytes] = queue.Queue()
        self.process = subprocess.Popen(
            [*(command or PROGRAM), "mcp"],
            env=project.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if era == "legacy":
            hello = {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
            assert "result" in self.request("initialize", hello)
            self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put(b"")

    def send(self, message: dict[str, Any] | bytes) -> None:
        """Send a message, or a line as it is."""
        assert self.process.stdin is not None
        line = message if isinstance(message, bytes) else json.dumps(message).encode()
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()

    def begin(self, method: str, params: dict[str, Any], meta: dict[str, Any] | None = None) -> int:
        """Send a request and return its id."""
        number = next(self._ids)
        envelope = {**(_ENVELOPE if self.era == "modern" else {}), **(meta or {})}
        if envelope:
            params = {**params, "_meta": envelope}
        self.send({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        return number

    def end(self, number: Any) -> dict[str, Any]:
        """Return the answer to a request.

        Raises:
            queue.Empty: it does not come.
            ConnectionError: the server has ended.
        """
        while number not in self._answers:
            self._take()
        return self._answers.pop(number)

    def _take(self) -> None:
        line = self._lines.get(timeout=PATIENCE)
        if not line:
            raise ConnectionError(f"the server has ended with {self.process.wait(PATIENCE)}")
        message = json.loads(line)
        if "method" not in message:
            self._answers[message["id"]] = message

    def has_answer(self, number: int) -> bool:
        """Return whether the answer to a request has come."""
        while not self._lines.empty():
            self._take()
        return number in self._answers

    def end_or_refused(self, number: int) -> dict[str, Any]:
        """Return the answer to a request that may be too broken for its id to be read."""
        while number not in self._answers and None not in self._answers:
            self._take()
        return self._answers.pop(number if number in self._answers else None)

    def request(self, method: str, params: dict[str, Any], meta: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the whole answer to a request."""
        return self.end(self.begin(method, params, meta))

    def begin_call(self, tool: str, /, meta: dict[str, Any] | None = None, **arguments: Any) -> int:
        """Send a tool call and return its id."""
        return self.begin("tools/call", {"name": tool, "arguments": arguments}, meta)

    def begin_raw(self, tool: str, arguments: str) -> int:
        """Send a tool call whose arguments are this text, JSON or not, and return its id."""
        number = next(self._ids)
        meta = f',"_meta":{json.dumps(_ENVELOPE)}' if self.era == "modern" else ""
        params = f'{{"name":{json.dumps(tool)},"arguments":{arguments}{meta}}}'
        line = f'{{"jsonrpc":"2.0","id":{number},"method":"tools/call","params":{params}}}'
        self.send(line.encode("utf-8", "surrogatepass"))
        return number

    def answer(self, number: int) -> tuple[bool, str]:
        """Return whether a call was refused, and the text."""
        answer = self.end(number)
        if "error" in answer:
            return True, answer["error"]["message"]
        return bool(answer["result"].get("isError")), answer["result"]["content"][0]["text"]

    def call(self, tool: str, /, meta: dict[str, Any] | None = None, **arguments: Any) -> Any:
        """Return the answer of a call that must be carried out."""
        refused, text = self.answer(self.begin_call(tool, meta, **arguments))
        assert not refused, text
        return json.loads(text)

    def refusal(self, tool: str, /, meta: dict[str, Any] | None = None, **arguments: Any) -> str:
        """Return the text of a call that must be refused."""
        refused, text = self.answer(self.begin_call(tool, meta, **arguments))
        assert refused, text
        return text

    def kill(self) -> None:
        """End the server as a power cut would."""
        self.process.kill()
        self.process.wait(PATIENCE)

    def close(self) -> None:
        """Hang up and wait for the server's end."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        try:
            self.process.wait(PATIENCE)
        finally:
            self.process.kill()
            self.process.wait()
            self._reader.join(PATIENCE)
            self.process.stdout.close()
