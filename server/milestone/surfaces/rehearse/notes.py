"""What a stand-in commits, a note, and how another one judges it: by rule, from the lines of its difference."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from milestone.domain.execution_results import Check, Honoured, Objection, Review, TaskReport
from milestone.domain.results import MilestonePlan
from milestone.domain.shapes import Document, Place
from milestone.surfaces.rehearse.documents import NO_MODEL, code, plain
from milestone.surfaces.rehearse.host import Stopped
from milestone.surfaces.rehearse.listing import count, shown
from milestone.surfaces.rehearse.planner import NOTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from milestone.domain.results import Decision, PlannedTask

_MOST_PLACES = 10
_LIMIT = 1 << 20


@dataclass(frozen=True, slots=True)
class Note:
    """A file of a task: where it lies in the repository, what it holds, and the decisions that it names."""

    path: str
    text: str
    names: tuple[str, ...] = ()


def planned_task(plan: MilestonePlan, task_id: str) -> PlannedTask | None:
    """Return the task of the plan that a task of the server stands for; a name that was taken got a word before it."""
    by_id = {task.id: task for task in plan.tasks}
    while task_id not in by_id and task_id.startswith("plan-"):
        task_id = task_id.removeprefix("plan-")
    return by_id.get(task_id)


def note_on(task: PlannedTask, plan: MilestonePlan, path: str) -> Note:
    """Return a note that names each decision of a task with its reason and its places."""
    served = [each for each in plan.decisions if each.id in task.decisions]
    lines = [f"# {plain(task.title)}", "", NO_MODEL, *(line for each in served for line in _decision(each))]
    return Note(path, _joined(lines), tuple(each.id for each in served))


def note_of(title: str, findings: Iterable[str], path: str) -> Note:
    """Return a note with a list."""
    return Note(path, _joined([f"# {plain(title)}", "", NO_MODEL, "", *(f"- {plain(each)}" for each in findings)]))


def note_path(allowed: Sequence[str], task_id: str) -> str:
    """Return the file that a task may write.

    Raises:
        Stopped: no path is one for a note.
    """
    found = next((path for path in allowed if path.startswith(f"{NOTES}/") and path.endswith(".md")), None)
    if found is None:
        raise Stopped(f"Task {task_id} may not write a note: this plan was made otherwise; rehearse another --name.")
    return found


def with_blanks(note: Note) -> str:
    """Return a note with blanks at the end of its first line, for a gate to find."""
    first, _, rest = note.text.partition("\n")
    return f"{first}  \n{rest}"


def write(tree: Path, path: str, text: str) -> bool:
    """Write a file below a working tree, and return whether that changed anything; no link is followed.

    Raises:
        Stopped: the path leads out of the working tree.
    """
    target = tree / path
    if target.parent.resolve() != tree.resolve() / Path(path).parent or target.is_symlink():
        raise Stopped(f"{shown(path)} leads out of {shown(str(tree))}, so it is not written.")
    if target.is_file() and target.read_bytes()[:_LIMIT] == text.encode():
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, "utf-8", newline="\n")
    return True


def review_of(task_id: str, task: PlannedTask | None, files: Sequence[str], diff: str) -> Review:
    """Return the judgement on a change: it has to be there, to hold notes alone, and to name what its task serves."""
    added = [line[1:] for line in diff.splitlines() if line.startswith("+") and not line.startswith("+++ ")]
    text = "\n".join(added)
    others = [name for name in files if not name.partition(" ")[2].startswith(f"{NOTES}/")]
    unnamed = [name for name in (task.decisions if task else []) if f"## {name}: " not in text]
    problems = [
        *(["The difference touches nothing."] if not files or not added else []),
        *([f"It changes what is no note: {', '.join(others)}."] if others else []),
        *([f"It does not name {', '.join(unnamed)}."] if unnamed else []),
        *(["A line ends in blanks."] if any(line != line.rstrip() for line in added) else []),
    ]
    read = f"{count(len(files), 'file')}, {count(len(added), 'added line')} read by rule"
    return Review(
        task_id=task_id,
        verdict="changes_requested" if problems else "approved",
        summary=f"{read}: {' '.join(problems) or 'notes alone, and every decision is named'}",
        findings=[Objection(severity="high", statement=each, places=_places(files)) for each in problems],
    )


def report_on(task: PlannedTask | None, note: Note, *, committed: bool, served: Sequence[Decision] = ()) -> TaskReport:
    """Return what a stand-in says of its task; a decision to change something is written down, not carried out."""
    where = note.path.rpartition("/")[2]
    named = set(task.decisions if task else ()) <= set(note.names)
    return TaskReport(
        summary=f"By rule, without a model: {where} is written.",
        changed=[note.path] if committed else [],
        checks=[
            Check(evidence=each, how="Its decisions were compared with those that the text names.", met=named)
            for each in (task.evidence if task else [])
        ],
        decisions=[_honoured(each, where, committed=committed) for each in served],
        concerns=[NO_MODEL],
        files=[] if committed else [Document(name=where, title=where, content=note.text)],
    )


def _honoured(decision: Decision, where: str, *, committed: bool) -> Honoured:
    done = decision.kind == "keep" or not committed
    how = f"Named in {where}; nothing but notes is changed." if done else f"Named in {where}, and not carried out."
    return Honoured(id=decision.id, honoured=done, how=how)


def _decision(each: Decision) -> list[str]:
    places = [f"{place.file}:{place.line}" if place.line else place.file for place in each.places]
    more = f"- and {count(len(places) - _MOST_PLACES, 'more place')}"
    return [
        "",
        f"## {each.id}: {plain(each.what)}",
        "",
        f"- Choice: {each.kind}",
        f"- Reason: {plain(each.reason)}",
        *(f"- Place: {code(place)}" for place in places[:_MOST_PLACES]),
        *([more] if len(places) > _MOST_PLACES else []),
    ]


def _places(files: Sequence[str]) -> list[Place]:
    return [Place(file=name.partition(" ")[2]) for name in files[:_MOST_PLACES]]


def _joined(lines: Iterable[str]) -> str:
    return "".join(f"{line.rstrip()}\n" for line in lines)
