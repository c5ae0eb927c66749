"""What a person changed in a milestone's file: compared with what was written there and with what counts now."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from milestone.domain.milestones import EDITABLE

TEXTS = ("name", "description", "duration")
UNDERWAY = ("title", "paths", "acceptance")
WAITING = ("pending", "ready")
_WHOLE = ("risks",)  # sections that are one value, and no mapping of fields

Path = tuple[str, ...]


class _Gone:
    def __repr__(self) -> str:
        return "nothing"


GONE: Any = _Gone()
"""Stands where there is no value."""


@dataclass(frozen=True)
class Change:
    """A field that a person changed; `value` is `GONE` where it was taken out, `line` is where it stands."""

    path: Path
    value: Any
    line: int

    @property
    def name(self) -> str:
        """The field as people read it.

        >>> Change(("tasks", "build", "title"), "x", 3).name
        'tasks.build.title'
        """
        return ".".join(self.path)


@dataclass(frozen=True)
class Wrong:
    """Something that cannot be taken in, from one line to another."""

    line: int
    why: str
    last: int = 0

    def __str__(self) -> str:
        lines = f"line {self.line}" if self.last <= self.line else f"lines {self.line}-{self.last}"
        return f"{lines}: {self.why}"


@dataclass
class Compared:
    """What came of a comparison. `conflicts` are changes of what has changed in the database, too."""

    changes: list[Change] = field(default_factory=list[Change])
    conflicts: list[Change] = field(default_factory=list[Change])
    wrong: list[Wrong] = field(default_factory=list[Wrong])

    def weigh(self, change: Change, base: Any, now: Any) -> None:
        """Take in a change of a field, unless it is none, or the database has changed the field meanwhile."""
        if same(change.value, base) or same(change.value, now):
            return
        (self.changes if same(base, now) else self.conflicts).append(change)


@dataclass(frozen=True)
class Rules:
    """What of the tasks may be edited: all of a plan; once it is carried out, three fields of those in `waiting`."""

    executing: bool = False
    waiting: Collection[str] = ()


def compare(base: Any, edit: Any, now: Mapping[str, Any], rules: Rules) -> Compared:
    """Return what a person changed in a milestone's file.

    `edit` is the file as `strict_yaml` reads it, `base` what was written there when the person began, `now` what would
    be written. Without `base` everything that differs from `now` is the person's.
    """
    found = Compared()
    before = _mapping(now if base is None else base)
    if not isinstance(edit, Mapping):
        found.wrong.append(Wrong(1, "the file must be a mapping of the milestone's sections"))
        return found
    sections = cast("Mapping[str, Any]", edit)
    for name in dict.fromkeys((*now, *sections)):
        line = line_of(edit, name)
        if name not in now:
            found.wrong.append(Wrong(line, f"there is no section {name}; the sections are {', '.join(now)}"))
        elif name not in sections:
            found.wrong.append(Wrong(line, f"the section {name} is missing: leave it, and change what it holds"))
        else:
            _section(found, name, before.get(name, GONE), sections[name], now[name], line, rules)
    return found


def compare_tasks(base: Any, edit: Any, now: Any, rules: Rules, line: int = 1) -> Compared:
    """Return what a person changed in a list of tasks; they are known by their ids, in whatever order."""
    found = Compared()
    edited = _by_id(found, edit, line)
    before, current = _known(now if base is None else base), _known(now)
    for task_id in dict.fromkeys((*before, *edited)):
        if task_id in before and task_id in edited:
            if before[task_id] != edited[task_id]:  # there may be thousands
                _task(found, task_id, before[task_id], edited[task_id], current.get(task_id), rules)
        elif task_id in edited:
            _added(found, task_id, edited[task_id], current, rules)
        elif task_id in current and not found.wrong:
            at = getattr(edit, "line", line)
            if rules.executing:
                why = (
                    f"task {task_id} was taken out, and tasks of an execution stay: `milestone waive` does without one"
                )
                found.wrong.append(Wrong(at, why))
            else:
                found.weigh(Change(("tasks", task_id), GONE, at), before[task_id], current[task_id])
    return found


def same(one: Any, other: Any) -> bool:
    """Return whether two values are the same JSON, in whatever order their fields stand.

    >>> same({"a": 1, "b": 2}, {"b": 2, "a": 1}), same(1, True), same(1, 1.0)
    (True, False, False)
    """
    if one is GONE or other is GONE:
        return one is other
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def line_of(value: Any, *path: str | int) -> int:
    """Return the line on which a part of a file stands, or the nearest part around it that is there."""
    line: int = getattr(value, "line", 1)
    for name in path:
        lines = getattr(value, "lines", None)
        try:
            line, value = lines[name], value[name]  # type: ignore[index]
        except (KeyError, IndexError, TypeError):
            break
    return int(line)  # pyright: ignore[reportUnknownArgumentType]


def _section(found: Compared, name: str, base: Any, edit: Any, now: Any, line: int, rules: Rules) -> None:
    if name == "tasks" and isinstance(now, list):
        part = compare_tasks(base if isinstance(base, list) else None, edit, now, rules, line)
        found.changes += part.changes
        found.conflicts += part.conflicts
        found.wrong += part.wrong
    elif name in _WHOLE:
        found.weigh(Change((name,), edit, line), base, now)
    elif name in EDITABLE or name == "metadata":
        _fields(found, name, base, edit, now, line)
    else:
        _computed(found, name, base, edit, now, line)


def _fields(found: Compared, name: str, base: Any, edit: Any, now: Any, line: int) -> None:
    if not isinstance(edit, Mapping):
        found.wrong.append(Wrong(line, f"{name} must be a mapping of its fields"))
        return
    before, current, fields = _mapping(base), _mapping(now), cast("Mapping[str, Any]", edit)
    for key in dict.fromkeys((*before, *fields)):
        values = before.get(key, GONE), fields.get(key, GONE), current.get(key, GONE)
        at = line_of(edit, key)
        if name == "metadata" and key not in TEXTS:
            _computed(found, f"{name}.{key}", *values, at)
        else:
            found.weigh(Change((name, key), values[1], at), values[0], values[2])


def _computed(found: Compared, name: str, base: Any, edit: Any, now: Any, line: int) -> None:
    if same(edit, base) or same(edit, now):
        return
    lines = sorted(_differing(edit, base, line))
    found.wrong.append(Wrong(lines[0], f"{name} is computed and cannot be edited", lines[-1]))


def _differing(edit: Any, base: Any, line: int) -> set[int]:
    """Return the lines of a value on which it differs from another."""
    if isinstance(edit, Mapping) and isinstance(base, Mapping):
        fields, before = cast("Mapping[str, Any]", edit), cast("Mapping[str, Any]", base)
        parts = [(line_of(edit, key), value, before.get(key, GONE)) for key, value in fields.items()]
        gone = bool(before.keys() - fields.keys())
    elif isinstance(edit, list) and isinstance(base, list):
        items, others = cast("list[Any]", edit), cast("list[Any]", base)
        rest = [*others, *[GONE] * len(items)]
        parts = [(line_of(edit, at), item, rest[at]) for at, item in enumerate(items)]
        gone = len(others) > len(items)
    else:
        return set() if same(edit, base) else {line}
    lines = {at for number, value, before in parts for at in _differing(value, before, number)}
    return lines | ({line} if gone else set())


def _by_id(found: Compared, edit: Any, line: int) -> dict[str, Mapping[str, Any]]:
    """Return the tasks of an edited list by their ids."""
    if not isinstance(edit, list):
        found.wrong.append(Wrong(line, "tasks must be a list of tasks"))
        return {}
    known: dict[str, Mapping[str, Any]] = {}
    for number, task in enumerate(cast("list[Any]", edit)):
        at = line_of(edit, number)
        name = cast("Mapping[str, Any]", task).get("id") if isinstance(task, Mapping) else None
        if not isinstance(name, str) or not name:
            found.wrong.append(Wrong(at, "each task must be a mapping of its fields, with an id that is a text"))
        elif name in known:
            found.wrong.append(Wrong(line_of(task, "id"), f"two tasks share the id {name}"))
        else:
            known[name] = cast("Mapping[str, Any]", task)
    return known


def _task(
    found: Compared,
    task_id: str,
    base: Mapping[str, Any],
    edit: Mapping[str, Any],
    now: Mapping[str, Any] | None,
    rules: Rules,
) -> None:
    for key in dict.fromkeys((*base, *edit)):
        value, before = edit.get(key, GONE), base.get(key, GONE)
        if same(value, before) or (now is not None and same(value, now.get(key, GONE))):
            continue
        at = line_of(edit, key)
        change = Change(("tasks", task_id, key), value, at)
        if now is None:
            found.conflicts.append(change)
        elif (rules.executing and key not in UNDERWAY) or key == "status":
            found.wrong.append(Wrong(at, f"{change.name} is computed and cannot be edited"))
        elif rules.executing and task_id not in rules.waiting:
            if base.get("status") in WAITING and now.get("status") not in WAITING:
                found.conflicts.append(change)
            else:
                why = f"task {task_id} is {now.get('status')}: only tasks of the plan that have not begun can be edited"
                found.wrong.append(Wrong(at, why))
        else:
            found.weigh(change, before, now.get(key, GONE))


def _added(
    found: Compared, task_id: str, edit: Mapping[str, Any], now: Mapping[str, Mapping[str, Any]], rules: Rules
) -> None:
    at = line_of(edit, "id")
    if rules.executing:
        found.wrong.append(Wrong(at, f"there is no task {task_id}, and none can be added to an execution"))
    elif not now:
        found.wrong.append(Wrong(at, "there is no plan yet to which tasks could be added"))
    else:
        found.weigh(Change(("tasks", task_id), edit, at), GONE, now.get(task_id, GONE))


def _known(tasks: Any) -> dict[str, Mapping[str, Any]]:
    listed: Iterable[Any] = cast("list[Any]", tasks) if isinstance(tasks, list | tuple) else ()
    return {str(task["id"]): task for task in _mappings(listed) if "id" in task}


def _mappings(values: Iterable[Any]) -> Iterator[Mapping[str, Any]]:
    yield from (cast("Mapping[str, Any]", value) for value in values if isinstance(value, Mapping))


def _mapping(value: Any) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}
