"""Commands for people that keep the data: a backup, its return, and the database made anew from its journal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from milestone.domain.errors import Refusal
from milestone.store import files, queries
from milestone.store.engine import Transaction, run
from milestone.store.journal import Journal, everything, in_parts
from milestone.store.layout import tables
from milestone.store.lines import encode, opened
from milestone.surfaces import rebuilding
from milestone.surfaces.rebuilding import put_in_place, renew_journal, same_project, stamped
from milestone.wiring import Application

_JSON = click.option("--json", "as_json", is_flag=True, help="Answer as one line of JSON.")
_FORCE = click.option("--force", is_flag=True, help="Even while servers run; each has to be started anew then.")


@click.command("backup")
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@_JSON
@click.pass_obj
def backup(application: Application, file: Path | None, as_json: bool) -> None:  # noqa: FBT001 - click passes it by name
    """Write a copy of the database to FILE while it is in use; by default into backups/ beside it.

    With PostgreSQL the copy is of this project alone, as a journal: `rebuild --from` takes it.
    """
    engine = rebuilding.present(application)
    end = ".jsonl" if application.remote else ".db"
    file = file or application.settings.data / "backups" / f"milestone-{stamped()}{end}"
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if application.remote:
        position = run(engine, lambda tx: _copy(tx, application.project, file), write=False)
    else:
        files.copy(application.database, file)
        position = files.examine(file).positions.get(application.project, 0)
    found = {"file": str(file), "project": application.project, "position": position, "bytes": file.stat().st_size}
    _say(found, as_json=as_json)


@click.command("restore")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@_FORCE
@_JSON
@click.pass_obj
def restore(application: Application, file: Path, force: bool, as_json: bool) -> None:  # noqa: FBT001 - click passes it by name
    """Put a backup in the place of the database, which is kept beside it under a dated name."""
    if application.remote:
        raise Refusal(
            "The database is PostgreSQL, whose own tools bring all of it back",
            remedy="This project alone: `milestone rebuild --from FILE`, where the database holds nothing of it.",
        )
    rebuilding.nobody_else(application, force=force)
    with rebuilding.beside(application) as new:
        files.copy(file, new)
        seen = files.examine(new, file)
        project = same_project(application, sorted(seen.positions))
        kept = put_in_place(application, new, project)
    found = {"restored": str(file), "project": project, "position": seen.positions[project], "kept": kept}
    _say(found | {"journal_kept": renew_journal(application)}, as_json=as_json)


@click.command("rebuild")
@click.option("--from", "source", type=click.Path(dir_okay=False, path_type=Path), help="Another journal than our own.")
@click.option("--upto", type=click.IntRange(min=1), help="The last entry to carry out.")
@click.option("--check", is_flag=True, help="Change nothing, only compare; the exit code is 1 where they differ.")
@_FORCE
@_JSON
@click.pass_obj
def rebuild(
    application: Application,
    source: Path | None,
    upto: int | None,
    check: bool,  # noqa: FBT001 - click passes it by name
    force: bool,  # noqa: FBT001 - click passes it by name
    as_json: bool,  # noqa: FBT001 - click passes it by name
) -> int:
    """Make the database anew from its journal; the present one is kept beside it under a dated name."""
    if check:
        found = rebuilding.compared(application, source or application.journal)
        _say(found, as_json=as_json)
        return 0 if found["same"] else 1
    _say(rebuilding.rebuilt(application, source or application.journal, upto or 0, force=force), as_json=as_json)
    return 0


def _copy(transaction: Transaction, project: str, file: Path) -> int:
    """Write everything of a project as a journal that holds a copy, and return where the project stands."""
    position, version = Journal(transaction, project).position, queries.VERSION
    with opened(file, "x") as target:
        for number, entries in enumerate(in_parts(everything(transaction, project, tables(version))), 1):
            row = {"number": number, "position": position, "schema_version": version, "entries": entries}
            target.write(encode(project, row))
    return position


def _say(found: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
        return
    for name, value in found.items():
        for title, one in value.items() if isinstance(value, dict) else ((name, value),):  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
            shown = ", ".join(f"{k} {v}" for k, v in one.items()) if isinstance(one, dict) else one  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
            click.echo(f"{title:22} {shown}")
