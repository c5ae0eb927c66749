"""The board of a milestone laid out: what matters most gets its lines first, and more columns use the room."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from milestone.surfaces.terminal import blocks
from milestone.surfaces.terminal.lines import LABEL, Block, ends, line
from milestone.surfaces.terminal.paper import Marks
from milestone.surfaces.terminal.words import many, visible

if TYPE_CHECKING:
    from rich.text import Text

WIDE = 120
"""Columns from which on two blocks stand side by side."""

_GAP = 2


def board_lines(
    board: Mapping[str, Any],
    marks: Marks,
    size: tuple[int, int],
    *,
    others: Sequence[Mapping[str, Any]] = (),
    passed: float = 0.0,
) -> list[Text]:
    """Return the lines of one milestone for `size` in columns and lines, `passed` seconds after it was looked at."""
    width, height = size
    top = blocks.head(board, marks, width)
    phases = blocks.phases(board, marks, width)
    columns = [width] if width < WIDE else [(width - _GAP) // 2, width - _GAP - (width - _GAP) // 2]
    rest = [width if len(columns) == 1 else columns[0], columns[-1]]
    left = [blocks.front(board, marks, rest[0]), blocks.agents(board, rest[0], passed)]
    asked = blocks.waiting(board, marks, rest[1])
    right = [*([asked] if asked.lines else []), *blocks.facts(board, marks, passed), *other(others, marks, rest[1])]
    last = [blocks.log(board["log"])]
    rows = height - len(top) - len(phases.lines)
    spaces = 2 if rows > _needed([*left, *right, *last]) else 0
    blank = [line()] * (spaces // 2)
    whole = [*top, *blank, *phases.lines, *(blank if phases.lines else ())]
    if len(columns) == 1:
        below = _fitted([*right[: bool(asked.lines)], *left, *right[bool(asked.lines) :], *last], rows - spaces, marks)
    else:
        parts = _fitted(left, rows - spaces, marks), _fitted([*right, *last], rows - spaces, marks)
        below = _beside(*parts, columns[0])
    return [*whole, *below][:height]


def other(milestones: Sequence[Mapping[str, Any]], marks: Marks, width: int) -> list[Block]:
    """Return the milestones that are not shown, a line each."""
    lines: list[Text] = []
    for one in milestones:
        waits = f"{many(one['waiting'], 'question')} for you" if one["waiting"] else ""
        parts = [f"{one['percentage']:g} %", one["phase"], one["steering"] or one["status"].replace("_", " ")]
        said = f" {marks.dot} ".join(visible(part) for part in dict.fromkeys(parts) if part)
        left = line((visible(one["name"]), "bold"), f"  {said}  ", (visible(one["milestone_id"]), "dim"))
        lines.append(ends(left, line((waits, "bold magenta")), width - LABEL))
    return [Block("others", lines, 1)] if lines else []


def _needed(known: Sequence[Block]) -> int:
    return sum(one.least for one in known)


def _fitted(known: Sequence[Block], rows: int, marks: Marks) -> list[Text]:
    """Return the blocks in `rows` lines: each has its least, as long as there is room, then all grow in turn."""
    room, given = max(rows, 0), [0] * len(known)
    for number, one in enumerate(known):
        given[number] = min(one.least, len(one.lines), room)
        room -= given[number]
    while room:
        wanting = [number for number, one in enumerate(known) if 0 < given[number] < len(one.lines)]
        if not wanting:
            break
        for number in wanting[:room]:
            given[number] += 1
            room -= 1
    return [text for number, one in enumerate(known) for text in one.drawn(given[number], marks)]


def _beside(left: Sequence[Text], right: Sequence[Text], width: int) -> list[Text]:
    lines: list[Text] = []
    for number in range(max(len(left), len(right))):
        first = left[number].copy() if number < len(left) else line()
        first.truncate(width, overflow="ellipsis", pad=True)
        lines.append(line(first, " " * _GAP, right[number] if number < len(right) else line()))
    return lines
