"""Files that putting a worktree back must not cost: those that are ignored, now or by the rules that come back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from milestone.domain.errors import Conflict
from milestone.git.door import TREE_SECONDS, Git
from milestone.git.looking import Seen, ignored
from milestone.git.names import decoded, encoded, listed
from milestone.git.places import taken
from milestone.git.shadow import Shadow

_RULES = ".gitignore"


class Sparing:
    """Which of the files that came after a checkpoint stay, for going back to its `commit` and `tree`."""

    def __init__(self, door: Git, seen: Seen, commit: str, tree: str, changed: Sequence[tuple[str, str]]) -> None:
        self._note, self._commit = seen.shadow.folder / "stay", commit
        self._stay = self._noted()
        after = [path for status, path in changed if status == "D" and path not in seen.tracked]
        self.paths: set[str] = set()
        if any(path.rpartition("/")[2] == _RULES for _, path in changed):
            self._stay |= set(ignored(door))
            self.paths = _ignored_then(door, seen.shadow, tree, after)
        self.paths |= {path for path in after if any(part in self._stay for part in _upwards(path))}

    def note(self) -> None:
        """Write down what is ignored now: once the rules are back that will not be seen any more."""
        beside = self._note.with_suffix(".new")
        beside.write_bytes(encoded("\0".join((self._commit, *sorted(self._stay)))))
        beside.replace(self._note)

    def _noted(self) -> set[str]:
        """Return what an earlier call wrote down on its way to the same commit."""
        try:
            commit, *paths = decoded(self._note.read_bytes()).split("\0")
        except FileNotFoundError:
            return set()
        return set(paths) if commit == self._commit else set()


def _upwards(path: str) -> list[str]:
    """Return a file and the folders it lies in, as git lists them.

    >>> _upwards("a/b/c")
    ['a/b/c', 'a/', 'a/b/']
    """
    parts = path.split("/")
    return [path, *("/".join(parts[:count]) + "/" for count in range(1, len(parts)))]


def _ignored_then(door: Git, shadow: Shadow, tree: str, paths: Sequence[str]) -> set[str]:
    """Return which files the rules in a tree ignore."""
    names = shadow.run("ls-tree", "-r", "-z", "--name-only", tree).fields
    rules = [name for name in names if name.rpartition("/")[2] == _RULES]
    if not rules or not paths:
        return set()
    folder = shadow.scratch / "rules"
    folder.mkdir(exist_ok=True)
    there = Shadow(shadow.door.at(shadow.folder, folder), shadow.common, shadow.folder)
    more = {"GIT_INDEX_FILE": str(shadow.scratch / "rules.index")}
    there.run("read-tree", tree, more=more)
    there.run("checkout-index", "-z", "--force", "--stdin", given="".join(f"{one}\0" for one in rules), more=more)
    asked = "".join(f"{path}\0" for path in paths)
    rest = ("-z", "--stdin", "--no-index")
    only = door.at(door.git_dir, folder)
    answer = only.run("check-ignore", *rest, given=asked, codes=(0, 1), reads=True, seconds=TREE_SECONDS)
    return set(answer.fields)


def refuse_in_the_way(top: Path, changed: Iterable[tuple[str, str]], spared: set[str]) -> None:
    """Return if every file that comes back finds its place free, or taken only by what goes.

    Raises:
        Conflict: an ignored file, or something that git does not keep, is in the way.
    """
    changes = list(changed)
    going = {path for status, path in changes if status == "D" and path not in spared}
    found = taken(top, [path for status, path in changes if status == "A"], going)
    if found:
        raise Conflict(
            f"Something that Git ignores or does not keep is in the way of {listed(found)}",
            remedy="Move it away, then call again.",
        )
