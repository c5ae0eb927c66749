"""What the planner stand-in delivers: the candidates as decisions, and tasks that a stand-in can honestly carry out."""

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

    from milestone.domain.shapes import Phase

KINDS: tuple[Kiro, ...] = ("keep", "improve", "remove", "originate")
MOST_OF_A_KIND = 12
# So many changes get a task of their own; one more task serves the others.
ON_THEIR_OWN = 5
# Where notes lie: files that are nobody's, so that no source is ever changed.
NOTES = "milestone-rehearsal"
# Hours of work in the execute phase that one decision is counted with, by rule of thumb.
HOURS: Mapping[Kiro, float] = {"keep": 0.5, "improve": 2.0, "remove": 1.0, "originate": 4.0}
SHARES = {"design": 0.15, "spec": 0.25, "task": 0.20, "execute": 0.40}
NOTED = "the note names every decision that this task serves, with its reason and its places"
_WRITTEN = "a file of its own names every decision that this task serves"


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
            primary=f"Write down what was found by rule: {_counted(decisions)}.",
            secondary=["Have somebody who understands the code judge each decision before it is carried out."],
            success_criteria=[
                "Every decision is written down with its reason and its places.",
                f"Nothing but notes in {NOTES}/ is added, and the gates pass with each of them.",
            ],
        ),
        scope=Scope(
            included=[each.what for each in (changes or decisions)],
            excluded=[
                "Changes to what is there: a rehearsal writes notes on them.",
                "Whatever needs an understanding of the code, or research: neither was part of this rehearsal.",
            ],
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


def _tasks(decisions: list[Decision]) -> list[PlannedTask]:
    """Return tasks of all four phases; every decision is served by at least one."""
    kept = [each.id for each in decisions if each.kind == "keep"]
    changes = [each for each in decisions if each.kind != "keep"]
    changed = [each.id for each in changes]
    everything = [each.id for each in decisions]
    before: list[tuple[str, Phase, str, list[str], list[str]]] = [
        ("design-bounds", "design", "Settle what is kept and where its boundaries run", [], kept or everything),
        ("design-approach", "design", "Choose an approach for each change", [], changed or everything),
        ("spec-bounds", "spec", "Write what is promised of the kept parts", ["design-bounds"], everything),
        ("spec-acceptance", "spec", "Write what will accept each change", ["design-approach"], everything),
        ("task-order", "task", "Put the changes in order", ["spec-bounds", "spec-acceptance"], everything),
    ]
    carried_out = _changes(changes)
    last = [each.id for each in carried_out] or ["task-order"]
    verify = _noted("execute-verify", "Note what is kept, and what reaches it", last, kept or everything, 20)
    return [*(_written(*each) for each in before), *carried_out, verify]


def _changes(changes: list[Decision]) -> list[PlannedTask]:
    alone = changes if len(changes) == ON_THEIR_OWN + 1 else changes[:ON_THEIR_OWN]
    rest = changes[len(alone) :]
    tasks = [
        _noted(f"execute-{each.id}", f"Note what it takes: {each.what}", ["task-order"], [each.id], _weight([each]))
        for each in alone
    ]
    if rest:
        title = f"Note what the other {count(len(rest), 'change')} take"
        tasks.append(_noted("execute-rest", title, ["task-order"], [each.id for each in rest], _weight(rest)))
    return tasks


def _weight(changes: list[Decision]) -> int:
    return min(100, sum(int(HOURS[each.kind] * 10) for each in changes))


def _written(name: str, phase: Phase, title: str, needs: list[str], decisions: list[str]) -> PlannedTask:
    return PlannedTask(
        id=name,
        title=title,
        phase=phase,
        weight=20,
        depends_on=needs,
        paths=[],
        evidence=[_WRITTEN],
        decisions=decisions,
    )


def _noted(name: str, title: str, needs: list[str], decisions: list[str], weight: int) -> PlannedTask:
    return PlannedTask(
        id=name,
        title=title,
        phase="execute",
        weight=weight,
        depends_on=needs,
        paths=[f"{NOTES}/{name}.md"],
        evidence=[NOTED],
        decisions=decisions,
    )


def _estimates(decisions: Iterable[Decision]) -> Estimates:
    whole = sum(HOURS[each.kind] for each in decisions) / SHARES["execute"]
    return Estimates(**{phase: max(0.5, round(whole * share * 2) / 2) for phase, share in SHARES.items()})


def _timeline(estimates: Estimates) -> list[Stage]:
    outcomes = {
        "design": "the approach to each decision is settled",
        "spec": "promises and acceptance checks are written",
        "task": "the changes are ordered",
        "execute": "the changes are noted, and the gates pass with the notes",
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
