"""Threads of LangGraph graphs: checkpoints, the values of their channels by version, and what tasks wrote since."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from milestone.store.engine import Row
from milestone.store.tables import Tables

EVERYTHING = 2**62


class Place(NamedTuple):
    """Where a checkpoint is: its thread, the namespace of a (sub)graph in it, its id, empty for the newest."""

    thread_id: str
    namespace: str = ""
    checkpoint_id: str = ""


class Threads(Tables):
    """Threads of a project. What is stored in them is opaque text."""

    file = "threads"

    def put(
        self, place: Place, parent_id: str, run_id: str, head: str, metadata: str, values: Mapping[str, str]
    ) -> None:
        """Write a checkpoint and those values, by name, that are new with it."""
        for name, value in values.items():
            self._change("put_value", **place._asdict(), name=name, value=value)
        self._change("put", **place._asdict(), parent_id=parent_id, run_id=run_id, head=head, metadata=metadata)

    def put_write(self, place: Place, task_id: str, ordinal: int, *, task_path: str, channel: str, value: str) -> None:
        """Write what a task wrote to a channel; a second time changes nothing, except where `ordinal` is negative."""
        what = {"task_id": task_id, "ordinal": ordinal, "task_path": task_path, "channel": channel, "value": value}
        if ordinal < 0:
            self._change("replace_write", **place._asdict(), **what)
        else:
            self._change("put_write", **place._asdict(), **what)

    def get(self, place: Place) -> Row | None:
        """Return a checkpoint, the newest where the place names none, or nothing."""
        if place.checkpoint_id:
            return self._one("checkpoint", **place._asdict())
        return self._one("newest", **place._asdict())

    def values(self, place: Place, names: Iterable[str]) -> Mapping[str, str]:
        """Return the values that have these names, by name."""
        return {row["name"]: row["value"] for row in self._rows("values", **place._asdict(), names=_keys(names))}

    def writes(self, place: Place) -> Sequence[Row]:
        """Return what tasks wrote since a checkpoint, in no order."""
        return self._rows("writes", **place._asdict())

    def of_thread(
        self,
        thread_id: str,
        *,
        namespace: str | None = None,
        checkpoint_id: str = "",
        before: str = "",
        limit: int = EVERYTHING,
    ) -> list[Place]:
        """Return where the checkpoints of a thread are, newest first; of all its namespaces where none is given."""
        where = {"namespace": namespace or "", "any_namespace": int(namespace is None), "checkpoint_id": checkpoint_id}
        return _places(self._rows("of_thread", thread_id=thread_id, **where, before=before, limit=limit))

    def of_project(self, *, before: str = "", limit: int = EVERYTHING) -> list[Place]:
        """Return where the checkpoints of all threads are, newest first."""
        return _places(self._rows("of_project", before=before, limit=limit))

    def of_runs(self, run_ids: Iterable[str]) -> list[Place]:
        """Return where the checkpoints are that these runs made."""
        return _places(self._rows("of_runs", runs=_keys(run_ids)))

    def heads(self, place: Place) -> list[str]:
        """Return what all checkpoints of a thread's namespace are."""
        return [row["head"] for row in self._rows("heads", **place._asdict())]

    def drop(self, place: Place) -> None:
        """Remove a checkpoint and what tasks wrote since."""
        self._change("drop_checkpoint", **place._asdict())
        self._change("drop_writes", **place._asdict())

    def drop_values_but(self, place: Place, names: Iterable[str]) -> None:
        """Remove all values of a thread's namespace but those that have these names."""
        self._change("drop_values_but", **place._asdict(), names=_keys(names))

    def delete(self, thread_id: str) -> None:
        """Remove a thread with everything in it."""
        self._change("delete_checkpoints", thread_id=thread_id)
        self._change("delete_values", thread_id=thread_id)
        self._change("delete_writes", thread_id=thread_id)

    def copy(self, source: str, target: str) -> None:
        """Copy a thread with everything in it; what the target has already stays."""
        self._change("copy_checkpoints", thread_id=source, target=target)
        self._change("copy_values", thread_id=source, target=target)
        self._change("copy_writes", thread_id=source, target=target)


def _keys(names: Iterable[str]) -> str:
    return json.dumps(dict.fromkeys(names, 0))


def _places(rows: Sequence[Row]) -> list[Place]:
    return [Place(row["thread_id"], row["namespace"], row["checkpoint_id"]) for row in rows]
