"""What an operation is given: the data in one transaction, who calls, and the world outside as values."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from milestone.domain.gates import Limits
from milestone.domain.identity import Caller
from milestone.domain.leases import Clock
from milestone.domain.milestones import stamp
from milestone.prompts.playbooks import Playbook
from milestone.store.store import Store

Answer = dict[str, Any]


@dataclass(frozen=True)
class World:
    """What lies outside of the database: folders, limits, and the variables that programs of the project are given."""

    project: Path
    workspace: Path
    data: Path
    environ: Mapping[str, str]
    limits: Callable[[], Limits]

    def place(self, path: str) -> str:
        """Return where a repository of a milestone lies on this machine; kept is where it lies from the project."""
        return str((self.project / path).resolve())

    @property
    def worktrees(self) -> Path:
        """Where working trees of tasks lie."""
        return self.workspace / "worktrees"


@dataclass(frozen=True)
class Aside:
    """Work that has no place in a transaction, because it starts programs or takes long.

    `work` is carried out first, in a thread; `then` gets what it returned, in a transaction of its own.
    """

    work: Callable[[Outside], Any]
    then: Callable[[Context, Any], Answer | Aside]


@dataclass(frozen=True)
class Outside:
    """How work that is under way hears that nobody wants it any more, and tells how far it is."""

    cancelled: threading.Event = field(default_factory=threading.Event)
    tell: Callable[[str], None] = field(default=lambda _: None)


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
    world: World
    measure: Callable[[], Clock]
    touched: set[str] = field(default_factory=set[str])

    @cached_property
    def clock(self) -> Clock:
        """The reading of the clock by which leases end; the time of day is only shown."""
        return self.measure()

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
