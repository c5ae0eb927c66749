"""The files for people looked at: whether they show what the database has, what was edited, and what lies about."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from milestone.domain.health import Finding
from milestone.operations.editing import BadEdit, read_edit
from milestone.operations.health import some
from milestone.operations.snapshot import snapshot
from milestone.store.engine import Engine, run
from milestone.surfaces.doctoring.patient import Checkup, Patient
from milestone.surfaces.mirroring import refresh
from milestone.surfaces.taking import imported, mirror_of, take_edits
from milestone.workspace.mirror import Mirror

_FIX = "`milestone doctor --fix` "


def checkups(patient: Patient) -> Iterator[Checkup]:
    """Yield what there is to look at; nothing where there is no database to compare with."""
    if patient.engine is None:
        return
    with_engine = (patient, patient.engine)
    yield Checkup("edits", partial(_edits, *with_engine), partial(_take_edits, *with_engine))
    yield Checkup("mirror", partial(_mirror, *with_engine), partial(_write_mirror, *with_engine))
    yield Checkup("unfinished files", partial(_leftovers, patient), partial(_tidy, patient))
    yield Checkup("event logs", partial(_logs, *with_engine), partial(_write_logs, *with_engine))


def _edits(patient: Patient, engine: Engine) -> Finding:
    edited: list[str] = []
    bad: list[str] = []
    for milestone_id, mirror in _each(patient, engine):
        for edit in mirror.edits(milestone_id):
            try:
                found = imported(patient.application, engine, milestone_id, read_edit(edit), dry_run=True)
                edited.append(f"{edit.path} ({', '.join(found.changed) or 'no value'})")
            except BadEdit as refused:
                bad.append(refused.problems[0])
    if bad:
        return Finding("edits", "warning", f"cannot be taken in: {some(bad)}", f"Mend it; {_FIX}puts it under edits/.")
    if edited:
        return Finding(
            "edits", "warning", f"edited: {some(edited)}", "`milestone import` takes it in, and so does --fix."
        )
    return Finding("edits", "ok", "no file waits to be taken in")


def _take_edits(patient: Patient, engine: Engine) -> list[str]:
    return _locked(patient, engine, lambda mirror, one: _dealt(patient, engine, mirror, one))


def _dealt(patient: Patient, engine: Engine, mirror: Mirror, milestone_id: str) -> list[str]:
    paths = [edit.path for edit in mirror.edits(milestone_id)]
    if paths:
        take_edits(patient.application, engine, mirror, milestone_id)
        refresh(patient.application, engine, mirror, milestone_id, anew=True)
    return [f"dealt with {path}" for path in paths]


def _mirror(patient: Patient, engine: Engine) -> Finding:
    wrong: list[str] = []
    milestones = 0
    for milestone_id, mirror in _each(patient, engine):
        wrong += _drift(patient, engine, mirror, milestone_id)
        milestones += 1
    if wrong:
        return Finding(
            "mirror", "warning", f"missing, or not what the database has: {some(wrong)}", _FIX + "writes it."
        )
    return Finding("mirror", "ok", f"the files of {milestones} milestones show what the database has")


def _drift(patient: Patient, engine: Engine, mirror: Mirror, milestone_id: str) -> list[str]:
    shot = run(engine, lambda tx: snapshot(patient.application.store(tx), milestone_id), write=False)
    edited = {edit.path for edit in mirror.edits(milestone_id)}
    return [path for path in mirror.drift(shot) if path not in edited] if shot else []


def _write_mirror(patient: Patient, engine: Engine) -> list[str]:
    def write(mirror: Mirror, milestone_id: str) -> list[str]:
        wrong = _drift(patient, engine, mirror, milestone_id)
        if wrong:
            refresh(patient.application, engine, mirror, milestone_id, anew=True)
        return [f"wrote {path}" for path in wrong]

    return _locked(patient, engine, write)


def _leftovers(patient: Patient) -> Finding:
    with patient.application.locked("mirror"):
        found = [path for _, path in mirror_of(patient.application).leftovers()]
    if found:
        return Finding(
            "unfinished files", "warning", f"left by writers that were killed: {some(found)}", _FIX + "removes them."
        )
    return Finding("unfinished files", "ok", "none")


def _tidy(patient: Patient) -> list[str]:
    with patient.application.locked("mirror"):
        return [f"removed {path}" for path in mirror_of(patient.application).tidy()]


def _logs(patient: Patient, engine: Engine) -> Finding:
    damaged: list[str] = []
    ahead: list[str] = []
    for milestone_id, mirror in _each(patient, engine):
        state = _log_state(_events(patient, engine, milestone_id), mirror.read_log(milestone_id))
        if state:
            (ahead if state == "ahead" else damaged).append(f"events-{milestone_id}.jsonl {state}")
    if ahead:
        said = f"tells of events that the database does not have: {some(ahead)}"
        remedy = "The database is an older one: `milestone rebuild` makes it anew from its journal."
        return Finding("event logs", "broken", said, remedy)
    if damaged:
        return Finding(
            "event logs", "warning", some(damaged), _FIX + "writes them anew; the old ones stay under edits/."
        )
    return Finding("event logs", "ok", "they tell what the database has")


def _write_logs(patient: Patient, engine: Engine) -> list[str]:
    def write(mirror: Mirror, milestone_id: str) -> list[str]:
        events = _events(patient, engine, milestone_id)
        if _log_state(events, mirror.read_log(milestone_id)) in ("", "ahead"):
            return []
        aside = mirror.write_log(milestone_id, events)
        return [f"wrote events-{milestone_id}.jsonl" + (f", the old one is {aside}" if aside else "")]

    return _locked(patient, engine, write)


def _log_state(events: list[dict[str, Any]], log: bytes) -> str:
    """Return what is wrong with a log: `damaged`, `lacks events`, or `ahead` of the database; else an empty text."""
    wanted = {event["position"]: {**event, "detail": json.loads(event["detail"])} for event in events}
    there: dict[int, Any] = {}
    for line in log.splitlines():
        try:
            entry = json.loads(line)
            there[int(entry["position"])] = entry
        except (ValueError, KeyError, TypeError):
            return "damaged"
    if there and max(there) > max(wanted, default=0):
        return "ahead"
    if any(wanted.get(position) != entry for position, entry in there.items()):
        return "damaged"
    return "lacks events" if wanted.keys() - there.keys() else ""


def _events(patient: Patient, engine: Engine, milestone_id: str) -> list[dict[str, Any]]:
    def look(transaction: Any) -> list[dict[str, Any]]:
        log, found = patient.application.store(transaction).log, list[dict[str, Any]]()
        while page := log.since(milestone_id, found[-1]["position"] if found else 0):
            found += [dict(row) for row in page]
        return found

    return run(engine, look, write=False)


def _each(patient: Patient, engine: Engine) -> Iterator[tuple[str, Mirror]]:
    """Yield every milestone, each with the files for people."""
    rows = run(engine, lambda tx: patient.application.store(tx).milestones.all(), write=False)
    for row in rows:
        yield row["milestone_id"], mirror_of(patient.application)


def _locked(patient: Patient, engine: Engine, work: Callable[[Mirror, str], list[str]]) -> list[str]:
    """Return what was done with every milestone while nobody else writes its files."""
    done: list[str] = []
    with patient.application.locked("mirror"):
        for milestone_id, mirror in _each(patient, engine):
            done += work(mirror, milestone_id)
    return done
