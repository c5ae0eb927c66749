"""What a rollback writes that nothing else may: final statuses taken back, messages withdrawn or unread again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from milestone.domain.replay import Event
from milestone.store.engine import Row
from milestone.store.tables import Tables


class Rollbacks(Tables):
    """Rollbacks of a project. `where` of messages: milestone_id, scope and scope_id."""

    file = "rollbacks"

    def moves(self, milestone_id: str) -> list[Event]:
        """Return what happened in a milestone beside keys being saved, oldest first."""
        return [
            Event(row["position"], row["event"], row["subject"], json.loads(row["detail"]), row["actor"], row["at"])
            for row in self._rows("moves_of", milestone_id=milestone_id)
        ]

    def held(self, milestone_id: str, mode: str = "") -> Sequence[Row]:
        """Return the open claims: task_id, agent_id, attempt."""
        return self._rows("held", milestone_id=milestone_id, mode=mode)

    def set_task(self, milestone_id: str, task_id: str, **then: Any) -> None:
        """Write a task as it was. `then`: status, detail, attempts, failures, completed_at."""
        self._change("roll_back_task", milestone_id=milestone_id, task_id=task_id, **then)

    def count_needs(self, milestone_id: str) -> None:
        """Count anew for how many needs each task waits."""
        self._change("recount_needs", milestone_id=milestone_id)

    def set_phase(self, milestone_id: str, phase: str, status: str, completed_at: str) -> None:
        """Write where a phase stood."""
        self._change(
            "roll_back_phase", milestone_id=milestone_id, phase=phase, status=status, completed_at=completed_at
        )

    def reopen(self, session_id: str) -> None:
        """Open a session again that had ended."""
        self._change("reopen_session", session_id=session_id)

    def under_way(self, milestone_id: str) -> tuple[str, int]:
        """Return the checkpoint before the rollback that is under way, and where the last one began that is over."""
        row = self._one("under_way", milestone_id=milestone_id)
        return (row["rolling"], row["rolled"]) if row else ("", 0)

    def begin(self, milestone_id: str, undo: str) -> None:
        """Note that a rollback is under way, whose state before is the checkpoint `undo`."""
        self._change("begin", milestone_id=milestone_id, undo=undo)

    def end(self, milestone_id: str, began: int) -> None:
        """Note that no rollback is under way any more; the last one began at this position."""
        self._change("end", milestone_id=milestone_id, rolled=began)

    def count_messages(self, where: Mapping[str, str], position: int) -> tuple[int, int]:
        """Return how many messages would be withdrawn, and how many receipts unread again."""
        withdrawn = self._rows("count_too_new", **where, position=position)[0]["n"]
        again = self._rows("count_read_since", **where, position=position)[0]["n"]
        return int(withdrawn), int(again)

    def roll_back_messages(self, where: Mapping[str, str], position: int, now: int) -> None:
        """Let messages be where they were at a position: what nobody was handed yet is withdrawn, what was read since
        is handed over again, and what a rollback after it withdrew is on its way again. `now` is this rollback's.
        """
        milestone = {"milestone_id": where["milestone_id"], "position": position}
        self._change("wait_again", **milestone)
        self._change("bring_back", **milestone)
        self._change("withdraw", **where, position=position, now=now)
        self._change("withdraw_waiting", **where, position=position, now=now)
        self._change("unread", **where, position=position)
