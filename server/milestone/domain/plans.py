"""Whether the parts of a plan hang together: ids, what they name, and who waits for whom."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from milestone.domain.milestones import PHASES
from milestone.domain.text import clip

if TYPE_CHECKING:
    from milestone.domain.results import MilestonePlan

_ORDER = {phase: ordinal for ordinal, phase in enumerate(PHASES)}
_PHASES = ", ".join(PHASES)
_ID = re.compile(r"(?!.*\.\.)[a-z0-9][a-z0-9_.-]{0,63}(?<!\.)(?<!\.lock)")  # it becomes part of a branch's name
_OUTSIDE = re.compile(r"[/\\]|[A-Za-z]:|(.*[/\\])?\.\.([/\\]|$)", re.DOTALL)
_SERVED = ("improve", "remove", "originate")
_KINDS = ("keep", *_SERVED)
_HEAVIEST = 100
_LONGEST = 100_000  # hours
_SHOWN = 64

_TEXT = "a text"
_LIST = "a list"
_SOME = "a list of at least one"
_TEXTS = "a list of texts, at least one"
_FIELDS = "a mapping of its fields"
_HOURS = "a mapping of each phase to its hours"
_WEIGHT = "a whole number from 1 to 100"

_Entry = tuple[str, Mapping[Any, Any]]


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


def readiness(plan: Any, known_milestones: Collection[str], own_id: str = "") -> list[str]:
    """Return everything that keeps a plan from being carried out, each with its place and how to mend it.

    `plan` is JSON and may be broken in any way. `dependencies.requires` may name `known_milestones`, but not `own_id`.
    """
    if not isinstance(plan, Mapping):
        return ["the plan must be a mapping of its sections; plan the milestone anew"]
    sections = cast("Mapping[Any, Any]", plan)
    tasks, decisions = _entries(sections, "tasks"), _entries(sections, "decisions")
    return [
        *_sections(sections),
        *_estimates(sections),
        *_decisions(decisions, tasks),
        *_tasks(tasks, decisions),
        *_order(tasks),
        *_milestones(sections, known_milestones, own_id),
    ]


def leads_out(path: str) -> bool:
    """Return whether a path is empty, absolute, or climbs out of the repository.

    >>> leads_out("src/"), leads_out("../x"), leads_out("/etc")
    (False, True, True)
    """
    return not path.strip() or _OUTSIDE.match(path) is not None


def cycle(needs: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Return one circle in a graph of `id -> ids it needs`, first id repeated last; empty if there is none.

    >>> cycle({"a": ("b",), "b": ("c", "a")}), cycle({"a": ("b",)})
    (('a', 'b', 'a'), ())
    """
    done: set[str] = set()
    for start in needs:
        path: dict[str, None] = {}  # keeps its order, and knows its members
        trail = [iter((start,))]
        while trail:
            node = next(trail[-1], None)
            if node is None:
                trail.pop()
                if path:
                    done.add(path.popitem()[0])
            elif node in path:
                around = list(path)
                return (*around[around.index(node) :], node)
            elif node not in done and node in needs:
                path[node] = None
                trail.append(iter(needs[node]))
    return ()


def _sections(plan: Mapping[Any, Any]) -> Iterator[str]:
    yield from _lacking(
        plan,
        "",
        {"summary": _TEXT, "decisions": _SOME, "tasks": _SOME, "timeline": _LIST, "risks": _LIST}
        | {"objectives": _FIELDS, "scope": _FIELDS, "estimates": _HOURS},
    )
    yield from _lacking(_inner(plan, "objectives"), "objectives.", {"primary": _TEXT, "success_criteria": _TEXTS})
    yield from _lacking(_inner(plan, "scope"), "scope.", {"included": _TEXTS})
    for name in ("decisions", "tasks"):
        for at, entry in enumerate(_list(plan.get(name))):
            if not isinstance(entry, Mapping):
                yield f"{name}[{at}] must be a mapping of its fields; write it anew or take it out"


def _estimates(plan: Mapping[Any, Any]) -> Iterator[str]:
    estimates = _inner(plan, "estimates")
    for phase in PHASES:
        if estimates is not None and not _is_effort(estimates.get(phase)):
            yield f"estimates.{phase} must be a number of hours above 0, at most {_LONGEST:,}; estimate the phase"


def _decisions(decisions: Sequence[_Entry], tasks: Sequence[_Entry]) -> Iterator[str]:
    yield from _twice(decisions, "the decisions")
    cited = {name for _, task in tasks for name in _names(task.get("decisions"))}
    for at, decision in decisions:
        yield from _lacking(decision, f"{at}.", {"id": _TEXT, "what": _TEXT, "reason": _TEXT})
        kind, name = decision.get("kind"), decision.get("id")
        if kind not in _KINDS:
            yield f"{at}.kind must be one of {', '.join(_KINDS)}"
        elif kind in _SERVED and isinstance(name, str) and name not in cited:
            yield f"{at}: no task serves this {kind} decision; cite {_show(name)} in the decisions of a task"


