"""The shapes of what agents deliver while a milestone is carried out: one model for each state key of execution."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from milestone.domain.milestones import PHASES
from milestone.domain.shapes import Document, Finding, Level, Name, Phase, Place, Shape, Text
from milestone.domain.text import ID_LIMIT, KEY

TaskId = Annotated[str, Field(pattern=KEY, max_length=ID_LIMIT)]
Count = Annotated[int, Field(ge=0)]
TestLevel = Literal["unit", "integration", "api"]
LEVELS: tuple[TestLevel, ...] = ("unit", "integration", "api")


class PhaseFocus(Shape):
    """What matters in one phase, and what could go wrong there."""

    phase: Phase
    focus: Text
    watch: list[Text]


class ExecutionBrief(Shape):
    """`execution-brief`: the plan, told for those who carry it out."""

    summary: Text
    phases: list[PhaseFocus]
    concerns: list[Text]

    @model_validator(mode="after")
    def _each_phase_once(self) -> ExecutionBrief:
        _refuse(_twice("phase", (one.phase for one in self.phases)))
        return self


class PhaseResults(Shape):
    """`<phase>-phase-results`: what one role contributes to a phase, and what the next phase must know."""

    summary: Text
    findings: list[Finding]
    outcomes: list[Text]
    files: list[Document]
    handover: list[Text]
    concerns: list[Text]

    @model_validator(mode="after")
    def _files_do_not_hide_each_other(self) -> PhaseResults:
        _refuse(_twice("file", (one.name for one in self.files)))
        return self


class PartialResults(Shape):
    """`<phase>-partial`: what the next phase may already build on."""

    summary: Text
    ready: list[Text] = Field(min_length=1)


class Check(Shape):
    """One piece of evidence of a task: how it was checked, and whether it holds."""

    evidence: Text
    how: Text
    met: bool


class Honoured(Shape):
    """Whether a decision that a task cites shows in what was done."""

    id: Name
    honoured: bool
    how: Text


class TaskReport(Shape):
    """`task-report`: what was changed for a task, and what speaks for it."""

    summary: Text
    changed: list[Text]
    checks: list[Check]
    decisions: list[Honoured]
    concerns: list[Text]
    files: list[Document] = Field(default=[])

    @model_validator(mode="after")
    def _hangs_together(self) -> TaskReport:
        _refuse(
            _twice("decision", (one.id for one in self.decisions)),
            _twice("file", (one.name for one in self.files)),
        )
        return self


class Objection(Shape):
    """Something a reviewer found, and how much it matters."""

    severity: Level
    statement: Text
    places: list[Place]


class Review(Shape):
    """`review`: the judgement of somebody else on the work of one task."""

    task_id: TaskId
    verdict: Literal["approved", "changes_requested"]
    summary: Text
    findings: list[Objection]

    @model_validator(mode="after")
    def _changes_are_named(self) -> Review:
        if self.verdict == "changes_requested" and not self.findings:
            _refuse(["changes_requested needs at least one finding that says what to change"])
        return self


class LevelPlan(Shape):
    """Whether one level of tests is needed, and what it has to show."""

    level: TestLevel
    needed: bool
    reason: Text
    paths: list[Text]
    cases: list[Text]


class StrategyOfTests(Shape):
    """`test-strategy`: which levels of tests the milestone needs; each becomes a task or is skipped."""

    summary: Text
    levels: list[LevelPlan]

    @model_validator(mode="after")
    def _every_level_is_decided(self) -> StrategyOfTests:
        given = [one.level for one in self.levels]
        _refuse(
            _twice("level", given),
            [f"the level {level} is missing" for level in LEVELS if level not in given],
            [
                f"the level {one.level} is needed, so it has paths and cases"
                for one in self.levels
                if one.needed and not (one.paths and one.cases)
            ],
        )
        return self


class LevelResults(Shape):
    """What a run of one level of tests gave; `coverage` in percent, or nothing where it was not measured."""

    level: TestLevel
    run: Count
    passed: Count
    failed: Count
    skipped: Count
    console_clean: bool
    coverage: Annotated[float, Field(ge=0, le=100)] | None


class ResultsOfTests(Shape):
    """`test-results`: what the tests of all levels gave, and what they do not reach."""

    summary: Text
    levels: list[LevelResults]
    gaps: list[Text]

    @model_validator(mode="after")
    def _counts_add_up(self) -> ResultsOfTests:
        _refuse(
            _twice("level", (one.level for one in self.levels)),
            [
                f"{one.level}: {one.run} run, but {one.passed} passed, {one.failed} failed, {one.skipped} skipped"
                for one in self.levels
                if one.run != one.passed + one.failed + one.skipped
            ],
        )
        return self


class Violations(Shape):
    """How many violations of one kind there were, are mended, and are left."""

    kind: Literal["lint", "format", "security", "standards", "performance", "maintainability"]
    found: Count
    fixed: Count
    open: Count


class QualityMetrics(Shape):
    """`quality-metrics`: what an audit of the code counted."""

    summary: Text
    violations: list[Violations]
    concerns: list[Text]


class Pipeline(Shape):
    """A pipeline of the project's CI and how it stands."""

    name: Text
    file: Text
    status: Literal["passing", "failing", "unknown"]


class Failure(Shape):
    """Something in CI that fails or is going to; it becomes a task for a fixer."""

    id: Name
    title: Text
    kind: Literal["failing", "risk"]
    detail: Text
    paths: list[Text]
    proposal: Text


class CicdStatus(Shape):
    """`cicd-status`: whether what is built here would build and deploy elsewhere."""

    summary: Text
    pipelines: list[Pipeline]
    findings: list[Failure]
    deployment: Text

    @model_validator(mode="after")
    def _findings_can_be_told_apart(self) -> CicdStatus:
        _refuse(_twice("finding", (one.id for one in self.findings)))
        return self


class GitOperation(Shape):
    """Something that was done or found in Git; `reference` is the commit, branch or address it shows at."""

    what: Text
    reference: Text


class GitOperations(Shape):
    """`git-operations`: how the repository stands for the milestone."""

    summary: Text
    operations: list[GitOperation]
    concerns: list[Text]


class ErrorInfo(Shape):
    """`error-info`: why an attempt at a task ended without a result."""

    error: Text
    kind: Literal["error", "damaged", "impossible"]
    task_id: TaskId
    attempt: Count


EXECUTION_SHAPES: Mapping[str, Any] = {
    "execution-brief": ExecutionBrief,
    "ready-for-execution": Literal[True],
    **{f"{phase}-phase-results": PhaseResults for phase in PHASES},
    **{f"{phase}-partial": PartialResults for phase in PHASES},
    "task-report": TaskReport,
    "review": Review,
    "test-strategy": StrategyOfTests,
    "test-results": ResultsOfTests,
    "quality-metrics": QualityMetrics,
    "cicd-status": CicdStatus,
    "git-operations": GitOperations,
}


def _twice(what: str, names: Iterable[str]) -> list[str]:
    return [f"the {what} {name} stands there twice" for name, times in Counter(names).items() if times > 1]


def _refuse(*problems: list[str]) -> None:
    found = [problem for group in problems for problem in group]
    if found:
        raise ValueError("; ".join(found))
