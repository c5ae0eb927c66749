"""A process that puts a worktree back and is killed on the way: `python going_back.py <project> <home> <path> <ref>
<lines> <bin>`. It ends itself at the n-th line of ours that it comes to once it begins to change things, and tells how
many there were where it comes to the end. With `bin`, a folder, it finds git there.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parents[2] / "server"), str(Path(__file__).resolve().parents[2])]

from milestone.git import door, heads, putting_back, sparing, staged, under_way  # noqa: E402 - found only now
from tests.git.repositories import Sandbox  # noqa: E402

_COUNTED = {module.__file__ for module in (door, heads, putting_back, sparing, staged, under_way)}


class _Tracer:
    """Counts lines from the first call of `_make` on, and kills this process at one of them."""

    def __init__(self, at: int) -> None:
        self.count, self._at, self._begun = 0, at, False

    def trace(self, frame: FrameType, event: str, _argument: Any) -> Any:
        self._begun = self._begun or frame.f_code.co_name == "_make"
        if not self._begun or frame.f_code.co_filename not in _COUNTED:
            return None if self._begun else self.trace
        if event == "line":
            self.count += 1
            if self.count == self._at:
                os.kill(os.getpid(), signal.SIGKILL)
        return self.trace


def main(project: str, home: str, path: str, ref: str, lines: str, programs: str) -> None:
    """Put the worktree back."""
    more = {"PATH": f"{programs}:{os.environ['PATH']}"} if programs else {}
    sandbox, tracer = Sandbox(Path(project), Path(home), more), _Tracer(int(lines))
    repository = sandbox.repository
    sys.settrace(tracer.trace)
    putting_back.put_back(repository, Path(path), ref)
    sys.settrace(None)
    sys.stdout.write(f"{tracer.count}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
