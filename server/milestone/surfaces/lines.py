"""Lines in and lines out: framing, JSON-RPC grammar and buffered writing of the stdio door, standard library only."""

from __future__ import annotations

import json
import os
import re
import select
from collections import deque

TYPE_CHECKING = False  # `typing` would cost 4 ms before the first answer
if TYPE_CHECKING:
    from typing import Any, NoReturn

    Message = dict[str, Any]

LIMIT = 8 * 1024 * 1024
"""Longest line accepted, in bytes."""

FULL = 4 * 1024 * 1024
"""Bytes that may wait on either side before the door stops reading."""

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603

_CHUNK = 256 * 1024
_OVERHEAD = 64  # bytes an object costs beside its content
_SEEN = 512  # bytes at either end of an over-long line in which its id is looked for
_ID = rb'"id"\s*:\s*(-?\d{1,15}|"[^"\\]{0,128}")\s*'
_ID_FIRST = re.compile(rb'\s*\{\s*(?:"method"\s*:\s*"[^"\\]*"\s*,\s*)?(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?' + _ID + b",")
_ID_LAST = re.compile(rb"[,{]\s*" + _ID + rb'(?:,\s*"jsonrpc"\s*:\s*"2\.0"\s*)?\}\s*\Z')


def say(text: str) -> None:
    """Write one log line to stderr, unless nobody reads stderr and it is full."""
    line = "milestone: " + " ".join(text.split()) + "\n"
    try:
        poller = select.poll()
        poller.register(2, select.POLLOUT)
        if poller.poll(0):
            os.write(2, line.encode("ascii", "backslashreplace")[:4000])
    except OSError:
        return


def describe(error: BaseException) -> str:
    """Return the kind and the place of `error`, not its text, which may hold what nobody should log."""
    place = ""
    trace = error.__traceback__
    while trace is not None:
        place = f" at {trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
        trace = trace.tb_next
    return type(error).__name__ + place


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_decode = json.JSONDecoder(parse_constant=_no_constant).decode
_SURROGATES = re.compile(r"(\\\\|\\ud[89ab]..\\ud[c-f]..)|\\ud[89a-f]..")
_encode = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode


def encode(message: Message) -> bytes:
    r"""Return `message` as one line of ASCII JSON; halves of characters, which many clients cannot read, are replaced.

    Raises:
        ValueError, TypeError, RecursionError: it holds something JSON cannot say.

    >>> encode({"id": 1, "text": "half \ud83d, whole \U0001f600"})
    b'{"id":1,"text":"half \\ufffd, whole \\ud83d\\ude00"}\n'
    """
    text = _encode(message)
    if "\\ud" in text:
        text = _SURROGATES.sub(lambda found: found[1] or r"\ufffd", text)
    return text.encode("ascii") + b"\n"


class Refused(Exception):
    """A line the door answers itself; `reply` is that answer as a line."""

    def __init__(self, code: int, why: str, request_id: int | str | None = None) -> None:
        super().__init__(why)
        self.reply = encode({"jsonrpc": "2.0", "id": request_id, "error": {"code": code, "message": why}})


def parse(line: bytes) -> Message:
    """Return the JSON-RPC message on `line`.

    Raises:
        Refused: it is not JSON, or not one message as MCP has them.

    >>> parse(b'{"jsonrpc": "2.0", "method": "ping", "id": 7}')["id"]
    7
    """
    try:
        message: object = _decode(line.decode())
    except UnicodeDecodeError:
        raise Refused(PARSE_ERROR, "Parse error: the line is not UTF-8") from None
    except (RecursionError, MemoryError):
        raise Refused(PARSE_ERROR, "Parse error: the line is nested too deeply") from None
    except ValueError as error:
        raise Refused(PARSE_ERROR, f"Parse error: {error}") from None
    if isinstance(message, dict):
        return _checked(message)  # pyright: ignore[reportUnknownArgumentType] - JSON's keys are str
    raise Refused(INVALID_REQUEST, "Invalid request: a line holds one JSON object; batches are not part of MCP")


def _checked(message: Message) -> Message:
    """Return `message` if it is a request, a notification or an answer; refuse it otherwise."""
    request_id = message.get("id")
    known = request_id if type(request_id) in (int, str) else None
    if "method" not in message and ("result" in message or "error" in message):
        return _checked_answer(message, known)
    if message.get("jsonrpc") != "2.0":
        raise Refused(INVALID_REQUEST, 'Invalid request: jsonrpc must be "2.0"', known)
    if not isinstance(message.get("method"), str):
        raise Refused(INVALID_REQUEST, "Invalid request: method must be a string", known)
    if "id" in message and known is None:
        raise Refused(INVALID_REQUEST, "Invalid request: id must be a string or an integer")
    if not isinstance(message.get("params", {}), dict | None):
        raise Refused(INVALID_PARAMS, "Invalid params: params must be an object", known)
    return message


