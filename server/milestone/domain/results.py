"""The shapes of what agents deliver in planning, one model for each state key, and the check of both modes' keys.

The prompts show these shapes, `save_agent_state` checks them, `complete_task` relies on them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from milestone.domain.errors import Refusal
from milestone.domain.execution_results import EXECUTION_SHAPES, ErrorInfo
from milestone.domain.plans import plan_problems
from milestone.domain.shapes import Document, Finding, Kiro, Level, Name, Phase, Place, Risk, Shape, Text

_SHOWN = 8


class Part(Shape):
    """A functional part of the code base and where its boundary runs."""

    name: Text
    purpose: Text
    places: list[Place] = Field(min_length=1)


class Candidate(Shape):
    """A first Keep, Improve, Remove or Originate reading of one thing."""

    kind: Kiro
    what: Text
    reason: Text
    places: list[Place] = Field(default=[])


class PlanningScope(Shape):
    """`planning-scope`: what is there today."""

    summary: Text
    languages: list[Text]
    parts: list[Part]
    patterns: list[Finding]
    capabilities: list[Finding]
    constraints: list[Finding]
    candidates: list[Candidate] = Field(min_length=1)
    unknowns: list[Text] = Field(default=[])


class Source(Shape):
    """Where a research finding comes from."""

    title: Text
    reference: Text
    checked: bool


class Option(Shape):
    """One way to solve the problem, weighed."""

    name: Text
    summary: Text
    advantages: list[Text]
    disadvantages: list[Text]


class PlanningResearch(Shape):
    """`planning-research`: how others solve it, turned into things to do."""

    summary: Text
    practices: list[Text]
    options: list[Option]
    recommendation: Text
    actions: list[Text]
    candidates: list[Candidate]
    sources: list[Source]
    not_checked: list[Text]


class Dependency(Shape):
    """One declared dependency."""

    name: Text
    declared: str
    manifest: Text
    risk: Level
    note: str = ""


class Trouble(Shape):
    """A vulnerability, an outdated version or a conflict between dependencies."""

    kind: Literal["vulnerable", "outdated", "conflict", "unmaintained", "licence"]
    dependencies: list[Text] = Field(min_length=1)
    detail: Text
    proposal: Text


class PlanningDependencies(Shape):
    """`planning-dependencies`: what the project stands on."""

    summary: Text
    manifests: list[Text]
    dependencies: list[Dependency]
    troubles: list[Trouble]
    candidates: list[Candidate]
    not_checked: list[Text]


class Decision(Shape):
    """A KIRO decision; tasks cite it by its id."""

    id: Name
    kind: Kiro
    what: Text
    reason: Text
    source: Literal["scope", "research", "dependencies", "person"]
    places: list[Place] = Field(default=[])


class PlannedTask(Shape):
    """A unit of work of the plan.

    Without `agent_type` the playbook's agent of the phase carries it out; without `repository` it belongs to the
    project's own.
    """

    id: Name
    title: Text
    phase: Phase
    weight: int = Field(ge=1, le=100)
    depends_on: list[Name]
    paths: list[Text]
    evidence: list[Text] = Field(min_length=1)
    decisions: list[Name]
    agent_type: Name | None = None
    repository: Name | Literal[""] = ""


class Estimates(Shape):
    """Effort for each phase, in hours of active work."""

    design: float = Field(gt=0)
    spec: float = Field(gt=0)
    task: float = Field(gt=0)
    execute: float = Field(gt=0)


class Objectives(Shape):
    """What the milestone is for, and how its success shows."""

    primary: Text
    secondary: list[Text]
    success_criteria: list[Text] = Field(min_length=1)


class Scope(Shape):
    """What belongs to the milestone and what does not."""

    included: list[Text] = Field(min_length=1)
    excluded: list[Text]
    constraints: list[Text]


class Requirements(Shape):
    """Other milestones this one needs, or holds up."""

    requires: list[Text] = Field(default=[])
    blocks: list[Text] = Field(default=[])


class Stage(Shape):
    """One line of the time line."""

    stage: Text
    duration: Text
    outcome: Text


class MilestonePlan(Shape):
    """`milestone-plan`: the decisions, the tasks that serve them, and what they cost."""

    summary: Text
    objectives: Objectives
    scope: Scope
    decisions: list[Decision] = Field(min_length=1)
    tasks: list[PlannedTask] = Field(min_length=1)
    estimates: Estimates
    timeline: list[Stage]
    risks: list[Risk]
    dependencies: Requirements = Requirements()

    @model_validator(mode="after")
    def _hangs_together(self) -> MilestonePlan:
        problems = plan_problems(self)
        if problems:
            raise ValueError("; ".join(problems))
        return self


class Record(Shape):
    """One entry of the architecture decision record."""

    decision: Name
    title: Text
    context: Text
    choice: Text
    consequences: list[Text]


class PlanningDocumentation(Shape):
    """`planning-documentation`: every planning decision with its reason, as files that people read."""

    summary: Text
    records: list[Record] = Field(min_length=1)
    risks: list[Risk]
    files: list[Document] = Field(min_length=1)


PLANNING_SHAPES: Mapping[str, Any] = {
    "planning-scope": PlanningScope,
    "planning-research": PlanningResearch,
    "planning-dependencies": PlanningDependencies,
    "milestone-plan": MilestonePlan,
    "planning-documentation": PlanningDocumentation,
    "planning-complete": Literal[True],
}
SHAPES: Mapping[str, Any] = {**PLANNING_SHAPES, **EXECUTION_SHAPES, "error-info": ErrorInfo}


def mismatch(key: str, value: Any) -> None:
    """Check a value against the shape of its key; keys without a shape take any JSON.

    Raises:
        Refusal: it does not fit; the places in the value are named.
    """
    shape = SHAPES.get(key)
    if shape is None:
        return
    try:
        TypeAdapter(shape).validate_python(value)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False)
        shown = "; ".join(
            f"{'.'.join(str(part) for part in ('value', *problem['loc']))}: {problem['msg']}"
            for problem in problems[:_SHOWN]
        )
        more = f"; and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
        raise Refusal(
            f"The value does not have the shape of {key!r}: {shown}{more}",
            remedy="Mend these places and save it again.",
        ) from None
