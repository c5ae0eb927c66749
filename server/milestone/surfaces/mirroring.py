"""Keeps the mirror behind the database: after commits, at most twice a second, and at the end."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import milestone
from milestone.domain.errors import Refusal
from milestone.operations.snapshot import snapshot
from milestone.store.engine import Engine, run
from milestone.store.following import follow
from milestone.surfaces.taking import mirror_of, take_edits, tell
from milestone.wiring import Application
from milestone.workspace.mirror import MOST_TASKS, Mirror

INTERVAL = 0.5
JOURNAL = ""
"""Stands among the milestones that are stale for the journal's file, which is always written."""
_LOG = logging.getLogger("milestone")


class Follower:
    """Writes the mirror in a thread of its own, which keeps its own door to the database."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="mirror")
        self._engine: Engine | None = None
        self._complaint = ""
        self._tidied = False

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
            self._keep_journal(self._engine)
            self._tidy()
            for milestone_id in filter(None, milestone_ids):
                if self._is_large(milestone_id):
                    self._write_apart(milestone_id)
                else:
                    write(self._application, self._engine, milestone_id)
        except (OSError, Refusal) as error:
            _LOG.warning("the mirror in %s was not written: %s", self._application.settings.workspace, error)

    def _keep_journal(self, engine: Engine) -> None:
        """Let the journal's file follow; where it cannot, the files for people still do."""
        try:
            keep_journal(self._application, engine)
            self._complaint = ""
        except (OSError, Refusal) as error:
            if str(error) != self._complaint:
                _LOG.warning("the journal was not written: %s", error)
            self._complaint = str(error)

    def _tidy(self) -> None:
        """Remove, once, what writers left that were killed."""
        if not self._tidied:
            self._tidied = True
            with self._application.locked("mirror"):
                mirror_of(self._application).tidy()

    def _is_large(self, milestone_id: str) -> bool:
        assert self._engine is not None
        found = run(
            self._engine,
            lambda tx: self._application.store(tx).tasks.page(milestone_id, "execution", MOST_TASKS - 1, 1),
            write=False,
        )
        return bool(found)

    def _write_apart(self, milestone_id: str) -> None:
        """Let a process of its own write a large milestone: a thread of this one would make calls wait for it."""
        package = str(Path(milestone.__file__).parents[1])
        environ = {**self._application.settings.environ, "PYTHONPATH": package}
        command = [sys.executable, "-m", "milestone", "mirror", milestone_id]
        done = subprocess.run(command, env=environ, stdin=subprocess.DEVNULL, capture_output=True, check=False)
        if done.returncode:
            _LOG.warning("the mirror was not written: %s", done.stderr.decode("utf-8", "replace").strip()[-500:])

    def _close(self) -> None:
        if self._engine is not None:
            self._engine.close()


def keep_journal(application: Application, engine: Engine) -> int:
    """Write to the journal's file what it does not have yet, one process at a time; returns how many entries.

    Raises:
        Refusal: the file is another project's, or goes on where the database does not.
    """
    with application.locked("journal"):
        return follow(application.journal, application.project, engine)


def write(application: Application, engine: Engine, milestone_id: str) -> None:
    """Write the mirror of a milestone; one process at a time."""
    with application.locked("mirror"):
        _write(application, engine, milestone_id)


def _write(application: Application, engine: Engine, milestone_id: str) -> None:
    mirror = mirror_of(application)
    take_edits(application, engine, mirror, milestone_id)
    refresh(application, engine, mirror, milestone_id)


def refresh(application: Application, engine: Engine, mirror: Mirror, milestone_id: str, *, anew: bool = False) -> None:
    """Write the files of a milestone while nobody else does; `anew` even where they have been written."""
    shot = run(engine, lambda tx: snapshot(application.store(tx), milestone_id), write=False)
    if shot is None:
        return
    aside = mirror.write(shot, anew=anew)
    if aside:
        tell(application, engine, milestone_id, "edit_put_aside", aside)
    mirror.log(
        milestone_id,
        lambda position: run(engine, lambda tx: application.store(tx).log.since(milestone_id, position), write=False),
    )
