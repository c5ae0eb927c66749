"""The command `import`: a person's edits of the milestones' files, taken in now."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import click

from milestone.domain.identity import Caller
from milestone.domain.milestones import ENDED
from milestone.operations import shared
from milestone.operations.editing import BadEdit, read_edit
from milestone.store.engine import Engine, Transaction, run
from milestone.surfaces.mirroring import refresh
from milestone.surfaces.taking import imported, mirror_of
from milestone.wiring import Application


@click.command("import")
@click.argument("milestone_id", required=False, default="")
@click.option("--dry-run", is_flag=True, help="Only show what would change.")
@click.option("--json", "as_json", is_flag=True, help="Answer as one line of JSON.")
@click.pass_obj
def import_command(application: Application, milestone_id: str, dry_run: bool, as_json: bool) -> int:  # noqa: FBT001 - click passes it by name
    """Take in what you edited in .milestones/active/<id>.yaml: of one milestone, or of all that have not ended.

    A file that cannot be taken in is refused with the line, changes nothing and stays as it is.
    """
    engine = application.engine()
    results: list[dict[str, Any]] = []
    if engine:
        for wanted in _wanted(application, engine, milestone_id):
            results += _import(application, engine, wanted, dry_run=dry_run)
    click.echo(json.dumps({"edits": results, "dry_run": dry_run}) if as_json else _screen(results, dry_run=dry_run))
    return 1 if any(result["problems"] for result in results) else 0


def _wanted(application: Application, engine: Engine, milestone_id: str) -> list[str]:
    def look(transaction: Transaction) -> list[str]:
        context = application.context(transaction, Caller(), set())
        if milestone_id:
            return [shared.milestone(context, milestone_id)["milestone_id"]]
        return [row["milestone_id"] for row in context.store.milestones.all() if row["status"] not in ENDED]

    return run(engine, look, write=False)


def _import(application: Application, engine: Engine, milestone_id: str, *, dry_run: bool) -> list[dict[str, Any]]:
    """Import the edits of a milestone; its files are written anew if none of them was refused."""
    results: list[dict[str, Any]] = []
    with application.locked("mirror"):
        mirror = mirror_of(application)
        try:
            edits = mirror.edits(milestone_id)
        except OSError as error:
            wrong = f"{application.settings.workspace}: {error.strerror}; it must be a folder, and no link"
            return [{"milestone_id": milestone_id, "path": "", "problems": [wrong]}]
        for edit in edits:
            result: dict[str, Any] = {"milestone_id": milestone_id, "path": edit.path, "problems": []}
            try:
                found = imported(application, engine, milestone_id, read_edit(edit), dry_run=dry_run)
                result |= asdict(found) | {"kept": "" if dry_run else mirror.put_aside(edit)}
            except BadEdit as bad:
                result["problems"] = list(bad.problems)
            results.append(result)
        if results and not dry_run and not any(result["problems"] for result in results):
            refresh(application, engine, mirror, milestone_id)
    return results


def _screen(results: list[dict[str, Any]], *, dry_run: bool) -> str:
    lines: list[str] = []
    for result in results:
        if result["problems"]:
            lines += [f"refused: {problem}" for problem in result["problems"]]
            lines.append("Nothing of that file was taken in. Mend it, then import it again.")
            continue
        did = "would take in" if dry_run else "took in"
        lines.append(f"{result['path']}: {did} {', '.join(result['changed']) or 'nothing'}")
        lines += [f"  the database has changed it meanwhile, and keeps its own: {one}" for one in result["conflicts"]]
        if result["kept"]:
            lines.append(f"  what you wrote is kept in {result['kept']}")
    return "\n".join(lines) or "No file was edited."
