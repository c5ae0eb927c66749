"""The paper that charts are drawn on: pixels from the upper left, one font, two themes, SVG text at the end."""

from __future__ import annotations

import io
import re
import unicodedata
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from xml.sax.saxutils import escape

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, PathPatch, Polygon, Rectangle
from matplotlib.path import Path

_FONT = "DejaVu Sans"  # comes with matplotlib, and is wider than most: what fits in it fits in others
_FAMILY = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif"
_SETTINGS = {"svg.fonttype": "none", "svg.hashsalt": "milestone", "font.family": [_FONT]}
_LIBRARY: Any = mpl  # its types are too loose for this project's
_FONTS: Any = font_manager
_PHONE, _FINE = 500, 8
_HEAD = re.compile(r"^.*?<svg [^>]*>\s*(?:<metadata>.*?</metadata>\s*)?<defs>\s*<style.*?</style>\s*</defs>", re.DOTALL)
_ID = re.compile(r' id="([^"]*)"')
_INVISIBLE = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


@dataclass(frozen=True)
class Look:
    """The colours of a theme; each text has at least 4.5 to 1 on the ground it stands on."""

    text: str
    muted: str
    line: str
    track: str
    ground: str
    states: Mapping[str, tuple[str, str]]

    def state(self, name: str) -> tuple[str, str]:
        """Return the strong and the faint colour of a state."""
        return self.states.get(name, self.states["pending"])


LIGHT = Look(
    text="#1b222d",
    muted="#566070",
    line="#c9cfd8",
    track="#e7eaef",
    ground="#ffffff",
    states={
        "completed": ("#17703a", "#d5eedf"),
        "claimed": ("#1b5bb5", "#d9e7fb"),
        "in_review": ("#6d35b5", "#eadffa"),
        "ready": ("#1b5bb5", "#ffffff"),
        "pending": ("#6b7584", "#f6f7f9"),
        "failed": ("#a8231c", "#fbdcd9"),
        "blocked": ("#7f5200", "#fbe9c4"),
        "skipped": ("#6b7584", "#eceff3"),
    },
)
DARK = Look(
    text="#e5e9f0",
    muted="#a0aab8",
    line="#3b4452",
    track="#2a313d",
    ground="#191d25",
    states={
        "completed": ("#6bd697", "#173a25"),
        "claimed": ("#8dbaff", "#1a335a"),
        "in_review": ("#c9a6ff", "#35225a"),
        "ready": ("#8dbaff", "#191d25"),
        "pending": ("#929dac", "#1f2530"),
        "failed": ("#ff9d95", "#4a1d1a"),
        "blocked": ("#f2c265", "#40300f"),
        "skipped": ("#929dac", "#262d38"),
    },
)
WORDS: Mapping[str, str] = {
    "completed": "completed",
    "claimed": "at work",
    "in_review": "in review",
    "ready": "ready",
    "pending": "pending",
    "failed": "failed",
    "blocked": "waits for a person",
    "skipped": "skipped",
}
_SHAPES: Mapping[str, tuple[str, bool]] = {
    "completed": ("o", True),
    "claimed": (">", True),
    "in_review": ("D", True),
    "ready": ("o", False),
    "pending": ("s", False),
    "failed": ("X", True),
    "blocked": ("^", True),
    "skipped": ("_", False),
}
"""The shape of each state, and whether it is filled: who sees no colours tells them by that."""


