"""The mirror for people: a milestone as YAML, its deliverables, sessions and log, written after the database."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from milestone.workspace.files import Folder

FOLDERS = ("active", "completed", "config", "sessions", "deliverables", "logs")
LIMIT = 4 << 20
MOST_TASKS = 500
_TAIL = 1 << 20
_UNSEEN = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")  # JSON takes them as they are, YAML does not
_HEAD = "# Written by Milestone from its database. An edit is put aside under edits/, not taken in.\n"


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


class Mirror:
    """The folder `.milestones/` and, apart from it, what was last written there."""

    def __init__(self, folder: Folder, memory: Folder) -> None:
        self._folder = folder
        self._memory = memory

    def prepare(self) -> None:
        """Create the folders; Git is told to leave all but `config/` alone, which `.gitignore` may change."""
        if self._folder.read(".gitignore", 1) is None and self._folder.read("README.md", 1) is None:
            self._folder.write(".gitignore", b"/*\n!/config/\n")
        for name in FOLDERS:
            self._folder.make(name)

    def write(self, snapshot: Snapshot) -> str:
        """Write a milestone. Returns where a person's edit was put aside, or an empty text."""
        ended = snapshot.document["metadata"]["status"] == "completed"
        folder, other = ("completed", "active") if ended else ("active", "completed")
        path = f"{folder}/{snapshot.milestone_id}.yaml"
        memory = f"{snapshot.milestone_id}.written"
        position = (self._memory.read(memory, 200) or b"").partition(b" ")[2]
        if position == b"%d" % snapshot.position and self._folder.read(path, 1) is not None:
            return ""  # another process has written this already
        self.prepare()
        tasks, beside = _tasks(snapshot)
        names = [name for name in (f"{snapshot.milestone_id}.yaml", beside) if name]
        asides = [self._leave(f"{other}/{name}", name) for name in names]
        asides += (
            [self._replace(f"{folder}/{beside}", tasks, f"{beside.removesuffix('.yaml')}.written", snapshot)]
            if beside
            else []
        )
        whole = {**snapshot.document, "tasks": _shown(snapshot, beside)}
        asides.append(self._replace(path, _HEAD.encode() + _yaml(whole), memory, snapshot))
        self._write_rest(snapshot)
        return next(filter(None, asides), "")

    def _replace(self, path: str, content: bytes, memory: str, snapshot: Snapshot) -> str:
        """Write a file and remember what was written; returns where a person's edit was put aside."""
        known = (self._memory.read(memory, 200) or b"").partition(b" ")[0]
        aside = self._put_aside(path, {known, _digest(content)})
        self._folder.write(path, content)
        self._memory.write(memory, b"%s %d" % (_digest(content), snapshot.position))
        return aside

    def _leave(self, path: str, name: str) -> str:
        """Remove a file of ours that has moved; one that a person edited is put aside."""
        known = (self._memory.read(f"{name.removesuffix('.yaml')}.written", 200) or b"").partition(b" ")[0]
        aside = self._put_aside(path, {known})
        if not aside and self._folder.read(path, 1) is not None:
            self._folder.remove(path)
        return aside

    def _write_rest(self, snapshot: Snapshot) -> None:
        for session in snapshot.sessions:
            self._folder.write(f"sessions/{session['session_id']}.yaml", _yaml(session))
        for name, content in snapshot.files.items():
            self._folder.write(f"deliverables/{snapshot.milestone_id}/{name}", content.encode("utf-8", "replace"))
        self._folder.make(f"deliverables/{snapshot.milestone_id}")

    def log(self, milestone_id: str, since: Callable[[int], Sequence[Mapping[str, Any]]]) -> None:
        """Append to a milestone's log every event that is not there yet."""
        path = f"logs/events-{milestone_id}.jsonl"
        tail = self._folder.tail(path, _TAIL)
        if tail and not tail.endswith(b"\n"):
            self._folder.append(path, b"\n")
        position = _last_position(tail)
        while events := since(position):
            lines = (
                json.dumps({**event, "detail": json.loads(event["detail"])}, ensure_ascii=False) for event in events
            )
            self._folder.append(path, "".join(f"{line}\n" for line in lines).encode("utf-8", "replace"))
            position = events[-1]["position"]

    def _put_aside(self, path: str, ours: set[bytes]) -> str:
        """Keep what a person wrote: the database's version takes its place, and nothing is overwritten."""
        there = self._folder.read(path, LIMIT)
        if there is None or _digest(there) in ours:
            return ""
        name = path.rpartition("/")[2].removesuffix(".yaml")
        aside = f"edits/{name}-{_digest(there)[:12].decode()}.yaml"
        self._folder.move(path, aside)
        return aside


def _shown(snapshot: Snapshot, beside: str) -> Any:
    """Return what stands under `tasks` in the milestone's own file."""
    if snapshot.tasks is None:
        return snapshot.document["tasks"]
    return {"count": len(snapshot.tasks), "file": beside} if beside else list(snapshot.tasks)


def _tasks(snapshot: Snapshot) -> tuple[bytes, str]:
    """Return the file of the tasks and its name, where there are too many for the milestone's own file.

    A line is one task: JSON is YAML, and is written a hundred times faster.
    """
    if snapshot.tasks is None or len(snapshot.tasks) <= MOST_TASKS:
        return b"", ""
    lines = [_HEAD]
    lines += [f"- {_UNSEEN.sub(_escaped, json.dumps(task, ensure_ascii=False))}\n" for task in snapshot.tasks]
    return "".join(lines).encode("utf-8", "replace"), f"{snapshot.milestone_id}.tasks.yaml"


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()


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
