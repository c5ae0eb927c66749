"""The stand-ins: for each planning role what it reads, and the function that does the mechanical part of its work."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from milestone.domain.results import MilestonePlan, PlanningDependencies, PlanningResearch, PlanningScope
from milestone.surfaces.rehearse.dependencies import planning_dependencies
from milestone.surfaces.rehearse.documents import planning_documentation
from milestone.surfaces.rehearse.listing import Project, list_files
from milestone.surfaces.rehearse.planner import milestone_plan
from milestone.surfaces.rehearse.research import planning_research
from milestone.surfaces.rehearse.scope import planning_scope

Values = Mapping[str, Any]
Work = Callable[[Project, Values], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class StandIn:
    """A role without a model: its name on the screen, the keys it loads first, and its work."""

    name: str
    needs: tuple[str, ...]
    work: Work


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a stand-in is, as its brief says."""

    agent_id: str
    token: str
    task_id: str
    milestone_id: str = ""


class NoIdentity(Exception):
    """A brief does not say who the agent is."""


def identity(brief: str) -> Identity:
    """Return what a brief says about the agent it is for.

    >>> identity("You are one of us.\\nagent_id: a-1\\ntoken: t\\n  task_id: scope\\n")
    Identity(agent_id='a-1', token='t', task_id='scope', milestone_id='')

    Raises:
        NoIdentity: a line is missing.
    """
    # The first line counts: words of a person may stand further down.
    said = {name: re.search(rf"^[ \t*-]*{name}:[ \t]*`?([^\s`]+)`?[ \t]*$", brief, re.MULTILINE) for name in _LINES}
    missing = [name for name, found in said.items() if found is None and name != "milestone_id"]
    if missing:
        raise NoIdentity(f"The brief has no line with {' and '.join(missing)}.")
    return Identity(**{name: found[1] for name, found in said.items() if found})


_LINES = ("agent_id", "token", "task_id", "milestone_id")


def _scope(project: Project, _: Values) -> dict[str, Any]:
    return {"planning-scope": planning_scope(project.name, list_files(project)).model_dump()}


def _dependencies(project: Project, _: Values) -> dict[str, Any]:
    return {"planning-dependencies": planning_dependencies(list_files(project)).model_dump()}


def _research(_: Project, __: Values) -> dict[str, Any]:
    return {"planning-research": planning_research().model_dump()}


def _three(values: Values) -> tuple[PlanningScope, PlanningResearch, PlanningDependencies]:
    return (
        PlanningScope.model_validate(values["planning-scope"]),
        PlanningResearch.model_validate(values["planning-research"]),
        PlanningDependencies.model_validate(values["planning-dependencies"]),
    )


def _plan(_: Project, values: Values) -> dict[str, Any]:
    return {"milestone-plan": milestone_plan(*_three(values)).model_dump()}


def _document(_: Project, values: Values) -> dict[str, Any]:
    plan = MilestonePlan.model_validate(values["milestone-plan"])
    # The order counts: the marker says that everything before it is saved.
    return {
        "planning-documentation": planning_documentation(*_three(values), plan).model_dump(),
        "planning-complete": True,
    }


THREE = ("planning-scope", "planning-research", "planning-dependencies")
STAND_INS: Mapping[str, StandIn] = {
    "infra-context-discovery": StandIn("scope", (), _scope),
    "research-orchestrator": StandIn("research", (), _research),
    "infra-dependency-manager": StandIn("dependencies", (), _dependencies),
    "project-milestone-planner": StandIn("planner", THREE, _plan),
    "doc-architecture-designer": StandIn("documenter", (*THREE, "milestone-plan"), _document),
}
