"""What a project may set under `.milestones/config/`: gates, limits and further repositories; read and checked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from milestone.domain.budgets import KINDS, SCOPES, Amount, Budgets
from milestone.domain.gates import PRIORITIES, Backoff, Gate, GateLimits, Limits, Priority, SharedLimits
from milestone.domain.milestones import PHASES
from milestone.prompts.fields import BadConfiguration, Reader, read_text
from milestone.prompts.strict_yaml import BadYaml, read

__all__ = ["BadConfiguration", "RepositoryEntry", "parse_gates", "parse_limits", "parse_repositories", "read_limits"]

LONGEST = 86_400  # seconds
MOST_AGENTS = 64
MOST_ATTEMPTS = 10
MOST_SPENT = 10**12
MOST_FACTOR = 100
LEAST_MEMORY, MOST_MEMORY = 16, 1_048_576  # MB
_PHASES = tuple(PHASES)
_CLOSED = (".git", ".milestones")
_LIMITS = (
    *("phases_at_once", "agents_at_once", "attempts", "task_seconds", "backoff", "park_seconds"),
    *("undelivered_seconds", "budgets"),
    *("gate", "all_gates", "priority", "approvals"),
)


@dataclass(frozen=True)
class RepositoryEntry:
    """A further repository of the project: `path` is below the project's folder, or `../name` beside it."""

    name: str
    path: str


def parse_gates(text: str, where: str) -> tuple[Gate, ...]:
    """Return the gates in `text`; `where` names it in errors.

    >>> parse_gates("gates: [{name: tests, run: [pytest, -q]}]", "gates.yaml")
    (Gate(name='tests', run=('pytest', '-q'), phases=('execute',), seconds=600),)

    Raises:
        BadConfiguration: something in it is refused.
    """
    try:
        readers = _entries(text, where, "gates", "each gate has the fields name, run and perhaps phases, seconds")
        gates = [_gate(reader) for reader in readers]
        _all_different(readers, [gate.name for gate in gates], "name", "gates")
    except BadYaml as error:
        raise BadConfiguration(str(error)) from None
    return tuple(gates)


def parse_repositories(text: str, where: str) -> tuple[RepositoryEntry, ...]:
    """Return the repositories in `text`; `where` names it in errors.

    Raises:
        BadConfiguration: something in it is refused.
    """
    try:
        readers = _entries(text, where, "repositories", "each repository has the fields name and path")
        entries: list[RepositoryEntry] = []
        for reader in readers:
            reader.fields(("name", "path"))
            entries.append(RepositoryEntry(reader.name("name"), _sibling_or_below(reader)))
        _all_different(readers, [entry.name for entry in entries], "name", "repositories")
        _all_different(readers, [entry.path for entry in entries], "path", "repositories")
    except BadYaml as error:
        raise BadConfiguration(str(error)) from None
    return tuple(entries)


def read_limits(*paths: Path) -> Limits:
    """Return the limits that files set, a later one over an earlier; those that are not there set nothing.

    Raises:
        BadConfiguration: a file cannot be read, or something in it is refused.
    """
    limits = Limits()
    for path in paths:
        if path.exists():
            limits = parse_limits(read_text(path), str(path), limits)
    return limits


def parse_limits(text: str, where: str, defaults: Limits) -> Limits:
    """Return `defaults` with what `text` sets; `where` names it in errors.

    Raises:
        BadConfiguration: something in it is refused.
    """
    try:
        document = read(text, where)
        if document is None:
            return defaults
        limits = _limits(Reader(where, document, f"the limits are fields: {', '.join(_LIMITS)}"), defaults)
    except BadYaml as error:
        raise BadConfiguration(str(error)) from None
    return limits


def _limits(reader: Reader, before: Limits) -> Limits:
    reader.fields((), _LIMITS)
    limits = Limits(
        phases_at_once=_number(reader, "phases_at_once", before.phases_at_once, 1, len(_PHASES)),
        agents_at_once=_number(reader, "agents_at_once", before.agents_at_once, 1, MOST_AGENTS),
        attempts=_number(reader, "attempts", before.attempts, 1, MOST_ATTEMPTS),
        task_seconds=_number(reader, "task_seconds", before.task_seconds, 1, LONGEST),
        backoff=_backoff(reader, before.backoff),
        park_seconds=_number(reader, "park_seconds", before.park_seconds, 1, LONGEST),
        undelivered_seconds=_number(reader, "undelivered_seconds", before.undelivered_seconds, 1, LONGEST),
        budgets=_budgets(reader, before.budgets),
        gate=_one_gate(reader, before.gate),
        all_gates=_all_gates(reader, before.all_gates),
        priority=_priority(reader, before),
        approvals=reader.choices("approvals", _PHASES) if reader.has("approvals") else before.approvals,
    )
    for field in ("memory_mb", "cpu_percent"):
        one, every = getattr(limits.gate, field), getattr(limits.all_gates, field)
        if one > every:
            set_here = [reader.inner(at, "") for at in ("gate", "all_gates") if reader.has(at)]
            at = next(inner for inner in set_here if inner.has(field))
            raise at.bad(field, f"gate.{field} is {one}, more than all_gates.{field}, which is {every}")
    return limits


