"""The parts of a repository: its top-level folders, what they hold, and which of them tests reach."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from milestone.surfaces.rehearse import kinds

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from milestone.surfaces.rehearse.survey import Seen, Survey

TOP = "."
# Folders that only hold other folders of code: each of those is a part of its own.
_CONTAINERS = "src lib libs packages apps crates modules plugins services cmd internal pkg"
CONTAINERS = frozenset(_CONTAINERS.split())
# Too common to tell whose test it is.
_ANYONES = "app common core index init lib main mod setup src test tests types util utils"
_COMMON = frozenset(_ANYONES.split())


@dataclass(frozen=True, slots=True)
class Proof:
    """The line of a test that reaches a part; no line where the test lies inside it."""

    file: str
    line: int | None


@dataclass(frozen=True, slots=True)
class Piece:
    """One part: its folder (`.` for the files at the top), its files, and the test that reaches it, if one does."""

    name: str
    files: tuple[Seen, ...]
    proof: Proof | None

    @property
    def code(self) -> tuple[Seen, ...]:
        """The files of code, largest first."""
        return tuple(sorted((seen for seen in self.files if seen.code), key=lambda seen: (-seen.lines, seen.path)))

    @property
    def purpose(self) -> str:
        """What the part holds, in one line."""
        return _purpose(self)


def pieces(survey: Survey) -> list[Piece]:
    """Return the parts, by name."""
    folders: dict[str, list[Seen]] = defaultdict(list)
    split = _containers(survey.files)
    for seen in survey.files:
        folders[_folder(seen.path, split)].append(seen)
    names = {folder: _names(folder, files) for folder, files in folders.items()}
    shared = {name for name, count in Counter(name for each in names.values() for name in each).items() if count > 1}
    named = _named_by_tests(survey)
    return [
        Piece(folder, tuple(files), _proof(files, names[folder] - shared, named))
        for folder, files in sorted(folders.items())
    ]


def _named_by_tests(survey: Survey) -> dict[str, Proof]:
    """Return where each name is first named by a test."""
    named: dict[str, Proof] = {}
    for seen in survey.files:
        for word, line in seen.mentions:
            named.setdefault(_plain(word), Proof(seen.path, line))
    return named


def _folder(path: str, split: frozenset[str]) -> str:
    first, *rest = path.split("/")
    if not rest:
        return TOP
    return f"{first}/{rest[0]}" if first in split and len(rest) > 1 else first


def _containers(files: Iterable[Seen]) -> frozenset[str]:
    below: dict[str, set[str]] = defaultdict(set)
    for seen in files:
        names = seen.path.split("/")
        if names[0].lower() in CONTAINERS and names[2:] and seen.code:
            below[names[0]].add(names[1])
    return frozenset(name for name, found in below.items() if len(found) > 1)


def _proof(files: Iterable[Seen], names: frozenset[str], named: Mapping[str, Proof]) -> Proof | None:
    inside = next((Proof(seen.path, None) for seen in files if seen.test), None)
    return inside or min((named[name] for name in names if name in named), key=lambda proof: proof.file, default=None)


def _names(folder: str, files: Iterable[Seen]) -> frozenset[str]:
    """Return what a test would call a part: its folder, the folders and modules at its top, and the paths of those."""
    depth = 0 if folder == TOP else folder.count("/") + 1
    below = [seen.path.split("/")[depth:] for seen in files if seen.code]
    children = {names[0] for names in below}
    modules = {PurePosixPath(names[0]).stem for names in below if len(names) > 1 or "." in names[0]}
    own = {folder.rpartition("/")[2]} - {TOP}
    paths = {_plain(f"{name}/{child}") for name in own for child in children}
    return frozenset({_plain(name) for name in modules | own} - _COMMON - {""} | paths)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9/]", "", name.lower())


def _purpose(piece: Piece) -> str:
    holds = _holds(piece.files)
    if piece.name == TOP:
        return f"The files at the top: {holds}."
    tests = sum(seen.test for seen in piece.files)
    code = len(piece.code)
    if tests and tests >= code:
        return f"Tests: {holds}."
    if all(kinds.is_ci(seen.path) for seen in piece.files):
        return f"Continuous integration: {holds}."
    if not code:
        return f"No code: {holds}."
    also = f", {tests} of them tests" if tests else ""
    return f"Code: {holds}{also}."


def _holds(files: Iterable[Seen]) -> str:
    counted = Counter(seen.language or "other" for seen in files)
    lines: Mapping[str, int] = _lines(files)
    named = [
        f"{count} {language} file{'s' * (count > 1)}" + (f" ({lines[language]:,} lines)" if lines[language] else "")
        for language, count in counted.most_common(3)
    ]
    rest = sum(counted.values()) - sum(count for _, count in counted.most_common(3))
    return ", ".join([*named, *([f"{rest} more"] if rest else [])])


def _lines(files: Iterable[Seen]) -> Counter[str]:
    lines: Counter[str] = Counter()
    for seen in files:
        lines[seen.language or "other"] += seen.lines
    return lines
