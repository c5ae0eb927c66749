"""The database looked at: whether it opens and is whole, its engine, its files, and whether the data fit together."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from milestone.domain.errors import Refusal
from milestone.domain.health import WAL_ALARM, Finding, loses_writes
from milestone.operations import health
from milestone.store import queries
from milestone.store.engine import run
from milestone.surfaces.doctoring.patient import Checkup, Patient, shines

_RESTORE = "`milestone restore FILE` brings a backup back, `milestone rebuild` makes it anew from its journal."


def checkups(patient: Patient) -> Iterator[Checkup]:
    """Yield what there is to look at, the database itself first."""
    yield Checkup("database", partial(_database, patient))
    yield Checkup("schema", partial(_schema, patient))
    if not patient.application.remote:
        yield Checkup("sqlite", _sqlite)
        yield Checkup("permissions", partial(_permissions, patient), partial(_close_permissions, patient))
        yield Checkup("log of writes", partial(_wal, patient))
    yield Checkup("servers", partial(_servers, patient), partial(_remove_dead, patient))
    if patient.engine is None:
        return
    for name, look, mend in (
        ("leases", health.claims, health.mend_claims),
        ("sessions", health.sessions, health.mend_sessions),
        ("needs", health.counters, health.mend_counters),
        ("messages", health.messages, health.mend_messages),
    ):
        yield Checkup(name, partial(patient.read, look), partial(patient.change, mend))
    hooks = patient.settings.hooks
    yield Checkup("hook events", lambda: patient.read(lambda ctx: health.heard(ctx, hooks=hooks)))


def _database(patient: Patient) -> Finding:
    if patient.refused:
        backups = sorted((patient.settings.data / "backups").glob("*.db"))
        newest = f" The newest backup is {backups[-1]}." if backups else ""
        remedy = patient.refused.remedy if "Update" in patient.refused.remedy else _RESTORE + newest
        return Finding("database", "broken", patient.refused.wrong, remedy)
    if patient.engine is None:
        return _none_yet(patient)
    found = patient.engine.maintain()
    if found["integrity"] != "ok":
        return Finding("database", "broken", f"its file is damaged: {found['integrity']}", _RESTORE)
    return Finding("database", "ok", f"{found['engine']}, whole, {size(int(str(found['bytes'])))}")


def _none_yet(patient: Patient) -> Finding:
    left = [*patient.settings.workspace.glob("active/*.yaml"), *patient.settings.workspace.glob("logs/events-*.jsonl")]
    if not left or patient.application.remote:
        return Finding("database", "ok", "there is no database in this project yet")
    said = f"there is no database, although {patient.settings.workspace} tells of milestones"
    return Finding("database", "broken", said, _RESTORE)


def _schema(patient: Patient) -> Finding:
    if patient.engine is None:
        return Finding("schema", "ok", f"this program makes version {queries.VERSION}")
    there = run(patient.engine, lambda tx: tx.version(), write=True)  # a reader need not know it
    if there == queries.VERSION:
        return Finding("schema", "ok", f"version {there}, which is this program's")
    said = f"the database is of version {there}, and this program makes {queries.VERSION}"
    return Finding("schema", "broken", said, "Update the plugin, and start every server anew.")


def _sqlite() -> Finding:
    version = sqlite3.sqlite_version
    if loses_writes(sqlite3.sqlite_version_info):
        said = f"SQLite {version} may lose writes when two processes fold its log at once; ours take turns at that"
        return Finding("sqlite", "warning", said, "Open the file with no other program, or use a Python with 3.51.3.")
    return Finding("sqlite", "ok", f"SQLite {version}")


def _permissions(patient: Patient) -> Finding:
    open_ones = [f"{path.name or path} ({mode:04o})" for path, mode in _too_open(patient)]
    if not open_ones:
        return Finding("permissions", "ok", "only you can read the database")
    said = f"others can read or write {health.some(open_ones)}"
    return Finding("permissions", "warning", said, "`milestone doctor --fix` leaves them to you alone.")


def _too_open(patient: Patient) -> Iterator[tuple[Path, int]]:
    data = patient.settings.data
    for path in (data, *sorted(data.glob("milestone.db*")), *sorted(data.glob("journal*.jsonl"))):
        if path.exists() and not path.is_symlink() and (mode := stat.S_IMODE(path.stat().st_mode)) & 0o077:
            yield path, mode


def _close_permissions(patient: Patient) -> list[str]:
    found = [path for path, _ in _too_open(patient)]
    for path in found:
        path.chmod(0o700 if path.is_dir() else 0o600)
    return [f"closed {path.name}" for path in found]


def _wal(patient: Patient) -> Finding:
    log = patient.application.database.with_name("milestone.db-wal")
    bytes_ = log.stat().st_size if log.exists() else 0
    if bytes_ > WAL_ALARM:
        said = f"the log of writes has {size(bytes_)}: somebody has been reading for long, so it cannot be folded"
        return Finding("log of writes", "warning", said, "End other programs that have the database open.")
    return Finding("log of writes", "ok", size(bytes_))


def _servers(patient: Patient) -> Finding:
    folder = patient.settings.data / "servers"
    beacons = sorted(folder.iterdir()) if folder.is_dir() else []
    dead = [beacon.name for beacon in beacons if not shines(beacon)]
    if dead:
        said = f"{len(dead)} servers ended without a word: {health.some(dead)}"
        return Finding(
            "servers", "warning", said, "`milestone doctor --fix` removes their files; nothing else is left."
        )
    return Finding("servers", "ok", f"{len(beacons)} run" if beacons else "none runs")


def _remove_dead(patient: Patient) -> list[str]:
    folder = patient.settings.data / "servers"
    dead = [beacon for beacon in sorted(folder.iterdir()) if not shines(beacon)]
    for beacon in dead:
        beacon.unlink(missing_ok=True)
    return [f"removed {beacon.name}" for beacon in dead]


def size(count: int) -> str:
    """Return a number of bytes as people read it.

    >>> size(900), size(1_500_000)
    ('900 bytes', '1.5 MB')
    """
    return f"{count} bytes" if count < 10_000 else f"{count / 1e6:.1f} MB"  # noqa: PLR2004 - short enough to read


def opened(patient: Patient) -> Patient:
    """Open the database, and remember why where it cannot be."""
    try:
        patient.engine = patient.application.engine()
    except Refusal as refusal:
        patient.refused = refusal
    except (sqlite3.Error, OSError) as error:
        patient.refused = Refusal(f"{patient.application.database} cannot be opened: {error}")
    return patient
