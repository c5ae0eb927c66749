"""Usage limits: until when a milestone is parked, and when it was."""

from __future__ import annotations

from collections.abc import Sequence

from milestone.domain.leases import Clock
from milestone.store.engine import Row
from milestone.store.tables import Tables


class Parkings(Tables):
    """Parkings of a project's milestones. Times are ISO text in UTC, for people and for what is counted as active."""

    file = "parkings"

    def set(self, milestone_id: str, until: Clock, until_at: str, why: str) -> None:
        """Write until when a milestone is parked."""
        values = {"parked_until": until_at, "parked_clock": until.ms, "parked_era": until.era, "parked_why": why}
        self._change("set_parked", milestone_id=milestone_id, **values)

    def clear(self, milestone_id: str) -> None:
        """Write that a milestone is not parked."""
        self.set(milestone_id, Clock("", 0), "", "")

    def add(self, milestone_id: str, from_at: str, until_at: str) -> None:
        """Write a span; one that begins at the same time is as long as the newer says."""
        self._change("add_parking", milestone_id=milestone_id, from_at=from_at, until_at=until_at)

    def end(self, milestone_id: str, until_at: str) -> None:
        """Write when the newest span ends."""
        self._change("end_parking", milestone_id=milestone_id, until_at=until_at)

    def spans(self, milestone_id: str) -> Sequence[Row]:
        """Return the spans, oldest first: from_at, until_at."""
        return self._rows("parkings_of", milestone_id=milestone_id)
