"""Where a milestone stands, in numbers that follow from accepted evidence alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from milestone.domain.milestones import PHASES
from milestone.domain.progress import Tally, overall, phase_part, shown
from milestone.domain.velocity import Eta, Insufficient, active_seconds, each_active, eta, measured
from milestone.operations.context import Context
from milestone.store.store import Store

PROGRESS = "milestone-progress"
_SEED = 1  # the same history gives the same range


@dataclass(frozen=True)
class Standing:
    """The tasks of a milestone's execution counted, and what follows from them."""

    phases: tuple[Mapping[str, Any], ...]
    tallies: tuple[Tally, ...]
    by_phase: Mapping[str, Mapping[str, int]]

    @property
    def counts(self) -> Mapping[str, int]:
        """How many tasks have which status."""
        found: dict[str, int] = {}
        for counts in self.by_phase.values():
            for status, count in counts.items():
                found[status] = found.get(status, 0) + count
        return found

    @property
    def percentage(self) -> Fraction:
        """How much of the milestone is proven, exactly."""
        return overall({row["phase"]: row["weight"] for row in self.phases}, self.tallies)

    @property
    def total(self) -> int:
        """How many tasks there are; skipped ones and standing roles are not counted."""
        return sum(count for status, count in self.counts.items() if status != "skipped")

    @property
    def phase(self) -> str:
        """The first phase that is not completed."""
        return next((row["phase"] for row in self.phases if row["status"] != "completed"), "")


def standing(store: Store, milestone_id: str, mode: str = "execution") -> Standing:
    """Return where a milestone's execution stands, or its planning, which has one phase without a name.

    A pending task that waits for nothing counts as ready.
    """
    phases = tuple(store.milestones.phases(milestone_id))
    total, done, by_phase = (
        dict.fromkeys(("", *PHASES), 0),
        dict.fromkeys(("", *PHASES), 0),
        dict[str, dict[str, int]](),
    )
    for row in store.tasks.tally(milestone_id, mode):
        if row["standing"]:
            continue
        counts = by_phase.setdefault(row["phase"], {})
        free = int(row["free"]) if row["status"] == "pending" else 0
        for status, count in ((row["status"], int(row["tasks"]) - free), ("ready", free)):
            if count:
                counts[status] = counts.get(status, 0) + count
        if row["status"] != "skipped":
            total[row["phase"]] += int(row["weight"])
        if row["status"] == "completed":
            done[row["phase"]] += int(row["weight"])
    tallies = tuple(
        Tally(row["phase"], total[row["phase"]], done[row["phase"]], row["status"] == "completed") for row in phases
    )
    return Standing(phases, tallies, by_phase)


def progress(store: Store, milestone_id: str) -> dict[str, Any]:
    """Return the progress of a milestone as its file, its state and its answers show it."""
    found = standing(store, milestone_id)
    percentage = found.percentage
    rate, rest = pace(store, milestone_id, found)
    shares = {tally.phase: shown(100 * phase_part(tally)) for tally in found.tallies}
    return {
        "percentage": shown(percentage),
        "phase": found.phase or "completed",
        "tasks_completed": found.counts.get("completed", 0),
        "tasks_total": found.total,
        "overall": shown(percentage),
        "by_phase": shares,
        "velocity": str(rate),
        "eta": str(rest),
        "waived": waivers(store, milestone_id),
    }


def waivers(store: Store, milestone_id: str) -> list[dict[str, str]]:
    """Return which tasks count as done because a person said so."""
    return [
        {"task_id": one["task_id"], "by": one["detail"]["by"], "reason": one["detail"]["reason"]}
        for one in store.evidence.of_kind(milestone_id, "waiver", 50)
    ]


def note_progress(ctx: Context, milestone_id: str, mode: str) -> None:
    """Save the progress of an execution under `milestone-progress` where it has changed."""
    if mode != "execution":
        return
    session = ctx.store.milestones.latest_session(milestone_id, mode)
    if session is None:
        return
    agent_id = f"coordinator-{session['session_id']}"
    value = progress(ctx.store, milestone_id)
    newest = ctx.store.state.newest(agent_id, PROGRESS)
    if newest is None or json.loads(newest["value"]) != value:
        save(ctx, milestone_id, agent_id, PROGRESS, value)


def save(ctx: Context, milestone_id: str, agent_id: str, key: str, value: Any) -> None:
    """Save a value in the name of an agent, as the server does for the coordinator."""
    newest = ctx.store.state.newest(agent_id, key)
    version = (newest["version"] if newest else 0) + 1
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    position = ctx.record("state_saved", milestone_id, subject=key, actor=agent_id, topic=f"state:{key}")
    ctx.store.state.add(milestone_id, agent_id, key, version, position, text, ctx.at)


def pace(store: Store, milestone_id: str, found: Standing) -> tuple[Any, Eta | Insufficient]:
    """Return velocity and ETA from the newest tasks that were proven; time spent parked is not active time."""
    spans = store.tasks.spans(milestone_id)
    intervals = [(seconds(row["started_at"]), seconds(row["ended_at"])) for row in spans]
    parked = [(seconds(row["from_at"]), seconds(row["until_at"])) for row in store.parkings.spans(milestone_id)]
    worked = each_active(intervals, parked)
    points = _points(found)
    proven = [
        (took, points[row["phase"]] * row["weight"])
        for took, row in zip(worked, spans, strict=True)
        if row["status"] == "completed" and row["outcome"] == "completed" and row["weight"] and row["phase"]
    ]
    active = active_seconds(intervals, parked)
    side_by_side = sum(worked) / active if active else 1.0
    samples = [took / share for took, share in proven if share]
    rate = measured(sum(share for _, share in proven), active, len(proven))
    return rate, eta(float(100 - found.percentage), samples, side_by_side, _SEED)


def _points(found: Standing) -> dict[str, float]:
    """Return how many percentage points one unit of task weight is worth in each phase."""
    weights = {row["phase"]: row["weight"] for row in found.phases}
    return {tally.phase: weights[tally.phase] / tally.total if tally.total else 0.0 for tally in found.tallies}


def seconds(at: str) -> float:
    """Return a time of the tables in seconds of Unix time."""
    return datetime.fromisoformat(at).timestamp()
