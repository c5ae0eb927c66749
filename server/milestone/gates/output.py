"""What a command writes: followed in a file, kept at both ends, and made safe to show."""

from __future__ import annotations

import fcntl
import os
import re
import tempfile
from types import TracebackType

from milestone.domain.text import clip

HEAD, TAIL = 4_000, 16_000
MOST = 64 * 1024 * 1024
LINE = 100
_HEAD_BYTES, _TAIL_BYTES = 64 * 1024, 256 * 1024
_PIECE = 1024 * 1024
_CHECKED = 256

_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # colours and movements of the cursor
    r"|\x1b[\]PX^_].*?(?:\x07|\x1b\\|$)"  # titles, links: up to their end
    r"|\x1b[ -/]*[0-~]?",
    re.MULTILINE,
)
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def readable(data: bytes) -> str:
    """Return `data` as text without escapes and control characters; what is no UTF-8 becomes U+FFFD.

    >>> readable(b"\\x1b[31mred\\x1b[0m \\x1b]0;title\\x07\\xff 10%\\r20%\\r\\n\\x00end")
    'red � 10%\\n20%\\nend'
    """
    text = data.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROL.sub("", _ESCAPES.sub("", text))


class Output:
    """A temporary file that a command writes both its streams to, and what was read of it so far.

    It is a file because a pipe would be kept open by whatever the command leaves running. It is read while the command
    runs because scripts empty it: `> /dev/stderr` does. Then what stood there is gone, and what follows begins anew.
    """

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed where this one is closed
        flags = fcntl.fcntl(self._file, fcntl.F_GETFL)
        fcntl.fcntl(self._file, fcntl.F_SETFL, flags | os.O_APPEND)
        self._read = 0
        self._total = 0
        self._head = b""
        self._tail = b""

    def __enter__(self) -> Output:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def fileno(self) -> int:
        """Return the descriptor that the command writes to."""
        return self._file.fileno()

    @property
    def too_much(self) -> bool:
        """Whether more was written than any gate may write."""
        return self._total > MOST

    @property
    def truncated(self) -> bool:
        """Whether `text` leaves out the middle."""
        return self._clipped()[1]

    def follow(self) -> None:
        """Read what has been written since the last time."""
        size = os.fstat(self.fileno()).st_size
        if size < self._read or self._emptied():
            self._read = 0
        while self._read < size:
            if len(self._head) == _HEAD_BYTES and size - self._read > _TAIL_BYTES:
                self._total += size - self._read - _TAIL_BYTES
                self._read = size - _TAIL_BYTES
                self._tail = b""
            piece = os.pread(self.fileno(), min(_PIECE, size - self._read), self._read)
            if not piece:
                return
            self._read += len(piece)
            self._total += len(piece)
            room = _HEAD_BYTES - len(self._head)
            self._head += piece[:room]
            self._tail = (self._tail + piece[room:])[-_TAIL_BYTES:]

    def _emptied(self) -> bool:
        """Return whether the file no longer ends, where it was read to, with what was read there."""
        last = (self._tail or self._head)[-min(_CHECKED, self._read) :] if self._read else b""
        return os.pread(self.fileno(), len(last), self._read - len(last)) != last

    def text(self) -> str:
        """Return what is kept: all of it, or its first 4,000 and last 16,000 characters with a mark between."""
        return self._clipped()[0]

    def last_line(self) -> str:
        """Return the last line with something on it, shortened."""
        lines = readable((self._tail or self._head)[-4 * LINE :]).splitlines()
        return clip(next((line.strip() for line in reversed(lines) if line.strip()), ""), LINE)

    def _clipped(self) -> tuple[str, bool]:
        whole = self._total <= len(self._head) + len(self._tail)
        if whole:
            text = readable(self._head + self._tail)
            if len(text) <= HEAD + TAIL:
                return text, False
            first, last = text[:HEAD], text[-TAIL:]
        else:
            first, last = readable(self._head)[:HEAD], readable(self._tail)[-TAIL:]
        return f"{first}\n… {self._total:,} bytes in all; the middle is left out …\n{last}", True
