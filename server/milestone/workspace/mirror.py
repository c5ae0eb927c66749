"""The mirror for people: a milestone as YAML, its deliverables, sessions and log, written after the database."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from milestone.workspace.files import Folder

FOLDERS = ("active", "completed", "config", "sessions", "deliverables", "logs")
LIMIT = 4 << 20
_TAIL = 1 << 20
_HEAD = "# Written by Milestone from its database. An edit is put aside under edits/, not taken in.\n"


@dataclass(frozen=True)
class Snapshot:
    """A milestone as the database has it at one moment; `position` is that of its newest event."""

    milestone_id: str
    position: int
    document: Mapping[str, Any]
    sessions: Sequence[Mapping[str, Any]]
    files: Mapping[str, str]


class Mirror:
    """The folder `.milestones/` and, apart from it, what was last written there."""

    def __init__(self, folder: Folder, memory: Folder) -> None:
        self._folder = folder
        self._memory = memory

    def prepare(self) -> None:
        """Create the folders; Git is told to leave them alone, which a project may undo by deleting `.gitignore`."""
        if self._folder.read(".gitignore", 1) is None and self._folder.read("README.md", 1) is None:
            self._folder.write(".gitignore", b"*\n")
        for name in FOLDERS:
            self._folder.make(name)

    def write(self, snapshot: Snapshot) -> str:
        """Write a milestone. Returns where a person's edit was put aside, or an empty text."""
        ended = snapshot.document["metadata"]["status"] == "completed"
        path = f"{'completed' if ended else 'active'}/{snapshot.milestone_id}.yaml"
        memory = f"{snapshot.milestone_id}.written"
        digest, _, position = (self._memory.read(memory, 200) or b"").partition(b" ")
        if position == b"%d" % snapshot.position and self._folder.read(path, 1) is not None:
            return ""  # another process has written this already
        self.prepare()
        content = _HEAD.encode() + _yaml(snapshot.document)
        aside = self._put_aside(snapshot.milestone_id, path, {digest, _digest(content)})
        self._folder.write(path, content)
        self._write_rest(snapshot)
        self._memory.write(memory, b"%s %d" % (_digest(content), snapshot.position))
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

    def _put_aside(self, milestone_id: str, path: str, ours: set[bytes]) -> str:
        """Keep what a person wrote: the database's version takes its place, and nothing is overwritten."""
        there = self._folder.read(path, LIMIT)
        if there is None or _digest(there) in ours:
            return ""
        aside = f"edits/{milestone_id}-{_digest(there)[:12].decode()}.yaml"
        self._folder.move(path, aside)
        return aside


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
