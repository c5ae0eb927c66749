"""Which files of a repository the rehearsal looks at, and what it leaves out and says so."""

from __future__ import annotations

import os
import stat
import subprocess
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

MAX_FILES = 20_000
READ_LIMIT = 256 * 1024
GIT_SECONDS = 30

OURS = frozenset({".git", ".milestones"})
VENDORED = frozenset(
    {
        *(".venv", "venv", ".tox", ".nox", "site-packages", "__pycache__", ".eggs", ".mypy_cache", ".pytest_cache"),
        *("node_modules", "bower_components", ".yarn", ".pnpm-store", "vendor", "third_party", "third-party"),
        *(".ruff_cache", ".hypothesis", ".gradle", ".idea", ".vscode-test", ".terraform", ".cache", "Pods"),
    }
)
# Only skipped where Git does not vouch for them: a tracked build/ is source.
BUILT = frozenset({"build", "dist", "target", "out", "_build", ".next", ".nuxt", "coverage", "htmlcov"})


@dataclass(frozen=True, slots=True)
class Project:
    """A repository to look at, and the environment in which Git is asked about it."""

    root: Path
    environment: Mapping[str, str]

    @property
    def name(self) -> str:
        """The folder's name, safe to show."""
        return shown(self.root.name, 60) or "the file system"


@dataclass(frozen=True, slots=True)
class Entry:
    """A regular file: its path below the root, bytes that are no UTF-8 as surrogates, and its size in bytes."""

    path: str
    size: int


@dataclass(frozen=True, slots=True)
class Listing:
    """The files that are looked at, who named them, and what was left out."""

    root: Path
    source: str
    entries: tuple[Entry, ...]
    notes: tuple[str, ...]


def list_files(project: Project, *, limit: int = MAX_FILES) -> Listing:
    """Return the regular files that are the project's own, sorted, at most `limit`."""
    left_out: Counter[str] = Counter()
    root, known = project.root, _known_to_git(project)
    if known:
        source, names = "Git", _kept(known, left_out)
    else:
        source, names = "a walk through the folders", _walk(root, limit, left_out)
    entries = list(islice(_regular(root, names, left_out), limit + 1))
    notes = [f"{what}: {number:,}" for what, number in sorted(left_out.items())]
    if len(entries) > limit:
        notes.insert(0, f"only the first {limit} files were looked at; there are more")
    return Listing(root, source, tuple(entries[:limit]), tuple(notes))


def shown(text: str, limit: int = 300) -> str:
    """Return text that can be printed and stored: odd bytes and control characters are written as escapes.

    >>> shown("a" + chr(10) + "b")
    'a\\\\nb'
    """
    safe = "".join(c if c.isprintable() else _escape(c) for c in text[: limit + 1])
    return safe if len(safe) <= limit else safe[: limit - 1] + "…"


def count(number: int, what: str, plural: str = "") -> str:
    """Return a number with its noun.

    >>> count(1, "file"), count(1200, "copy", "copies")
    ('1 file', '1,200 copies')
    """
    return f"{number:,} {what if number == 1 else plural or what + 's'}"


def _escape(character: str) -> str:
    # Where Python keeps bytes of file names that are no UTF-8.
    if "\udc80" <= character <= "\udcff":
        return f"\\x{ord(character) - 0xDC00:02x}"
    return character.encode("unicode_escape").decode("ascii")


def read(root: Path, path: str, limit: int = READ_LIMIT) -> bytes | None:
    """Return at most `limit` bytes of a regular file, or None where it cannot be read; never follows a link."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(root / path, flags)
    except OSError:
        return None
    try:
        with os.fdopen(descriptor, "rb") as file:
            return file.read(limit) if stat.S_ISREG(os.fstat(descriptor).st_mode) else None
    except OSError:
        return None


def _known_to_git(project: Project) -> list[str]:
    """Return the paths Git tracks or would track, sorted; none without Git or a repository, or where Git is too slow.

    The repository is a stranger's: none of its hooks or monitors may run, and no `GIT_*` may lead elsewhere.
    """
    environment = {name: value for name, value in project.environment.items() if not name.startswith("GIT_")}
    harmless = ["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-C", str(project.root)]
    wanted = ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"]
    try:
        done = subprocess.run(
            ["git", *harmless, *wanted],
            env={**environment, "GIT_OPTIONAL_LOCKS": "0"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=GIT_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return []
    return sorted(os.fsdecode(name) for name in done.stdout.split(b"\0") if name)


def _kept(names: Iterable[str], left_out: Counter[str]) -> Iterator[str]:
    for name in names:
        folders = frozenset(name.split("/")[:-1])
        if folders & VENDORED:
            left_out["files in folders of vendored or generated code, left out"] += 1
        elif not folders & OURS:
            yield name


def _walk(root: Path, limit: int, left_out: Counter[str]) -> Iterator[str]:
    """Yield paths below the root, folder by folder; stops after as many folders as there may be files."""
    for visited, (folder, folders, files) in enumerate(os.walk(root)):
        if visited > limit:
            left_out["walks that were cut, for too many folders"] += 1
            return
        skipped = [name for name in folders if name in VENDORED | BUILT]
        left_out.update({"folders of vendored or generated code, left out": len(skipped)} if skipped else {})
        folders[:] = sorted(name for name in folders if name not in VENDORED | BUILT | OURS)
        below = os.path.relpath(folder, root).replace(os.sep, "/")
        yield from (name if below == "." else f"{below}/{name}" for name in sorted(files))


def _regular(root: Path, names: Iterable[str], left_out: Counter[str]) -> Iterator[Entry]:
    inside: dict[str, bool] = {}
    base = os.path.realpath(root)
    for name in names:
        parent = name.rpartition("/")[0]
        if parent not in inside:
            inside[parent] = os.path.realpath(root / parent) == str(Path(base, parent))
        try:
            found = os.lstat(root / name) if inside[parent] else None
        except OSError:
            left_out["listed files that are missing or cannot be reached"] += 1
            continue
        if found is None or stat.S_ISLNK(found.st_mode):
            left_out["links, not followed"] += 1
        elif stat.S_ISDIR(found.st_mode):
            left_out["nested repositories, left out"] += 1
        elif stat.S_ISREG(found.st_mode):
            yield Entry(name, found.st_size)
        else:
            left_out["pipes, sockets and devices, left out"] += 1
