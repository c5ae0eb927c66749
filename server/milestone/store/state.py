"""What agents saved: an append-only history, and checkpoints as positions in it."""

from __future__ import annotations

from collections.abc import Sequence

from milestone.store.engine import Row
from milestone.store.tables import Tables


class State(Tables):
    """State of a project's agents. Values are JSON text."""

    file = "state"

    def newest(self, agent_id: str, key: str) -> Row | None:
        """Return the newest version of a key, which may be one that says it is gone (`present` 0)."""
        return self._one("newest", agent_id=agent_id, key=key)

    def newest_of_all(self, milestone_id: str, key: str) -> Sequence[Row]:
        """Return the newest value of a key by each author, newest first."""
        return self._rows("newest_of_all", milestone_id=milestone_id, key=key)

    def add(
        self,
        milestone_id: str,
        agent_id: str,
        key: str,
        version: int,
        position: int,
        value: str,
        at: str,
        *,
        present: bool = True,
    ) -> None:
        """Append a version."""
        where = {"milestone_id": milestone_id, "agent_id": agent_id, "key": key}
        self._change(
            "add_version", **where, version=version, position=position, value=value, present=int(present), at=at
        )

    def keys(self, milestone_id: str) -> list[str]:
        """Return at most 200 keys somebody saved in a milestone."""
        return [row["key"] for row in self._rows("keys_of_milestone", milestone_id=milestone_id)]

    def changed_since(self, position: int, scope: str, scope_id: str) -> Sequence[Row]:
        """Return agent, key and newest version of everything in a scope that was saved after a position."""
        return self._rows("changed_since", position=position, scope=scope, scope_id=scope_id)

    def at(self, position: int, agent_id: str, key: str) -> Row | None:
        """Return a key as it stood at a position."""
        return self._one("at_position", position=position, agent_id=agent_id, key=key)

    def add_checkpoint(self, checkpoint_id: str, scope: str, scope_id: str, label: str, position: int, at: str) -> None:
        """Name a position."""
        self._change(
            "add_checkpoint",
            checkpoint_id=checkpoint_id,
            scope=scope,
            scope_id=scope_id,
            label=label,
            position=position,
            at=at,
        )

    def checkpoint(self, checkpoint_id: str) -> Row | None:
        """Return a checkpoint, or nothing."""
        return self._one("checkpoint", checkpoint_id=checkpoint_id)

    def last_checkpoint(self, milestone_id: str) -> Row | None:
        """Return the newest checkpoint of a whole milestone or session that nobody made before a rollback."""
        return self._one("last_checkpoint", milestone_id=milestone_id)
