"""Whether the parts of a plan hang together: ids, what they name, and who waits for whom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from milestone.domain.results import MilestonePlan


def plan_problems(plan: MilestonePlan) -> list[str]:
    """Return what contradicts itself in a plan."""
    tasks = {task.id for task in plan.tasks}
    decisions = {decision.id for decision in plan.decisions}
    problems: list[str] = []
    if len(tasks) < len(plan.tasks):
        problems.append("two tasks share an id")
    if len(decisions) < len(plan.decisions):
        problems.append("two decisions share an id")
    for task in plan.tasks:
        problems += [
            f"task {task.id}: depends_on names {t}, which is no task of the plan"
            for t in task.depends_on
            if t not in tasks
        ]
        problems += [
            f"task {task.id}: decisions names {d}, which is no decision of the plan"
            for d in task.decisions
            if d not in decisions
        ]
    loop = cycle({task.id: tuple(task.depends_on) for task in plan.tasks})
    if loop:
        problems.append(f"the tasks wait for each other in a circle: {' -> '.join(loop)}")
    return problems


def cycle(needs: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Return one circle in a graph of `id -> ids it needs`, first id repeated last; empty if there is none."""
    done: set[str] = set()
    for start in needs:
        path: list[str] = []
        trail = [iter((start,))]
        while trail:
            node = next(trail[-1], None)
            if node is None:
                trail.pop()
                if path:
                    done.add(path.pop())
            elif node in path:
                return (*path[path.index(node) :], node)
            elif node not in done and node in needs:
                path.append(node)
                trail.append(iter(needs[node]))
    return ()
