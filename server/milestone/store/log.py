"""The append-only event log, the project's position in it, and remembered requests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from milestone.store.engine import Row
from milestone.store.tables import Tables, dump


class Log(Tables):
    """Events and requests of a project."""

    file = "log"

    def open_project(self, at: str) -> None:
        """Make sure the project has its row."""
        self._change("add_project", at=at)

    def advance(self) -> int:
        """Return the next position; everything written at it counts as happening together."""
        return int(self._rows("next_position")[0]["position"])

    @property
    def position(self) -> int:
        """The newest position; 0 in a project that has not begun."""
        row = self._one("position")
        return int(row["position"]) if row else 0

    def add(
        self,
        event: str,
        *,
        milestone_id: str,
        at: str,
        subject: str = "",
        actor: str = "",
        topic: str = "",
        detail: Any = None,
    ) -> int:
        """Append an event and return its position. `topic` wakes who waits for it."""
        position = self.advance()
        self._change(
            "add_event",
            position=position,
            milestone_id=milestone_id,
            at=at,
            event=event,
            subject=subject,
            actor=actor,
            topic=topic,
            detail=dump(detail),
        )
        return position

    def topics_since(self, position: int) -> set[str]:
        """Return what was touched after a position."""
        return {row["topic"] for row in self._rows("topics_since", position=position)}

    def since(self, milestone_id: str, position: int) -> Sequence[Row]:
        """Return at most 10,000 events of a milestone after a position, oldest first."""
        return self._rows("events_since", milestone_id=milestone_id, position=position)

    def remembered(self, request_id: str) -> Row | None:
        """Return the first answer given to a request id, if there was one."""
        return self._one("request", request_id=request_id)

    def remember(self, request_id: str, operation: str, arguments_digest: str, answer: Any, at: str) -> None:
        """Keep the answer to a request id."""
        self._change(
            "add_request",
            request_id=request_id,
            operation=operation,
            arguments_digest=arguments_digest,
            answer=dump(answer),
            at=at,
        )
