"""Keeps the mirror behind the database: after commits, at most twice a second, and at the end."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from milestone.domain.milestones import stamp
from milestone.operations.snapshot import snapshot
from milestone.store.engine import Engine, run
from milestone.wiring import Application
from milestone.workspace.files import Folder
from milestone.workspace.mirror import Mirror

INTERVAL = 0.5
_LOG = logging.getLogger("milestone")


def mirror(application: Application, milestone_ids: Iterable[str]) -> None:
    """Write the mirror of these milestones as the database has them now; one that cannot be written is logged."""
    wanted = sorted(milestone_ids)
    if not wanted:
        return
    engine = application.open_engine()
    try:
        with application.locked("mirror"):
            for milestone_id in wanted:
                _write(application, engine, milestone_id)
    except OSError as error:
        _LOG.warning("the mirror in %s was not written: %s", application.settings.workspace, error)
    finally:
        engine.close()


def _write(application: Application, engine: Engine, milestone_id: str) -> None:
    mirrored = Mirror(Folder(application.settings.workspace), Folder(application.settings.data / "mirror"))
    shot = run(engine, lambda tx: snapshot(application.store(tx), milestone_id), write=False)
    if shot is None:
        return
    aside = mirrored.write(shot)
    if aside:
        _tell(application, engine, milestone_id, aside)
    mirrored.log(
        milestone_id,
        lambda position: run(engine, lambda tx: application.store(tx).log.since(milestone_id, position), write=False),
    )


def _tell(application: Application, engine: Engine, milestone_id: str, aside: str) -> None:
    from datetime import UTC, datetime

    at = stamp(datetime.now(UTC))
    run(
        engine,
        lambda tx: application.store(tx).log.add("edit_put_aside", milestone_id=milestone_id, at=at, subject=aside),
        write=True,
    )
