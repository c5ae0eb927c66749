"""What the planner stand-in delivers: the candidates as decisions, and one task for each thing to change."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from milestone.domain.results import (
    Candidate,
    Decision,
    Estimates,
    Kiro,
    Level,
    MilestonePlan,
    Objectives,
    PlannedTask,
    PlanningDependencies,
    PlanningResearch,
    PlanningScope,
    Risk,
    Scope,
    Stage,
)
from milestone.surfaces.rehearse.listing import count

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Literal

KINDS: tuple[Kiro, ...] = ("keep", "improve", "remove", "originate")
MOST_OF_A_KIND = 12
# Hours of work in the execute phase that one decision is counted with, by rule of thumb.
HOURS: Mapping[Kiro, float] = {"keep": 0.5, "improve": 2.0, "remove": 1.0, "originate": 4.0}
SHARES = {"design": 0.15, "spec": 0.25, "task": 0.20, "execute": 0.40}
_EVIDENCE: Mapping[Kiro, str] = {
    "keep": "the tests that were green before are green after it",
    "improve": "a check that failed before the change passes after it",
    "remove": "what was removed is gone, and all tests are green without it",
    "originate": "what was missing is there, and a check fails without it",
}


def milestone_plan(
    scope: PlanningScope, research: PlanningResearch, dependencies: PlanningDependencies
) -> MilestonePlan:
    """Return the plan that follows by rule from the three results."""
    found: list[tuple[Literal["scope", "research", "dependencies"], Candidate]] = [
        *(("scope", each) for each in scope.candidates),
        *(("dependencies", each) for each in dependencies.candidates),
        *(("research", each) for each in research.candidates),
    ]
    decisions = _decisions(found)
    estimates = _estimates(decisions)
    changes = [each for each in decisions if each.kind != "keep"]
    return MilestonePlan(
        summary=_summary(decisions, len(found)),
        objectives=Objectives(
            primary=f"Act on what was found by rule: {_counted(decisions)}.",
            secondary=["Have somebody who understands the code judge each decision before it is carried out."],
            success_criteria=[*_criteria(decisions), "Everything that is kept still passes its tests."],
        ),
        scope=Scope(
            included=[each.what for each in (changes or decisions)],
            excluded=["Whatever needs an understanding of the code, or research: neither was part of this rehearsal."],
            constraints=[each.statement for each in scope.constraints],
        ),
        decisions=decisions,
        tasks=_tasks(decisions),
        estimates=estimates,
        timeline=_timeline(estimates),
        risks=_risks(scope, research, dependencies, len(found) - len(decisions)),
    )


def _decisions(found: Iterable[tuple[Literal["scope", "research", "dependencies"], Candidate]]) -> list[Decision]:
    number: Counter[Kiro] = Counter()
    decisions: list[Decision] = []
    for source, each in found:
        number[each.kind] += 1
        if number[each.kind] <= MOST_OF_A_KIND:
            name = f"{each.kind[0]}{number[each.kind]}"
            decision = Decision(
                id=name, kind=each.kind, what=each.what, reason=each.reason, source=source, places=each.places
            )
            decisions.append(decision)
    return sorted(decisions, key=lambda each: KINDS.index(each.kind))


def _counted(decisions: Iterable[Decision]) -> str:
    number = Counter(each.kind for each in decisions)
    return ", ".join(f"{number[kind]} to {kind}" for kind in KINDS)


def _summary(decisions: list[Decision], found: int) -> str:
    rest = f" {found - len(decisions)} more candidates were left out." if found > len(decisions) else ""
    return f"A plan made by rule, without a model: {_counted(decisions)}.{rest} Hours are rules of thumb."


def _criteria(decisions: Iterable[Decision]) -> list[str]:
    present = {each.kind for each in decisions}
    return [f"For each decision to {kind}: {_EVIDENCE[kind]}." for kind in KINDS[1:] if kind in present]


def _tasks(decisions: list[Decision]) -> list[PlannedTask]:
    """Return tasks of all four phases; every decision is served by at least one."""
    kept = [each.id for each in decisions if each.kind == "keep"]
    changes = [each for each in decisions if each.kind != "keep"]
    changed = [each.id for each in changes]
    everything = [each.id for each in decisions]
    tasks = [
        _task("design-bounds", "design", "Settle what is kept and where its boundaries run", [], kept or everything),
        _task("design-approach", "design", "Choose an approach for each change", [], changed or everything),
        _task(
            "spec-contracts",
            "spec",
            "Write the contracts of the kept parts that changes touch",
            ["design-bounds"],
            everything,
        ),
        _task(
            "spec-acceptance",
            "spec",
            "Write for each change the check that will accept it",
            ["design-approach"],
            everything,
        ),
        _task(
            "task-order",
            "task",
            "Put the changes in order and name the files of each",
            ["spec-contracts", "spec-acceptance"],
            everything,
        ),
        *(_change(each) for each in changes),
    ]
    last = [f"execute-{name}" for name in changed] or ["task-order"]
    return [
        *tasks,
        _task("execute-verify", "execute", "Show that everything kept still works", last, kept or everything),
    ]


_WRITTEN = {"design": "design_decisions.md", "spec": "technical_specs.md", "task": "execution_roadmap.md"}


def _task(
    name: str, phase: Literal["design", "spec", "task", "execute"], title: str, needs: list[str], decisions: list[str]
) -> PlannedTask:
    proof = f"{_WRITTEN[phase]} names every decision this task serves" if phase in _WRITTEN else _EVIDENCE["keep"]
    return PlannedTask(
        id=name, title=title, phase=phase, weight=20, depends_on=needs, paths=[], evidence=[proof], decisions=decisions
    )


def _change(decision: Decision) -> PlannedTask:
    # A name that had to be escaped to be shown is no path any more.
    paths = dict.fromkeys(place.file for place in decision.places if "\\" not in place.file and "…" not in place.file)
    return PlannedTask(
        id=f"execute-{decision.id}",
        title=decision.what,
        phase="execute",
        weight=int(HOURS[decision.kind] * 10),
        depends_on=["task-order"],
        paths=list(paths)[:20],
        evidence=[_EVIDENCE[decision.kind]],
        decisions=[decision.id],
    )


def _estimates(decisions: Iterable[Decision]) -> Estimates:
    whole = sum(HOURS[each.kind] for each in decisions) / SHARES["execute"]
    return Estimates(**{phase: max(0.5, round(whole * share * 2) / 2) for phase, share in SHARES.items()})


def _timeline(estimates: Estimates) -> list[Stage]:
    outcomes = {
        "design": "the approach to each decision is settled",
        "spec": "contracts and acceptance checks are written",
        "task": "the changes are ordered",
        "execute": "the changes are made and proven",
    }
    hours: dict[str, float] = estimates.model_dump()
    return [
        Stage(stage=phase, duration=f"about {hours[phase]:g} h", outcome=outcome) for phase, outcome in outcomes.items()
    ]


def _risks(
    scope: PlanningScope, research: PlanningResearch, dependencies: PlanningDependencies, left_out: int
) -> list[Risk]:
    untested = sum(each.kind == "improve" for each in scope.candidates)
    loose = sum(each.risk == "high" for each in dependencies.dependencies)
    found = [_risk("Decisions follow by rule, not from understanding", "high", "high", "Let somebody judge each.")]
    if not research.sources:
        found.append(_risk("The plan rests on no research", "high", "high", research.recommendation))
    if untested:
        what = f"{count(untested, 'part')} without tests may break unseen"
        found.append(_risk(what, "medium", "high", "Write the tests first."))
    if loose:
        what = f"{count(loose, 'dependency takes', 'dependencies take')} any version"
        found.append(_risk(what, "medium", "medium", "Give each a range."))
    if dependencies.dependencies:
        what = "Dependencies may have known weaknesses"
        found.append(_risk(what, "medium", "high", "Ask a vulnerability database."))
    if left_out:
        what = f"{count(left_out, 'candidate')} left out of the plan"
        found.append(_risk(what, "high", "low", "Plan them in a milestone of their own."))
    return found + [_risk(each.detail, "high", "medium", each.proposal) for each in dependencies.troubles[:10]]


def _risk(risk: str, likelihood: Level, impact: Level, mitigation: str) -> Risk:
    return Risk(risk=risk, likelihood=likelihood, impact=impact, mitigation=mitigation)