def _tasks(tasks: Sequence[_Entry], decisions: Sequence[_Entry]) -> Iterator[str]:
    yield from _twice(tasks, "the tasks")
    known = {decision.get("id") for _, decision in decisions if isinstance(decision.get("id"), str)}
    for at, task in tasks:
        yield from _lacking(task, f"{at}.", {"title": _TEXT, "depends_on": _LIST, "decisions": _LIST, "paths": _LIST})
        yield from _lacking(task, f"{at}.", {"evidence": _TEXTS, "weight": _WEIGHT})
        name = task.get("id")
        if not isinstance(name, str) or not _ID.fullmatch(name):
            yield f"{at}.id must be a name of small letters, digits, '-', '_' and '.', since it names a branch"
        if _place(task) < 0:
            yield f"{at}.phase must be one of {_PHASES}"
        for decision in _list(task.get("decisions")):
            if not isinstance(decision, str) or decision not in known:
                yield f"{at}.decisions names {_show(decision)}, which is no decision of the plan; mend or remove it"
        for path in _list(task.get("paths")):
            if not isinstance(path, str) or leads_out(path):
                yield f"{at}.paths holds {_show(path)}; give a path inside the repository, without '..'"


def _order(tasks: Sequence[_Entry]) -> Iterator[str]:
    """Yield what is wrong about who waits for whom."""
    by_name = {task["id"]: task for _, task in tasks if isinstance(task.get("id"), str)}
    for at, task in tasks:
        for need in _list(task.get("depends_on")):
            other = by_name.get(need) if isinstance(need, str) else None
            if other is None:
                yield f"{at}.depends_on names {_show(need)}, which is no task of the plan; mend or remove it"
                continue
            if 0 <= _place(task) < _place(other):
                yield (
                    f"{at}.depends_on names {_show(need)} of the later phase {other['phase']}, so it could not start "
                    "in its own; move one of the two, or remove the dependency"
                )
    loop = cycle({name: _names(task.get("depends_on")) for name, task in by_name.items()})
    if loop:
        around = " -> ".join(map(_show, loop))
        yield f"tasks wait for each other in a circle: {around}; remove one of these dependencies"


def _milestones(plan: Mapping[Any, Any], known: Collection[str], own: str) -> Iterator[str]:
    dependencies = plan.get("dependencies", {})
    if not isinstance(dependencies, Mapping):
        yield "dependencies must be a mapping with the lists requires and blocks; write it anew"
        return
    requires = cast("Mapping[Any, Any]", dependencies).get("requires", [])
    if not isinstance(requires, list):
        yield "dependencies.requires must be a list of milestone ids; write it anew"
    for name in _list(requires):
        if isinstance(name, str) and own and name == own:
            yield "dependencies.requires names this milestone itself; remove it"
        elif not isinstance(name, str) or name not in known:
            yield (
                f"dependencies.requires names {_show(name)}, which is no milestone of this project; give the id of "
                "one, or remove it"
            )


def _lacking(fields: Mapping[Any, Any] | None, at: str, wanted: Mapping[str, str]) -> Iterator[str]:
    """Yield each wanted field that is missing or not what it should be."""
    if fields is None:
        return
    for name, what in wanted.items():
        if name not in fields:
            yield f"{at}{name} is missing; give {what}"
        elif not _CHECKS[what](fields[name]):
            yield f"{at}{name} must be {what}"


def _twice(entries: Sequence[_Entry], who: str) -> Iterator[str]:
    places: dict[str, list[str]] = {}
    for at, entry in entries:
        name = entry.get("id")
        if isinstance(name, str):
            places.setdefault(name, []).append(at.partition(" ")[0])
    for name, found in places.items():
        if len(found) > 1:
            yield f"{who} {', '.join(found)} share the id {_show(name)}; rename all but one"


def _entries(plan: Mapping[Any, Any], name: str) -> list[_Entry]:
    """Return the mappings of a list, each with its place."""
    found: list[_Entry] = []
    for at, entry in enumerate(_list(plan.get(name))):
        if isinstance(entry, Mapping):
            fields = cast("Mapping[Any, Any]", entry)
            own = fields.get("id")
            found.append(
                (f"{name}[{at}]" + (f" ({own})" if isinstance(own, str) and _ID.fullmatch(own) else ""), fields)
            )
    return found


def _inner(plan: Mapping[Any, Any], name: str) -> Mapping[Any, Any] | None:
    value = plan.get(name)
    return cast("Mapping[Any, Any]", value) if isinstance(value, Mapping) else None


def _list(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []


def _names(value: Any) -> tuple[str, ...]:
    return tuple(name for name in _list(value) if isinstance(name, str))


def _show(value: Any) -> str:
    """Return a name as a refusal shows it; of what should be a text and is none, only that."""
    return repr(clip(value, _SHOWN)) if isinstance(value, str) else "something that is no text"


def _place(task: Mapping[Any, Any]) -> int:
    """Return which phase a task belongs to, counted from 0; below 0 where that is no phase."""
    phase = task.get("phase")
    return _ORDER.get(phase, -1) if isinstance(phase, str) else -1


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _is_mapping(value: Any) -> bool:
    return isinstance(value, Mapping)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_effort(value: Any) -> bool:
    return (_is_number(value) or isinstance(value, float)) and 0 < value <= _LONGEST


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_CHECKS: Mapping[str, Callable[[Any], bool]] = {
    _TEXT: _is_text,
    _LIST: _is_list,
    _SOME: lambda value: bool(_list(value)),
    _TEXTS: lambda value: bool(_list(value)) and all(map(_is_text, _list(value))),
    _FIELDS: _is_mapping,
    _HOURS: _is_mapping,
    _WEIGHT: lambda value: _is_number(value) and 1 <= value <= _HEAVIEST,
}
