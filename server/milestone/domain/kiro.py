"""Drift: which KIRO decisions the work so far does not honour."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["keep", "improve", "remove", "originate"]
Problem = Literal["touched", "still_there", "not_done"]


@dataclass(frozen=True)
class Place:
    """Where something lies: a file or a folder of the repository, and a line where only a part of the file is meant."""

    file: str
    line: int | None = None

    def __str__(self) -> str:
        return self.file if self.line is None else f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Decision:
    """A decision with the places it speaks of."""

    decision_id: str
    kind: Kind
    what: str
    places: tuple[Place, ...] = ()


@dataclass(frozen=True)
class Work:
    """A task: the decisions it cites, and the paths that its accepted commits touched."""

    task_id: str
    status: str
    cites: tuple[str, ...] = ()
    touched: tuple[str, ...] = ()


@dataclass(frozen=True)
class Drift:
    """One way in which a decision is not honoured, and a sentence for people."""

    decision_id: str
    kind: Kind
    problem: Problem
    task_id: str
    place: str
    sentence: str


def drift(decisions: Iterable[Decision], tasks: Sequence[Work], exists: Callable[[str], bool]) -> list[Drift]:
    """Return where the work and the decisions part, in the order of the decisions.

    Keep: each place that some task touched. Remove: each place that still exists; a place with a line is a part of a
    file, which need not go, so there a finished task that cites the decision has to have touched the file. Improve and
    Originate, and a Remove without places: no task that cites the decision is finished. `exists` tells whether a path
    is there at the tip of the milestone's branch.
    """
    found: list[Drift] = []
    for decision in decisions:
        citing = [task for task in tasks if decision.decision_id in task.cites]
        if decision.kind == "keep":
            found += _touched(decision, tasks)
        elif decision.kind == "remove" and decision.places:
            found += _still_there(decision, citing, exists)
        elif not any(task.status == "completed" for task in citing):
            found.append(_not_done(decision, citing))
    return found


def _touched(decision: Decision, tasks: Sequence[Work]) -> Iterator[Drift]:
    for place in decision.places:
        for task in tasks:
            paths = [path for path in task.touched if _within(path, place.file)]
            if paths:
                sentence = f"{_name(decision)}, but task {task.task_id} touched {', '.join(paths)}"
                yield Drift(decision.decision_id, decision.kind, "touched", task.task_id, str(place), sentence)


def _still_there(decision: Decision, citing: Sequence[Work], exists: Callable[[str], bool]) -> Iterator[Drift]:
    for place in decision.places:
        if not exists(place.file):
            continue
        sentence = f"{_name(decision)}, but {place} is still there"
        if place.line is not None:
            if any(
                task.status == "completed" and any(_within(path, place.file) for path in task.touched)
                for task in citing
            ):
                continue
            sentence = f"{_name(decision)}, but no finished task that cites it has touched {place.file}"
        yield Drift(decision.decision_id, decision.kind, "still_there", "", str(place), sentence)


def _not_done(decision: Decision, citing: Sequence[Work]) -> Drift:
    states = ", ".join(f"{task.task_id} is {task.status}" for task in citing)
    why = f"no task that cites it is finished: {states}" if citing else "no task cites it"
    first = citing[0].task_id if citing else ""
    return Drift(decision.decision_id, decision.kind, "not_done", first, "", f"{_name(decision)}, but {why}")


def _name(decision: Decision) -> str:
    return f"{decision.kind.capitalize()} {decision.decision_id} ({decision.what})"


def _within(path: str, place: str) -> bool:
    """Whether a path is a place or lies under it.

    >>> _within("app/login.py", "./app/"), _within("app/login.py", "app/log")
    (True, False)
    """
    inner, outer = _plain(path), _plain(place)
    return not outer or inner == outer or inner.startswith(f"{outer}/")


def _plain(path: str) -> str:
    return "/".join(part for part in path.split("/") if part not in ("", "."))
