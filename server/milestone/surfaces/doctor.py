"""The command `doctor`: looks at everything that can go wrong, says what it means, and mends what can be mended."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import click

from milestone.domain.health import Finding, worst
from milestone.surfaces.doctoring import database, files, host, trees
from milestone.surfaces.doctoring.patient import Patient
from milestone.surfaces.mirroring import keep_journal
from milestone.wiring import Application

_COLOURS = {"ok": "green", "warning": "yellow", "broken": "red"}
_WIDTH = 79
_INDENT = " " * 9


@click.command("doctor")
@click.option("--fix", is_flag=True, help="Mend what can be mended without losing work; say what was done.")
@click.option("--json", "as_json", is_flag=True, help="Answer as one line of JSON.")
@click.pass_obj
def doctor(application: Application, fix: bool, as_json: bool) -> int:  # noqa: FBT001 - click passes it by name
    """Look at the health of this project: database, tasks, files, worktrees, hooks, host. Only --fix changes anything.

    The exit code is 1 where something is broken; warnings leave it at 0.
    """
    patient = database.opened(Patient(application))
    findings = examined(patient, fix=fix)
    if fix and patient.engine:
        keep_journal(application, patient.engine)
    facts = _facts(patient)
    known = {"status": worst(findings), "checks": [asdict(one) for one in findings], **facts}
    click.echo(json.dumps(known, ensure_ascii=False) if as_json else screen(findings, facts))
    return 1 if worst(findings) == "broken" else 0


def examined(patient: Patient, *, fix: bool) -> list[Finding]:
    """Return what every check-up finds, in their order; with `fix` after it was mended."""
    return [one.result(fix=fix) for part in (database, files, trees, host) for one in part.checkups(patient)]


def screen(findings: Sequence[Finding], facts: Mapping[str, Any]) -> str:
    """Return the findings for a terminal: good without colour, at 80 columns and when piped."""
    lines: list[str] = []
    for one in findings:
        lines += _filled(f"{one.check}: {one.said}", click.style(f"{one.state:9}", fg=_COLOURS[one.state]))
        lines += _filled(f"-> {one.remedy}") if one.remedy and not one.mended else []
        lines += _filled(f"mended: {one.mended}") if one.mended else []
    rows = ", ".join(f"{name} {count}" for name, count in facts.get("tables", {}).items() if count)
    lines += ["", *_filled(f"rows: {rows}", "")] if rows else []
    counted = ", ".join(f"{sum(one.state == state for one in findings)} {state}" for state in _COLOURS)
    return "\n".join([*lines, "", counted])


def _filled(text: str, first: str = _INDENT) -> list[str]:
    lines = textwrap.wrap(text, _WIDTH - len(_INDENT), break_on_hyphens=False)
    return [(first if number == 0 else _INDENT if first else "") + line for number, line in enumerate(lines)]


def _facts(patient: Patient) -> dict[str, Any]:
    """Return what the database says of itself."""
    if patient.engine is None:
        return {"engine": "none", "integrity": patient.refused.wrong if patient.refused else "no database"}
    return dict(patient.engine.maintain())
