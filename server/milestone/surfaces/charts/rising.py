"""The burn-up: how much was proven by when, and between which times the rest may be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from milestone.surfaces.charts.paper import Paper
from milestone.surfaces.charts.scale import Scale, seconds

_HOUR = 3_600
_ALL, _LOW = 100, 12  # percent
_APART, _EDGE = 60, 20  # pixels


def draw(view: Mapping[str, Any], size: tuple[int, int], *, dark: bool) -> str:
    """Return the chart as SVG."""
    paper = Paper(size, dark=dark)
    points = [(seconds(one["at"]), float(one["done"])) for one in view["points"]]
    _words(paper, view)
    left, right, top, bottom = 46.0, paper.width - 16, 62.0, paper.height - 42
    if not points:
        paper.box(left, top, right - left, bottom - top, paper.look.track, radius=4)
        told = "Nothing is proven yet"
        paper.text((left + right) / 2, (top + bottom) / 2, told, 13, colour=paper.look.muted, anchor="center")
        return paper.svg("burnup", "Burn-up", told)
    hours: Sequence[float] = view["eta_hours"] or ()
    last, done = points[-1]
    hours = hours if done < _ALL else ()
    scale = Scale.over([at for at, _ in points] + [last + hour * _HOUR for hour in hours], left, right)

    def y(share: float) -> float:
        return bottom - (bottom - top) * share / 100

    _frame(paper, scale, top, bottom)
    if hours:
        _rest(paper, (scale.x(last), y(done)), [scale.x(last + hour * _HOUR) for hour in hours], top)
    _proven(paper, [(scale.x(at), y(share)) for at, share in points], bottom)
    x = scale.x(last)
    onward = x < right - 60
    place, anchor = (x + 8, "left") if onward else (x - 8, "right")
    paper.text(place, y(done) + (14 if done > _LOW else -12), f"{done:g} %", 12, bold=True, anchor=anchor)
    said = (
        f"{done:g} percent were proven at {view['points'][-1]['at']}; velocity {view['velocity']}; left {view['eta']}"
    )
    return paper.svg("burnup", f"Burn-up: {done:g} % proven", said)


def _words(paper: Paper, view: Mapping[str, Any]) -> None:
    look = paper.look
    for number, (word, said) in enumerate((("Pace", view["velocity"]), ("Left", view["eta"]))):
        y = 16 + 18 * number
        used = paper.text(4, y, word, 12, bold=True)
        paper.text(4 + max(used, 32) + 8, y, said, 12, colour=look.muted, room=paper.width - 52)


def _frame(paper: Paper, scale: Scale, top: float, bottom: float) -> None:
    look = paper.look
    for share in (0, 25, 50, 75, 100):
        y = bottom - (bottom - top) * share / 100
        paper.line([(scale.left, y), (scale.right, y)], look.muted if share in (0, 100) else look.line, 0.9)
        paper.text(scale.left - 6, y, f"{share} %" if share else "0", 11, colour=look.muted, anchor="right")
    scale.draw(paper, top, bottom)


def _proven(paper: Paper, points: Sequence[tuple[float, float]], bottom: float) -> None:
    """Draw the stair of what was proven: a step up at each time."""
    strong, faint = paper.look.state("completed")
    stair = [points[0]]
    for x, y in points[1:]:
        stair += [(x, stair[-1][1]), (x, y)]
    if len(stair) > 1:
        paper.area([(stair[0][0], bottom), *stair, (stair[-1][0], bottom)], faint)
    paper.line(stair, strong, 2.2, order=3)
    paper.mark("completed", *points[-1], size=9)


def _rest(paper: Paper, start: tuple[float, float], ends: Sequence[float], top: float) -> None:
    """Draw between which times all may be proven: half of the futures end by the first."""
    strong, faint = paper.look.state("claimed")
    first, last = ends
    paper.area([start, (first, top), (last, top)], faint)
    for x in ends:
        paper.line([start, (x, top)], strong, 1.4, dashed=True, order=2)
        paper.line([(x, top - 5), (x, top + 5)], strong, 1.6, order=3)
    if last - first >= _APART:
        paper.text(first, top - 13, "P50", 11, colour=strong, anchor="center" if first > _EDGE else "left")
        paper.text(last, top - 13, "P90", 11, colour=strong, anchor="right")
    else:
        paper.text(last, top - 13, "P50 to P90", 11, colour=strong, anchor="right")
