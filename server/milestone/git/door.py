"""The one door to git: argument lists, a clean environment, a time limit, and nothing of the repository's own runs."""

from __future__ import annotations

import contextlib
import copy
import os
import re
import signal
import subprocess
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from milestone.domain.errors import Refusal
from milestone.domain.text import clip
from milestone.git import locks
from milestone.git.environment import OPTIONS, clean
from milestone.git.names import decoded, encoded, shown
from milestone.git.programs import Programs

SECONDS = 30
TREE_SECONDS = 300  # for what writes whole trees
_GRACE = 2  # seconds to tidy up in, once told to end
_SAID = 600
_LOCKED = re.compile(r"Unable to create '(.+?\.lock)': File exists", re.DOTALL)


@dataclass(frozen=True)
class Answer:
    """What git printed, exactly, and its exit code."""

    code: int
    out: bytes
    error: str

    @property
    def text(self) -> str:
        """What it printed, without the line's end."""
        return decoded(self.out).removesuffix("\n")

    @property
    def fields(self) -> list[str]:
        """What it printed with `-z`."""
        return decoded(self.out).split("\0")[:-1]


class Git:
    """One repository's door: runs git on the shared Git folder, or `at` one of its worktrees."""

    def __init__(self, common: Path, environ: Mapping[str, str]) -> None:
        self.common, self.git_dir = common, common
        self.desk = self.tree = common / "milestone" / "git"
        self._environment = clean(environ)
        home = Path(self._environment.get("HOME", "/"))
        self._programs = Programs(common, home, self._read_config)

    def at(self, git_dir: Path, tree: Path) -> Git:
        """Return the door to a worktree: its own Git folder and its files; never what a `.git` file there says."""
        other = copy.copy(self)
        other.git_dir, other.tree = git_dir, tree
        return other

    def beside(self, common: Path) -> Git:
        """Return the door to another repository, with the same environment."""
        return Git(common, self._environment)

    def run(
        self,
        *arguments: str,
        given: str = "",
        codes: Sequence[int] = (0,),
        reads: bool = False,
        seconds: float = SECONDS,
        settings: Sequence[str] = (),
        more: Mapping[str, str] | None = None,
    ) -> Answer:
        """Return git's answer; `given` is its input, `reads` says that it changes nothing, `settings` are for `-c`.

        A lock file in the way that nobody holds any more is removed, each once, and git is run again.

        Raises:
            Refusal: git ended with another code than `codes`, or took longer than `seconds`.
        """
        self._make_desk()
        options = [part for setting in settings for part in ("-c", setting)]
        command = (*options, f"--git-dir={self.git_dir}", f"--work-tree={self.tree}", *arguments)
        environment = {**self._environment, **self._programs.overridden(self.git_dir), **(more or {})}
        if reads:
            environment["GIT_OPTIONAL_LOCKS"] = "0"
        answer = self._started(command, environment, given, seconds)
        removed: set[Path] = set()
        while answer.code and self._unlocked(answer, removed):
            answer = self._started(command, environment, given, seconds)
        if answer.code not in codes:
            raise Refusal(f"git {arguments[0]} failed: {self.said(answer)}")
        return answer

    @contextlib.contextmanager
    def turn(self, name: str = "") -> Generator[None, None, None]:
        """Keep other calls of ours away from this worktree, or from what a name stands for."""
        self._make_desk()
        with locks.turn(self.desk, name or self._turn_name()):
            yield

    def said(self, answer: Answer) -> str:
        """Return what git complained about, short and with places relative to the repository."""
        lines = [line for line in answer.error.splitlines() if line and not line.startswith("hint:")]
        text = "; ".join(line.removeprefix("fatal: ").removeprefix("error: ") for line in lines)
        top = [(self.common.parent, ".")] if self.common.name == ".git" else []
        for place, name in ((self.git_dir, ".git"), (self.common, ".git"), (self.tree, "."), *top):
            text = text.replace(str(place), name)
        return clip(shown(text), _SAID) or f"it ended with code {answer.code}"

    def _turn_name(self) -> str:
        return f"worktree-{self.git_dir.name}" if self.git_dir != self.common else "main"

    def _make_desk(self) -> None:
        """Make the folder where git runs while no worktree is meant: empty but for the turns."""
        if not self.desk.is_dir():
            self.desk.parent.mkdir(mode=0o700, exist_ok=True)
            self.desk.mkdir(mode=0o700, exist_ok=True)

    def _unlocked(self, answer: Answer, removed: set[Path]) -> bool:
        """Remove the lock file that git complained about; whether there was one that was not removed before."""
        found = _LOCKED.search(answer.error)
        path = Path(os.path.normpath(self.tree / found[1])) if found else None
        if path is None or path in removed or not path.is_relative_to(self.common):
            return False
        locks.recover(path, self.common, self.desk)
        removed.add(path)
        return True

    def _read_config(self, *arguments: str) -> bytes:
        command = (f"--git-dir={self.git_dir}", f"--work-tree={self.tree}", "config", *arguments)
        answer = self._started(command, self._environment, "", SECONDS)
        if answer.code:
            raise Refusal(f"The repository's configuration cannot be read: {self.said(answer)}")
        return answer.out

    def _started(self, command: Sequence[str], environment: Mapping[str, str], given: str, seconds: float) -> Answer:
        line = [encoded(part) for part in ("git", *OPTIONS, *command)]
        try:
            process = subprocess.Popen(
                line,
                cwd=self.tree,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            wrong = "git is not installed" if self.tree.is_dir() else f"The folder {self.tree} is gone"
            raise Refusal(f"{wrong} ({error.strerror})") from None
        with process:
            try:
                out, complaint = process.communicate(encoded(given), seconds)
            except BaseException as error:
                _end(process)
                if isinstance(error, subprocess.TimeoutExpired):
                    raise Refusal(f"git took longer than {seconds:.0f} s and was stopped") from None
                raise
        return Answer(process.returncode, out, complaint.decode("utf-8", "surrogateescape"))


def _end(process: subprocess.Popen[bytes]) -> None:
    """End git and all that it started; first in a way that lets it remove its lock files."""
    for number, grace in ((signal.SIGTERM, _GRACE), (signal.SIGKILL, None)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=grace)
            return
