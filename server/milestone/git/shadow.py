"""A second index of a worktree, beside Git's own: it holds every file byte for byte, whatever attributes say."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from milestone.git.door import TREE_SECONDS, Answer, Git
from milestone.git.places import there

# Of all attributes these come first, so that no filter, line end, encoding or keyword is looked for.
_ATTRIBUTES = "* -text -filter -ident !working-tree-encoding !eol !crlf\n"
# Names that only other systems mistake for `.git` are kept like all others.
_CONFIG = """[core]
\trepositoryformatversion = {version}
\tfileMode = true
\tsymlinks = true
\tignoreCase = false
\tprotectNTFS = false
\tbigFileThreshold = 512m
[extensions]
{format}"""


@dataclass(frozen=True)
class Shadow:
    """The Git folder of the second index: its configuration is ours alone, its objects are the repository's.

    Whoever uses it has the worktree's turn.
    """

    door: Git
    common: Path
    folder: Path

    @property
    def scratch(self) -> Path:
        """A folder for files that nobody needs afterwards; emptied when the shadow is opened."""
        return self.folder / "scratch"

    def run(
        self, *arguments: str, given: str = "", codes: Sequence[int] = (0,), more: Mapping[str, str] | None = None
    ) -> Answer:
        """Return what git answers that works with the second index."""
        environment = {"GIT_OBJECT_DIRECTORY": str(self.common / "objects"), **(more or {})}
        return self.door.run(*arguments, given=given, codes=codes, seconds=TREE_SECONDS, more=environment)

    def paths(self) -> list[str]:
        """Return what the second index holds."""
        return self.run("ls-files", "-z").fields

    def take(self, paths: Iterable[str]) -> tuple[str, list[str]]:
        """Return the tree of exactly these files as they are now, and those that git will not keep for their names.

        What is no file or link, or lies behind a link, is not taken.
        """
        wanted = there(self.door.tree, paths)
        self.drop([path for path in self.paths() if path not in wanted])
        given = "".join(f"{path}\0" for path in wanted)
        answer = self.run("update-index", "-z", "--add", "--remove", "--replace", "--stdin", given=given)
        refused = list(wanted.keys() - set(self.paths())) if "Ignoring path" in answer.error else []
        return self.run("write-tree").text, sorted(refused)

    def drop(self, paths: Iterable[str]) -> None:
        """Take files out of the second index; they themselves stay."""
        given = "".join(f"{path}\0" for path in paths)
        if given:
            self.run("update-index", "-z", "--force-remove", "--stdin", given=given)


def shadow(git: Git, git_dir: Path, tree: Path) -> Shadow:
    """Return the shadow of a worktree, made where there is none."""
    folder = git_dir / "milestone" / "shadow"
    made = Shadow(git.at(folder, tree), git.common, folder)
    if not (folder / "HEAD").exists():
        _make(folder, git.run("rev-parse", "--show-object-format", reads=True).text)
    shutil.rmtree(made.scratch, ignore_errors=True)
    made.scratch.mkdir(mode=0o700)
    return made


def _make(folder: Path, algorithm: str) -> None:
    for name in ("refs", "info", "objects"):
        (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
    other = algorithm != "sha1"
    text = _CONFIG.format(version=int(other), format=f"\tobjectFormat = {algorithm}\n" if other else "")
    (folder / "config").write_text(text)
    (folder / "info" / "attributes").write_text(_ATTRIBUTES)
    (folder / "HEAD").write_text("ref: refs/heads/none\n")
