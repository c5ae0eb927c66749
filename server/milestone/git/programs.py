"""Programs that a repository's own configuration names: each is overridden, so that nothing of it runs."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from milestone.domain.errors import Refusal
from milestone.git.names import decoded, shown

Stamp = tuple[int, int, int, int]
ReadConfig = Callable[..., bytes]
_FILES = 50
_PROGRAMS = frozenset(
    (
        *("clean", "smudge", "process"),  # filter.*
        *("command", "textconv", "external", "driver"),  # diff.*, merge.*
        *("cmd", "difffilter", "editor", "pager", "askpass", "program", "helper", "defaultkeycommand", "browser"),
        *("fsmonitor", "hookspath", "alternaterefscommand", "packobjectshook", "recentobjectshook", "tunnel"),
        *("sshcommand", "gitproxy", "uploadpack", "receivepack", "vcs", "mergeoptions"),
    )
)
# With an empty command git would take one side and call it merged; this is git's own way, with marks.
_MERGE = "git merge-file -q --marker-size=%L -L ours -L base -L theirs %A %O %B || exit 1"


@dataclass(frozen=True)
class _File:
    """A file as it was read; as long as it looks the same, it is not read again."""

    stamp: Stamp
    pairs: Sequence[tuple[str, str]]


class Programs:
    """The overrides of one repository; `read_config(*arguments)` returns what `git config` with them prints."""

    def __init__(self, common: Path, home: Path, read_config: ReadConfig) -> None:
        self._common, self._home, self._config = common, home, read_config
        self._files: dict[Path, _File] = {}
        self._own: dict[frozenset[str], dict[str, str]] = {}

    def overridden(self, git_dir: Path) -> Mapping[str, str]:
        """Return variables for git's environment; they are exact where `-c` would split a name at its first `=`.

        Raises:
            Refusal: the configuration cannot be read.
        """
        seen: set[Path] = set()
        replaced: dict[str, str] = {}
        waiting = [self._common / "config", self._common / "config.worktree", git_dir / "config.worktree"]
        while waiting:
            path = waiting.pop()
            if path in seen:
                continue
            seen.add(path)
            if len(seen) > _FILES:
                raise Refusal(f"The repository's configuration includes more than {_FILES} files")
            for key, value in self._pairs(path):
                # What is included under a condition counts, too: a checkout can make the condition true.
                if key.startswith(("include.", "includeif.")) and key.endswith(".path"):
                    waiting.append(self._included(path, value))
                replaced.update(_replaced(key))
        return _as_environment(replaced | self._persons(replaced))

    def _pairs(self, path: Path) -> Sequence[tuple[str, str]]:
        """Return what one file says; nothing where there is none."""
        stamp = _stamp(path)
        if stamp is None:
            return ()
        known = self._files.get(path)
        if known is None or known.stamp != stamp:
            if not path.is_file():
                raise Refusal(f"The repository's configuration includes {path.name!r}, which is no file")
            listing = decoded(self._config("--file", str(path), "--list", "-z", "--no-includes"))
            known = _File(stamp, [_pair(entry) for entry in listing.split("\0") if entry])
            self._files[path] = known
        return known.pairs

    def _included(self, by: Path, value: str) -> Path:
        if value.startswith("~/"):
            return self._home / value[2:]
        try:
            return Path(os.path.normpath(by.parent / Path(value).expanduser()))
        except RuntimeError:  # a home of nobody; git gives up there, too
            raise Refusal(f"The repository's configuration includes {shown(value)}, which is nowhere") from None

    def _persons(self, replaced: Mapping[str, str]) -> dict[str, str]:
        """Return what the person's own configuration says of the same names: that stands."""
        if not replaced:
            return {}
        names = frozenset(replaced)
        if names not in self._own:
            self._own[names] = self._read_persons(names)
        return self._own[names]

    def _read_persons(self, names: frozenset[str]) -> dict[str, str]:
        fields = iter(decoded(self._config("--list", "-z", "--show-scope", "--includes")).split("\0"))
        entries = [(scope, *_pair(entry)) for scope, entry in zip(fields, fields, strict=False)]
        return {key: value for scope, key, value in entries if scope in ("system", "global") and key in names}


def _replaced(key: str) -> dict[str, str]:
    """Return what is set instead, if a key names a program; sections and names come in lower case.

    >>> _replaced("filter.x=y.clean"), _replaced("core.bare")
    ({'filter.x=y.required': 'false', 'filter.x=y.clean': ''}, {})
    """
    section, _, rest = key.partition(".")
    middle, _, name = rest.rpartition(".")
    if section == "filter" and middle and name in ("clean", "smudge", "process", "required"):
        return {f"filter.{middle}.required": "false", **({} if name == "required" else {key: ""})}
    if section == "merge" and middle and name in ("driver", "name", "recursive"):
        return {f"merge.{middle}.driver": _MERGE}
    if section == "hook" and middle:
        return {f"hook.{middle}.enabled": "false", f"hook.{middle}.event": "", f"hook.{middle}.command": ""}
    return {key: ""} if name in _PROGRAMS or section in ("alias", "pager") else {}


def _as_environment(settings: Mapping[str, str]) -> dict[str, str]:
    made = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (key, value) in enumerate(settings.items()):
        made |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return made


def _pair(entry: str) -> tuple[str, str]:
    key, _, value = entry.partition("\n")
    return key, value


def _stamp(path: Path) -> Stamp | None:
    try:
        seen = path.stat()
    except OSError:
        return None
    return seen.st_mtime_ns, seen.st_ctime_ns, seen.st_size, seen.st_ino
