"""A Messages API on loopback whose answers are Python functions, so that the real host can be played to the letter."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from .conversation import Block, Request, text

PATIENCE = 60.0
"""Seconds that a held agent waits for what it was told to wait for before the test counts as broken."""

Actor = Callable[[Request], Sequence[Block]]
"""Plays one party: reads the conversation and returns the blocks of its next message."""

Cue = Callable[[Request], bool]
"""Says whether a conversation is the one that an actor plays."""


@dataclass
class ScriptedModel:
    """Serves the Messages API while it is entered; `log` keeps every question it was asked.

    An actor that fails is kept in `broken`, and `when_broken` is called: the rest of the run proves nothing.
    """

    log: list[Request] = field(default_factory=list[Request])
    broken: list[BaseException] = field(default_factory=list[BaseException])
    when_broken: Callable[[], object] = bool
    _cast: list[tuple[str, Cue, Actor]] = field(default_factory=list[tuple[str, Cue, Actor]])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def plays(self, name: str, cue: Cue, actor: Actor) -> None:
        """Let `actor` answer the conversations that `cue` recognises; the latest is asked first."""
        self._cast.insert(0, (name, cue, actor))

    def asked(self, actor: str) -> list[Request]:
        """Return the questions that an actor was asked, in order."""
        with self._lock:
            return [r for r in self.log if r.actor == actor]

    @property
    def url(self) -> str:
        """The address to give to the host."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        """Start serving on a free port."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"model": self}))
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()

    def answer(self, body: Mapping[str, Any]) -> Sequence[Block]:
        """Return the next message of the conversation in `body`.

        Raises:
            Outage: the script has the model fail here.
            ScriptBroken: the actor failed; the cause is kept in `broken` too.
        """
        request = Request(0, time.monotonic(), body, "")
        name, actor = next(((n, a) for n, cue, a in self._cast if request.tools and cue(request)), ("", _nobody))
        with self._lock:
            request = Request(len(self.log), request.at, body, name)
            self.log.append(request)
        try:
            return _something(actor(request))
        except (Outage, Limit):
            raise
        except Exception as problem:
            self.broken.append(problem)
            self.when_broken()
            raise ScriptBroken from problem


class Outage(Exception):
    """Raised by an actor: the model answers with an error that the host does not retry, as the script wants it."""


class Limit(Exception):
    """Raised by an actor: the usage limit is reached, as the service says it; the host does not try again itself."""

    def __init__(self, message: str, **headers: str) -> None:
        super().__init__(message)
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()} or {"x-should-retry": "false"}


class ScriptBroken(Exception):
    """An actor could not go on; the host is told so with an error that it does not retry."""


def _something(blocks: Sequence[Block]) -> Sequence[Block]:
    if not blocks:
        raise ValueError("the script says nothing, and the host would ask again")
    return blocks


def _nobody(_: Request) -> Sequence[Block]:
    return [text("ok")]


def hold(event: threading.Event, what: str) -> None:
    """Wait until `event` is set.

    Raises:
        TimeoutError: it was not set in time; the message names `what` was waited for.
    """
    if not event.wait(PATIENCE):
        raise TimeoutError(f"Nothing came within {PATIENCE:.0f} s: {what}")


class _Handler(BaseHTTPRequestHandler):
    """Speaks HTTP for the model it is made for."""

    protocol_version = "HTTP/1.1"
    model: ScriptedModel

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""

    def do_GET(self) -> None:
        """Answer the list of models: there is none."""
        self._json({"data": [], "has_more": False})

    def do_HEAD(self) -> None:
        """Answer that somebody is here."""
        self._json({})

    def do_POST(self) -> None:
        """Answer a conversation, or the count of its tokens."""
        body = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))) or b"{}")
        if not self.path.split("?")[0].endswith("/v1/messages"):
            self._json({"input_tokens": len(json.dumps(body)) // 4} if "count_tokens" in self.path else {})
            return
        try:
            blocks = self.model.answer(body)
        except (Outage, ScriptBroken) as problem:
            reason = {"type": "invalid_request_error", "message": f"{problem!r} {problem.__cause__!r}"}
            self._json({"type": "error", "error": reason}, status=400)
            return
        except Limit as limit:
            reason = {"type": "rate_limit_error", "message": str(limit)}
            self._json({"type": "error", "error": reason}, status=429, headers=limit.headers)
            return
        if body.get("stream"):
            self._stream(_message(body), blocks)
        else:
            self._json({**_message(body), "content": blocks, "stop_reason": _stop_reason(blocks)})

    def _json(self, value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        content = b"" if self.command == "HEAD" else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        for name, header in (headers or {}).items():
            self.send_header(name, header)
        self._write(content, headers=True)

    def _stream(self, message: Mapping[str, Any], blocks: Sequence[Block]) -> None:
        events = [{"type": "message_start", "message": message}]
        for index, block in enumerate(blocks):
            events += [{**part, "index": index} for part in _parts(block)]
        delta = {"stop_reason": _stop_reason(blocks), "stop_sequence": None}
        events += [{"type": "message_delta", "delta": delta, "usage": {"output_tokens": 1}}, {"type": "message_stop"}]
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.close_connection = True
        self._write(b"".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n".encode() for e in events), headers=True)

    def _write(self, content: bytes, *, headers: bool) -> None:
        try:
            if headers:
                self.end_headers()
            self.wfile.write(content)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the host was killed while it waited


def _message(body: Mapping[str, Any]) -> dict[str, Any]:
    usage = {"input_tokens": 1, "output_tokens": 1, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}
    return {
        "id": f"msg_{uuid.uuid4().hex[:20]}",
        "type": "message",
        "role": "assistant",
        "model": body.get("model", "scripted"),
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage,
    }


def _stop_reason(blocks: Sequence[Block]) -> str:
    return "tool_use" if any(b["type"] == "tool_use" for b in blocks) else "end_turn"


def _parts(block: Block) -> list[dict[str, Any]]:
    empty, delta = dict(block), dict[str, Any]()
    if block["type"] == "text":
        empty["text"] = ""
        delta |= {"type": "text_delta", "text": block["text"]}
    else:
        empty["input"] = {}
        delta |= {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
    return [
        {"type": "content_block_start", "content_block": empty},
        {"type": "content_block_delta", "delta": delta},
        {"type": "content_block_stop"},
    ]
