"""The mirror for people: a milestone as YAML, its deliverables, sessions and log, written after the database."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from milestone.workspace.bases import Bases, digest
from milestone.workspace.files import Folder, Odd

FOLDERS = ("active", "completed", "config", "sessions", "deliverables", "logs")
LIMIT = 4 << 20
MOST_TASKS = 500
TASKS = ".tasks.yaml"
_TAIL = 1 << 20
_UNSEEN = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")  # JSON takes them as they are, YAML does not
_WHOLE = 64 << 20  # a file of ours may be over the limit for those of people
_HEAD = """\
# Written by Milestone from its database, position {}. You may edit name, description and duration, objectives, scope,
# risks, team, dependencies, and tasks that have not begun; `milestone import` takes it in, or the next change does.
"""


@dataclass(frozen=True)
class Snapshot:
    """A milestone as the database has it at one moment; `position` is that of its newest event.

    `tasks` are those of its execution, where it has one; many of them get a file of their own.
    """

    milestone_id: str
    position: int
    document: Mapping[str, Any]
    sessions: Sequence[Mapping[str, Any]]
    files: Mapping[str, str]
    tasks: Sequence[Mapping[str, Any]] | None = None


@dataclass(frozen=True)
class Edit:
    """A file of a milestone that is not as it was written. `base` is what it was made from, where that is known.

    `odd` says why it cannot be read, where it cannot; `changed` is when it was written, in seconds of the time of day.
    """

    path: str
    content: bytes = b""
    base: Any = None
    odd: str = ""
    changed: float = 0.0

    @property
    def aside(self) -> str:
        """Where it is kept once it has been dealt with."""
        mark = secrets.token_hex(6) if self.odd else digest(self.content)[:12].decode()
        return f"edits/{_stem(self.path)}-{mark}.yaml"


class Mirror:
    """The folder `.milestones/` and, apart from it, what was last written there."""

    def __init__(self, folder: Folder, memory: Folder) -> None:
        self._folder = folder
        self._memory = memory
        self._bases = Bases(memory)
        self._dealt: set[bytes] = set()

    def prepare(self) -> None:
        """Create the folders; Git is told to leave all but `config/` alone, which `.gitignore` may change."""
        if self._folder.read(".gitignore", 1) is None and self._folder.read("README.md", 1) is None:
            self._folder.write(".gitignore", b"/*\n!/config/\n")
        for name in FOLDERS:
            self._folder.make(name)

    def edits(self, milestone_id: str) -> list[Edit]:
        """Return the files of a milestone that somebody else has written."""
        names = [milestone_id]
        if self._memory.read(f"{milestone_id}.tasks.written", 1) is not None:
            names.append(f"{milestone_id}.tasks")
        found = (self._edit(f"{folder}/{name}.yaml") for folder in FOLDERS[:2] for name in names)
        return [edit for edit in found if edit]

    def put_aside(self, edit: Edit) -> str:
        """Keep an edit, so that the database's version may take its place; returns where it is kept.

        What cannot be read is moved there; the copy of a file leaves it whole in its place until it is replaced.
        """
        aside = edit.aside
        if edit.odd:
            self._folder.make("edits")
            self._folder.move(edit.path, aside)
        else:
            self._folder.write(aside, edit.content)
            self._dealt.add(digest(edit.content))
        return aside

    def write(self, snapshot: Snapshot, *, anew: bool = False) -> str:
        """Write a milestone; `anew` even where it has been written. Returns where something else was put aside."""
        path, memory = f"{self._place(snapshot)}/{snapshot.milestone_id}.yaml", f"{snapshot.milestone_id}.written"
        position = (self._memory.read(memory, 200) or b"").partition(b" ")[2]
        if not anew and position == b"%d" % snapshot.position and self._folder.read(path, 1) is not None:
            return ""  # another process has written this already
        self.prepare()
        other = "active" if path.startswith("completed/") else "completed"
        asides: list[str] = []
        for there, content, value in self._files(snapshot):
            asides.append(self._leave(f"{other}/{there.partition('/')[2]}"))
            asides.append(self._replace(there, content, value, snapshot.position))
        self._write_rest(snapshot)
        return next(filter(None, asides), "")

    def drift(self, snapshot: Snapshot) -> list[str]:
        """Return the files of a milestone that are missing, or do not show what the database has."""
        wanted = [(path, content) for path, content, _ in self._files(snapshot)]
        wanted += _rest(snapshot)
        return [path for path, content in wanted if self._folder.read(path, len(content) + 1) != content]

    def tidy(self) -> list[str]:
        """Remove the unfinished files of writers that were killed, and return them; nobody may be writing."""
        found = self.leftovers()
        for folder, path in found:
            folder.remove(path)
        return [path for _, path in found]

    def leftovers(self) -> list[tuple[Folder, str]]:
        """Return the unfinished files of writers, each with the folder in which it lies."""
        delivered = [f"deliverables/{name}" for name in self._folder.names("deliverables")]
        places = [(self._folder, name) for name in (".", *FOLDERS, "edits", *delivered)]
        places += [(self._memory, name) for name in (".", *self._memory.names("."))]
        return [(folder, path) for folder, place in places for path in folder.leftovers(place)]

    def read_log(self, milestone_id: str) -> bytes:
        """Return a milestone's log."""
        return self._folder.read(_log(milestone_id), _WHOLE) or b""

    def write_log(self, milestone_id: str, events: Sequence[Mapping[str, Any]]) -> str:
        """Write a milestone's log anew; returns where the one that was there is kept."""
        aside = ""
        if self._folder.read(_log(milestone_id), 1):
            aside = f"edits/events-{milestone_id}-{secrets.token_hex(4)}.jsonl"
            self._folder.make("edits")
            self._folder.move(_log(milestone_id), aside)
        self._folder.write(_log(milestone_id), _lines(events))
        return aside

    def _edit(self, path: str) -> Edit | None:
        name = _stem(path)
        try:
            taken = self._folder.take(path, _WHOLE)
        except Odd as odd:
            return Edit(path, odd=str(odd))
        if taken is None or self._is_ours(name, taken.content):
            return None
        if len(taken.content) > LIMIT:
            return Edit(path, odd=f"it has {len(taken.content):,} bytes, at most {LIMIT:,} are allowed")
        base = self._bases.of(name, taken.content)
        return Edit(path, taken.content, base and base.value, changed=taken.changed)

    def _is_ours(self, name: str, content: bytes) -> bool:
        known = (self._memory.read(f"{name}.written", 200) or b"").partition(b" ")[0]
        return digest(content) in {known, *self._dealt} or self._bases.wrote(name, content)

    def _files(self, snapshot: Snapshot) -> Iterator[tuple[str, bytes, Any]]:
        """Yield the milestone's own files: path, content, and the value that it shows; the main one last."""
        tasks, beside = _tasks(snapshot)
        if beside:
            yield f"{self._place(snapshot)}/{beside}", tasks, snapshot.tasks
        whole = shown(snapshot)
        content = _HEAD.format(snapshot.position).encode() + _yaml(whole)
        yield f"{self._place(snapshot)}/{snapshot.milestone_id}.yaml", content, whole

    @staticmethod
    def _place(snapshot: Snapshot) -> str:
        return "completed" if snapshot.document["metadata"]["status"] == "completed" else "active"

    def _replace(self, path: str, content: bytes, value: Any, position: int) -> str:
        """Write a file and remember what was written; returns where something else was put aside."""
        name = _stem(path)
        self._bases.keep(name, position, content, value)
        edit = self._edit(path)
        aside = self.put_aside(edit) if edit else ""
        self._folder.write(path, content)
        self._memory.write(f"{name}.written", b"%s %d" % (digest(content), position))
        return aside

    def _leave(self, path: str) -> str:
        """Remove a file of ours that has moved; one that a person edited is put aside."""
        edit = self._edit(path)
        aside = self.put_aside(edit) if edit else ""
        if not (edit and edit.odd) and self._folder.read(path, 1) is not None:
            self._folder.remove(path)
        return aside

    def _write_rest(self, snapshot: Snapshot) -> None:
        for path, content in _rest(snapshot):
            self._folder.write(path, content)
        self._folder.make(f"deliverables/{snapshot.milestone_id}")

    def log(self, milestone_id: str, since: Callable[[int], Sequence[Mapping[str, Any]]]) -> None:
        """Append to a milestone's log every event that is not there yet."""
        path = _log(milestone_id)
        tail = self._folder.tail(path, _TAIL)
        if tail and not tail.endswith(b"\n"):
            self._folder.append(path, b"\n")
        position = _last_position(tail)
        while events := since(position):
            self._folder.append(path, _lines(events))
            position = events[-1]["position"]