def _checked_answer(message: Message, known: int | str | None) -> Message:
    """Return an answer to a request of ours; a broken one is refused without an id, for its id is not the client's."""
    result, error = message.get("result"), message.get("error")
    whole = isinstance(result, dict) and known is not None
    if not whole and isinstance(error, dict):
        whole = type(error.get("code")) is int and isinstance(error.get("message"), str)  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
    if message.get("jsonrpc") != "2.0" or not whole:
        raise Refused(INVALID_REQUEST, "Invalid request: neither a request nor a whole answer")
    return message


class Lines:
    """Cuts bytes into lines and drops, without keeping it, any line longer than the limit.

    >>> lines = Lines(limit=4)
    >>> [item for item in lines.feed(b"ab\\nabcdefgh\\ncd") if isinstance(item, bytes)], lines.rest()
    ([b'ab'], [b'cd'])
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._held = bytearray()
        self._skipping = False
        self.undecided = False
        """A line is being dropped and has not been answered yet, for its id may still come."""

    def feed(self, chunk: bytes) -> list[bytes | Refused]:
        """Take in `chunk`; return the lines it ends, and a refusal for each that is too long."""
        *ended, rest = chunk.split(b"\n")
        items: list[bytes | Refused] = []
        for part in ended:
            self._hold(part, items)
            self._end(items)
        self._hold(rest, items)
        return items

    def rest(self) -> list[bytes | Refused]:
        """End the last line, which had no newline."""
        items: list[bytes | Refused] = []
        self._end(items)
        return items

    def overdue(self) -> list[bytes | Refused]:
        """Give up waiting for the id of the line being dropped."""
        due: list[bytes | Refused] = [self._too_long(None)] if self.undecided else []
        self.undecided = False
        return due

    def _hold(self, part: bytes, items: list[bytes | Refused]) -> None:
        self._held += part
        if self._skipping:
            del self._held[:-_SEEN]
        elif len(self._held) > self._limit:
            self._skipping = True
            found = _ID_FIRST.match(bytes(self._held[:_SEEN]))
            self.undecided = found is None
            if found is not None:
                items.append(self._too_long(found))
            del self._held[:-_SEEN]

    def _end(self, items: list[bytes | Refused]) -> None:
        if self.undecided:
            items.append(self._too_long(_ID_LAST.search(bytes(self._held))))
        elif not self._skipping and self._held.strip():
            items.append(bytes(self._held))
        self._held = bytearray()
        self._skipping = self.undecided = False

    def _too_long(self, found: re.Match[bytes] | None) -> Refused:
        request_id = None if found is None else json.loads(found[1])
        return Refused(INVALID_REQUEST, f"Invalid request: the line is longer than {self._limit} bytes", request_id)


def _weight(item: bytes | Refused) -> int:
    return _OVERHEAD + (len(item) if isinstance(item, bytes) else 0)


class Intake:
    """The lines that have been read from a descriptor and not been taken yet."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.lines = Lines()
        self.ended = False
        self._queue: deque[bytes | Refused] = deque()
        self._size = 0

    @property
    def full(self) -> bool:
        """Enough is waiting; read no more for now."""
        return self._size > FULL

    def read(self) -> None:
        """Read once from the descriptor, which is ready."""
        try:
            chunk = os.read(self.fd, _CHUNK)
        except BlockingIOError:
            return
        except OSError:
            chunk = b""
        self.ended = not chunk
        self._add(self.lines.feed(chunk) if chunk else self.lines.rest())

    def overdue(self) -> None:
        """Queue the refusal of an over-long line whose id does not come."""
        self._add(self.lines.overdue())

    def take(self) -> bytes | Refused | None:
        """Return the next line, `None` if there is none."""
        if not self._queue:
            return None
        item = self._queue.popleft()
        self._size -= _weight(item)
        return item

    def drop(self) -> None:
        """Forget every line not taken yet, and expect none."""
        self._queue.clear()
        self.ended = True

    def _add(self, items: list[bytes | Refused]) -> None:
        self._queue.extend(items)
        self._size += sum(map(_weight, items))


class Outlet:
    """Writes lines to a non-blocking descriptor and keeps what it does not take yet."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.waiting = 0
        """Bytes not written yet."""
        self.dead = False
        """Nobody can read what is written any more."""
        self._parts: deque[memoryview] = deque()

    @property
    def full(self) -> bool:
        """The client does not read; give it nothing more for now."""
        return self.waiting > FULL

    def put(self, line: bytes) -> None:
        """Write `line` after those that still wait."""
        if self.dead:
            return
        self._parts.append(memoryview(line))
        self.waiting += len(line)
        if len(self._parts) == 1:
            self.flush()

    def flush(self) -> None:
        """Write as much as the descriptor takes."""
        try:
            while self._parts:
                part = self._parts[0]
                written = os.write(self.fd, part)
                self.waiting -= written
                if written < len(part):
                    self._parts[0] = part[written:]
                else:
                    self._parts.popleft()
        except BlockingIOError:
            return
        except OSError:
            self.dead, self.waiting = True, 0
            self._parts.clear()
