"""A milestone over time: who was at work when, and how much was proven by when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from milestone.domain.progress import overall, shown
from milestone.domain.velocity import Eta
from milestone.operations import reporting
from milestone.operations.context import Context

_POINTS = 200
_SIZES = ((24, 0.001), (19, 1), (18, 10), (16, 60), (15, 600), (13, 3_600), (12, 28_800), (10, 86_400))
"""How many characters of a time name a span of how many seconds."""


def timeline(ctx: Context, row: Mapping[str, Any], limit: int = 60) -> dict[str, Any]:
    """Return the newest attempts in the order in which they were handed out, and when the milestone was parked."""
    milestone_id = row["milestone_id"]
    rows = [dict(one) for one in ctx.store.views.attempts(milestone_id, limit)]
    parked = [{"from": one["from_at"], "to": one["until_at"]} for one in ctx.store.parkings.spans(milestone_id)]
    until = ctx.at if any(not one["ended_at"] for one in rows) else max((one["ended_at"] for one in rows), default="")
    since = rows[0]["handed_out_at"] if rows else ""
    return {
        "from": since,
        "to": until,
        "rows": rows,
        "parked": [one for one in parked if rows and one["to"] > since and one["from"] < until],
        "left_out": ctx.store.views.count_attempts(milestone_id) - len(rows),
    }


def burnup(ctx: Context, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return how much of the milestone was proven by when, at most 200 points, and how long the rest may take."""
    milestone_id = row["milestone_id"]
    found = reporting.standing(ctx.store, milestone_id)
    rate, rest = reporting.pace(ctx.store, milestone_id, found)
    return {
        "points": _points(ctx, milestone_id, found),
        "velocity": str(rate),
        "eta": str(rest),
        "eta_hours": [rest.p50_hours, rest.p90_hours] if isinstance(rest, Eta) else None,
        "planned": 100,
    }


def _points(ctx: Context, milestone_id: str, found: reporting.Standing) -> list[dict[str, Any]]:
    """Return the proven share as it grew, measured against the tasks there are now."""
    tallies = {one.phase: replace(one, done=0, completed=False) for one in found.tallies}
    weights = {one["phase"]: one["weight"] for one in found.phases}
    begun = min((one["started_at"] for one in found.phases if one["started_at"]), default="")
    spans: dict[str, tuple[str, list[tuple[str, int]]]] = {}
    for one in ctx.store.views.proven(milestone_id, _size(ctx, milestone_id)):
        if one["phase"]:
            at, grown = spans.get(one["span"], ("", []))
            spans[one["span"]] = (max(at, one["at"]), [*grown, (one["phase"], int(one["weight"]))])
    steps = list(spans.values())
    steps += [
        (one["completed_at"], [(one["phase"], 0)])
        for one in found.phases
        if one["completed_at"] and not tallies[one["phase"]].total
    ]
    points = [{"at": begun, "done": 0.0}] if begun else []
    for at, grown in sorted(steps):
        for phase, weight in grown:
            known = tallies[phase]
            tallies[phase] = replace(known, done=known.done + weight, completed=not known.total)
        points.append({"at": at, "done": shown(overall(weights, tallies.values()))})
    return points


def _size(ctx: Context, milestone_id: str) -> int:
    """Return how much of a time has to be looked at so that the spans are not more than can be shown."""
    known = ctx.store.views.proven_between(milestone_id)
    most = _POINTS - 10  # the beginning, and phases that are completed by themselves, are points of their own
    if known["n"] <= most:
        return _SIZES[0][0]
    took = reporting.seconds(known["last"]) - reporting.seconds(known["first"])
    return next((size for size, span in _SIZES if took / span < most - 1), 7)