class Paper:
    """A chart while it is drawn. `size`: width and height in pixels."""

    def __init__(self, size: tuple[float, float], *, dark: bool) -> None:
        self.width, self.height = size
        self.look = DARK if dark else LIGHT
        with _LIBRARY.rc_context(_SETTINGS):
            self._figure: Any = Figure(figsize=(self.width / 72, self.height / 72), dpi=72)
            self._axes: Any = self._figure.add_axes((0, 0, 1, 1))
        self._axes.set_axis_off()
        self._axes.set_xlim(0, self.width)
        self._axes.set_ylim(self.height, 0)

    @property
    def narrow(self) -> bool:
        """Whether it is for a phone."""
        return self.width < _PHONE

    def box(self, x: float, y: float, width: float, height: float, fill: str, **more: Any) -> None:
        """Draw a box. `more`: edge, radius, dashed, order."""
        edge, radius = more.get("edge"), more.get("radius", 0)
        given: dict[str, Any] = {"facecolor": fill, "edgecolor": edge or "none", "linewidth": 1.2 if edge else 0}
        given |= {"zorder": more.get("order", 2), "linestyle": (0, (3, 2)) if more.get("dashed") else "solid"}
        if radius and width > 2 * radius and height > 2 * radius:
            style = f"round,pad=0,rounding_size={radius}"
            self._axes.add_patch(FancyBboxPatch((x, y), width, height, boxstyle=style, **given))
        else:
            self._axes.add_patch(Rectangle((x, y), width, height, **given))

    def line(self, points: Sequence[tuple[float, float]], colour: str, width: float = 1, **more: Any) -> None:
        """Draw a line. `more`: dashed, order."""
        dashes = (0, (4, 3)) if more.get("dashed") else "solid"
        xs, ys = zip(*points, strict=True)
        style: dict[str, Any] = {"linestyle": dashes, "clip_on": False, "zorder": more.get("order", 1)}
        self._axes.plot(xs, ys, color=colour, linewidth=width, **style)

    def curve(self, start: tuple[float, float], end: tuple[float, float], colour: str) -> None:
        """Draw a line that leaves to the right and arrives from the left."""
        middle = (start[0] + end[0]) / 2
        path = Path([start, (middle, start[1]), (middle, end[1]), end], [Path.MOVETO, *[Path.CURVE4] * 3])
        self._axes.add_patch(PathPatch(path, facecolor="none", edgecolor=colour, linewidth=1.1, zorder=1))

    def area(self, points: Sequence[tuple[float, float]], fill: str) -> None:
        """Fill what points enclose."""
        self._axes.add_patch(Polygon(points, closed=True, facecolor=fill, edgecolor="none", zorder=0.5))

    def mark(self, state: str, x: float, y: float, size: float = 9) -> None:
        """Draw the mark of a state around a point."""
        shape, filled = _SHAPES.get(state, _SHAPES["pending"])
        colour, _ = self.look.state(state)
        fill = colour if filled else self.look.ground
        edge = 1.6 if not filled or shape == "_" else 0.8
        given: dict[str, Any] = {"markersize": size, "markeredgecolor": colour, "markeredgewidth": edge}
        self._axes.plot(
            [x], [y], marker=shape, markerfacecolor=fill, linestyle="none", clip_on=False, zorder=4, **given
        )
        if state == "completed" and size >= _FINE:
            unit = size / 9
            points = [
                (x - 2.2 * unit, y + 0.2 * unit),
                (x - 0.6 * unit, y + 1.8 * unit),
                (x + 2.3 * unit, y - 1.7 * unit),
            ]
            self.line(points, self.look.ground, 1.4 * unit, order=5)

    def text(self, x: float, y: float, text: str, size: float = 12, **more: Any) -> float:
        """Write one line whose middle is at `y`; returns its width. `more`: colour, bold, anchor, room (its width)."""
        bold = bool(more.get("bold"))
        said = fit(text, more.get("room", self.width), size, bold=bold)
        given: dict[str, Any] = {"color": more.get("colour", self.look.text), "ha": more.get("anchor", "left")}
        given |= {"fontsize": size, "fontweight": "bold" if bold else "normal", "fontfamily": [_FONT]}
        self._axes.text(x, y + size * 0.36, said, va="baseline", parse_math=False, zorder=6, **given)
        return wide(said, size, bold=bold)

    def svg(self, name: str, title: str, description: str) -> str:
        """Return the chart as SVG; `title` and `description` are what a screen reader says."""
        written = io.StringIO()
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        with _LIBRARY.rc_context(_SETTINGS), warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # a character that this font lacks is drawn in the reader's
            self._figure.savefig(written, format="svg", metadata=nothing, transparent=True)
        width, height = f"{self.width:g}", f"{self.height:g}"
        mine = f"chart-{name}-{'dark' if self.look is DARK else 'light'}-{width}"
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="{width}" '
            f'height="{height}" viewBox="0 0 {width} {height}" role="img" aria-labelledby="{mine}-title {mine}-desc">'
            f'<title id="{mine}-title">{escape(clean(title))}</title>'
            f'<desc id="{mine}-desc">{escape(clean(description))}</desc>'
        )
        return head + _named(_HEAD.sub("", written.getvalue(), count=1), mine)


def _named(body: str, mine: str) -> str:
    """Return a drawing in which only what is referred to has an id, and one that no other drawing has."""
    body = _ID.sub(lambda found: f' id="{mine}-{found[1]}"' if f"#{found[1]}" in body else "", body)
    body = body.replace('xlink:href="#', f'xlink:href="#{mine}-').replace("url(#", f"url(#{mine}-")
    return body.replace(f"font-family: '{_FONT}'", f"font-family: {_FAMILY}")


def clean(text: str) -> str:
    """Return a text on one line without characters that nobody sees or that SVG cannot hold."""
    words = " ".join(text.split())
    return "".join("�" if unicodedata.category(char) in _INVISIBLE else char for char in words)


def fit(text: str, room: float, size: float, *, bold: bool = False) -> str:
    """Return a text on one line, cut so that it is at most `room` pixels wide."""
    said = clean(text[:400])
    if wide(said, size, bold=bold) <= room:
        return said
    left = room - wide("…", size, bold=bold)
    for count, char in enumerate(said):
        left -= _advance(char, bold) * size
        if left < 0:
            return said[:count].rstrip() + "…" if count else ""
    return said


def wide(text: str, size: float, *, bold: bool = False) -> float:
    """Return how wide a text is in pixels."""
    return size * sum(_advance(char, bold) for char in clean(text))


@cache
def _advance(char: str, bold: bool) -> float:  # noqa: FBT001 - what is cached is found by place
    """Return how wide a character is in sizes of the font; one that it lacks, or a wide one of Asia, is a square."""
    if unicodedata.east_asian_width(char) in ("W", "F"):
        return 1.0
    kind = _FONTS.FontProperties(family=_FONT, weight="bold" if bold else "normal")
    font = _FONTS.get_font(_FONTS.findfont(kind))
    if not font.get_char_index(ord(char)):
        return 1.0
    font.set_size(100, 72)
    return float(font.load_char(ord(char)).linearHoriAdvance) / 65536 / 100


@cache
def _pairs() -> Mapping[str, str]:
    """Return each colour of the light theme with the one of the dark theme that stands for it."""
    plain = ("text", "muted", "line", "track", "ground")
    found = {getattr(LIGHT, name): getattr(DARK, name) for name in plain}
    for state, colours in LIGHT.states.items():
        found |= dict(zip(colours, DARK.states[state], strict=True))
    return found


def themed(chart: str) -> str:
    """Return a light chart in which every colour is a variable of the page."""
    for light in _pairs():
        chart = chart.replace(f": {light}", f": var(--chart-{light[1:]}, {light})")
    return chart


def theme() -> str:
    """Return the style that gives these variables the colours of the dark theme where the reader wants it."""
    dark = " ".join(f"--chart-{light[1:]}: {dark};" for light, dark in _pairs().items())
    return f"@media screen and (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n"
