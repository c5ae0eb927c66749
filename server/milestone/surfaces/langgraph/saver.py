"""A LangGraph checkpointer on a project's database; needs the extra `langgraph`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from langgraph.checkpoint.base import (
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    DeltaChannelHistory,
)

from milestone.surfaces.langgraph.desk import Desk
from milestone.surfaces.langgraph.work import Work
from milestone.wiring import Application, random_hex, read_settings

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig
    from langgraph.checkpoint.serde.base import SerializerProtocol


class MilestoneSaver(BaseCheckpointSaver[str]):
    """Keeps the threads of LangGraph graphs in the database of a Milestone project.

    Everything is done in one thread of its own, so the methods that begin with `a` leave the event loop free and any
    thread may call the others. Give it back with `close`, or use it in `with` or `async with`.
    """

    def __init__(self, application: Application, *, serde: SerializerProtocol | None = None) -> None:
        super().__init__(serde=serde)
        self._desk = Desk(application)

    @classmethod
    def of(
        cls,
        project_dir: str | Path | None = None,
        *,
        environ: Mapping[str, str] | None = None,
        serde: SerializerProtocol | None = None,
    ) -> Self:
        """Return a saver on the database of the project in `project_dir`, else in the current directory.

        `environ` are settings as the server reads them, such as MILESTONE_DATABASE_URL: pass `os.environ` for the same
        database that a server started here would use.
        """
        given = {"MILESTONE_PROJECT_DIR": str(project_dir)} if project_dir else {}
        return cls(Application(read_settings({**(environ or {}), **given})), serde=serde)

    @property
    def _work(self) -> Work:
        return Work(self._desk, self.serde)  # a saver that `with_allowlist` made shares the desk and has its own serde

    def close(self) -> None:
        """Give the thread and its database back, once everything is done that was asked for."""
        self._desk.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.close)

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Return the checkpoint that `config` names, the newest of its thread where it names none, or nothing."""
        return self._desk.now(self._work.get, config)

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Return what `get_tuple` does."""
        return await self._desk.soon(self._work.get, config)

    def list(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> Iterator[CheckpointTuple]:
        """Yield checkpoints, newest first: of the thread in `config`, of all threads without one.

        `filter` compares metadata; which checkpoints there are is looked up once, at the beginning.
        """
        pages = self._work.pages(config, filter or {}, before, limit)
        while (page := self._desk.now(next, pages, None)) is not None:
            yield from page

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        """Yield what `list` does."""
        pages = self._work.pages(config, filter or {}, before, limit)
        while (page := await self._desk.soon(next, pages, None)) is not None:
            for found in page:
                yield found

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Store a checkpoint after the one that `config` names, and the values of `new_versions`; return its config."""
        return self._desk.now(self._work.put, config, checkpoint, metadata, new_versions)

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Do what `put` does."""
        return await self._desk.soon(self._work.put, config, checkpoint, metadata, new_versions)

    def put_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """Store what a task wrote since the checkpoint that `config` names; a second time changes nothing."""
        self._desk.now(self._work.put_writes, config, writes, task_id, task_path)

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """Do what `put_writes` does."""
        await self._desk.soon(self._work.put_writes, config, writes, task_id, task_path)

    def delete_thread(self, thread_id: str) -> None:
        """Remove a thread with everything in it."""
        self._desk.now(self._work.delete, thread_id)

    async def adelete_thread(self, thread_id: str) -> None:
        """Do what `delete_thread` does."""
        await self._desk.soon(self._work.delete, thread_id)

    def delete_for_runs(self, run_ids: Sequence[str]) -> None:
        """Remove the checkpoints that these runs made, what tasks wrote since, and values that nothing else names."""
        self._desk.now(self._work.delete_runs, run_ids)

    async def adelete_for_runs(self, run_ids: Sequence[str]) -> None:
        """Do what `delete_for_runs` does."""
        await self._desk.soon(self._work.delete_runs, run_ids)

    def copy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Copy a thread with everything in it; what the target has already stays."""
        self._desk.now(self._work.copy, source_thread_id, target_thread_id)

    async def acopy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Do what `copy_thread` does."""
        await self._desk.soon(self._work.copy, source_thread_id, target_thread_id)

    def prune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """Keep the newest checkpoint of each namespace and those that its delta channels need; or none (`delete`).

        Raises:
            Refusal: there is no such strategy.
        """
        self._desk.now(self._work.prune, thread_ids, strategy)

    async def aprune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """Do what `prune` does."""
        await self._desk.soon(self._work.prune, thread_ids, strategy)

    def get_delta_channel_history(
        self, *, config: RunnableConfig, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]:
        """Return for each channel what was written to it since its last stored value, and that value as `seed`."""
        return self._desk.now(self._work.history, config, channels)

    async def aget_delta_channel_history(
        self, *, config: RunnableConfig, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]:
        """Return what `get_delta_channel_history` does."""
        return await self._desk.soon(self._work.history, config, channels)

    def get_next_version(self, current: str | None, channel: None) -> str:  # noqa: ARG002 - LangGraph passes it
        """Return a version after `current`; no two are the same, also on branches that begin at one checkpoint."""
        number = int(str(current).partition(".")[0]) if current else 0
        return f"{number + 1:016}.{random_hex(8)}"
