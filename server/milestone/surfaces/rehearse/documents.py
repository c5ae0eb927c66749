"""What the documenter stand-in delivers: the decisions with their reasons, as records and as files for people."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from milestone.domain.results import (
    Document,
    MilestonePlan,
    PlanningDependencies,
    PlanningDocumentation,
    PlanningResearch,
    PlanningScope,
    Record,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from milestone.domain.results import Decision, PlannedTask

NO_MODEL = "Written by stand-ins in a rehearsal: no model was used, and nothing here was judged by anybody."


def planning_documentation(
    scope: PlanningScope, research: PlanningResearch, dependencies: PlanningDependencies, plan: MilestonePlan
) -> PlanningDocumentation:
    """Return the decision record, the risks and the graph of the tasks."""
    records = [_record(each, plan.tasks) for each in plan.decisions]
    return PlanningDocumentation(
        summary=f"{len(records)} decisions and {len(plan.risks)} risks are recorded. {NO_MODEL}",
        records=records,
        risks=plan.risks,
        files=[
            Document(
                name="decision_record.md", title="Decision record", content=_decision_record(scope, plan, records)
            ),
            Document(name="risks.md", title="Risks", content=_risks(plan, research, dependencies)),
            Document(name="task_graph.md", title="Task graph", content=_task_graph(plan)),
        ],
    )


def _record(decision: Decision, tasks: Iterable[PlannedTask]) -> Record:
    serving = [task.id for task in tasks if decision.id in task.decisions]
    return Record(
        decision=decision.id,
        title=decision.what,
        context=f"{decision.reason} (found by the {decision.source} stand-in)",
        choice=decision.kind,
        consequences=[f"Served by {', '.join(serving)}."] if serving else [],
    )


def _decision_record(scope: PlanningScope, plan: MilestonePlan, records: list[Record]) -> str:
    places = {each.id: [f"{p.file}:{p.line}" if p.line else p.file for p in each.places] for each in plan.decisions}
    lines = ["# Decision record", "", NO_MODEL, "", plain(scope.summary), "", plain(plan.summary)]
    for record in records:
        lines += ["", f"## {record.decision}: {plain(record.title)}", "", f"- Choice: {record.choice}"]
        lines += [
            f"- Reason: {plain(record.context)}",
            *(f"- Place: {code(place)}" for place in places[record.decision][:10]),
        ]
        lines += [f"- {plain(each)}" for each in record.consequences]
    return "\n".join([*lines, ""])


def _risks(plan: MilestonePlan, research: PlanningResearch, dependencies: PlanningDependencies) -> str:
    lines = [
        "# Risks",
        "",
        NO_MODEL,
        "",
        "| risk | likelihood | impact | what is done about it |",
        "| --- | --- | --- | --- |",
    ]
    lines += [f"| {_cell(r.risk)} | {r.likelihood} | {r.impact} | {_cell(r.mitigation)} |" for r in plan.risks]
    lines += ["", "## Not checked", ""]
    lines += [f"- {plain(each)}" for each in (*research.not_checked, *dependencies.not_checked)]
    return "\n".join([*lines, ""])


def _task_graph(plan: MilestonePlan) -> str:
    lines = ["# Task graph", "", NO_MODEL, "", "```mermaid", "flowchart LR"]
    for phase in ("design", "spec", "task", "execute"):
        tasks = [task for task in plan.tasks if task.phase == phase]
        lines += [
            f"  subgraph {phase}-phase [{phase}]",
            *(f'    {task.id}["{_label(task.title)}"]' for task in tasks),
            "  end",
        ]
    lines += [f"  {need} --> {task.id}" for task in plan.tasks for need in task.depends_on]
    return "\n".join([*lines, "```", ""])


def plain(text: str) -> str:
    """Return text that no reader of Markdown takes for markup."""
    return re.sub(r"([\\`*_\[\]<>#|~])", r"\\\1", text)


def _cell(text: str) -> str:
    return plain(text).replace("\n", " ")


def code(text: str) -> str:
    fence = "``" if "`" in text else "`"
    return f"{fence} {text} {fence}" if fence == "``" else f"{fence}{text}{fence}"


def _label(text: str) -> str:
    return re.sub(r"[^\w .,:/()-]", " ", text)[:60]
