"""What an operation is given: the data in one transaction, who calls, and the world outside as values."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from milestone.domain.identity import Caller
from milestone.domain.milestones import stamp
from milestone.prompts.playbooks import Playbook
from milestone.store.store import Store

Answer = dict[str, Any]


@dataclass(frozen=True)
class Context:
    """One call. `chance(n)` gives n random bytes as hex; `alive` tells whether a server process still runs."""

    store: Store
    caller: Caller
    now: datetime
    chance: Callable[[int], str]
    project_root: str
    server: str
    alive: Callable[[str], bool]
    playbook: Callable[[str], Playbook]
    touched: set[str] = field(default_factory=set[str])

    @cached_property
    def at(self) -> str:
        """The time of the call as the tables store it."""
        return stamp(self.now)

    def record(
        self, event: str, milestone_id: str, *, subject: str = "", actor: str = "", topic: str = "", detail: Any = None
    ) -> int:
        """Append to the event log and return the position; the milestone's mirror is stale from now on."""
        position = self.store.log.add(
            event, milestone_id=milestone_id, at=self.at, subject=subject, actor=actor, topic=topic, detail=detail
        )
        if milestone_id:
            self.store.milestones.touch(milestone_id, position)
            self.touched.add(milestone_id)
        return position


def digest(text: str) -> str:
    """Return what is kept of a token or of arguments; empty for empty text."""
    return hashlib.sha256(text.encode()).hexdigest()[:32] if text else ""
