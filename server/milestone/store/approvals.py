"""Phases that a person has to approve, and what was answered."""

from __future__ import annotations

from collections.abc import Mapping

from milestone.domain.milestones import PHASES
from milestone.store.engine import Row
from milestone.store.tables import Tables


class Approvals(Tables):
    """Approvals of a project's milestones, one for each phase that needs one."""

    file = "approvals"

    def add(self, milestone_id: str, phase: str) -> None:
        """Write that a phase needs an approval from here on."""
        self._change("add_approval", milestone_id=milestone_id, phase=phase)

    def of(self, milestone_id: str) -> Mapping[str, Row]:
        """Return the approvals of a milestone by phase, in the order of the phases."""
        rows = {row["phase"]: row for row in self._rows("approvals_of", milestone_id=milestone_id)}
        return {phase: rows[phase] for phase in PHASES if phase in rows}

    def ask(self, milestone_id: str, phase: str, at: str) -> bool:
        """Write that a person is asked from now on; false where that was so before."""
        return self._change("ask_approval", milestone_id=milestone_id, phase=phase, at=at) > 0

    def need(self, milestone_id: str, phase: str) -> bool:
        """Write that the work goes on and a person has to be asked again; false where nobody was asked."""
        return self._change("need_approval", milestone_id=milestone_id, phase=phase) > 0

    def answer(self, milestone_id: str, phase: str, status: str, by: str, reason: str, at: str) -> None:
        """Write what a person answered: approved or rejected."""
        given = {"status": status, "rejected": int(status == "rejected"), "answered_by": by, "reason": reason}
        self._change("answer_approval", milestone_id=milestone_id, phase=phase, at=at, **given)
