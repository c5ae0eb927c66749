"""What a manifest declares, and how it is noted while it is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from milestone.surfaces.rehearse.listing import shown

WORLDS = {
    "pypi": "Python",
    "npm": "npm",
    "cargo": "Cargo",
    "go": "Go",
    "composer": "Composer",
    "gem": "RubyGems",
    "maven": "Maven",
}
MOST = 2_000
CUT = f"only its first {MOST} dependencies were read"


@dataclass(frozen=True, slots=True)
class Declared:
    """A dependency as one manifest declares it; `local` when it lies in the repository itself."""

    world: str
    name: str
    declared: str
    manifest: str
    line: int | None = None
    group: str = ""
    marker: str = ""
    local: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """Something else that a manifest says, and where."""

    what: str
    value: str
    manifest: str
    line: int | None


@dataclass(slots=True)
class Manifest:
    """One manifest while it is read: its text, and what was found in it so far."""

    path: str
    world: str
    text: str
    dependencies: list[Declared] = field(default_factory=list[Declared])
    runtimes: list[Said] = field(default_factory=list[Said])
    commands: list[Said] = field(default_factory=list[Said])
    licences: list[Said] = field(default_factory=list[Said])
    problems: list[str] = field(default_factory=list[str])
    _lower: str = ""

    def depends(
        self, name: str, declared: str, *, group: str = "", marker: str = "", local: bool = False, at: str = ""
    ) -> None:
        """Note a dependency and its line: the one that holds `at`, else its name and declaration, else its name."""
        full = len(self.dependencies) >= MOST
        if full and CUT not in self.problems:
            self.problems.append(CUT)
        if name.strip() and not full:
            line = (self.line(at) if at else None) or self.line(name, declared)
            what = (shown(name, 120), shown(declared, 120), self.path, line, shown(group, 60), shown(marker, 120))
            self.dependencies.append(Declared(self.world, *what, local=local))

    def runtime(self, what: str, value: object) -> None:
        """Note a language version that is required, if one is given."""
        if isinstance(value, str) and value.strip():
            self.runtimes.append(Said(what, shown(value.strip(), 120), self.path, self.line(value)))

    def command(self, name: str, target: object = "") -> None:
        """Note a command that the project offers, and what it starts."""
        line = self.line(name, target if isinstance(target, str) else "")
        self.commands.append(Said("command", shown(name, 80), self.path, line))

    def licence(self, value: object) -> None:
        """Note the licence that the manifest names, if it does."""
        if isinstance(value, str) and value.strip():
            self.licences.append(Said("licence", shown(value.strip(), 80), self.path, self.line(value.strip())))

    def _lowered(self) -> str:
        self._lower = self._lower or self.text.lower()
        return self._lower

    def line(self, *words: str) -> int | None:
        """Return the first line with all words, the first of them standing alone; else the first with that one."""
        text, (first, *others) = self._lowered(), [word.lower() for word in words]
        fallback, place = None, text.find(first) if first else -1
        while place >= 0:
            end = place + len(first)
            start, stop = text.rfind("\n", 0, place) + 1, text.find("\n", end)
            if not _inside_a_word(text, place, end):
                number = text.count("\n", 0, start) + 1
                if all(other in text[start : stop if stop >= 0 else None] for other in others):
                    return number
                fallback = fallback or number
            place = text.find(first, end)
        return fallback


def _inside_a_word(text: str, start: int, end: int) -> bool:
    around = text[start - 1 : start] + text[end : end + 1]
    return any(c.isalnum() or c in "_-" for c in around)


class Unreadable(Exception):
    """A manifest is not what its name says; the message tells why."""


Reader = Callable[[Manifest], None]


def table(value: object) -> dict[str, Any]:
    """Return a table as it is, anything else as an empty one."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def items(value: object) -> list[Any]:
    """Return a list as it is, anything else as an empty one."""
    return cast("list[Any]", value) if isinstance(value, list) else []


def texts(value: object) -> list[str]:
    """Return the strings of a list."""
    return [item for item in items(value) if isinstance(item, str)]


def inner(value: object, *names: str) -> dict[str, Any]:
    """Return the table found by following names, an empty one where the way ends."""
    for name in names:
        value = table(value).get(name)
    return table(value)
