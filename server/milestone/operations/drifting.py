"""Drift: which KIRO decisions the accepted work does not honour."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from milestone.domain.kiro import Decision, Place, Work, drift
from milestone.operations import surveying
from milestone.operations.context import Context, Outside


def look(ctx: Context, row: Mapping[str, Any]) -> Callable[[Outside], frozenset[str]]:
    """Return the work that looks up, at the tip of the milestone's branch, which places to remove still exist."""
    milestone_id = row["milestone_id"]
    removed = [one for one in ctx.store.evidence.decisions(milestone_id) if one["kind"] == "remove"]
    paths = {place["file"] for one in removed for place in one["places"]}
    repository = ctx.store.evidence.repository(milestone_id, "")
    world, branch = ctx.world, repository["branch"] if repository else ""
    return lambda _: surveying.existing(world, branch, sorted(paths))


def report(ctx: Context, milestone_id: str, there: frozenset[str], *, so_far: bool = False) -> list[str]:
    """Return a sentence for each way in which a decision is not honoured; `there` are the places that still exist.

    `so_far` leaves out what later work may still do: only what is kept can be broken before the end.
    """
    decisions = [
        Decision(
            one["decision_id"],
            one["kind"],
            one["what"],
            tuple(Place(place["file"], place.get("line")) for place in one["places"]),
        )
        for one in ctx.store.evidence.decisions(milestone_id)
    ]
    cites: dict[str, list[str]] = {}
    states: dict[str, str] = {}
    for row in ctx.store.evidence.citations(milestone_id):
        cites.setdefault(row["task_id"], []).append(row["decision_id"])
        states[row["task_id"]] = row["status"]
    touched = {
        one["task_id"]: tuple(one["detail"].get("touched", ()))
        for one in ctx.store.evidence.of_kind(milestone_id, "commit")
    }
    names = {*cites, *touched}
    tasks = [
        Work(name, states.get(name, "completed"), tuple(cites.get(name, ())), touched.get(name, ()))
        for name in sorted(names)
    ]
    found = drift(decisions, tasks, lambda path: path in there)
    return [one.sentence for one in found if not so_far or one.kind == "keep"]
