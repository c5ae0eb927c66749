"""The task graph: columns by level with lines to what is needed, or on a phone a list that is indented by level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from milestone.surfaces.charts.paper import WORDS, Paper, wide

Node = Mapping[str, Any]
_TOP, _FOOT = 10.0, 34.0
_TALL, _LOW, _LINE = 46.0, 24.0, 24.0
_SHORT = 70.0
_ENDED = ("completed", "skipped")


def draw(view: Mapping[str, Any], size: tuple[int, int], *, dark: bool, whole: bool) -> str:
    """Return the chart as SVG."""
    nodes: Sequence[Node] = view["nodes"]
    if not nodes:
        paper = Paper((size[0], 120), dark=dark)
        paper.box(4, 8, paper.width - 8, 104, paper.look.track, radius=4)
        paper.text(paper.width / 2, 60, "There are no tasks yet", 13, colour=paper.look.muted, anchor="center")
        return paper.svg("graph", "Task graph", "There are no tasks yet")
    counts = _counts(nodes)
    if Paper(size, dark=dark).narrow:
        paper, shown = _list(view, size, dark=dark, whole=whole)
    else:
        paper, shown = _columns(view, size, dark=dark, whole=whole), len(nodes)
    _legend(paper, counts, len(nodes) - shown + view["left_out"])
    told = ", ".join(f"{count} {WORDS.get(state, state)}" for state, count in counts.items())
    needs = "; ".join(f"{later} needs {earlier}" for earlier, later in view["edges"][:60])
    return paper.svg("graph", f"Task graph of {len(nodes)} tasks", f"{told}. {needs}")


def _counts(nodes: Sequence[Node]) -> dict[str, int]:
    counts = {state: sum(one["status"] == state for one in nodes) for state in WORDS}
    return {state: count for state, count in counts.items() if count}


def _columns(view: Mapping[str, Any], size: tuple[int, int], *, dark: bool, whole: bool) -> Paper:
    columns = _ordered(view["nodes"], view["edges"])
    most = max(len(column) for column in columns)
    foot = _FOOT
    if whole:
        size = (size[0], int(_TOP + foot + most * _TALL))
    paper = Paper(size, dark=dark)
    step = (paper.width - 8) / len(columns)
    high = min(_TALL, (paper.height - _TOP - foot) / most)
    across = min(230.0, step - min(26.0, step * 0.3))
    boxed = across >= _SHORT and high >= _LOW
    places: dict[str, tuple[float, float]] = {}
    for level, column in enumerate(columns):
        top = _TOP + (paper.height - _TOP - foot - high * len(column)) / 2
        for number, one in enumerate(column):
            places[one["task_id"]] = (4 + level * step, top + (number + 0.5) * high)
    reach = across if boxed else 16.0
    for earlier, later in view["edges"]:
        x, y = places[earlier]
        paper.curve((x + reach, y), places[later], paper.look.muted)
    for column in columns:
        for one in column:
            _node(paper, one, places[one["task_id"]], (across if boxed else 0, high))
    return paper


def _ordered(nodes: Sequence[Node], edges: Sequence[Sequence[str]]) -> list[list[Node]]:
    """Return the nodes by level; within one they stand beside what they need, so that few lines cross."""
    needs: dict[str, list[str]] = {}
    for earlier, later in edges:
        needs.setdefault(later, []).append(earlier)
    rows: dict[str, float] = {}
    columns: list[list[Node]] = []
    for level in range(max(one["level"] for one in nodes) + 1):
        column = [one for one in nodes if one["level"] == level]
        near = {
            one["task_id"]: [rows[name] for name in needs.get(one["task_id"], ()) if name in rows] for one in column
        }
        beside = {name: sum(others) / len(others) if others else 0.5 for name, others in near.items()}
        column.sort(key=lambda one, beside=beside: beside[one["task_id"]] if level else 0)
        rows |= {one["task_id"]: (number + 0.5) / len(column) for number, one in enumerate(column)}
        columns.append(column)
    return columns


def _node(paper: Paper, one: Node, place: tuple[float, float], room: tuple[float, float]) -> None:
    (x, y), (across, high) = place, room
    state = one["status"]
    strong, faint = paper.look.state(state)
    if not across:
        paper.mark(state, x + 8, y, min(11.0, max(high - 3, 5.0)))
        return
    tall = high >= _TALL - 6
    half = 18.0 if tall else 10.5
    paper.box(
        x, y - half, across, 2 * half, faint, edge=strong, radius=5, dashed=state in ("pending", "skipped"), order=3
    )
    paper.mark(state, x + 13, y, 10)
    paper.text(x + 26, y - (7.5 if tall else 0), one["task_id"], 11.5, bold=True, room=across - 32)
    if tall:
        said = f"{one['phase'] or 'standing'} · {one['title']}"
        paper.text(x + 26, y + 8, said, 10.5, colour=paper.look.muted, room=across - 32)


def _list(view: Mapping[str, Any], size: tuple[int, int], *, dark: bool, whole: bool) -> tuple[Paper, int]:
    """Draw the tasks below each other, each indented by its level; where there is no room for all, those that go on."""
    nodes: Sequence[Node] = view["nodes"]
    foot = _FOOT + 20 * (_legend_lines(_counts(nodes), size[0]) - 1)
    room = len(nodes) if whole else int((size[1] - _TOP - foot) / _LINE)
    wanted = [one for one in nodes if one["status"] not in _ENDED][:room]
    wanted += [one for one in nodes if one["status"] in _ENDED][::-1][: room - len(wanted)]
    rows = sorted(wanted, key=lambda one: (one["level"], nodes.index(one)))
    paper = Paper((size[0], int(_TOP + foot + len(rows) * _LINE) if whole else size[1]), dark=dark)
    deepest = max(one["level"] for one in rows)
    indent = min(14.0, 90 / max(deepest, 1))
    places = {
        one["task_id"]: (14 + one["level"] * indent, _TOP + (number + 0.5) * _LINE) for number, one in enumerate(rows)
    }
    for earlier, later in view["edges"]:
        if earlier in places and later in places:
            (x, top), (end, y) = places[earlier], places[later]
            paper.line([(x, top), (x, y), (end, y)] if y > top else [(x, top), (end, y)], paper.look.line, 1.1)
    for one in rows:
        x, y = places[one["task_id"]]
        paper.mark(one["status"], x, y, 11)
        used = paper.text(x + 12, y, one["task_id"], 12, bold=True, room=paper.width - x - 90)
        phase = one["phase"] or "standing"
        if x + 22 + used + wide(phase, 10.5) < paper.width - 4:
            paper.text(paper.width - 4, y, phase, 10.5, colour=paper.look.muted, anchor="right")
    return paper, len(rows)


def _legend_lines(counts: Mapping[str, int], width: float) -> int:
    """Return how many lines the legend takes."""
    return _placed(counts, width)[-1][2] + 1


def _placed(counts: Mapping[str, int], width: float) -> list[tuple[str, float, int]]:
    """Return where each state of the legend stands: from the left, and in which line."""
    placed: list[tuple[str, float, int]] = []
    x, line = 12.0, 0
    for state, count in counts.items():
        room = 10 + wide(f"{count} {WORDS[state]}", 11)
        if x + room > width and x > room:
            x, line = 12.0, line + 1
        placed.append((state, x, line))
        x += room + 14
    return placed


def _legend(paper: Paper, counts: Mapping[str, int], left_out: int) -> None:
    placed = _placed(counts, paper.width)
    top = paper.height - 14 - 20 * placed[-1][2]
    for state, x, line in placed:
        paper.mark(state, x, top + 20 * line, 9)
        paper.text(x + 10, top + 20 * line, f"{counts[state]} {WORDS[state]}", 11)
    words = f"{left_out} more"
    state, x, line = placed[-1]
    used = x + 10 + wide(f"{counts[state]} {WORDS[state]}", 11)
    if left_out and used + wide(words, 11) < paper.width - 14:
        paper.text(paper.width - 4, top + 20 * line, words, 11, colour=paper.look.muted, anchor="right")
