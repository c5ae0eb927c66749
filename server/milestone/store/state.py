"""What agents saved: an append-only history, and checkpoints as positions in it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from milestone.store.engine import Row
from milestone.store.tables import Tables, dump

AUTO, BEFORE, MERGE = "auto:", "before checkpoint-", "auto:merge "


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

    def changed_since(self, milestone_id: str, position: int, scope: str, scope_id: str) -> Sequence[Row]:
        """Return agent, key and newest version of everything in a scope that was saved after a position."""
        where = {"milestone_id": milestone_id, "scope": scope, "scope_id": scope_id}
        return self._rows("changed_since", **where, position=position)

    def at(self, position: int, agent_id: str, key: str) -> Row | None:
        """Return a key as it stood at a position."""
        return self._one("at_position", position=position, agent_id=agent_id, key=key)

    def add_checkpoint(
        self, checkpoint_id: str, scope: str, scope_id: str, label: str, position: int, at: str, milestone_id: str = ""
    ) -> None:
        """Name a position."""
        where = {"checkpoint_id": checkpoint_id, "scope": scope, "scope_id": scope_id, "milestone_id": milestone_id}
        self._change("add_checkpoint", **where, label=label, position=position, at=at)

    def checkpoint(self, checkpoint_id: str) -> dict[str, Any] | None:
        """Return a checkpoint, or nothing."""
        row = self._one("checkpoint", checkpoint_id=checkpoint_id)
        return _opened(row) if row else None

    def last_checkpoint(self, milestone_id: str) -> Row | None:
        """Return the newest checkpoint of a whole milestone or session that nobody made before a rollback."""
        return self._one("last_checkpoint", milestone_id=milestone_id)

    def checkpoints(self, milestone_id: str, limit: int = 1_000) -> list[dict[str, Any]]:
        """Return the checkpoints of a milestone and of all in it, the newest first."""
        return [_opened(row) for row in self._rows("checkpoints_of", milestone_id=milestone_id, limit=limit)]

    def labelled(self, milestone_id: str, label: str) -> bool:
        """Return whether a milestone has a checkpoint of a label."""
        return self._one("labelled", milestone_id=milestone_id, label=label) is not None

    def keep(self, checkpoint_id: str, trees: Sequence[Any], note: str = "") -> None:
        """Write what of Git is kept with a checkpoint, and what has to be said about it."""
        self._change("keep_trees", checkpoint_id=checkpoint_id, trees=dump(list(trees)), note=note)

    def move_checkpoint(self, checkpoint_id: str, position: int, label: str) -> None:
        """Let a checkpoint name a later position, under a label."""
        self._change("move_checkpoint", checkpoint_id=checkpoint_id, position=position, label=label)

    def outlived(self, milestone_id: str, newest: int) -> list[str]:
        """Return checkpoints that nobody asked for and that keep something of Git, beyond the newest of each kind."""
        merges = {"one": f"{MERGE}%", "other": f"{MERGE}%", "but": ""}
        others = {"one": f"{AUTO}%", "other": f"{BEFORE}%", "but": f"{MERGE}%"}
        return [
            row["checkpoint_id"]
            for kind in (merges, others)
            for row in self._rows("outlived", milestone_id=milestone_id, newest=newest, **kind)
        ]


def _opened(row: Row) -> dict[str, Any]:
    return {**row, "trees": json.loads(row["trees"])}
