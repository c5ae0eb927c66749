"""The chart of the phases: a stair whose steps are as long as the phases weigh, filled as far as they are proven."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from milestone.surfaces.charts.paper import Paper

_STATE = {"completed": "completed", "in_progress": "claimed"}
_APPROVAL = {
    "needed": "a person will be asked",
    "waiting": "waits for approval",
    "approved": "approved",
    "rejected": "rejected",
}


def draw(progress: Mapping[str, Any], size: tuple[int, int], *, dark: bool) -> str:
    """Return the chart as SVG."""
    paper = Paper(size, dark=dark)
    narrow = paper.narrow
    rows: Sequence[Mapping[str, Any]] = progress["phases"]
    whole = f"{progress['percentage']:g} %"
    used = paper.text(4, 20, whole, 20, bold=True)
    done = f"proven; {progress['tasks_completed']} of {progress['tasks_total']} tasks completed"
    paper.text(4 + used + 10, 22, done, 12, colour=paper.look.muted, room=paper.width - used - 20)
    left, right = (82.0, paper.width - 58) if narrow else (130.0, paper.width - 220)
    total, start = max(sum(one["weight"] for one in rows), 1), left
    top, high = 48.0, (paper.height - 48) / max(len(rows), 1)
    for number, one in enumerate(rows):
        wide = (right - left) * one["weight"] / total
        _row(paper, one, (start, top + number * high, wide, high), narrow=narrow)
        start += wide
    said = "; ".join(_told(one) for one in rows)
    return paper.svg("phases", f"Phases: {whole} proven", said or "There are no phases yet")


def _row(paper: Paper, one: Mapping[str, Any], place: tuple[float, float, float, float], *, narrow: bool) -> None:
    x, y, wide, high = place
    middle, state = y + high / 2, _STATE.get(one["status"], "pending")
    strong, faint = paper.look.state(state)
    thick = min(20.0, high - 16)
    paper.mark(state, 11, middle)
    paper.text(24, middle - (7 if narrow else 0), one["phase"], 12, bold=state == "claimed", room=58 if narrow else 66)
    weight = f"{one['weight']} %"
    if narrow:
        paper.text(24, middle + 8, weight, 10.5, colour=paper.look.muted)
    else:
        paper.text(122, middle, weight, 11, colour=paper.look.muted, anchor="right")
    paper.box(x, middle - thick / 2, wide, thick, paper.look.track, edge=paper.look.line, radius=3)
    filled = wide * min(one["percentage"], 100) / 100
    if filled > 0:
        paper.box(x, middle - thick / 2, filled, thick, faint, edge=strong, radius=3, order=3)
    if narrow:
        paper.text(paper.width - 4, middle, f"{one['percentage']:g} %", 12, anchor="right")
        return
    said = f"{one['percentage']:g} %"
    after = paper.width - 212 + paper.text(paper.width - 212, middle, said, 12, bold=True)
    more = _APPROVAL.get(one["approval"], "") or one["status"].replace("_", " ")
    colour = paper.look.state("blocked")[0] if one["approval"] in ("waiting", "rejected") else paper.look.muted
    paper.text(after + 8, middle, more, 11, colour=colour, room=paper.width - after - 12)


def _told(one: Mapping[str, Any]) -> str:
    approval = f", {_APPROVAL[one['approval']]}" if one["approval"] in _APPROVAL else ""
    status = one["status"].replace("_", " ")
    return (
        f"{one['phase']} weighs {one['weight']} percent, is {status} and {one['percentage']:g} percent proven{approval}"
    )
