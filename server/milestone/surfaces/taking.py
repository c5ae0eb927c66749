"""Edits of the files for people on their way into the database, before those files are written anew."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from milestone.domain.identity import Caller
from milestone.operations.editing import BadEdit, Read, read_edit
from milestone.operations.importing import Imported, take_in
from milestone.store.engine import Engine, Transaction, run
from milestone.wiring import Application
from milestone.workspace.files import Folder
from milestone.workspace.mirror import Edit, Mirror

SETTLED = 0.5  # seconds without a change after which nobody is taken to be writing a file still
_PATIENCE = 4


def mirror_of(application: Application) -> Mirror:
    """Return the files for people of a project."""
    return Mirror(Folder(application.settings.workspace), Folder(application.settings.data / "mirror"))


def take_edits(application: Application, engine: Engine, mirror: Mirror, milestone_id: str) -> None:
    """Take in what people wrote into the files of a milestone; what cannot be taken in is put aside, and told."""
    for left in reversed(range(_PATIENCE)):
        edits = mirror.edits(milestone_id)
        for edit in edits:
            try:
                _take(application, engine, mirror, milestone_id, edit)
            except BadEdit as bad:
                if left and time.time() - edit.changed < SETTLED:
                    time.sleep(SETTLED)  # an editor may have written half of it
                    continue
                detail = {"problems": bad.problems, "line": bad.line}
                tell(application, engine, milestone_id, "edit_refused", mirror.put_aside(edit), detail)
        if not edits:
            return


def _take(application: Application, engine: Engine, mirror: Mirror, milestone_id: str, edit: Edit) -> None:
    found = imported(application, engine, milestone_id, read_edit(edit))
    aside = mirror.put_aside(edit)
    if not found.changed and not found.conflicts:  # other words for the same, or a comment that we cannot keep
        tell(application, engine, milestone_id, "edit_put_aside", aside)


def imported(
    application: Application, engine: Engine, milestone_id: str, one: Read, *, dry_run: bool = False
) -> Imported:
    """Return what came of an edit that has been read; after a `dry_run` nothing of it is kept.

    Raises:
        BadEdit: it cannot be taken in.
    """

    def work(transaction: Transaction) -> Imported:
        found = take_in(application.context(transaction, Caller(), set()), milestone_id, one)
        if dry_run:
            raise _Undone(found)
        return found

    try:
        return run(engine, work, write=True)
    except _Undone as undone:
        return undone.found


class _Undone(Exception):
    """Ends a transaction of which nothing is to be kept but what came of it."""

    def __init__(self, found: Imported) -> None:
        self.found = found


def tell(
    application: Application,
    engine: Engine,
    milestone_id: str,
    event: str,
    subject: str,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Write into the event log what became of an edit."""

    def work(transaction: Transaction) -> None:
        application.context(transaction, Caller(), set()).record(event, milestone_id, subject=subject, detail=detail)

    run(engine, work, write=True)
