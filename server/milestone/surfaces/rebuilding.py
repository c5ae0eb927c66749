"""Puts another database in the place of the present one, made from its journal or brought from elsewhere."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from milestone.domain.errors import Refusal
from milestone.store import files, queries
from milestone.store.engine import Engine, Transaction, run
from milestone.store.journal import Journal, everything, insert
from milestone.store.layout import left_out, tables
from milestone.store.replaying import differences, pour, rebuild
from milestone.store.sqlite import SqliteEngine
from milestone.store.written import Written, scan
from milestone.surfaces.mirroring import keep_journal
from milestone.wiring import Application, random_hex

T = TypeVar("T")
_TRIES = 5


def rebuilt(application: Application, source: Path, upto: int, *, force: bool) -> dict[str, Any]:
    """Put what a journal leads to in the place of the database, and return what was done.

    Raises:
        Refusal: the journal cannot be carried out, is another project's, or servers have the database open.
    """
    with contextlib.suppress(Refusal, OSError):  # what the database still tells comes into its journal first
        keep_journal(application, present(application))
    written = scan(source, upto)
    project = same_project(application, [written.project])
    found: dict[str, Any] = {"project": project, "entries": written.end, **written.flaws}
    with beside(application) as new:
        if application.remote:
            rebuild(written, new)
            _within(new, lambda made: run(present(application), lambda tx: pour(made, tx, project), write=True))
            return found
        nobody_else(application, force=force)
        rebuild(written, new)
        _add_others(application, project, new)
        found["not_in_the_journal"] = _carry_over(application, project, new)
        found["kept"] = put_in_place(application, new, project)
    if source != application.journal or upto or written.flaws:
        found["journal_kept"] = renew_journal(application)
    return found


def compared(application: Application, source: Path) -> dict[str, Any]:
    """Return how the database differs from what its journal leads to, both at the same entry.

    Raises:
        Refusal: one of them cannot be read, or they never are at the same entry.
    """
    engine = present(application)
    for _ in range(_TRIES):
        if source == application.journal:
            keep_journal(application, engine)
        written = scan(source)
        same_project(application, [written.project])
        with beside(application) as new:
            rebuild(written, new)
            found = _within(new, lambda made, written=written: _differences(engine, made, written))
        if found is not None:
            return {"same": not found, "entries": written.end, **written.flaws, "differences": found}
    raise Refusal("The database is at another entry than its journal", remedy="Call again when less is going on.")


def present(application: Application) -> Engine:
    """Return the database.

    Raises:
        Refusal: there is none, or it cannot be used.
    """
    engine = application.engine()
    if engine is None:
        raise Refusal("There is no database in this project yet")
    return engine


def nobody_else(application: Application, *, force: bool) -> None:
    """See that no server has the database open.

    Raises:
        Refusal: one has.
    """
    running = application.running()
    if running and not force:
        raise Refusal(
            f"The database is open in {len(running)} server{'s' * (len(running) > 1)} (process {', '.join(running)})",
            remedy="End the sessions that use it, or give --force and start them anew afterwards.",
        )


def same_project(application: Application, projects: Sequence[str]) -> str:
    """Return which of these projects is this one; a folder that has no project yet becomes the only one there.

    Raises:
        Refusal: none is, or it cannot be told.
    """
    mine = application.settings.project_name or application.project
    if mine in projects:
        return mine
    if mine or len(projects) != 1:
        raise Refusal(
            f"It holds {', '.join(map(repr, projects)) or 'no project'}, and this project is {mine or 'not named'!r}",
            remedy="MILESTONE_PROJECT says which project this is; nothing was changed.",
        )
    return projects[0]


def put_in_place(application: Application, new: Path, project: str) -> str:
    """Put a database file in the place of the present one; returns where that is kept, empty if there was none."""
    application.close()
    database = application.database
    kept = database.with_name(f"{database.name}.until-{stamped()}")
    files.exchange(new, database, kept)
    name = application.settings.data / "project"
    if not application.settings.project_name and not name.exists():
        name.write_text(project, "utf-8")
    return str(kept) if kept.exists() else ""


def renew_journal(application: Application) -> str:
    """Write the journal's file anew from the database; returns where the old one is kept, empty if there was none."""
    journal = application.journal
    kept = journal.with_name(f"{journal.name}.until-{stamped()}")
    with contextlib.suppress(FileNotFoundError):
        journal.rename(kept)
    keep_journal(application, present(application))
    return str(kept) if kept.exists() else ""


@contextlib.contextmanager
def beside(application: Application) -> Generator[Path, None, None]:
    """Give the name of a new file beside the database, and take away what is left of it."""
    folder = application.settings.data
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = f".{random_hex(4)}.db"
    try:
        yield folder / name
    finally:
        for left in folder.glob(f"{name}*"):
            left.unlink()


def stamped() -> str:
    """Return the time as it stands in names of files."""
    return datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")


def _within(path: Path, work: Callable[[Transaction], T]) -> T:
    """Return what `work` sees in a database file."""
    engine = SqliteEngine(path)
    try:
        return run(engine, work, write=False)
    finally:
        engine.close()


def _differences(engine: Engine, made: Transaction, written: Written) -> dict[str, dict[str, int]] | None:
    def look(kept: Transaction) -> dict[str, dict[str, int]] | None:
        if Journal(kept, written.project).number != written.end:
            return None
        return differences(kept, made, written.project)

    return run(engine, look, write=False)


def _add_others(application: Application, project: str, new: Path) -> None:
    """Bring the other projects of the database along, each from its own journal."""
    for journal in sorted(application.settings.data.glob("journal*.jsonl")):
        written = scan(journal)
        if written.project != project:
            with beside(application) as other:
                rebuild(written, other)
                _pour(other, new, written.project)
    missing = _projects(application.database) - _projects(new)
    if missing:
        raise Refusal(f"The database also holds {', '.join(sorted(missing))}, of which there is no journal here")


def _pour(source: Path, target: Path, project: str) -> None:
    engine = SqliteEngine(target)
    try:
        _within(source, lambda one: run(engine, lambda other: pour(one, other, project), write=True))
    finally:
        engine.close()


def _projects(database: Path) -> set[str]:
    """Return which projects a database file holds; none where it cannot be read."""
    try:
        return set(files.examine(database).positions)
    except Refusal:
        return set()


def _carry_over(application: Application, project: str, new: Path) -> dict[str, int]:
    """Copy the tables of which there is no journal from the present database, as far as that can be read."""
    chosen = {table: tables(queries.VERSION)[table] for table in sorted(left_out())}
    try:
        rows = dict(run(present(application), lambda tx: list(everything(tx, project, chosen)), write=False))
    except (Refusal, OSError):
        return dict.fromkeys(chosen, 0)
    engine = SqliteEngine(new)
    try:
        run(engine, lambda tx: [insert(tx, table, row) for table, some in rows.items() for row in some], write=True)
    finally:
        engine.close()
    return {table: len(some) for table, some in rows.items()}
