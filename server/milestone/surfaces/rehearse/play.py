"""A rehearsal from its first line to its last: stage, server, planning, execution, summary."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
import click

from milestone.surfaces.rehearse import ending
from milestone.surfaces.rehearse.clone import Unfit
from milestone.surfaces.rehearse.executing import Executors
from milestone.surfaces.rehearse.gates import command
from milestone.surfaces.rehearse.host import Coordinator, Stopped, Tools
from milestone.surfaces.rehearse.listing import Project, shown
from milestone.surfaces.rehearse.planning import Planned, plan
from milestone.surfaces.rehearse.results import gather
from milestone.surfaces.rehearse.screen import Screen
from milestone.surfaces.rehearse.stage import Stage, Unusable, set_stage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mcp.client.stdio import StdioServerParameters

SERVER = Path(__file__).resolve().parents[3]
INTERRUPTED = 130


def perform(
    path: Path, environ: Mapping[str, str], *, keep: bool, name: str, plan_only: bool, as_json: bool = False
) -> int:
    """Rehearse a milestone, or with `plan_only` its planning, and return the exit code."""
    screen = Screen(aside=as_json)
    stage: Stage | None = None
    try:
        root = _folder(path)
        _begin(screen)
        stage = set_stage(root, environ, keep=keep, plan_only=plan_only)
        name = name or f"Rehearsal of {shown(root.name, 60) or 'a file system'}"
        _open(screen, root, name, stage, keep=keep)
        planned, carried = anyio.run(_play, stage, root, name, screen)
        if carried is None:
            ending.planned(screen, stage, planned)
        else:
            ending.carried_out(screen, stage, planned, carried)
        if as_json:
            click.echo(json.dumps(ending.told(screen, stage, planned, carried), ensure_ascii=False))
    except KeyboardInterrupt:
        return _failed("Interrupted; the server is stopped.", stage, INTERRUPTED, keep=keep)
    except (Stopped, Unusable, Unfit, OSError) as reason:
        return _failed(str(reason), stage, 1, keep=keep)
    except BaseExceptionGroup as group:
        return _failed(_first_line(group), stage, 1, keep=keep)
    if keep:
        stage.clear()
    return 0


def _folder(path: Path) -> Path:
    root = path.resolve(strict=True)
    if not root.is_dir():
        raise Stopped(f"{shown(str(root))} is no folder.")
    return root


def _failed(why: str, stage: Stage | None, code: int, *, keep: bool) -> int:
    """Print one line, with the place of the server's log where it holds something, and return the code."""
    wrote = stage is not None and stage.log.exists() and stage.log.stat().st_size > 0
    if stage is not None and keep and not wrote:
        stage.clear()
    said = shown(why, 600)
    click.echo(f"rehearse: {said}" + (f" (server log: {stage.log})" if stage and wrote else ""), err=True)
    return code


def _first_line(group: BaseExceptionGroup[BaseException]) -> str:
    """Return what went wrong first; a crash of ours is raised again instead.

    A task group raises everything that happened in it, most of which only follows from the first.
    """
    from mcp.shared.exceptions import MCPError

    expected, rest = group.split((Stopped, MCPError, OSError))
    if expected is None or rest is not None:
        raise group
    found: BaseException = expected
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return f"The server did not start or went away: {found}" if isinstance(found, MCPError) else str(found)


async def _play(stage: Stage, root: Path, name: str, screen: Screen) -> tuple[Planned, ending.Carried | None]:
    from mcp import Client
    from mcp.client.stdio import get_default_environment, stdio_client

    with stage.log.open("w", encoding="utf-8") as log:
        async with Client(stdio_client(_server(stage), errlog=log)) as client:
            screen.say("server", "started", f"protocol {client.protocol_version}")
            tools, project = Tools(client), Project(root, get_default_environment())
            planned = await plan(tools, project, screen, name)
            if not stage.executes:
                return planned, None
            return planned, await _carry_out(tools, project, screen, stage, planned)


async def _carry_out(tools: Tools, project: Project, screen: Screen, stage: Stage, planned: Planned) -> ending.Carried:
    """Carry a plan out to its end, and return what came of it.

    Raises:
        Stopped: the server refused, failed, or asks a person, or another repository is being worked on.
    """
    if planned.under_way and stage.clone:
        raise Stopped(
            "This milestone is being carried out already; --keep goes on with it, another --name begins anew."
        )
    ending.between(screen, planned)
    milestone_id, values = planned.milestone_id, (planned.plan, planned.scope, planned.dependencies)
    opened = await tools.call("initialize_agent_coordination", milestone_id=milestone_id, mode="execution")
    screen.say("coordinator", "continues" if planned.under_way else "begins", f"to carry out {milestone_id}")
    if opened.get("strategy"):
        screen.say("coordinator", "chose", f"strategy {opened['strategy']}")
    for line in opened.get("warnings", []):
        screen.say("server", "warns", f"that {line}")
    await _show_gates(tools, screen, stage, milestone_id)
    facts = await anyio.to_thread.run_sync(gather, project, *values)
    flawed = next((task.id for task in facts.plan.tasks if task.paths), "") if stage.own_gates else ""
    crew = Executors(tools, facts, screen, milestone_id, flawed)
    await Coordinator(tools, screen, crew).finish(milestone_id)
    return await ending.ask(tools, milestone_id, crew.gates)


async def _show_gates(tools: Tools, screen: Screen, stage: Stage, milestone_id: str) -> None:
    """Say which commands will judge the work, and where they come from."""
    lines = [line for line in await tools.pages(milestone_id, "gates") if line.startswith("gate ")]
    for number, line in enumerate(lines, 1):
        name, _, run = line.removeprefix("gate ").partition(" of this repository: ")
        ran, _, origin = run.rpartition(" (")
        where = "Put into the clone by this rehearsal: the repository has no gates of its own."
        said = where if stage.own_gates else f"From {origin.removesuffix(')')}."
        screen.say("gates", "will run", f"{name}: {command(ran)}", said if number == len(lines) else "")


def _server(stage: Stage) -> StdioServerParameters:
    from mcp.client.stdio import StdioServerParameters

    return StdioServerParameters(command=sys.executable, args=[str(SERVER), "mcp"], env=dict(stage.variables))


def _begin(screen: Screen) -> None:
    screen.title("Rehearsal of a milestone, without a model")
    screen.text(
        "The server is the real one. Stand-ins play the agents: they only list, count and compare; nobody thinks."
    )
    screen.text()


def _open(screen: Screen, root: Path, name: str, stage: Stage, *, keep: bool) -> None:
    screen.fact("repository", str(root))
    screen.fact("milestone", name)
    screen.fact("data", str(stage.settings.data))
    if keep:
        screen.fact("", "the project's own: what is planned stays there")
    else:
        what = "a copy of the project's own" if stage.copied else "new; the project has none yet"
        screen.fact("", f"{what}; the repository stays as it is")
    if stage.clone:
        screen.fact("works on", str(stage.repository))
        screen.fact("", f"a clone of {stage.origin[:12]}" + (", with gates added" if stage.own_gates else ""))
    elif stage.executes:
        screen.fact("works on", f"a branch of its own from {stage.head[:12]}, in working trees of its own")
    if stage.executes:
        screen.fact("", "no code is changed: what is committed there is notes")
    screen.text()
