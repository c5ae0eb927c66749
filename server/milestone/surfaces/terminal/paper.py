"""What a terminal can show: its size, its colours, and the characters that bars and marks are made of."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO

from rich.console import Console

WIDTH, HEIGHT = 80, 24
_LEAST, _MOST = 40, 500


@dataclass(frozen=True)
class Marks:
    """The characters that are not letters."""

    full: str = "━"
    half: str = "╸"
    empty: str = "─"
    head: str = "◆"
    dot: str = "·"
    claimed: str = "●"
    in_review: str = "◐"
    failed: str = "✗"
    blocked: str = "■"
    ready: str = "○"
    completed: str = "✓"
    more: str = "…"


ASCII = Marks(*("#", "", ".", "*", "-", "*", "?", "x", "!", "o", "+", "~"))


@dataclass(frozen=True)
class Paper:
    """Where something is drawn."""

    console: Console
    marks: Marks
    live: bool

    @property
    def size(self) -> tuple[int, int]:
        """Return columns and lines; a pipe has those of an old terminal."""
        return self.console.size


def paper(environ: Mapping[str, str], stream: IO[str]) -> Paper:
    """Return what `stream` can show. `live` is whether it can be drawn upon anew."""
    terminal = stream.isatty()
    simple = _simple(environ, stream)
    reconfigure = getattr(stream, "reconfigure", None)
    if simple and reconfigure:
        reconfigure(encoding="ascii", errors="replace")  # what cannot be shown is a question mark, and no failure
    kept = {name: value for name, value in environ.items() if name not in ("FORCE_COLOR", "COLUMNS", "LINES")}
    width, height = (None, None) if terminal else _of_a_pipe(environ)
    console = Console(
        file=stream,
        force_terminal=terminal,
        width=width,
        height=height,
        highlight=False,
        markup=False,
        emoji=False,
        _environ=kept,
    )
    return Paper(console, ASCII if simple else Marks(), terminal and not console.is_dumb_terminal)


def _of_a_pipe(environ: Mapping[str, str]) -> tuple[int, int]:
    columns = environ.get("COLUMNS", "")
    return (min(max(int(columns), _LEAST), _MOST) if columns.isascii() and columns.isdigit() else WIDTH), HEIGHT


def _simple(environ: Mapping[str, str], stream: IO[str]) -> bool:
    """Return whether only ASCII can be relied on; no locale at all is the one named C."""
    if not (getattr(stream, "encoding", "") or "").lower().replace("-", "").startswith("utf8"):
        return True
    named = next((environ[name] for name in ("LC_ALL", "LC_CTYPE", "LANG") if environ.get(name)), "C")
    return "utf8" not in named.lower().replace("-", "")


def mute() -> None:
    """Let nothing more be written to a pipe whose reader has gone."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
