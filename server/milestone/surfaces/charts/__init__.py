"""Charts as SVG text, drawn from what the views tell; needs the extra `charts`, without which there are tables."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from typing import Any

SIZES: Mapping[str, tuple[int, int]] = {
    "phases": (960, 200),
    "burnup": (1140, 340),
    "timeline": (1140, 440),
    "graph": (1140, 520),
}
"""Width and height of each chart in pixels at its natural size; drawn `whole` it is as high as it has to be."""

NARROW: Mapping[str, tuple[int, int]] = {
    "phases": (360, 230),
    "burnup": (360, 280),
    "timeline": (360, 460),
    "graph": (360, 520),
}
"""The same for a phone."""


def available() -> bool:
    """Return whether charts can be drawn: whether the extra `charts` is installed."""
    return importlib.util.find_spec("matplotlib") is not None


def phases(progress: Mapping[str, Any], *, dark: bool = False, narrow: bool = False) -> str:
    """Return the phases as bars, each as long as it weighs and filled as far as it is proven; `board()["progress"]`."""
    from milestone.surfaces.charts.stair import draw

    return draw(progress, _size("phases", narrow=narrow), dark=dark)


def burnup(view: Mapping[str, Any], *, dark: bool = False, narrow: bool = False) -> str:
    """Return how much was proven by when, and between which times the rest may be."""
    from milestone.surfaces.charts.rising import draw

    return draw(view, _size("burnup", narrow=narrow), dark=dark)


def timeline(view: Mapping[str, Any], *, dark: bool = False, narrow: bool = False, whole: bool = False) -> str:
    """Return who worked on what and when, a line for each task; `whole`: of all that the view has."""
    from milestone.surfaces.charts.spans import draw

    return draw(view, _size("timeline", narrow=narrow), dark=dark, whole=whole)


def graph(view: Mapping[str, Any], *, dark: bool = False, narrow: bool = False, whole: bool = False) -> str:
    """Return the tasks in columns by level, or on a phone as a list; `whole`: with room for all that the view has."""
    from milestone.surfaces.charts.network import draw

    return draw(view, _size("graph", narrow=narrow), dark=dark, whole=whole)


def _size(name: str, *, narrow: bool) -> tuple[int, int]:
    return (NARROW if narrow else SIZES)[name]


def themed(chart: str) -> str:
    """Return a light chart in colours that the page around it may change; `theme` is what changes them."""
    from milestone.surfaces.charts.paper import themed

    return themed(chart)


def theme() -> str:
    """Return the style by which `themed` charts follow the reader's theme; on paper they are light."""
    from milestone.surfaces.charts.paper import theme

    return theme()