def _rest(snapshot: Snapshot) -> list[tuple[str, bytes]]:
    """Return the other files of a milestone: its sessions and what it delivers."""
    sessions = [(f"sessions/{one['session_id']}.yaml", _yaml(one)) for one in snapshot.sessions]
    files = snapshot.files.items()
    folder = f"deliverables/{snapshot.milestone_id}"
    return [*sessions, *((f"{folder}/{name}", content.encode("utf-8", "replace")) for name, content in files)]


def _log(milestone_id: str) -> str:
    return f"logs/events-{milestone_id}.jsonl"


def _lines(events: Sequence[Mapping[str, Any]]) -> bytes:
    lines = (json.dumps({**event, "detail": json.loads(event["detail"])}, ensure_ascii=False) for event in events)
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")


def _stem(path: str) -> str:
    return path.rpartition("/")[2].removesuffix(".yaml")


def shown(snapshot: Snapshot) -> dict[str, Any]:
    """Return what a milestone's own file shows; of many tasks only where they are."""
    tasks: Any = snapshot.document["tasks"] if snapshot.tasks is None else list(snapshot.tasks)
    if snapshot.tasks is not None and len(snapshot.tasks) > MOST_TASKS:
        tasks = {"count": len(snapshot.tasks), "file": f"{snapshot.milestone_id}{TASKS}"}
    return {**snapshot.document, "tasks": tasks}


def _tasks(snapshot: Snapshot) -> tuple[bytes, str]:
    """Return the file of the tasks and its name, where there are too many for the milestone's own file.

    A line is one task: JSON is YAML, and is written a hundred times faster.
    """
    if snapshot.tasks is None or len(snapshot.tasks) <= MOST_TASKS:
        return b"", ""
    lines = [_HEAD.format(snapshot.position)]
    lines += [f"- {_UNSEEN.sub(_escaped, json.dumps(task, ensure_ascii=False))}\n" for task in snapshot.tasks]
    return "".join(lines).encode("utf-8", "replace"), f"{snapshot.milestone_id}{TASKS}"


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


def _last_position(tail: bytes) -> int:
    for line in reversed(tail.splitlines()):
        try:
            return int(json.loads(line)["position"])
        except (ValueError, KeyError, TypeError):
            continue
    return 0


def _yaml(value: Any) -> bytes:
    import yaml

    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    return yaml.dump(_plain(value), Dumper=dumper, sort_keys=False, allow_unicode=True, width=120, encoding="utf-8")


def _plain(value: Any) -> Any:
    """Return a copy in which nothing occurs twice, so that the YAML needs no anchors."""
    return json.loads(json.dumps(value))
