"""A journal's file as it was found: every line checked, put in order, taken once, and nothing of it missing."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from milestone.domain.errors import Refusal
from milestone.store import queries
from milestone.store.lines import Line, Unreadable, decode, every, opened


@dataclass
class Written:
    """What a file has of a journal: where each number is, and what was not as it should be.

    The entries from `begin` to `end` lead to the tables; `begin` is 1, or where the last whole copy of all rows is.
    """

    path: Path
    project: str = ""
    begin: int = 1
    end: int = 0
    places: dict[int, tuple[int, int]] = field(default_factory=dict[int, tuple[int, int]])
    parts: dict[int, tuple[int, int]] = field(default_factory=dict[int, tuple[int, int]])
    damaged: list[int] = field(default_factory=list[int])
    repeated: int = 0
    out_of_order: int = 0

    @property
    def flaws(self) -> Mapping[str, Any]:
        """What was put right in reading it."""
        found = {"damaged_lines": self.damaged, "repeated": self.repeated, "out_of_order": self.out_of_order}
        return {name: value for name, value in found.items() if value}

    @property
    def tail(self) -> int:
        """The number of the first entry after the copy at `begin`, or `begin` where there is none."""
        return self.begin + self.parts.get(self.begin, (0, 0))[1]

    def lines(self, first: int, stop: int) -> Iterator[Line]:
        """Yield the lines that are there, in order and each once, from a number on to before another."""
        with opened(self.path) as file:
            for number in sorted(self.places):
                if first <= number < stop:
                    yield decode(os.pread(file.fileno(), self.places[number][1], self.places[number][0]))


def scan(path: Path, upto: int = 0) -> Written:
    """Return what a file has of a journal, as far as a number or all of it.

    Raises:
        Refusal: an entry is missing or there in two forms, a newer program wrote it, or there is nothing in it.
    """
    found = Written(path)
    try:
        for count, at, text in every(path):
            if not text.endswith(b"\n"):
                continue  # cut off while it was written, so nobody was told that it is there
            try:
                line = decode(text)
            except Unreadable:
                found.damaged.append(count)
            else:
                _take(found, line, at, text)
    except FileNotFoundError:
        raise Refusal(f"There is no journal at {path}", remedy="Restore a backup.") from None
    if not found.places:
        raise Refusal(f"{path} holds no journal", remedy="Restore a backup.")
    found.end = min(upto, found.end) if upto else found.end
    for number, (_, parts) in found.parts.items():
        if number <= found.end < number + parts - 1:
            found.end = number - 1  # a copy is there when all of it is
    if not found.end:
        raise Refusal(f"{path} holds only a part of a copy of all rows", remedy="Restore a backup.")
    whole = [number for number in found.parts if _is_whole(found, number)]
    found.begin = max(whole, default=1)
    _complete(found)
    return found


def _take(found: Written, line: Line, at: int, text: bytes) -> None:
    where = f"{found.path}, entry {line.number},"
    if line.version > queries.VERSION:
        raise queries.newer(line.version)
    if line.project != (found.project or line.project):
        raise Refusal(f"{where} is of project {line.project!r}, what is before it of {found.project!r}")
    found.project = line.project
    if line.number in found.places:
        with opened(found.path) as file:
            if os.pread(file.fileno(), found.places[line.number][1], found.places[line.number][0]) != text:
                raise Refusal(f"{where} is there twice, and not the same", remedy="Restore a backup.")
        found.repeated += 1
        return
    found.out_of_order += line.number < found.end
    found.end = max(found.end, line.number)
    found.places[line.number] = (at, len(text))
    if line.copy[0] == 1:
        found.parts[line.number] = line.copy


def _is_whole(found: Written, number: int) -> bool:
    """Whether all parts of a copy that begins at a number are there; a part is known by its place alone."""
    _, parts = found.parts[number]
    return 0 < parts <= found.end - number + 1 and all(number + part in found.places for part in range(parts))


def _complete(found: Written) -> None:
    """Refuse a journal that has a hole after its beginning."""
    for number in range(found.begin, found.end + 1):
        if number not in found.places:
            why = f"; damaged in the file: line {', '.join(map(str, found.damaged))}" if found.damaged else ""
            before = f"`milestone rebuild --upto {number - 1}` brings back what was before it, or r"
            raise Refusal(
                f"{found.path} lacks entry {number} of {found.end}{why}",
                remedy=f"{before if number > found.begin else 'R'}estore a backup.",
            )
