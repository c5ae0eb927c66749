"""Which files a task may change: what it declared, as files, folders or patterns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

_NOWHERE = ("", ".")  # names that lead to where one is


def outside(touched: Iterable[str], declared: Iterable[str]) -> tuple[str, ...]:
    """Return the touched files that no declared entry covers, each once, in the order given.

    Paths are relative to the repository's top, with forward slashes. An entry is a file, a folder (it covers what
    lies under it), or a pattern: `*` stands for any characters within one name, `**` as a whole name for any
    number of folders; a pattern that ends in `/` covers what lies under the folders it matches. `.` covers
    everything; an entry that is empty or absolute, or climbs with `..`, covers nothing.

    >>> outside(["src/a.py", "docs/x/y.md", "README.md"], ["src", "docs/**/*.md"])
    ('README.md',)
    """
    patterns = [pattern for entry in declared for pattern in _patterns(entry)]
    return tuple(
        path for path in dict.fromkeys(touched) if _elsewhere(path) or not any(_covers(one, path) for one in patterns)
    )


def _elsewhere(path: str) -> bool:
    """Return whether a path leads out of the repository, so that nothing covers it.

    >>> _elsewhere("/etc/hosts"), _elsewhere("a/../../b"), _elsewhere("a..b/c")
    (True, True, False)
    """
    return path.startswith("/") or ".." in path.split("/")


def _patterns(entry: str) -> list[tuple[str, ...]]:
    """Return an entry as the names it is made of; `**`, `*` at the end stand for whatever lies below."""
    if not entry.strip() or entry.startswith("/"):
        return []
    parts = tuple(part for part in entry.split("/") if part not in _NOWHERE)
    if ".." in parts:
        return []
    below = (*parts, "**", "*")
    if parts[-1:] == ("**",):
        return [(*parts, "*")]
    if "*" in entry:
        return [below] if entry.endswith(("/", "/.")) else [parts]
    return [parts, below] if parts else [below]


def _covers(pattern: Sequence[str], path: str) -> bool:
    """Whether a path matches, found by walking all ways through the pattern at once: time grows with their product."""
    places = _onward(pattern, {0})
    for name in path.split("/"):
        here = [place for place in places if place < len(pattern)]
        stayed = {place for place in here if pattern[place] == "**"}
        passed = {place + 1 for place in here if pattern[place] != "**" and _named(pattern[place], name)}
        places = _onward(pattern, stayed | passed)
    return len(pattern) in places


def _onward(pattern: Sequence[str], places: set[int]) -> set[int]:
    """Return the places, and those that are reached when a `**` stands for no folder at all."""
    reached = set(places)
    for place in places:
        here = place
        while here < len(pattern) and pattern[here] == "**":
            here += 1
            reached.add(here)
    return reached


def _named(pattern: str, name: str) -> bool:
    """Whether one name matches, `*` standing for any characters; no way is tried twice.

    >>> _named("*.test.*", "a.test.py"), _named("[id].tsx", "i.tsx"), _named("a*a", "a")
    (True, False, False)
    """
    first, *rest = pattern.split("*")
    if not rest:
        return pattern == name
    last = rest.pop()
    if len(name) < len(first) + len(last) or not (name.startswith(first) and name.endswith(last)):
        return False
    place, end = len(first), len(name) - len(last)
    for piece in rest:
        found = name.find(piece, place, end)
        if found < 0:
            return False
        place = found + len(piece)
    return True
