"""What a LangGraph checkpointer does with the tables of threads."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from langgraph.checkpoint.base import (
    WRITES_IDX_MAP,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    DeltaChannelHistory,
    PendingWrite,
    get_checkpoint_metadata,
    writes_sort_key,
)

from milestone.domain.errors import Refusal
from milestone.domain.text import scrub
from milestone.store.threads import EVERYTHING, Place, Threads
from milestone.surfaces.langgraph.desk import Desk

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig
    from langgraph.checkpoint.serde.base import SerializerProtocol

STRATEGIES = ("keep_latest", "delete")
_PAGE = 20


@dataclass(frozen=True)
class Work:
    """The work of a saver. Every method is done in the thread of its desk."""

    desk: Desk
    serde: SerializerProtocol

    def get(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Return the checkpoint that `config` names, or nothing."""
        return self.desk.read(lambda threads: self._read(threads, _place(config)))

    def pages(
        self,
        config: RunnableConfig | None,
        wanted: Mapping[str, Any],
        before: RunnableConfig | None,
        limit: int | None,
    ) -> Iterator[list[CheckpointTuple]]:
        """Yield a few checkpoints at a time; each step is one transaction."""
        left = EVERYTHING if limit is None else limit
        look_up = _listing(config, before, EVERYTHING if wanted else left)
        places = self.desk.read(look_up) if left > 0 else []
        for start in range(0, len(places), _PAGE):
            page = self._page(places[start : start + _PAGE], wanted)[:left]
            yield page
            left -= len(page)
            if not left:
                return

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Store a checkpoint and the values that are new with it; return its config."""
        parent = _place(config)
        place = parent._replace(checkpoint_id=checkpoint["id"])
        values = checkpoint["channel_values"]
        new = {_name(*one): self._pack(values[one[0]]) for one in new_versions.items() if one[0] in values}
        about = get_checkpoint_metadata(config, metadata)
        head = self._pack({name: part for name, part in checkpoint.items() if name != "channel_values"})
        run_id, described = str(about.get("run_id") or ""), self._pack(about)
        self.desk.write(lambda threads: threads.put(place, parent.checkpoint_id, run_id, head, described, new))
        return _config(place)

    def put_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str
    ) -> None:
        """Store what a task wrote; errors, interrupts and the like have their own place below zero."""
        place = _place(config)
        stored = [
            (WRITES_IDX_MAP.get(channel, ordinal), channel, self._pack(value))
            for ordinal, (channel, value) in enumerate(writes)
        ]

        def change(threads: Threads) -> None:
            for ordinal, channel, value in stored:
                threads.put_write(place, task_id, ordinal, task_path=task_path, channel=channel, value=value)

        self.desk.write(change)

    def delete(self, thread_id: str) -> None:
        """Remove a thread."""
        self.desk.write(lambda threads: threads.delete(str(thread_id)))

    def delete_runs(self, run_ids: Sequence[str]) -> None:
        """Remove the checkpoints that runs made."""
        self.desk.write(lambda threads: self._forget(threads, threads.of_runs(run_ids)))

    def copy(self, source: str, target: str) -> None:
        """Copy a thread."""
        self.desk.write(lambda threads: threads.copy(str(source), str(target)))

    def prune(self, thread_ids: Sequence[str], strategy: str) -> None:
        """Keep only what the newest checkpoint of each namespace needs, or nothing.

        Raises:
            Refusal: there is no such strategy.
        """
        if strategy not in STRATEGIES:
            raise Refusal(f"There is no strategy {strategy!r} to prune by", allowed=", ".join(STRATEGIES))

        def change(threads: Threads) -> None:
            for thread_id in map(str, thread_ids):
                if strategy == "delete":
                    threads.delete(thread_id)
                else:
                    places = threads.of_thread(thread_id)
                    newest = {place.namespace: place for place in reversed(places)}
                    kept = {needed for place in newest.values() for needed in self._needed(threads, place)}
                    self._forget(threads, [place for place in places if place not in kept])

        self.desk.write(change)

    def history(self, config: RunnableConfig, channels: Sequence[str]) -> Mapping[str, DeltaChannelHistory]:
        """Return for each channel what was written since its last stored value, and that value as `seed`."""

        def look(threads: Threads) -> Mapping[str, DeltaChannelHistory]:
            found: dict[str, DeltaChannelHistory] = {channel: {"writes": []} for channel in channels}
            for place, sought, values in self._back(threads, _place(config), channels):
                for write in reversed(self._writes(threads, place)):
                    if write[1] in sought:
                        found[write[1]]["writes"].append(write)
                for channel, value in values.items():
                    found[channel]["seed"] = self._unpack(value)
            for one in found.values():
                one["writes"].reverse()
            return found

        return self.desk.read(look)

    def _page(self, places: Sequence[Place], wanted: Mapping[str, Any]) -> list[CheckpointTuple]:
        found = self.desk.read(lambda threads: [self._read(threads, place, wanted) for place in places])
        return [one for one in found if one is not None]

    def _read(self, threads: Threads, place: Place, wanted: Mapping[str, Any] | None = None) -> CheckpointTuple | None:
        row = threads.get(place)
        if row is None:
            return None
        metadata = self._unpack(row["metadata"])
        if any(metadata.get(name) != value for name, value in (wanted or {}).items()):
            return None
        here = place._replace(checkpoint_id=row["checkpoint_id"])
        head = self._unpack(row["head"])
        names = _names(head)
        stored = threads.values(here, names)
        values = {channel: self._unpack(stored[name]) for name, channel in names.items() if name in stored}
        parent = _config(place._replace(checkpoint_id=row["parent_id"])) if row["parent_id"] else None
        checkpoint = cast("Checkpoint", {**head, "channel_values": values})
        return CheckpointTuple(_config(here), checkpoint, metadata, parent, self._writes(threads, here))

    def _writes(self, threads: Threads, place: Place) -> list[PendingWrite]:
        """Return what tasks wrote since a checkpoint, in the order in which a graph applies it."""
        rows = sorted(
            threads.writes(place), key=lambda row: writes_sort_key(row["task_path"], row["task_id"], row["ordinal"])
        )
        return [(row["task_id"], row["channel"], self._unpack(row["value"])) for row in rows]

    def _back(
        self, threads: Threads, place: Place, channels: Iterable[str]
    ) -> Iterator[tuple[Place, frozenset[str], Mapping[str, str]]]:
        """Yield the checkpoints before one, newest first, until every channel was met with a value.

        With each: the channels still sought there, and the stored values that it has of them.
        """
        sought = frozenset(channels)
        row = threads.get(place)
        while row and row["parent_id"] and sought:
            here = place._replace(checkpoint_id=row["parent_id"])
            row = threads.get(here)
            if row is None:
                return
            names = {name: channel for name, channel in _names(self._unpack(row["head"])).items() if channel in sought}
            values = {names[name]: value for name, value in threads.values(here, names).items()}
            yield here, sought, values
            sought -= values.keys()

    def _needed(self, threads: Threads, place: Place) -> Iterator[Place]:
        """Yield a checkpoint, and those before it that its delta channels are put together from."""
        row = threads.get(place)
        assert row is not None
        yield place
        counted: Mapping[str, object] = self._unpack(row["metadata"]).get("counters_since_delta_snapshot") or {}
        written = self._unpack(row["head"])["channel_versions"]
        for before, _, _ in self._back(threads, place, [channel for channel in counted if channel in written]):
            yield before

    def _forget(self, threads: Threads, places: Sequence[Place]) -> None:
        """Remove checkpoints, and the values that no other checkpoint of their thread and namespace names."""
        for place in places:
            threads.drop(place)
        for left in {place._replace(checkpoint_id="") for place in places}:
            threads.drop_values_but(left, {name for head in threads.heads(left) for name in _names(self._unpack(head))})

    def _pack(self, value: object) -> str:
        kind, data = self.serde.dumps_typed(value)
        return f"{kind} {b64encode(data).decode('ascii')}"

    def _unpack(self, text: str) -> Any:
        kind, _, data = text.rpartition(" ")
        return self.serde.loads_typed((kind, b64decode(data)))


def _place(config: RunnableConfig) -> Place:
    """Return where a config points.

    Raises:
        Refusal: it holds a character that no database can keep.
    """
    given: Mapping[str, Any] = config.get("configurable", {})
    place = Place(str(given["thread_id"]), given.get("checkpoint_ns") or "", given.get("checkpoint_id") or "")
    if scrub(list(place))[1]:
        raise Refusal(
            f"No database can keep all characters of {place!r}", allowed="text without NUL and lone surrogates"
        )
    return place


def _config(place: Place) -> RunnableConfig:
    return {
        "configurable": {
            "thread_id": place.thread_id,
            "checkpoint_ns": place.namespace,
            "checkpoint_id": place.checkpoint_id,
        }
    }


def _listing(
    config: RunnableConfig | None, before: RunnableConfig | None, limit: int
) -> Callable[[Threads], list[Place]]:
    """Return the query for what `config` names."""
    given: Mapping[str, Any] = (config or {}).get("configurable", {})
    earlier: str = (before or {}).get("configurable", {}).get("checkpoint_id") or ""
    if "thread_id" not in given:
        return lambda threads: threads.of_project(before=earlier, limit=limit)
    return lambda threads: threads.of_thread(
        str(given["thread_id"]),
        namespace=given.get("checkpoint_ns"),
        checkpoint_id=given.get("checkpoint_id") or "",
        before=earlier,
        limit=limit,
    )


def _names(head: Mapping[str, Any]) -> dict[str, str]:
    """Return the channels of a checkpoint by the names that their values are stored under."""
    return {_name(channel, version): channel for channel, version in head["channel_versions"].items()}


def _name(channel: str, version: object) -> str:
    return json.dumps([channel, version])
