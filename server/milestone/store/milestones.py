"""Milestones, their phases and their sessions."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from milestone.domain.leases import Lease
from milestone.store.engine import Row
from milestone.store.tables import Tables, dump


class Milestones(Tables):
    """Milestones of a project. Rows carry `sections` as a value, not as text."""

    file = "milestones"

    def get(self, milestone_id: str) -> dict[str, Any] | None:
        """Return a milestone, or nothing."""
        return _opened(self._one("milestone", milestone_id=milestone_id))

    def named(self, name: str) -> dict[str, Any] | None:
        """Return the newest milestone of that name that has not ended."""
        return _opened(self._one("milestones_named", name=name))

    def newest_named(self, name: str) -> dict[str, Any] | None:
        """Return the newest milestone of that name, whether it has ended or not."""
        return _opened(self._one("newest_named", name=name))

    def all(self) -> list[dict[str, Any]]:
        """Return every milestone, oldest first."""
        return [row for row in map(_opened, self._rows("milestones_of")) if row]

    def add(
        self, milestone_id: str, name: str, description: str, sections: Mapping[str, Any], at: str, position: int
    ) -> None:
        """Write a new milestone in planning."""
        values = {
            "milestone_id": milestone_id,
            "name": name,
            "description": description,
            "at": at,
            "position": position,
        }
        self._change("add_milestone", **values, sections=dump(sections))

    def add_phases(self, milestone_id: str, weights: Mapping[str, int]) -> None:
        """Write the phases of a new milestone with their weights in percent."""
        for ordinal, (phase, weight) in enumerate(weights.items()):
            self._change("add_phase", milestone_id=milestone_id, phase=phase, ordinal=ordinal, weight=weight)

    def save(self, row: Mapping[str, Any], at: str) -> None:
        """Write name, description, status, duration and sections of a milestone."""
        values = {name: row[name] for name in ("milestone_id", "name", "description", "status", "duration")}
        self._change("update_milestone", **values, sections=dump(row["sections"]), at=at)

    def set_strategy(self, milestone_id: str, strategy: str, at: str) -> None:
        """Write which strategy decides when phases are open."""
        self._change("set_strategy", milestone_id=milestone_id, strategy=strategy, at=at)

    def set_phase(self, row: Row, status: str, *, started_at: str = "", completed_at: str = "") -> None:
        """Write where a phase stands; a time that is not given stays as it is."""
        times = {"started_at": started_at or row["started_at"], "completed_at": completed_at or row["completed_at"]}
        where = {"milestone_id": row["milestone_id"], "phase": row["phase"]}
        self._change("set_phase", **where, status=status, **times)

    def set_weight(self, milestone_id: str, phase: str, weight: int) -> None:
        """Write a phase's weight in percent."""
        self._change("set_weight", milestone_id=milestone_id, phase=phase, weight=weight)

    def touch(self, milestone_id: str, position: int) -> None:
        """Note the newest position at which something of the milestone changed."""
        self._change("touch_milestone", milestone_id=milestone_id, position=position)

    def phases(self, milestone_id: str) -> Sequence[Row]:
        """Return the phases in order."""
        return self._rows("phases_of", milestone_id=milestone_id)

    def session(self, session_id: str) -> Row | None:
        """Return a session, or nothing."""
        return self._one("session", session_id=session_id)

    def latest_session(self, milestone_id: str, mode: str = "") -> Row | None:
        """Return the open session of a mode, else the newest that ended."""
        return self._one("latest_session", milestone_id=milestone_id, mode=mode)

    def sessions(self, milestone_id: str) -> Sequence[Row]:
        """Return the sessions of a milestone, oldest first."""
        return self._rows("sessions_of", milestone_id=milestone_id)

    def add_session(self, session_id: str, milestone_id: str, mode: str, at: str) -> None:
        """Write a new open session."""
        self._change("add_session", session_id=session_id, milestone_id=milestone_id, mode=mode, at=at)

    def lead(self, session_id: str, coordinator: str, server: str, lease: Lease, at: str) -> None:
        """Write who coordinates a session, and until when that holds without a sign of life."""
        times = {"era": lease.era, "lease_until": lease.until, "at": at}
        self._change("lead_session", session_id=session_id, coordinator=coordinator, server=server, **times)

    def renew_lead(self, coordinator: str, lease: Lease, at: str) -> None:
        """Renew the lease of whoever coordinates, in each of its open sessions."""
        self._change("renew_lead", coordinator=coordinator, era=lease.era, lease_until=lease.until, at=at)

    def tell(self, session_id: str) -> None:
        """Note that the coordinator of a session has just been told what to do."""
        self._change("tell_session", session_id=session_id)

    def steer(self, milestone_id: str, steering: str) -> None:
        """Write whether a person has paused or stopped a milestone; empty lets it go on."""
        self._change("steer", milestone_id=milestone_id, steering=steering)

    def end_session(self, session_id: str, status: str, at: str) -> None:
        """Close a session; one that has ended stays as it is."""
        self._change("end_session", session_id=session_id, status=status, at=at)


def _opened(row: Row | None) -> dict[str, Any] | None:
    return {**row, "sections": json.loads(row["sections"])} if row else None