def _budgets(reader: Reader, before: Budgets) -> Budgets:
    if not reader.has("budgets"):
        return before
    outer = reader.inner("budgets", f"budgets has the fields {', '.join(SCOPES)}")
    outer.fields((), SCOPES)
    limits = dict(before.limits)
    for scope in SCOPES:
        if outer.has(scope):
            inner = outer.inner(scope, f"{scope} has the fields {', '.join(KINDS)}; 0 is no limit")
            inner.fields((), KINDS)
            was = before.limits[scope]
            limits[scope] = Amount(
                _number(inner, "turns", was.turns, 0, MOST_SPENT),
                _number(inner, "minutes", round(was.minutes), 0, MOST_SPENT),
                _number(inner, "tokens", was.tokens, 0, MOST_SPENT),
            )
    return Budgets(limits)


def _backoff(reader: Reader, before: Backoff) -> Backoff:
    if not reader.has("backoff"):
        return before
    fields = ("base_seconds", "factor", "most_seconds")
    inner = reader.inner("backoff", "backoff has the fields base_seconds, factor and most_seconds")
    inner.fields((), fields)
    return replace(
        before,
        base_seconds=_number(inner, "base_seconds", before.base_seconds, 0, LONGEST),
        factor=_number(inner, "factor", before.factor, 1, MOST_FACTOR),
        most_seconds=_number(inner, "most_seconds", before.most_seconds, 0, LONGEST),
    )


def _one_gate(reader: Reader, before: GateLimits) -> GateLimits:
    if not reader.has("gate"):
        return before
    inner = reader.inner("gate", "gate has the fields seconds, memory_mb and cpu_percent")
    inner.fields((), ("seconds", "memory_mb", "cpu_percent"))
    return replace(
        before,
        seconds=_number(inner, "seconds", before.seconds, 1, LONGEST),
        memory_mb=_number(inner, "memory_mb", before.memory_mb, LEAST_MEMORY, MOST_MEMORY),
        cpu_percent=_number(inner, "cpu_percent", before.cpu_percent, 1, 100),
    )


def _all_gates(reader: Reader, before: SharedLimits) -> SharedLimits:
    if not reader.has("all_gates"):
        return before
    inner = reader.inner("all_gates", "all_gates has the fields memory_mb and cpu_percent")
    inner.fields((), ("memory_mb", "cpu_percent"))
    return replace(
        before,
        memory_mb=_number(inner, "memory_mb", before.memory_mb, LEAST_MEMORY, MOST_MEMORY),
        cpu_percent=_number(inner, "cpu_percent", before.cpu_percent, 1, 100),
    )


def _priority(reader: Reader, before: Limits) -> dict[str, Priority]:
    set_here: dict[str, Priority] = {}
    if reader.has("priority"):
        inner = reader.inner("priority", f"priority has the fields {', '.join(_PHASES)}")
        inner.fields((), _PHASES)
        set_here = {phase: cast("Priority", inner.choice(phase, PRIORITIES)) for phase in _PHASES if inner.has(phase)}
    return {**before.priority, **set_here}


def _number(reader: Reader, field: str, default: int, low: int, high: int) -> int:
    return reader.number(field, low, high) if reader.has(field) else default


def _entries(text: str, where: str, field: str, expected: str) -> list[Reader]:
    reader = Reader(where, read(text, where), f"the file has the field {field}")
    reader.fields((field,))
    return reader.items(field, expected)


def _all_different(readers: list[Reader], values: list[str], field: str, kind: str) -> None:
    for number, (reader, value) in enumerate(zip(readers, values, strict=True)):
        if value in values[:number]:
            raise reader.bad(field, f"two {kind} share the {field} {value}")


def _gate(reader: Reader) -> Gate:
    reader.fields(("name", "run"), ("phases", "seconds"))
    name = reader.name("name")
    run = reader.texts("run")
    if not run or not run[0].strip():
        raise reader.bad("run", "run must be a list of texts, the program first: no shell reads it")
    gate = Gate(name, run, seconds=_number(reader, "seconds", 600, 1, LONGEST))
    if not reader.has("phases"):
        return gate
    phases = reader.choices("phases", _PHASES)
    if not phases:
        raise reader.bad("phases", f"phases names no phase, so the gate would never run; allowed: {', '.join(_PHASES)}")
    return replace(gate, phases=phases)


def _sibling_or_below(reader: Reader) -> str:
    path = reader.title("path")
    beside = path.startswith("../")
    parts = path.removeprefix("../").split("/")
    strange = any(part in ("", ".", "..") for part in parts) or "\\" in path or ":" in path
    if strange or (beside and len(parts) > 1):
        raise reader.bad("path", f"path is {path!r}; allowed: folders below the project's, or ../name beside it")
    if any(part.lower() in _CLOSED for part in parts):
        raise reader.bad("path", f"path is {path!r}, but no repository may lie in {' or '.join(_CLOSED)}")
    return path
