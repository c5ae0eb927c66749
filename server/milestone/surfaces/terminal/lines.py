"""Lines of a screen: parts with a style, cut where the room ends, bars, and a label before what belongs together."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from milestone.surfaces.terminal.paper import Marks
from milestone.surfaces.terminal.words import visible

LABEL = 11
_MARGIN = 6  # what stands before and behind a part of a command
Part = str | tuple[str, str]

STYLES = {
    "completed": "green",
    "claimed": "yellow",
    "in_review": "cyan",
    "failed": "bold red",
    "blocked": "bold magenta",
    "ready": "blue",
}
WORDS = {
    "completed": "done",
    "claimed": "at work",
    "in_review": "in review",
    "failed": "failed",
    "blocked": "waits",
    "ready": "ready",
    "pending": "to come",
    "skipped": "skipped",
}


@dataclass(frozen=True)
class Block:
    """Lines that belong together, behind their label: how many there are at least, and how many are not even here.

    Of `newest` lines the last are shown, and nobody says how many came before.
    """

    label: str
    lines: Sequence[Text]
    least: int = 1
    style: str = "dim"
    left_out: int = 0
    newest: bool = False
    counted: bool = True

    def drawn(self, rows: int, marks: Marks) -> list[Text]:
        """Return at most `rows` lines; before the last of them stands how many more there are."""
        if self.newest:
            return self._labelled(self.lines[-rows:] if rows else [])
        missing = max(len(self.lines) - rows, 0) + self.left_out
        more = (f"+{missing}" if self.counted else marks.more) if missing else ""
        return self._labelled(self.lines[:rows], more)

    def _labelled(self, shown: Sequence[Text], more: str = "") -> list[Text]:
        labels = [self.label, *[""] * (len(shown) - 1)]
        labels[-1] = f"{labels[-1]} {more}" if len(shown) == 1 and more else f"  {more}" if more else labels[-1]
        return [line((f"  {label:{LABEL - 2}}", self.style), one) for label, one in zip(labels, shown, strict=False)]


def line(*parts: Part | Text) -> Text:
    """Return a line that is cut where the room ends; text of others has gone through `visible` before."""
    return Text.assemble(*parts, no_wrap=True, overflow="ellipsis")


def columns(*cells: tuple[str, int, str]) -> Text:
    """Return a line of cells, each with its text, its width and its style; text of others is made harmless here."""
    parts: list[Part] = []
    for text, width, style in cells[:-1]:
        parts.append((set_cell_size(_cut(visible(text), width), width) + " ", style))
    last, width, style = cells[-1]
    return line(*parts, (_cut(visible(last), width), style))


def ends(left: Text, right: Text, width: int) -> Text:
    """Return a line with one part at each end; the left one gives way."""
    room = max(width - right.cell_len - (1 if right.plain else 0), 0)
    left = left.copy()
    left.truncate(room, overflow="ellipsis", pad=bool(right.plain))
    return left if not right.plain else line(left, " ", right)


def bar(share: float, width: int, marks: Marks, style: str = "green") -> Text:
    """Return a bar of which `share` percent are full; it is whole at 100 percent only."""
    share = min(max(share, 0.0), 100.0)
    halves = int(share * 2 * width / 100)
    full, half = divmod(halves, 2)
    tip = marks.half if half else ""
    rest = marks.empty * (width - full - len(tip))
    return line((marks.full * full + tip, style), (rest, "dim"))


def command(words: str, width: int) -> list[Text]:
    """Return a command that can be copied whole: where a line is too short it goes on in the next one."""
    lines: list[str] = ["$"]
    for option in re.split(" (?=--)", visible(words)):
        for word in [option] if cell_len(option) + _MARGIN <= width else option.split(" "):
            if cell_len(f"{lines[-1]} {word} \\") > width and lines[-1].strip() not in ("$", ""):
                lines[-1] += " \\"
                lines.append("   ")
            lines[-1] += f" {word}"
    return [line((one, "bold")) for one in lines]


def state(status: str, marks: Marks) -> tuple[str, str, str]:
    """Return the mark, the word and the style of a task's status."""
    return getattr(marks, status, " "), WORDS.get(status, visible(status)), STYLES.get(status, "")


def counted(tasks: dict[str, int]) -> str:
    """Return how many tasks there are of each status, in the order in which they go."""
    order = ("completed", "in_review", "claimed", "failed", "blocked", "ready", "pending", "skipped")
    return ", ".join(f"{tasks[name]} {WORDS[name]}" for name in order if tasks.get(name))


def _cut(text: str, width: int) -> str:
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, max(width - 1, 0)).rstrip() + "~"
