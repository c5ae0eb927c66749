"""The journal as a file beside the database: one line for each of its rows, each with a checksum.

The file belongs to whoever can write the folder, so nothing in it is believed: see `replaying.py`.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Literal, NamedTuple, cast

from milestone.domain.errors import Refusal
from milestone.store.engine import Row
from milestone.store.tables import dump

_CHECK = len(b',"crc":"00000000"}\n')
_LONGEST = 256 << 20
_BLOCK = 1 << 16
_MODES = {"r": os.O_RDONLY, "a": os.O_RDWR | os.O_CREAT, "x": os.O_RDWR | os.O_CREAT | os.O_EXCL}
_FIELDS = {"project": str, "number": int, "position": int, "version": int, "entries": list, "crc": str}


class Line(NamedTuple):
    """One row of a journal. `copy` is (part, parts) where the line belongs to a copy of all rows, else (0, 0)."""

    project: str
    number: int
    position: int
    version: int
    entries: Sequence[Any]
    copy: tuple[int, int] = (0, 0)


class End(NamedTuple):
    """The newest line of a file: whose it is, its number, and the line itself."""

    project: str
    number: int
    text: bytes


class Unreadable(ValueError):
    """A line that is not whole, or not what was written."""


def encode(project: str, row: Row) -> bytes:
    """Return a row of the journal as a line.

    >>> encode("p", {"number": 1, "position": 4, "schema_version": 5, "entries": "[]"})
    b'{"project":"p","number":1,"position":4,"version":5,"entries":[],"crc":"22ef0a4b"}\\n'
    """
    head = f'{{"project":{dump(project)},"number":{row["number"]},"position":{row["position"]}'
    body = f'{head},"version":{row["schema_version"]},"entries":{row["entries"]}'.encode()
    return b'%b,"crc":"%08x"}\n' % (body, zlib.crc32(body))


def decode(text: bytes) -> Line:
    """Return the row that a line stands for.

    Raises:
        Unreadable: it was cut off or changed.
    """
    body, check = text[:-_CHECK], text[-_CHECK:]
    if check != b',"crc":"%08x"}\n' % zlib.crc32(body):
        raise Unreadable
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise Unreadable from None
    if not isinstance(found, dict) or {name: type(value) for name, value in found.items()} != _FIELDS:  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        raise Unreadable
    fields = cast("dict[str, Any]", found)
    del fields["crc"]
    return Line(**fields, copy=_copy(fields["entries"]))


def last(path: Path) -> End | None:
    """Return the newest whole line of a file; nothing where there is none."""
    try:
        with opened(path) as file:
            return end_of(file)[0]
    except FileNotFoundError:
        return None


def opened(path: Path, mode: Literal["r", "a", "x"] = "r") -> BinaryIO:
    """Return the file, for which no link may stand: to read it, to go on with it, or a new one."""
    descriptor = os.open(path, _MODES[mode] | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
    return os.fdopen(descriptor, "rb" if mode == "r" else "r+b")


def every(path: Path) -> Iterator[tuple[int, int, bytes]]:
    """Yield each line of a file with its number in the file, counted from 1, and where it begins.

    Raises:
        Refusal: a line is longer than any of ours.
    """
    at = 0
    with opened(path) as file:
        for count, text in enumerate(iter(lambda: file.readline(_LONGEST), b""), 1):
            if len(text) == _LONGEST:
                raise Refusal(f"{path}, line {count}: longer than {_LONGEST >> 20} MB")
            yield count, at, text
            at += len(text)


def end_of(file: BinaryIO) -> tuple[End | None, int]:
    """Return the last whole line and where it ends; what follows was cut off while it was written."""
    size = file.seek(0, os.SEEK_END)
    read = b""
    at = size
    while at and read[: read.rfind(b"\n")].count(b"\n") < 1 and len(read) < _LONGEST:
        step = min(at, max(_BLOCK, len(read)))
        at -= step
        file.seek(at)
        read = file.read(step) + read
    stop = read.rfind(b"\n") + 1
    text = read[read.rfind(b"\n", 0, max(0, stop - 1)) + 1 : stop]
    if not text:
        return None, 0
    try:
        line = decode(text)
    except Unreadable:
        return None, at + stop
    return End(line.project, line.number, text), at + stop


def _copy(entries: Sequence[Any]) -> tuple[int, int]:
    match entries:
        case [{"copy": [int(part), int(parts)]}, *_]:
            return part, parts
        case _:
            return 0, 0
