"""Gates for a clone whose repository has none: commands that read what is there, and run nothing of it."""

from __future__ import annotations

import json
import shutil
import sys
import threading
from collections import Counter
from typing import TYPE_CHECKING

from milestone.domain.gates import Gate, GateLimits
from milestone.gates.runner import run_gate
from milestone.surfaces.rehearse import kinds
from milestone.surfaces.rehearse.listing import VENDORED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

MOST_PLACES = 12
TRIAL_SECONDS = 5
# What a change adds: blanks at the end of a line, and marks of a conflict, are refused.
WHITESPACE = Gate("whitespace", ("git", "diff", "--check", "HEAD~1", "HEAD"), seconds=60)
_HEAD = "# Put here by a rehearsal, in its clone only: the repository has no gates of its own.\n"
# Programs that only read one file, and where a file of this language has to end for them.
_READERS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "JavaScript": (("node", "--check"), (".js", ".cjs", ".mjs")),
    "PHP": (("php", "-l"), (".php",)),
    "Shell": (("bash", "-n"), (".sh", ".bash")),
}


def fitting_gates(folder: Path, files: Sequence[str], environ: Mapping[str, str]) -> tuple[Gate, ...]:
    """Return gates for a checked-out commit: one for what changes, and one that reads its code where such a one passes.

    Each candidate of the second kind is tried here, under the limits of a gate and for at most 5 s.
    """
    for gate in _candidates(folder, files, environ.get("PATH", "")):
        limits = GateLimits(seconds=TRIAL_SECONDS)
        tried = run_gate(
            gate, folder, environ=environ, limits=limits, progress=lambda _: None, cancelled=threading.Event()
        )
        if tried.passed:
            return (WHITESPACE, gate)
    return (WHITESPACE,)


def as_yaml(gates: Sequence[Gate]) -> str:
    """Return gates as the project's file has them; JSON is YAML."""
    return f"{_HEAD}gates:\n" + "".join(f"  - {json.dumps(gate.plain())}\n" for gate in gates)


def command(run: str) -> str:
    """Return a command as people type it: this program's own Python is called `python`.

    >>> command("git diff"), command(f"{sys.executable} -I -m compileall")
    ('git diff', 'python -I -m compileall')
    """
    return f"python{run.removeprefix(sys.executable)}" if run.startswith(sys.executable) else run


def _candidates(folder: Path, files: Sequence[str], search: str) -> Iterator[Gate]:
    """Yield what could read the code, the language with most files first."""
    code = [path for path in files if _is_own(path)]
    languages = Counter(kinds.language_of(path) for path in code)
    for language, _ in languages.most_common():
        if language == "Python":
            # -I: nothing of the repository is imported in the compiler's stead.
            compiling = (sys.executable, "-I", "-m", "compileall", "-q")
            places = _places([path for path in code if path.endswith(".py")])
            yield from (Gate("syntax", (*compiling, *some), seconds=60) for some in (places, places[:1]) if some)
        elif language in _READERS:
            program, endings = _READERS[language]
            largest = max((path for path in code if path.endswith(endings)), key=lambda p: _size(folder, p), default="")
            if largest and shutil.which(program[0], path=search):
                yield Gate("syntax", (*program, largest), seconds=60)


def _is_own(path: str) -> bool:
    """Whether a path is the project's own, and can stand in a list of arguments."""
    return path.isprintable() and not path.startswith("-") and not VENDORED.intersection(path.split("/")[:-1])


def _places(paths: Sequence[str]) -> tuple[str, ...]:
    """Return the folders and files at the top that hold these, those with most of them first."""
    return tuple(place for place, _ in Counter(path.partition("/")[0] for path in paths).most_common(MOST_PLACES))


def _size(folder: Path, path: str) -> int:
    try:
        return (folder / path).lstat().st_size
    except OSError:
        return 0
