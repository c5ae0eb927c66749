"""Playbooks: which agents a mode needs, and what each task needs and produces; read from YAML and checked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any, cast

from milestone.domain.milestones import PHASES
from milestone.prompts.strict_yaml import LIMIT, BadYaml, Fields, read

MODES = ("planning", "execution")
LONGEST = 86_400  # seconds
TITLE_LIMIT = 120

_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
_REQUIRED = ("id", "agent_type", "title", "produces", "critical", "time_limit")
_OPTIONAL = ("needs", "phase", "weight")


class BadPlaybook(ValueError):
    """A playbook that cannot be used; the message names file, line and reason."""


@dataclass(frozen=True)
class PlaybookTask:
    """One task: an agent of `agent_type` makes the keys it produces out of those it needs. `time_limit` in seconds."""

    id: str
    agent_type: str
    title: str
    needs: tuple[str, ...]
    produces: tuple[str, ...]
    critical: bool
    time_limit: int
    phase: str | None
    weight: int


@dataclass(frozen=True)
class Playbook:
    """The tasks of a mode, in the order in which they are considered."""

    mode: str
    tasks: tuple[PlaybookTask, ...]


def read_playbook(path: Path) -> Playbook:
    """Return the playbook in a file.

    Raises:
        BadPlaybook: the file cannot be read, or something in it is refused.
    """
    try:
        with path.open("rb") as file:
            data = file.read(LIMIT + 1)
    except OSError as error:
        raise BadPlaybook(f"{path}: {error.strerror or error}") from None
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadPlaybook(f"{path}, line {line}: this is no UTF-8") from None
    return parse_playbook(text, str(path))


def parse_playbook(text: str, where: str) -> Playbook:
    """Return the playbook in `text`; `where` names it in errors.

    Raises:
        BadPlaybook: something in it is refused.
    """
    try:
        return _playbook(read(text, where), where)
    except BadYaml as error:
        raise BadPlaybook(str(error)) from None


def _playbook(document: Any, where: str) -> Playbook:
    if not isinstance(document, Fields):
        raise BadYaml(where, 1, "a playbook has the fields mode and tasks")
    reader = _Reader(where, document)
    reader.fields(("mode", "tasks"))
    mode = reader.choice("mode", MODES)
    items = document["tasks"]
    if not isinstance(items, list) or not items:
        raise reader.bad("tasks", "tasks must be a list of at least one task")
    readers = [_Reader(where, item, document.lines["tasks"]) for item in cast("list[Any]", items)]
    tasks = tuple(_task(reader) for reader in readers)
    for at, task in zip(readers, tasks, strict=True):
        for field, reason in _misfits(task, tasks):
            raise at.bad(field, reason)
    circle = _circle(tasks)
    if circle:
        at = next(reader for reader, task in zip(readers, tasks, strict=True) if task.id == circle[0])
        raise at.bad("needs", f"the tasks wait for each other in a circle: {' -> '.join(circle)}")
    return Playbook(mode, tasks)


def _task(reader: _Reader) -> PlaybookTask:
    reader.fields(_REQUIRED, _OPTIONAL)
    return PlaybookTask(
        id=reader.name("id"),
        agent_type=reader.name("agent_type"),
        title=reader.title("title"),
        needs=reader.names("needs"),
        produces=reader.names("produces"),
        critical=reader.yes_or_no("critical"),
        time_limit=reader.number("time_limit", 1, LONGEST),
        phase=reader.choice("phase", tuple(PHASES)) if reader.has("phase") else None,
        weight=reader.number("weight", 0, 100) if reader.has("weight") else 0,
    )


def _misfits(task: PlaybookTask, tasks: tuple[PlaybookTask, ...]) -> Iterator[tuple[str, str]]:
    if sum(other.id == task.id for other in tasks) > 1:
        yield "id", f"two tasks share the id {task.id}"
    if not task.produces:
        yield "produces", f"{task.id} produces nothing, so it could never be proven done"
    produced = {key for other in tasks if other.id != task.id for key in other.produces}
    for key in task.needs:
        if key not in produced:
            yield "needs", f"{task.id} needs {key}, which no other task produces"


def _circle(tasks: tuple[PlaybookTask, ...]) -> list[str]:
    graph = {
        task.id: {other.id for other in tasks if other.id != task.id and set(other.produces) & set(task.needs)}
        for task in tasks
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(reversed(error.args[1]))
    return []


class _Reader:
    """Takes the fields of one mapping, and says on which line one does not fit."""

    def __init__(self, where: str, fields: Any, line: int = 1) -> None:
        self._where = where
        if not isinstance(fields, Fields):
            raise BadYaml(where, line, f"each task has the fields {', '.join(_REQUIRED)}")
        self._fields = fields

    def bad(self, field: str, reason: str) -> BadYaml:
        return BadYaml(self._where, self._fields.lines.get(field, self._fields.line), reason)

    def has(self, field: str) -> bool:
        return self._fields.get(field) is not None

    def fields(self, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> None:
        for field in self._fields:
            if field not in (*required, *optional):
                raise self.bad(field, f"unknown field {field}; allowed: {', '.join((*required, *optional))}")
        for field in required:
            if not self.has(field):
                raise self.bad(field, f"the field {field} is missing")

    def choice(self, field: str, allowed: tuple[str, ...]) -> str:
        value = self._fields[field]
        if value not in allowed:
            raise self.bad(field, f"{field} is {value!r}; allowed: {', '.join(allowed)}")
        return value

    def title(self, field: str) -> str:
        value = self._fields[field]
        if not isinstance(value, str) or not value.isprintable() or not 0 < len(value) <= TITLE_LIMIT:
            raise self.bad(field, f"{field} must be one line of at most {TITLE_LIMIT} characters")
        return value

    def name(self, field: str) -> str:
        return self._name(field, self._fields[field])

    def names(self, field: str) -> tuple[str, ...]:
        if not self.has(field):
            return ()
        value = self._fields[field]
        if not isinstance(value, list):
            raise self.bad(field, f"{field} must be a list of names")
        names = tuple(self._name(field, item) for item in cast("list[Any]", value))
        if len(set(names)) < len(names):
            raise self.bad(field, f"{field} names the same key twice")
        return names

    def yes_or_no(self, field: str) -> bool:
        value = self._fields[field]
        if not isinstance(value, bool):
            raise self.bad(field, f"{field} must be true or false")
        return value

    def number(self, field: str, low: int, high: int) -> int:
        value = self._fields[field]
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise self.bad(field, f"{field} must be a whole number from {low} to {high}")
        return value

    def _name(self, field: str, value: Any) -> str:
        if not isinstance(value, str) or not _NAME.fullmatch(value):
            raise self.bad(field, f"{field} holds {value!r}, but a name has small letters, digits, '-', '_' and '.'")
        return value
