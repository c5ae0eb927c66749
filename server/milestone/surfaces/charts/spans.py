"""The time line: a line for each task, on it its attempts, the waits before them and when it was parked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from milestone.surfaces.charts.paper import Paper, wide
from milestone.surfaces.charts.scale import Scale, seconds

_TOP, _FOOT = 30.0, 66.0
_ROW, _LEAST = 26.0, 19.0
_LEGEND = (("completed", "completed"), ("claimed", "at work"), ("failed", "ended without a result"))
Row = Mapping[str, Any]


def draw(view: Mapping[str, Any], size: tuple[int, int], *, dark: bool, whole: bool) -> str:
    """Return the chart as SVG."""
    tasks: dict[str, list[Row]] = {}
    for one in view["rows"]:
        tasks.setdefault(one["task_id"], []).append(one)
    narrow = Paper(size, dark=dark).narrow
    row, least = (40.0, 32.0) if narrow else (_ROW, _LEAST)
    if whole:
        size = (size[0], int(_TOP + _FOOT + row * max(len(tasks), 2)))
    shown = dict(list(tasks.items())[-int((size[1] - _TOP - _FOOT) / least) :])
    paper = Paper(size, dark=dark)
    left_out = view["left_out"] + sum(len(tasks[name]) for name in tasks if name not in shown)
    if not shown:
        paper.box(4, _TOP, paper.width - 8, paper.height - _TOP - 8, paper.look.track, radius=4)
        middle = (paper.width / 2, paper.height / 2)
        paper.text(*middle, "Nobody has been at work yet", 13, colour=paper.look.muted, anchor="center")
        return paper.svg("timeline", "Time line of the agents", "Nobody has been at work yet")
    left = 10.0 if narrow else 190.0
    scale = _scale(view, shown, left, paper.width - 26)
    bottom = paper.height - _FOOT
    high = min(row, (bottom - _TOP) / len(shown))
    bottom = _TOP + high * len(shown)
    _parked(paper, view["parked"], scale, bottom)
    scale.draw(paper, _TOP, bottom)
    for number, (task_id, attempts) in enumerate(shown.items()):
        _task(paper, scale, task_id, attempts, (_TOP + number * high, high))
    _legend(paper, bottom, left_out)
    return paper.svg("timeline", f"Time line of {len(shown)} tasks", _told(shown, left_out))


def _scale(view: Mapping[str, Any], shown: Mapping[str, Sequence[Row]], left: float, right: float) -> Scale:
    times = [seconds(one["handed_out_at"]) for attempts in shown.values() for one in attempts]
    return Scale.over([*times, seconds(view["to"])], left, right)


def _parked(paper: Paper, spans: Sequence[Mapping[str, str]], scale: Scale, bottom: float) -> None:
    for one in spans:
        start, end = (min(max(seconds(one[name]), scale.since), scale.until) for name in ("from", "to"))
        if start >= end:
            continue
        x, width = scale.x(start), max(scale.x(end) - scale.x(start), 2.0)
        paper.box(x, _TOP, width, bottom - _TOP, paper.look.track, order=0.6)
        for edge in (x, x + width):
            paper.line([(edge, _TOP - 4), (edge, bottom)], paper.look.muted, 0.9, dashed=True, order=0.7)
        room = wide("parked", 11)
        centre = min(max(x + width / 2, room / 2 + 2), paper.width - room / 2 - 2)
        paper.text(centre, _TOP - 11, "parked", 11, colour=paper.look.muted, anchor="center")


def _task(paper: Paper, scale: Scale, task_id: str, attempts: Sequence[Row], place: tuple[float, float]) -> None:
    """Draw a task's line; on a phone its name stands above it."""
    top, high = place
    narrow = paper.narrow
    middle = top + high - 8 if narrow else top + high / 2
    paper.line([(4, top), (paper.width - 4, top)], paper.look.line, 0.6)
    name = f"{task_id} no. {attempts[-1]['attempt']}" if attempts[-1]["attempt"] > 1 else task_id
    if narrow:
        used = paper.text(4, top + 10, name, 12, room=paper.width * 0.62)
        room = paper.width - used - 16
        paper.text(
            paper.width - 4,
            top + 10,
            attempts[-1]["agent_type"],
            10.5,
            colour=paper.look.muted,
            room=room,
            anchor="right",
        )
    else:
        paper.text(4, middle, name, 12, room=scale.left - 14)
    end = scale.left
    for one in attempts:
        end = _attempt(paper, scale, one, middle, _thick(high, narrow=narrow))
    said = attempts[-1]["agent_type"]
    if not narrow and end + 14 + wide(said, 10.5) < paper.width:
        paper.text(end + 12, middle, said, 10.5, colour=paper.look.muted)
    elif not narrow:
        start = scale.x(seconds(attempts[0]["handed_out_at"]))
        if start - 10 - wide(said, 10.5) > scale.left:
            paper.text(start - 8, middle, said, 10.5, colour=paper.look.muted, anchor="right")


def _attempt(paper: Paper, scale: Scale, one: Row, middle: float, thick: float) -> float:
    """Draw the wait before an attempt, the attempt and how it ended; return where that is."""
    ended = seconds(one["ended_at"]) if one["ended_at"] else scale.until
    handed = seconds(one["handed_out_at"])
    started = seconds(one["started_at"]) if one["started_at"] else ended
    state = "claimed" if not one["ended_at"] else "completed" if one["outcome"] == "completed" else "failed"
    strong, faint = paper.look.state(state)
    x, begin, end = scale.x(handed), scale.x(started), scale.x(ended)
    paper.line([(x, middle), (begin, middle)], paper.look.muted, 1.4, dashed=True, order=2)
    paper.line([(x, middle - 4), (x, middle + 4)], paper.look.muted, 1.4, order=2)
    if one["started_at"]:
        given: dict[str, Any] = {"edge": strong, "radius": 3, "order": 3, "dashed": state == "failed"}
        paper.box(begin, middle - thick / 2, max(end - begin, 3.0), thick, faint, **given)
        end = max(end, begin + 3.0)
    paper.mark(state, end, middle, 9)
    return end


def _legend(paper: Paper, bottom: float, left_out: int) -> None:
    look, x, y = paper.look, 12.0, bottom + 50
    for state, words in _LEGEND:
        paper.mark(state, x, y, 9)
        x += 10 + paper.text(x + 9, y, words.replace(" without a result", " early") if paper.narrow else words, 11) + 14
    paper.line([(x - 6, y), (x + 12, y)], look.muted, 1.4, dashed=True)
    paper.text(x + 18, y, "waits", 11)
    if left_out:
        more = f"{left_out} earlier" if paper.narrow else f"{left_out} earlier attempts are not shown"
        paper.text(paper.width - 4, bottom + 27, more, 11, colour=look.muted, anchor="right")


def _thick(high: float, *, narrow: bool) -> float:
    """Return how thick a bar is in a line of this height."""
    return 9.0 if narrow else 11.0 if high < _ROW - 2 else 14.0


def _told(shown: Mapping[str, Sequence[Row]], left_out: int) -> str:
    lines = [f"{name}: {_ended(attempts[-1])} by {attempts[-1]['agent_type']}" for name, attempts in shown.items()]
    more = f"; {left_out} earlier attempts are not shown" if left_out else ""
    return "; ".join(lines[:40]) + more


def _ended(one: Row) -> str:
    return f"attempt {one['attempt']} {one['outcome'] or 'is under way'}"
