"""A person's edit of a milestone's file taken in: compared three ways, and checked as every other change is."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from pydantic import BaseModel, Field, ValidationError

from milestone.domain.edits import GONE, WAITING, Change, Compared, Rules, Wrong, compare, compare_tasks, line_of
from milestone.domain.errors import Missing, Refusal
from milestone.domain.milestones import EDITABLE, ENDED
from milestone.domain.plans import leads_out, plan_problems
from milestone.domain.results import Decision, MilestonePlan, PlannedTask
from milestone.domain.shapes import Shape, Text
from milestone.domain.text import scrub
from milestone.operations.context import Context
from milestone.operations.editing import BadEdit, Read
from milestone.operations.milestones import update_milestone
from milestone.operations.registry import REGISTRY
from milestone.operations.snapshot import snapshot
from milestone.workspace.mirror import Snapshot, shown

_Line = Callable[[Sequence[str | int]], int]


@dataclass
class Imported:
    """What came of an edit: the fields that changed, and those that the database has changed meanwhile and keeps."""

    changed: list[str] = field(default_factory=list[str])
    conflicts: list[str] = field(default_factory=list[str])


class BegunTask(Shape):
    """What may be edited of a task of an execution that nobody has begun."""

    title: Text
    paths: list[Text]
    acceptance: list[Text] = Field(min_length=1)


def take_in(ctx: Context, milestone_id: str, one: Read) -> Imported:
    """Write what a person changed and return it; it is told in the event log.

    Raises:
        BadEdit: something was changed that cannot be, or to what it cannot be; nothing may be committed then.
        Missing: there is no such milestone.
    """
    shot = snapshot(ctx.store, milestone_id)
    if shot is None:
        raise Missing(f"There is no milestone {milestone_id!r}")
    executing = shot.tasks is not None
    tasks = ctx.store.tasks.all(milestone_id, "execution") if executing else []
    waiting = {one["task_id"] for one in tasks if _untouched(one)}
    compared = _compared(one, shot, Rules(executing=executing, waiting=waiting))
    _take(ctx, milestone_id, one, compared, executing=executing)
    found = Imported(
        [change.name for change in compared.changes],
        [f"{change.name} (line {change.line})" for change in compared.conflicts],
    )
    if found.changed or found.conflicts:
        told = {"changed": found.changed, "conflicts": found.conflicts, "digest": one.digest, "kept": one.edit.aside}
        ctx.record("edit_imported", milestone_id, subject=one.edit.path, topic="tasks", detail=told)
    return found


def _untouched(task: Mapping[str, Any]) -> bool:
    return task["source"] == "plan" and task["status"] in WAITING and not task["attempts"]


def _compared(one: Read, shot: Snapshot, rules: Rules) -> Compared:
    """Return what a person changed."""
    if one.of_tasks:
        return compare_tasks(one.edit.base, one.value, list(shot.tasks or ()), rules)
    return compare(one.edit.base, one.value, shown(shot), rules)


def _take(ctx: Context, milestone_id: str, one: Read, compared: Compared, *, executing: bool) -> None:
    """Check everything that was changed, then write it."""
    row = ctx.store.milestones.get(milestone_id)
    assert row is not None
    wrong = [*compared.wrong, *_ended(row, compared), *_unstorable(compared.changes)]
    given, bad = _sections(row, one, compared.changes)
    tasks = _begun(ctx, one, compared.changes, milestone_id) if executing else _plan(row, one, compared.changes)
    wrong += [*bad, *tasks.wrong]
    if wrong:
        raise BadEdit(one.edit.path, wrong)
    if given:
        try:
            update_milestone(ctx, milestone_id, **given)
        except Refusal as refusal:
            first = next(change for change in compared.changes if change.path[0] != "tasks")
            raise BadEdit(one.edit.path, [Wrong(first.line, refusal.wrong)]) from None
    tasks.write(ctx, milestone_id)


def _ended(row: Mapping[str, Any], compared: Compared) -> Iterator[Wrong]:
    for change in (*compared.changes, *compared.conflicts) if row["status"] in ENDED else ():
        yield Wrong(change.line, f"{change.name}: the milestone is {row['status']}, and what has ended stays so")


def _unstorable(changes: Sequence[Change]) -> Iterator[Wrong]:
    for change in changes:
        if change.value is not GONE and scrub(_plain(change.value))[1]:
            yield Wrong(change.line, f"{change.name} holds a character that cannot be stored")


def _sections(row: Mapping[str, Any], one: Read, changes: Sequence[Change]) -> tuple[dict[str, Any], list[Wrong]]:
    """Return the arguments of `update_milestone` that make the changes, and what is wrong about them."""
    given: dict[str, Any] = {}
    for change in changes:
        section, value = change.path[0], _plain(change.value)
        if section == "metadata":
            given[change.path[1]] = "" if change.value is GONE else value
        elif section in EDITABLE and len(change.path) == 1:
            given[section] = value
        elif section in EDITABLE:
            _put(given.setdefault(section, dict(row["sections"][section])), change)
    bad = [
        Wrong(line_of(one.value, "metadata", name), f"metadata.{name} must not be empty")
        for name, value in given.items()
        if name not in EDITABLE and isinstance(value, str) and not value.strip()
    ]
    model = REGISTRY[update_milestone.__name__].arguments
    checked, wrong = _checked(
        model, given, lambda loc: line_of(one.value, *(loc if loc[0] in EDITABLE else ("metadata", *loc)))
    )
    return {name: getattr(checked, name) for name in given} if checked else {}, bad + wrong


def _line_in(value: Any) -> _Line:
    return lambda loc: line_of(value, *loc)


class _Tasks:
    """Changes of tasks: what is wrong about them, and how they are written."""

    def __init__(self, wrong: Sequence[Wrong] = ()) -> None:
        self.wrong = wrong
        self.plan: list[dict[str, Any]] = []
        self.filled: dict[str, BegunTask] = {}

    def write(self, ctx: Context, milestone_id: str) -> None:
        """Write them."""
        if self.plan:
            row = ctx.store.milestones.get(milestone_id)
            assert row is not None
            row["sections"]["tasks"] = self.plan
            ctx.store.milestones.save(row, ctx.at)
        for task_id, task in self.filled.items():
            ctx.store.tasks.fill(milestone_id, task_id, task.title, task.paths, task.acceptance)


def _plan(row: Mapping[str, Any], one: Read, changes: Sequence[Change]) -> _Tasks:
    """Return the tasks of a plan with what was changed in them, checked as the plan itself was."""
    mine = [change for change in changes if change.path[0] == "tasks"]
    tasks: dict[str, dict[str, Any]] = {task["id"]: dict(task) for task in row["sections"]["tasks"]}
    for change in mine:
        if len(change.path) == 3:  # noqa: PLR2004 - tasks, the id, the field
            _put(tasks[change.path[1]], change)
        elif change.value is GONE:
            tasks.pop(change.path[1])
        else:
            tasks[change.path[1]] = {**_plain(change.value), "status": "pending"}
    if not mine:
        return _Tasks()
    models: list[PlannedTask] = []
    wrong: list[Wrong] = []
    for task_id, task in tasks.items():
        lines = _task_of(one.value, task_id)
        plain = {name: value for name, value in task.items() if name != "status"}
        model, bad = _checked(PlannedTask, plain, _line_in(lines))
        models += [model] if model else []
        wrong += bad or (_outside(lines, task_id, model.paths) if model else [])
    if not wrong:
        decisions = [Decision.model_construct(id=one["id"]) for one in row["sections"]["decisions"]]
        problems = plan_problems(MilestonePlan.model_construct(tasks=models, decisions=decisions))
        wrong = [Wrong(_line_of_problem(one.value, problem, mine[0].line), problem) for problem in problems]
    if not tasks:
        wrong.append(Wrong(line_of(one.value, "tasks"), "a plan has at least one task"))
    found = _Tasks(wrong)
    found.plan = list(tasks.values())
    return found


def _begun(ctx: Context, one: Read, changes: Sequence[Change], milestone_id: str) -> _Tasks:
    """Return what was changed of tasks of an execution that have not begun."""
    wrong: list[Wrong] = []
    found = _Tasks(wrong)
    touched = dict.fromkeys(change.path[1] for change in changes if change.path[0] == "tasks")
    for task_id in touched:
        row = ctx.store.tasks.get(milestone_id, task_id)
        assert row is not None
        task = {"title": row["title"], "paths": list(row["paths"]), "acceptance": list(row["acceptance"])}
        for change in changes:
            if change.path[:2] == ("tasks", task_id):
                _put(task, change)
        lines = _task_of(one.value, task_id)
        model, bad = _checked(BegunTask, task, _line_in(lines))
        wrong += bad
        if model:
            wrong += _outside(lines, task_id, model.paths)
            found.filled[task_id] = model
        if model and bool(model.paths) != bool(row["paths"]):
            why = f"tasks.{task_id}.paths: what proves a task depends on whether it changes files, so some stay some"
            wrong.append(Wrong(line_of(lines, "paths"), why))
    return found


def _outside(lines: Any, task_id: str, paths: Sequence[str]) -> list[Wrong]:
    return [
        Wrong(line_of(lines, "paths", at), f"tasks.{task_id}.paths: {path!r} leads out of the repository")
        for at, path in enumerate(paths)
        if leads_out(path)
    ]


def _checked(model: type[BaseModel], given: Mapping[str, Any], line: _Line) -> tuple[Any, list[Wrong]]:
    """Return a model of what was given, or what is wrong about it; `line` tells where a part of it stands."""
    try:
        return model.model_validate(dict(given)), []
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False, include_context=False)
        return None, [
            Wrong(line(one["loc"]), f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}") for one in problems
        ]


def _task_of(value: Any, task_id: str) -> Any:
    """Return a task as it stands in the edited file."""
    listed: Any = cast("Mapping[str, Any]", value).get("tasks") if isinstance(value, Mapping) else value
    for task in cast("list[Any]", listed) if isinstance(listed, list) else []:
        if isinstance(task, Mapping) and cast("Mapping[str, Any]", task).get("id") == task_id:
            return cast("Any", task)
    return cast("Any", listed)


def _line_of_problem(value: Any, problem: str, otherwise: int) -> int:
    """Return the line of what a problem of a plan begins with: `task <id>: <field> …`."""
    head, _, rest = problem.partition(": ")
    if not head.startswith("task "):
        return otherwise
    return line_of(_task_of(value, head.removeprefix("task ")), rest.partition(" ")[0])


def _put(fields: dict[str, Any], change: Change) -> None:
    if change.value is GONE:
        fields.pop(change.path[-1], None)
    else:
        fields[change.path[-1]] = _plain(change.value)


def _plain(value: Any) -> Any:
    return value if value is GONE else json.loads(json.dumps(value))
