"""The command line: one command for each operation, generated from it, and a few for people."""

from __future__ import annotations

import codecs
import json
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from milestone import __version__
from milestone.domain.errors import Refusal
from milestone.domain.identity import Caller
from milestone.wiring import Application

if TYPE_CHECKING:
    from milestone.operations.context import Answer

_YIELDING = 10
_NOBODY_READS = 141  # what a shell says of a program whose pipe was closed
_PEOPLE = {
    "status": "terminal.status:status",
    "watch": "terminal.watch:watch",
    "log": "terminal.log:log",
    "report": "report:report_command",
    "dashboard": "web.command:dashboard_command",
    "doctor": "doctor:doctor",
    "import": "importing:import_command",
    "explain-recovery": "explaining:explain_recovery",
    "backup": "keeping:backup",
    "restore": "keeping:restore",
    "rebuild": "keeping:rebuild",
}
"""Commands for people, and where below `surfaces` they are; each is loaded when it is called."""


def cli(application: Application) -> int:
    """Run the command line and return its exit code."""
    _escape_what_cannot_be_written()
    try:
        result: Any = Commands(name="milestone").main(obj=application, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what is left to write has no reader
        return _NOBODY_READS
    except Refusal as refusal:
        click.echo(f"milestone: {refusal}", err=True)
        return 1
    except (OSError, RuntimeError) as error:
        click.echo(f"milestone: {error}", err=True)
        return 1
    finally:
        application.close()
    return result if isinstance(result, int) else 0


def _escape_what_cannot_be_written() -> None:
    """Let a character that the terminal's encoding lacks be written as JSON writes it, instead of failing."""
    codecs.register_error("as-json", _as_json)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure and (stream.encoding or "").lower().replace("-", "") != "utf8":
            reconfigure(errors="as-json")


def _as_json(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end


class Commands(click.Group):
    """The commands for people, and the operations; an operation's arguments are looked up when it is called."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(
            help="Plan a milestone with agents and carry it through. Operations answer with JSON.", **settings
        )
        self.params.append(_version())
        for command in (_rehearse, _hook, _statusline, _mcp, _monitor, _mirror, _record):
            self.add_command(command)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands for people, then the operations."""
        from milestone.operations.catalogue import REGISTRY

        people = sorted([*super().list_commands(ctx), *_PEOPLE])
        return [*people, *(name for name, one in REGISTRY.items() if one.listed or one.people)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command by its name, written with dashes or underscores."""
        own = super().get_command(ctx, cmd_name)
        if own is not None:
            return own
        if cmd_name in _PEOPLE:
            module, _, name = _PEOPLE[cmd_name].partition(":")
            return getattr(import_module(f"milestone.surfaces.{module}"), name)
        from milestone.operations.catalogue import REGISTRY

        found = REGISTRY.get(cmd_name.replace("-", "_"))
        return _operation_command(found.name) if found and (found.listed or found.people) else None


def _version() -> click.Option:
    def show(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:  # noqa: FBT001 - click's callback
        if wanted:
            click.echo(f"milestone {__version__}")
            ctx.exit()

    return click.Option(
        ["--version"], is_flag=True, expose_value=False, is_eager=True, callback=show, help="Show the version."
    )


def _operation_command(name: str) -> click.Command:
    from milestone.operations.catalogue import REGISTRY

    operation = REGISTRY[name]
    properties: dict[str, Any] = operation.schema["properties"]
    required: list[str] = operation.schema.get("required", [])
    options = [_option(field, shape, required=field in required) for field, shape in properties.items()]
    compact = click.Option(["--json", "as_json"], is_flag=True, help="Answer as one line of JSON.")
    dashed = name.replace("_", "-")
    return click.Command(dashed, params=[*options, compact], callback=_caller_of(name), help=operation.description)


def _option(field: str, shape: dict[str, Any], *, required: bool) -> click.Option:
    kind = shape.get("type", "")
    flag = "--" + field.replace("_", "-")
    if kind == "boolean":
        return click.Option([f"{flag}/--no-{flag[2:]}", field], default=None)
    kinds: dict[str, Any] = {"integer": click.INT, "string": click.STRING}
    if "enum" in shape:
        return click.Option([flag, field], type=click.Choice(shape["enum"]), required=required)
    about = shape.get("description", "") or ("" if kind in kinds else "JSON")
    return click.Option([flag, field], type=kinds.get(kind, _Json()), required=required, help=about)


class _Json(click.ParamType[Any]):
    """A value written as JSON."""

    name = "json"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the value that the text stands for."""
        try:
            return json.loads(value)
        except ValueError as error:
            self.fail(f"is no JSON ({error}); a text needs its quotes: '\"text\"'", param, ctx)


def _caller_of(name: str) -> Any:
    @click.pass_obj
    def call(application: Application, /, as_json: bool, **arguments: Any) -> None:  # noqa: FBT001 - click passes it by name
        given = {field: value for field, value in arguments.items() if value is not None}
        _for_people(application, name)
        answer = carry_out(application, name, given)
        click.echo(json.dumps(answer, ensure_ascii=False, indent=None if as_json else 2))

    return call


def _for_people(application: Application, name: str) -> None:
    """Keep an agent from deciding by mistake what is a person's to decide; the host's shell says whose it is."""
    from milestone.operations.catalogue import REGISTRY

    if REGISTRY[name].people and application.settings.environ.get("CLAUDECODE"):
        raise Refusal(
            f"{name.replace('_', '-')} is for a person, and a coding agent's host started this shell",
            remedy="Type it in a terminal of your own, or answer on the page of `milestone dashboard`.",
        )


def carry_out(application: Application, name: str, arguments: dict[str, Any]) -> Answer:
    """Return the answer of an operation called from the command line.

    Raises:
        Refusal: it cannot be carried out.
    """
    import anyio

    from milestone.surfaces.door import Door

    async def once() -> Answer:
        door = Door(application)
        try:
            return await door.call(name, arguments, Caller())
        finally:
            await door.close()

    return anyio.run(once)


@click.command("rehearse")
@click.argument("path", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--keep", is_flag=True, help="Use the repository's own .milestones/, and a branch of its own.")
@click.option("--plan-only", is_flag=True, help="End after the planning.")
@click.option("--name", default="", help="Name of the milestone.")
@click.option("--json", "as_json", is_flag=True, help="Answer as one line of JSON; what happens goes to stderr.")
@click.pass_obj
def _rehearse(
    application: Application, *, path: Path | None, keep: bool, plan_only: bool, name: str, as_json: bool
) -> int:
    """Plan a milestone and carry it out without a model, on the repository at PATH (this program's own by default).

    Without --keep everything is done on a clone, and the repository stays as it is. Gates that it has are run.
    """
    from milestone.surfaces.rehearse import rehearse

    settings = application.settings
    how: dict[str, Any] = {"keep": keep, "name": name, "plan_only": plan_only, "as_json": as_json}
    return rehearse(path or settings.assets, environ=settings.environ, **how)


@click.command("mirror", hidden=True)
@click.argument("milestone_id")
@click.pass_obj
def _mirror(application: Application, milestone_id: str) -> None:
    """Write the files of one milestone anew, giving way to whoever needs the machine more."""
    import os

    from milestone.surfaces.mirroring import write

    os.nice(_YIELDING)
    engine = application.engine()
    if engine:
        write(application, engine, milestone_id)


@click.command("hook", hidden=True)
def _hook() -> None:
    """Answer a host's hook."""


@click.command("statusline")
def _statusline() -> None:
    """Print one line for the status line of a host, which says on stdin where it stands; read-only and quick."""


@click.command("mcp")
def _mcp() -> None:
    """Serve the tools over stdin and stdout, for an MCP host."""


@click.command("monitor", hidden=True)
def _monitor() -> None:
    """Print a line when the conversation that coordinates is needed, for a host's monitor."""


@click.command("record-handshake", hidden=True)
@click.pass_obj
def _record(application: Application) -> None:
    """Write anew what the MCP door answers before the SDK is loaded."""
    from milestone.surfaces.mcp import record
    from milestone.surfaces.serve import CONSTANTS

    Path(CONSTANTS).write_text(record(application), "utf-8")
