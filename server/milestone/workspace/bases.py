"""What was written of each milestone lately: by it a person's edit shows, and from what it was made."""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from dataclasses import dataclass
from typing import Any

from milestone.workspace.files import Folder

MOST = 200
MOST_BYTES = 8 << 20
_LARGEST = 64 << 20
_HEX = 64
_POSITION = re.compile(rb"^# .*\bposition (\d{1,19})\b", re.MULTILINE)
_HEAD = 1_000


@dataclass(frozen=True)
class Base:
    """What was written: the digest of the file, and the value that it shows."""

    digest: bytes
    value: Any


class Bases:
    """The versions of the files that are kept, by the file's name and the position that its head tells.

    They are written before the file itself: one that a killed writer left is known, too.
    """

    def __init__(self, memory: Folder) -> None:
        self._memory = memory

    def keep(self, name: str, position: int, content: bytes, value: Any) -> None:
        """Keep a version that is about to be written, and let go of the oldest ones."""
        packed = zlib.compress(json.dumps(value).encode(), level=1)
        self._memory.write(f"{name}/{position}", digest(content) + packed)
        kept = self._kept(name)
        most = min(MOST, max(1, MOST_BYTES // len(packed)))  # versions of one file are about as large as each other
        for other in kept[:-most]:
            self._memory.remove(f"{name}/{other}")

    def wrote(self, name: str, content: bytes) -> bool:
        """Return whether a file is as it was written, at whatever time."""
        position = position_of(content)
        return position is not None and self._memory.read(f"{name}/{position}", _HEX) == digest(content)

    def of(self, name: str, content: bytes) -> Base | None:
        """Return the version from which a file was made; nothing where that is not known."""
        position = position_of(content)
        packed = self._memory.read(f"{name}/{position}", _LARGEST) if position is not None else None
        if not packed:
            return None
        try:
            return Base(packed[:_HEX], json.loads(zlib.decompress(packed[_HEX:])))
        except (zlib.error, ValueError):
            return None

    def _kept(self, name: str) -> list[int]:
        return sorted(int(one) for one in self._memory.names(name) if one.isdecimal())


def digest(content: bytes) -> bytes:
    """Return what a file is compared by."""
    return hashlib.sha256(content).hexdigest().encode()


def position_of(content: bytes) -> int | None:
    """Return the position that the head of a file tells; nothing where it tells none."""
    found = _POSITION.search(content[:_HEAD])
    return int(found[1]) if found else None
