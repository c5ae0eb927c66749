"""A rehearsal from its first line to its last: stage, server, coordinator, summary."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import click

from milestone.surfaces.rehearse.host import Coordinator, Outcome, Stopped, Tools
from milestone.surfaces.rehearse.listing import Project, shown
from milestone.surfaces.rehearse.planner import KINDS
from milestone.surfaces.rehearse.screen import Screen
from milestone.surfaces.rehearse.stage import Stage, Unusable, set_stage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mcp.client.stdio import StdioServerParameters

SERVER = Path(__file__).resolve().parents[3]
INTERRUPTED = 130
_PHASES = ("design", "spec", "task", "execute")


def perform(path: Path, environ: Mapping[str, str], *, keep: bool, name: str) -> int:
    """Rehearse the planning of a milestone and return the exit code."""
    screen = Screen()
    stage: Stage | None = None
    try:
        root = _folder(path)
        stage = set_stage(root, environ, keep=keep)
        name = name or f"Rehearsal of {shown(root.name, 60) or 'a file system'}"
        _open(screen, root, name, stage, keep=keep)
        outcome = anyio.run(_play, stage, root, name, screen)
        _close(screen, stage, outcome)
    except KeyboardInterrupt:
        return _failed("Interrupted; the server is stopped.", stage, INTERRUPTED, keep=keep)
    except (Stopped, Unusable, OSError) as reason:
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


async def _play(stage: Stage, root: Path, name: str, screen: Screen) -> Outcome:
    from mcp import Client
    from mcp.client.stdio import get_default_environment, stdio_client

    with stage.log.open("w", encoding="utf-8") as log:
        async with Client(stdio_client(_server(stage), errlog=log)) as client:
            screen.say("server", "started", f"protocol {client.protocol_version}")
            project = Project(root, get_default_environment())
            return await Coordinator(Tools(client), project, screen).plan(name)


def _server(stage: Stage) -> StdioServerParameters:
    from mcp.client.stdio import StdioServerParameters

    return StdioServerParameters(command=sys.executable, args=[str(SERVER), "mcp"], env=dict(stage.variables))


def _open(screen: Screen, root: Path, name: str, stage: Stage, *, keep: bool) -> None:
    screen.title("Rehearsal: the planning of a milestone, without a model")
    screen.text(
        "The server is the real one. Stand-ins play the agents: they only list, count and compare; nobody thinks."
    )
    screen.text()
    screen.fact("repository", str(root))
    screen.fact("milestone", name)
    screen.fact("data", str(stage.settings.data))
    if keep:
        screen.fact("", "the project's own: what is planned stays there")
    else:
        what = "a copy of the project's own" if stage.copied else "new; the project has none yet"
        screen.fact("", f"{what}; the repository stays as it is")
    screen.text()


def _close(screen: Screen, stage: Stage, outcome: Outcome) -> None:
    plan, workspace = outcome.plan, stage.settings.workspace
    decisions = Counter(str(each["kind"]) for each in plan["decisions"])
    tasks = Counter(str(each["phase"]) for each in plan["tasks"])
    milestone = workspace / "active" / f"{outcome.milestone_id}.yaml"
    folder = workspace / "deliverables" / outcome.milestone_id
    if not milestone.is_file():
        raise Stopped(f"The server ended without writing {milestone}.")
    screen.text()
    screen.title(f"Planned in {screen.seconds:.1f} s, without a model")
    screen.text()
    screen.fact("milestone", outcome.milestone_id)
    screen.fact("decisions", ", ".join(f"{decisions[kind]} {kind}" for kind in KINDS))
    screen.fact("tasks", ", ".join(f"{tasks[phase]} {phase}" for phase in _PHASES))
    troubles = [str(each["detail"]) for each in outcome.dependencies["troubles"]]
    screen.fact(
        "troubles", f"{len(troubles)} found between dependencies" if troubles else "none found between dependencies"
    )
    for trouble in troubles[:5]:
        screen.fact("", f"- {trouble}")
    screen.fact("plan", str(milestone))
    screen.fact("deliverables", str(folder))
    for file in sorted(folder.glob("*.md")):
        screen.fact("", f"- {file.name}")
    screen.text()
    screen.text(
        "No model was used: what is planned follows by rule from names, counts and declarations. "
        "In Claude Code, /milestone:plan does the same with agents that think."
    )
