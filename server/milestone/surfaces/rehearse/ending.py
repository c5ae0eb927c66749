"""The last screen of a rehearsal: what was planned, what was carried out, what proves it, and where it lies."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from milestone.surfaces.rehearse.clone import log
from milestone.surfaces.rehearse.host import Stopped, Tools
from milestone.surfaces.rehearse.listing import count, shown
from milestone.surfaces.rehearse.planner import KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from milestone.surfaces.rehearse.planning import Planned
    from milestone.surfaces.rehearse.screen import Screen
    from milestone.surfaces.rehearse.stage import Stage

REPORT = "final_report.md"
MOST = 4
_PHASES = ("design", "spec", "task", "execute")
_MOST_DRIFT, _LINE = 3, 62
_NONE = "Every decision is honoured."
# How the server writes a task in one line; evidence begins with the same id.
_TASK = re.compile(r"(\S+) \[\S+ \d+\] (\w+): ")


@dataclass(frozen=True, slots=True)
class Carried:
    """What the server says of a milestone that was carried out, and how often its gates passed and failed."""

    answer: Mapping[str, Any]
    repository: Mapping[str, Any]
    tasks: Sequence[str]
    evidence: Sequence[str]
    drift: Sequence[str]
    gates: Mapping[str, int]


async def ask(tools: Tools, milestone_id: str, gates: Mapping[str, int]) -> Carried:
    """Return what the server says of a milestone at its end."""
    status = await tools.call("git_milestone", action="status", milestone_id=milestone_id)
    return Carried(
        answer=await tools.call("get_milestone", milestone_id=milestone_id),
        repository=next(one for one in status["repositories"] if not one["name"]),
        tasks=await tools.pages(milestone_id, "tasks"),
        evidence=await tools.pages(milestone_id, "evidence"),
        drift=await tools.pages(milestone_id, "drift"),
        gates=gates,
    )


def between(screen: Screen, planned: Planned) -> None:
    """Show that the planning is over."""
    screen.text()
    screen.title(f"Planned after {screen.seconds:.1f} s; now it is carried out")
    screen.text()
    _plan(screen, planned)
    screen.text()


def planned(screen: Screen, stage: Stage, planned: Planned) -> None:
    """Show what was planned, where nothing was carried out.

    Raises:
        Stopped: it was not written.
    """
    milestone_id = planned.milestone_id
    milestone = _written(stage, f"active/{milestone_id}.yaml")
    folder = stage.settings.workspace / "deliverables" / milestone_id
    screen.text()
    screen.title(f"Planned in {screen.seconds:.1f} s, without a model")
    screen.text()
    screen.fact("milestone", milestone_id)
    _plan(screen, planned)
    screen.fact("plan", str(milestone))
    screen.fact("deliverables", str(folder))
    for file in sorted(folder.glob("*.md")):
        screen.fact("", f"- {file.name}")
    screen.text()
    if stage.left_out:
        screen.text(f"Not carried out: {stage.left_out}")
        screen.text()
    screen.text(
        "No model was used: what is planned follows by rule from names, counts and declarations. "
        "In Claude Code, /milestone:plan does the same with agents that think."
    )


def carried_out(screen: Screen, stage: Stage, planned: Planned, carried: Carried) -> None:
    """Show what was carried out, what proves it, and where it lies.

    Raises:
        Stopped: it was not written.
    """
    milestone_id, progress = planned.milestone_id, carried.answer["progress"]
    written = _written(stage, f"completed/{milestone_id}.yaml")
    report = _written(stage, f"deliverables/{milestone_id}/{REPORT}")
    shares = ", ".join(f"{phase} {share:g}" for phase, share in progress["by_phase"].items())
    screen.text()
    screen.title(f"Planned and carried out in {screen.seconds:.1f} s, without a model")
    screen.text()
    screen.fact("milestone", f"{milestone_id}, {carried.answer['status']}")
    screen.fact("progress", f"{progress['overall']:g} % proven ({shares})")
    screen.fact("tasks", _tasks(carried))
    screen.fact("gates", _gates(carried.gates))
    _branch(screen, stage, carried.repository)
    _drift(screen, planned, carried.drift)
    screen.fact("plan", str(written))
    screen.fact("report", str(report))
    screen.text()
    screen.text(
        "No model was used: what was planned follows by rule, and what was carried out is notes on it. Nothing was "
        "pushed. In Claude Code, /milestone:plan and /milestone:execute do the same with agents that think."
    )


def told(screen: Screen, stage: Stage, planned: Planned, carried: Carried | None) -> dict[str, Any]:
    """Return how a rehearsal ended, for programs; the folders are those of the rehearsal."""
    milestone_id, workspace = planned.milestone_id, stage.settings.workspace
    return {
        "milestone_id": milestone_id,
        "status": str(carried.answer["status"]) if carried else "planned",
        "percentage": carried.answer["progress"]["overall"] if carried else 0,
        "seconds": round(screen.seconds, 1),
        "plan": str(workspace / ("completed" if carried else "active") / f"{milestone_id}.yaml"),
        "deliverables": str(workspace / "deliverables" / milestone_id),
        "gates": dict(carried.gates) if carried else {},
    }


def _plan(screen: Screen, planned: Planned) -> None:
    decisions = Counter(str(each["kind"]) for each in planned.plan["decisions"])
    tasks = Counter(str(each["phase"]) for each in planned.plan["tasks"])
    screen.fact("decisions", ", ".join(f"{decisions[kind]} {kind}" for kind in KINDS))
    screen.fact("tasks", ", ".join(f"{tasks[phase]} {phase}" for phase in _PHASES))
    troubles = [str(each["detail"]) for each in planned.dependencies["troubles"]]
    screen.fact(
        "troubles", f"{len(troubles)} found between dependencies" if troubles else "none found between dependencies"
    )
    for trouble in troubles[:5]:
        screen.fact("", f"- {trouble}")


def _tasks(carried: Carried) -> str:
    """Return how many tasks of the execution ended in which way, and how many of them have evidence."""
    states = {found[1]: found[2] for line in carried.tasks if (found := _TASK.match(line))}
    proofs = [name for line in carried.evidence if (name := line.partition(": ")[0]) in states]
    ended = ", ".join(f"{number} {status}" for status, number in Counter(states.values()).most_common())
    return f"{ended}; {count(len(proofs), 'piece')} of evidence prove {len(set(proofs))} of them"


def _gates(gates: Mapping[str, int]) -> str:
    passed, failed = gates.get("passed", 0), gates.get("failed", 0)
    if not passed + failed:
        return "none ran"
    return f"{count(passed + failed, 'run')}: {passed} passed" + (f", {failed} refused on purpose" if failed else "")


def _branch(screen: Screen, stage: Stage, repository: Mapping[str, Any]) -> None:
    commits = log(stage.repository, stage.settings.environ, repository["base"], repository["branch"])
    screen.fact("branch", f"{repository['branch']}, {count(len(commits), 'commit')} on {repository['base'][:12]}")
    for line in commits[:MOST]:
        screen.fact("", line)
    if len(commits) > MOST:
        screen.fact("", f"and {len(commits) - MOST} more")
    screen.fact("", f"in {stage.repository}")


def _drift(screen: Screen, planned: Planned, drift: Sequence[str]) -> None:
    """Show what the server finds, and what its rule cannot see: that a change was only written down."""
    changes = sum(each["kind"] != "keep" for each in planned.plan["decisions"])
    if drift == [_NONE]:
        made = f"; but {count(changes, 'change')} written down, not made" if changes else ""
        screen.fact("drift", f"none by the server's rule{made}")
        return
    screen.fact("drift", f"{len(drift)} found; the report names them in full")
    for sentence in drift[:_MOST_DRIFT]:
        screen.fact("", f"- {shown(sentence, _LINE)}")


def _written(stage: Stage, path: str) -> Path:
    file = stage.settings.workspace / path
    if not file.is_file():
        raise Stopped(f"The server ended without writing {file}.")
    return file
