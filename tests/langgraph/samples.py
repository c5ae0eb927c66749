"""Checkpoints to try a saver with, and what the database holds of a thread."""

from __future__ import annotations

from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver, CheckpointTuple, empty_checkpoint

from tests.helpers.projects import Project

TABLES = ("thread_checkpoints", "thread_values", "thread_writes")


def at(thread: str, namespace: str = "", checkpoint_id: str = "") -> RunnableConfig:
    """Return a config that points to a checkpoint, to the newest where no id is given."""
    named = {"checkpoint_id": checkpoint_id} if checkpoint_id else {}
    return {"configurable": {"thread_id": thread, "checkpoint_ns": namespace, **named}}


def put(
    saver: BaseCheckpointSaver[Any],
    config: RunnableConfig,
    *,
    changed: dict[str, Any] | None = None,
    unchanged: dict[str, Any] | None = None,
    versions: dict[str, Any] | None = None,
    **metadata: Any,
) -> RunnableConfig:
    """Store a checkpoint after the one that `config` names and return its config.

    `changed` are the values of the channels that are new, `unchanged` of the others, `versions` those of all channels.
    """
    checkpoint = empty_checkpoint()
    checkpoint["channel_values"] = {**(unchanged or {}), **(changed or {})}
    checkpoint["channel_versions"] = versions or dict.fromkeys(changed or {}, 1)
    new = {channel: checkpoint["channel_versions"][channel] for channel in changed or {}}
    about: Any = {"source": "loop", "step": 0, "parents": {}, **metadata}
    return saver.put(config, checkpoint, about, new)


def got(saver: BaseCheckpointSaver[Any], config: RunnableConfig) -> CheckpointTuple:
    """Return the checkpoint that `config` names."""
    found = saver.get_tuple(config)
    assert found is not None
    return found


def values(saver: BaseCheckpointSaver[Any], config: RunnableConfig) -> dict[str, Any]:
    """Return the values of a checkpoint's channels."""
    return got(saver, config).checkpoint["channel_values"]


def pending(saver: BaseCheckpointSaver[Any], config: RunnableConfig) -> list[Any]:
    """Return what was written since a checkpoint, in its order, without the tasks."""
    return [value for _, _, value in got(saver, config).pending_writes or ()]


def identity(config: RunnableConfig) -> str:
    """Return the id of the checkpoint that `config` names."""
    return config.get("configurable", {})["checkpoint_id"]


def kept(project: Project, thread: str) -> dict[str, int]:
    """Return how many rows each table has of a thread."""
    return {table: sum(row["thread_id"] == thread for row in project.rows(table)) for table in TABLES}
