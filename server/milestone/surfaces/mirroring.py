"""Keeps the mirror behind the database: after commits, at most twice a second, and at the end."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from milestone.domain.errors import Refusal
from milestone.domain.milestones import stamp
from milestone.operations.snapshot import snapshot
from milestone.store.engine import Engine, run
from milestone.wiring import Application
from milestone.workspace.files import Folder
from milestone.workspace.mirror import Mirror

INTERVAL = 0.5
_BREATH = 0.001
_LOG = logging.getLogger("milestone")


class Follower:
    """Writes the mirror in a thread of its own, which keeps its own door to the database."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="mirror")
        self._engine: Engine | None = None

    def write(self, milestone_ids: Iterable[str]) -> Future[None]:
        """Write the mirror of these milestones as the database has them then; one that cannot be written is logged."""
        return self._thread.submit(self._write, sorted(milestone_ids))

    def close(self) -> Future[None]:
        """Give the thread and its door back, once everything is written."""
        closing = self._thread.submit(self._close)
        self._thread.shutdown(wait=False)
        return closing

    def _write(self, milestone_ids: Sequence[str]) -> None:
        try:
            self._engine = self._engine or self._application.open_engine()
            with self._application.locked("mirror"):
                for milestone_id in milestone_ids:
                    _write(self._application, self._engine, milestone_id)
        except (OSError, Refusal) as error:
            _LOG.warning("the mirror in %s was not written: %s", self._application.settings.workspace, error)

    def _close(self) -> None:
        if self._engine is not None:
            self._engine.close()


def _write(application: Application, engine: Engine, milestone_id: str) -> None:
    mirrored = Mirror(Folder(application.settings.workspace), Folder(application.settings.data / "mirror"))
    shot = run(engine, lambda tx: snapshot(application.store(tx), milestone_id, _breathe), write=False)
    if shot is None:
        return
    aside = mirrored.write(shot, _breathe)
    if aside:
        _tell(application, engine, milestone_id, aside)
    mirrored.log(
        milestone_id,
        lambda position: run(engine, lambda tx: application.store(tx).log.since(milestone_id, position), write=False),
    )


def _breathe() -> None:
    """Let go of the interpreter: another thread answers calls, and none of them has to wait for a mirror."""
    time.sleep(_BREATH)


def _tell(application: Application, engine: Engine, milestone_id: str, aside: str) -> None:
    from datetime import UTC, datetime

    at = stamp(datetime.now(UTC))
    run(
        engine,
        lambda tx: application.store(tx).log.add("edit_put_aside", milestone_id=milestone_id, at=at, subject=aside),
        write=True,
    )
