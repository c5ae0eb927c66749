"""What the files of a repository say about themselves: one look at each, no judgement."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import dataclass, replace

from milestone.surfaces.rehearse import kinds
from milestone.surfaces.rehearse.listing import READ_LIMIT, Entry, Listing, read, shown

READ_TOTAL = 192 * 1024 * 1024

_MARK = re.compile(rb"\b(TODO|FIXME|XXX|HACK)\b")
_IMPORT = re.compile(
    rb"^\s*(?:from|import|use|using|require(?:_once|_relative)?|#?\s*include|source|extern crate|mod|export)\b(.*)$"
    rb"|^.*?\b(?:require|import|importlib\.import_module)\s*\((.*)$"
)
# In a dotted name only the head tells whose it is: http.server is not a project's own `server`.
_WORD = re.compile(rb"(?<![\w.-])[A-Za-z_][\w-]*")
# "bin/tool", or "bin" / "tool", or "bin", "tool": a test that starts a program names its path.
_PATH = re.compile(rb"""["'](?:\.{0,2}/)*([\w.-]+)(?:/|["']\s*[/,]\s*["'])([\w.-]+)""")
_LICENCES = (
    ("MIT", r"\bMIT License\b|Permission is hereby granted, free of charge"),
    ("Apache-2.0", r"Apache License,?\s+Version 2\.0"),
    ("AGPL-3.0", r"GNU AFFERO GENERAL PUBLIC LICENSE"),
    ("LGPL", r"GNU LESSER GENERAL PUBLIC LICENSE"),
    ("GPL-3.0", r"GNU GENERAL PUBLIC LICENSE\s+Version 3"),
    ("GPL-2.0", r"GNU GENERAL PUBLIC LICENSE\s+Version 2"),
    ("MPL-2.0", r"Mozilla Public License,?\s+(?:v\.?|Version)\s*2\.0"),
    ("BSD", r"Redistribution and use in source and binary forms"),
    ("ISC", r"\bISC License\b|Permission to use, copy, modify, and(?:/or)? distribute"),
    ("Unlicense", r"free and unencumbered software released into the public domain"),
    ("CC0-1.0", r"CC0 1\.0 Universal"),
)


@dataclass(frozen=True, slots=True)
class Seen:
    """One file as it was seen.

    `lines` counts what was read; `digest` is empty unless the file was read whole; `marks` are the lines with TODO and
    its like; `mentions` are names on import lines of a test and paths in its strings, each with its first line.
    """

    path: str
    size: int
    language: str = ""
    test: bool = False
    lines: int = 0
    digest: str = ""
    marks: tuple[int, ...] = ()
    mentions: tuple[tuple[str, int], ...] = ()
    title: str = ""

    @property
    def code(self) -> bool:
        """Whether this is code that could have tests."""
        return bool(self.language) and self.language not in kinds.NO_CODE and not self.test


@dataclass(frozen=True, slots=True)
class Survey:
    """All files that were seen, and what could not be."""

    listing: Listing
    files: tuple[Seen, ...]
    notes: tuple[str, ...]

    def languages(self) -> list[tuple[str, int, int]]:
        """Return (language, files, lines), code before prose, most files first."""
        files = Counter(seen.language for seen in self.files if seen.language)
        lines: Counter[str] = Counter()
        for seen in self.files:
            lines[seen.language] += seen.lines
        order = sorted(files, key=lambda name: (name in kinds.NO_CODE, -files[name], name))
        return [(name, files[name], lines[name]) for name in order]


def survey(listing: Listing, *, total: int = READ_TOTAL) -> Survey:
    """Return what each listed file shows, reading at most `total` bytes in all."""
    files: list[Seen] = []
    notes: Counter[str] = Counter()
    for entry in listing.entries:
        if kinds.is_binary(entry.path):
            notes["binary files, not read"] += 1
            files.append(Seen(entry.path, entry.size))
        elif total <= 0:
            notes["files listed but not read, for the reading limit"] += 1
            files.append(Seen(entry.path, entry.size, kinds.language_of(entry.path)))
        else:
            total -= min(entry.size, READ_LIMIT)
            files.append(_look(listing, entry, notes))
    said = [f"{what}: {number:,}" for what, number in sorted(notes.items())]
    return Survey(listing, tuple(files), (*listing.notes, *said))


def _look(listing: Listing, entry: Entry, notes: Counter[str]) -> Seen:
    seen = Seen(entry.path, entry.size)
    content = read(listing.root, entry.path)
    if content is None:
        notes["files that could not be read"] += 1
        return seen
    whole = entry.size == len(content)
    if not whole:
        notes[f"files of which only the first {READ_LIMIT // 1024} KiB were read"] += 1
    seen = replace(seen, digest=hashlib.sha256(content).hexdigest() if whole else "")
    if b"\0" in content[:8192]:
        notes["binary files, not read"] += 1
        return seen
    if kinds.is_generated(entry.path):
        return seen
    language = kinds.language_of(entry.path) or kinds.language_by_shebang(content)
    lines = content.splitlines()
    test = kinds.is_test(entry.path, language)
    return replace(
        seen,
        language=language,
        test=test,
        lines=len(lines),
        marks=_marks(lines) if language and language not in kinds.NO_CODE else (),
        mentions=_mentions(lines) if test else (),
        title=_title(entry.path, content),
    )


def _marks(lines: list[bytes]) -> tuple[int, ...]:
    return tuple(number for number, line in enumerate(lines, 1) if _MARK.search(line))


def _mentions(lines: list[bytes]) -> tuple[tuple[str, int], ...]:
    first: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        found = _IMPORT.match(line[:400])
        for word in _WORD.findall(found[1] or found[2] or b"") if found else ():
            first.setdefault(word.decode("ascii"), number)
        for pair in _PATH.findall(line[:400]):
            first.setdefault(b"/".join(pair).decode("ascii"), number)
    return tuple(first.items())


def _title(path: str, content: bytes) -> str:
    """Return the name of a licence, or the first heading of a README; empty for any other file."""
    if kinds.is_licence(path):
        text = content[:4000].decode("utf-8", "replace")
        found = (name for name, words in _LICENCES if re.search(words, text, re.IGNORECASE))
        return next(found, "a licence of its own")
    if kinds.is_readme(path):
        lines = (line.strip(" #=*\t") for line in content[:8000].decode("utf-8", "replace").splitlines())
        return shown(next((line for line in lines if line and not line.startswith(("<", "[", "!", ".."))), ""), 100)
    return ""
