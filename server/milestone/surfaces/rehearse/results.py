"""What stand-ins save while a plan is carried out: for each key a value that follows by rule from the planning."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

from milestone.domain.execution_results import (
    LEVELS,
    CicdStatus,
    ExecutionBrief,
    GitOperation,
    GitOperations,
    LevelPlan,
    PhaseFocus,
    PhaseResults,
    Pipeline,
    QualityMetrics,
    ResultsOfTests,
    StrategyOfTests,
    Violations,
)
from milestone.domain.execution_results import TestLevel as Level
from milestone.domain.results import MilestonePlan, PlanningDependencies, PlanningScope
from milestone.domain.shapes import Document, Finding, Phase, Place
from milestone.surfaces.rehearse import kinds
from milestone.surfaces.rehearse.documents import NO_MODEL
from milestone.surfaces.rehearse.listing import Project, count, list_files, shown
from milestone.surfaces.rehearse.notes import note_of
from milestone.surfaces.rehearse.planner import NOTES
from milestone.surfaces.rehearse.survey import Seen, survey

if TYPE_CHECKING:
    from pydantic import BaseModel

    from milestone.surfaces.rehearse.orders import Order

MOST = 20
_MARKS = "marks (TODO, FIXME, XXX, HACK)"


@dataclass(frozen=True, slots=True)
class Facts:
    """What all stand-ins know: the plan, what it stands on, and the files as they were seen."""

    plan: MilestonePlan
    scope: PlanningScope
    dependencies: PlanningDependencies
    files: tuple[Seen, ...]

    def tests(self, level: Level) -> list[str]:
        """Return the files of tests of a level, told from the names of their folders; `unit` is what has no name."""
        return [shown(file.path) for file in self.files if file.test and _level(file.path) == level]


def gather(project: Project, plan: Any, scope: Any, dependencies: Any) -> Facts:
    """Return the facts: three values of the planning, and a look at the files."""
    return Facts(
        MilestonePlan.model_validate(plan),
        PlanningScope.model_validate(scope),
        PlanningDependencies.model_validate(dependencies),
        survey(list_files(project)).files,
    )


def result(key: str, order: Order, facts: Facts, repositories: Sequence[Mapping[str, Any]]) -> BaseModel | None:
    """Return what is saved under a key; nothing for a key that no rule fills. `repositories` is what Git says now."""
    if key.endswith("-phase-results"):
        return _phase_results(key.removesuffix("-phase-results"), order, facts, repositories)
    if key == "git-operations":
        return _git_operations(repositories)
    maker = _MAKERS.get(key)
    return maker(facts) if maker else None


def test_note_path(level: Level) -> str:
    """Return the file in which the tests of a level are listed."""
    return f"{NOTES}/tests-{level}.md"


def listed_tests(path: str, facts: Facts) -> list[str]:
    """Return what a note on tests lists, told from its path; nothing for other notes."""
    return [test for level in LEVELS if path == test_note_path(level) for test in facts.tests(level)]


def _level(path: str) -> Level:
    words = set(re.split(r"[/_.-]", path.lower()))
    if words & {"integration", "e2e", "functional", "system"}:
        return "integration"
    return "api" if words & {"api", "contract", "contracts"} else "unit"


def _brief(facts: Facts) -> ExecutionBrief:
    kept = [each for each in facts.plan.decisions if each.kind == "keep"]
    phases = [
        PhaseFocus(
            phase=phase,
            focus=", ".join(task.id for task in facts.plan.tasks if task.phase == phase) or "nothing of the plan",
            watch=[f"{each.id}: {each.what}" for each in kept[:MOST]],
        )
        for phase in get_args(Phase)
    ]
    return ExecutionBrief(summary=f"The plan, by its phases. {NO_MODEL}", phases=phases, concerns=[])


def _strategy(facts: Facts) -> StrategyOfTests:
    return StrategyOfTests(
        summary="Levels were told from the names of folders and files; no test was read.",
        levels=[_level_plan(level, len(facts.tests(level))) for level in LEVELS],
    )


def _level_plan(level: Level, number: int) -> LevelPlan:
    if not number:
        return LevelPlan(level=level, needed=False, reason="No test is named like one of it.", paths=[], cases=[])
    reason = f"{count(number, 'file is', 'files are')} named like tests of it."
    return LevelPlan(
        level=level, needed=True, reason=reason, paths=[test_note_path(level)], cases=["Every file of it is listed."]
    )


def _cicd(facts: Facts) -> CicdStatus:
    files = [file.path for file in facts.files if kinds.is_ci(file.path)]
    return CicdStatus(
        summary=f"{count(len(files), 'file')} of continuous integration, by name. None was run.",
        pipelines=[Pipeline(name=kinds.name_of(path), file=shown(path), status="unknown") for path in files[:MOST]],
        findings=[],
        deployment="Nothing is deployed, and no service was asked.",
    )


def _metrics(facts: Facts) -> QualityMetrics:
    marks = sum(len(file.marks) for file in facts.files)
    return QualityMetrics(
        summary=f"{marks} {_MARKS} were counted. Nothing else was measured.",
        violations=[Violations(kind="maintainability", found=marks, fixed=0, open=marks)] if marks else [],
        concerns=[NO_MODEL],
    )


def _test_results(_: Facts) -> ResultsOfTests:
    return ResultsOfTests(
        summary="No stand-in ran a test. What ran are the gates, and the server has their output.",
        levels=[],
        gaps=["No level of tests was run by itself, so nothing was counted."],
    )


def _git_operations(repositories: Sequence[Mapping[str, Any]]) -> GitOperations:
    operations = [
        GitOperation(what=f"{name} of {one['name'] or 'this repository'}", reference=str(one[field]))
        for one in repositories
        for name, field in (("branch", "branch"), ("base", "base"), ("tip", "tip"))
        if one.get(field)
    ]
    return GitOperations(
        summary="What the server says of the branches; nothing was done.", operations=operations, concerns=[]
    )


_MAKERS: Mapping[str, Callable[[Facts], BaseModel]] = {
    "execution-brief": _brief,
    "test-strategy": _strategy,
    "cicd-status": _cicd,
    "quality-metrics": _metrics,
    "test-results": _test_results,
}


def _phase_results(phase: str, order: Order, facts: Facts, repositories: Sequence[Mapping[str, Any]]) -> PhaseResults:
    contribution = _CONTRIBUTIONS.get(f"{phase} {order.role}") or _CONTRIBUTIONS.get(order.role)
    what, findings = contribution(facts) if contribution else ("Nothing that a rule could add.", [])
    changed = sum(int(one.get("files", 0)) for one in repositories)
    outcomes = [f"{count(changed, 'file differs', 'files differ')} from where the branch began."] if changed else []
    name = re.sub(r"[^a-z0-9_-]", "-", order.who.task_id.lower())[:64]
    text = note_of(order.title, [what, *outcomes, *(each.statement for each in findings)], "").text
    return PhaseResults(
        summary=f"{what} Listed by rule, without a model.",
        findings=findings,
        outcomes=outcomes,
        files=[Document(name=f"{name}.md", title=order.title, content=text)],
        handover=[what],
        concerns=[NO_MODEL],
    )


Contribution = tuple[str, list[Finding]]


def _parts(facts: Facts) -> Contribution:
    found = [Finding(statement=f"{each.name}: {each.purpose}", places=each.places) for each in facts.scope.parts[:MOST]]
    return f"{count(len(facts.scope.parts), 'part')} as the files show them.", found


def _declared(facts: Facts) -> Contribution:
    found = [Finding(statement=each, places=[Place(file=each)]) for each in facts.dependencies.manifests[:MOST]]
    return facts.dependencies.summary, found


def _owners(facts: Facts) -> Contribution:
    owned = [(task.id, path) for task in facts.plan.tasks for path in task.paths]
    found = [Finding(statement=f"{path} belongs to {name} alone", places=[Place(file=path)]) for name, path in owned]
    return f"{count(len(owned), 'file')} of the plan, each of one task.", found


def _tested(facts: Facts) -> Contribution:
    found = [Finding(statement=f"{level}: {count(len(facts.tests(level)), 'file')}") for level in LEVELS]
    return "Each change is tested by the gates, before it is merged.", found


_CONTRIBUTIONS: Mapping[str, Callable[[Facts], Contribution]] = {
    "infra-context-discovery": _parts,
    "doc-module-generator": _parts,
    "infra-dependency-manager": _declared,
    "infra-file-processor": _owners,
    "testing-orchestrator": _tested,
    "research-orchestrator": lambda _: ("No research was done: a rule can look up nothing.", []),
    "examples-generator": lambda _: ("No example was written: a rule cannot tell a good one.", []),
    "doc-api-documenter": lambda facts: ("What the project says that it offers.", facts.scope.capabilities[:MOST]),
    "design quality-enforcer": lambda facts: ("What the project declares of itself.", facts.scope.constraints[:MOST]),
    "execute quality-enforcer": lambda _: ("The whole change was counted, file by file.", []),
}
