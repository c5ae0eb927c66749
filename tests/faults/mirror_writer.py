"""`python mirror_writer.py FOLDER KILLS [in-place|hasty]`: writers of a mirror, each killed at some moment; JSON last.

Every second one is killed at some moment, the others at one of their calls of the system.
`in-place` overwrites the file instead of renaming a finished one; `hasty` notes what it wrote after it has written it.
"""

from __future__ import annotations

import json
import os
import random
import select
import signal
import sys
from pathlib import Path
from typing import Any

import yaml

sys.path[:0] = [str(Path(__file__).resolve().parents[2] / "server")]

from milestone.workspace.bases import Bases  # noqa: E402 - found only now
from milestone.workspace.files import Folder  # noqa: E402
from milestone.workspace.mirror import Mirror, Snapshot  # noqa: E402

LONGEST = 0.05  # seconds that a writer lives after its first file


class InPlace(Folder):
    """Writes a file as one should not."""

    def write(self, path: str, content: bytes) -> None:
        """Overwrite the file."""
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        file = os.open(self.root / path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for at in range(0, len(content), 4096):
            os.write(file, content[at : at + 4096])
        os.close(file)


class Forgetful(Bases):
    """Keeps nothing of what is about to be written."""

    def keep(self, name: str, position: int, content: bytes, value: Any) -> None:
        """Forget it."""


def snapshot(position: int) -> Snapshot:
    """Return a milestone of some size."""
    tasks = [{"id": f"t-{number}", "title": f"Do {number} at {position}"} for number in range(300)]
    document: dict[str, Any] = {"metadata": {"status": "active"}, "tasks": [], "git": {"position": position}}
    return Snapshot("m", position, document, [], {"notes.md": "# Notes\n" * 100}, tasks)


def write_for_ever(mirror: Mirror, position: int, told: int, calls: int) -> None:
    """Write, and tell the first time; then die at the call of that number, if there is one: opening or renaming."""
    mirror.write(snapshot(position))
    os.write(told, b".")
    if calls % 2:
        os.open = dying(os.open, calls)
    elif calls:
        os.write, os.rename = dying(os.write, calls // 2), dying(os.rename, calls // 2)
    while True:
        position += 1
        mirror.write(snapshot(position))


def dying(call: Any, calls: int) -> Any:
    """Return a call of the system that is not survived when it is made for the last time."""
    left = [calls]

    def called(*given: Any, **more: Any) -> Any:
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*given, **more)

    return called


def main(root: Path, kills: int, bug: str) -> None:
    """Kill writers, and count what they left."""
    chance = random.Random(kills)
    found = {"kills": kills, "broken": 0, "taken for a person's": 0, "left behind": 0}
    mirror = Mirror((InPlace if bug == "in-place" else Folder)(root / "mirror"), Folder(root / "memory"))
    if bug == "hasty":
        mirror._bases = Forgetful(Folder(root / "memory"))  # noqa: SLF001 - a bug is planted
    mirror.prepare()
    for number in range(kills):
        hears, told = os.pipe()
        child = os.fork()
        if not child:
            write_for_ever(mirror, 1_000_000 * number, told, (number + 1) // 2 if number % 2 else 0)
        os.read(hears, 1)
        if not number % 2:
            select.select([], [], [], chance.random() * LONGEST)
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(hears)
        os.close(told)
        found["broken"] += not whole(root / "mirror" / "active" / "m.yaml")
        found["left behind"] += len(mirror.leftovers())
        found["taken for a person's"] += bool(mirror.edits("m"))
        mirror.tidy()
    found["left after the next start"] = len([*root.rglob("*.tmp")])
    print(json.dumps(found))  # noqa: T201 - this is what it is for


def whole(path: Path) -> bool:
    """Return whether a file is all of one milestone."""
    try:
        document = yaml.load(path.read_text("utf-8"), yaml.CSafeLoader)
        said = {int(task["title"].rpartition(" ")[2]) for task in document["tasks"]}
        return said == {document["git"]["position"]} and len(document["tasks"]) == 300
    except (yaml.YAMLError, TypeError, KeyError, ValueError):
        return False


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), (*sys.argv[3:], "")[0])
