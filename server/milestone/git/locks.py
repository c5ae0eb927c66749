"""Turns for our own gits, and lock files that a git left behind: removed only when nobody is left to hold them."""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from milestone.domain.errors import Refusal
from milestone.git.environment import MARK
from milestone.git.names import shown

if TYPE_CHECKING:
    from psutil import Process

TURN_SECONDS = 120
_LOOK_AGAIN = 0.01  # seconds
_POINTS = ("-C", "--git-dir", "--work-tree")


@contextlib.contextmanager
def turn(desk: Path, name: str, *, seconds: float = TURN_SECONDS) -> Generator[None, None, None]:
    """Hold a lock that all our processes share; the kernel drops it with the process. Waits `seconds` at most.

    Raises:
        Refusal: another call held it all the time.
    """
    descriptor = os.open(desk / f"{name}.turn", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    until = time.monotonic() + seconds
    try:
        while not _taken(descriptor):
            if time.monotonic() > until:
                raise Refusal(
                    f"Another call has been using git here for more than {seconds:.0f} s", remedy="Call again later."
                )
            time.sleep(_LOOK_AGAIN)
        yield
    finally:
        os.close(descriptor)


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@dataclass(frozen=True)
class _Lock:
    """A lock file, where git keeps it and who made it; `home` is the only Git folder that takes it, if it is one."""

    path: Path
    common: Path
    home: Path | None
    owner: int
    identity: tuple[int, int, int]

    @property
    def is_ref(self) -> bool:
        """Whether it guards one branch."""
        return self.path.is_relative_to(self.common / "refs")

    @property
    def is_ours(self) -> bool:
        """Whether only gits of ours ever take it."""
        parts = self.path.relative_to(self.common).parts
        return parts[0] == "milestone" or (parts[0] == "worktrees" and parts[2:3] == ("milestone",))

    @property
    def ref(self) -> bytes:
        """What a HEAD says that leads to the ref behind this lock."""
        return b"ref: " + os.fsencode(self.path.relative_to(self.common))[: -len(".lock")]


def recover(path: Path, common: Path, desk: Path) -> None:
    """Remove a lock file of a worktree of ours, of a branch, or of what only we use, whose git is gone.

    Raises:
        Refusal: it is the person's own, or a process may still hold it: that one is named.
    """
    place = path.relative_to(common)
    if place.parts[0] not in ("worktrees", "refs", "packed-refs.lock", "milestone"):
        raise Refusal(
            f"Another git works in your own checkout, or ended there without tidying up: {_told(place)} is in the way",
            remedy="Wait for it; if no git runs there, remove that file. Then call again.",
        )
    with turn(desk, "recovery"):
        lock = _seen(path, common)
        if lock is None:
            return
        holder = next(_holders(lock), None)
        if holder is not None:
            raise Refusal(
                f"Process {holder} is or may be using {_told(place)}", remedy="Let it end, or end it; then call again."
            )
        if _seen(path, common) == lock:
            path.unlink(missing_ok=True)


def _told(place: Path) -> str:
    return shown(f".git/{place.as_posix()}")


def _seen(path: Path, common: Path) -> _Lock | None:
    try:
        seen = path.lstat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(seen.st_mode):
        raise Refusal(f"{_told(path.relative_to(common))} is no file", remedy="Look at it, and remove it by hand.")
    parts = path.relative_to(common).parts
    home = common / "worktrees" / parts[1] if parts[0] == "worktrees" else None
    home = path.parent if parts[0] == "milestone" else home
    return _Lock(path, common, home, seen.st_uid, (seen.st_dev, seen.st_ino, seen.st_mtime_ns))


def _holders(lock: _Lock) -> Iterator[int]:
    """Yield the processes that have the file open, and every git that may be at work where it is taken."""
    import psutil

    roots = list(_roots(lock.common))
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.status() == psutil.STATUS_ZOMBIE:
                continue
            if _opened(process, lock.path) or (_is_git(process) and _may_hold(process, lock, roots)):
                yield process.pid


def _is_git(process: Process) -> bool:
    """Whether it is git or a part of it; what else begins so, like a prompt's `gitstatusd`, has the file open."""
    return process.name() == "git" or process.name().startswith("git-")


def _opened(process: Process, path: Path) -> bool:
    import psutil

    with contextlib.suppress(psutil.AccessDenied):
        return any(file.path == str(path) for file in process.open_files())
    return False


def _may_hold(process: Process, lock: _Lock, roots: list[Path]) -> bool:
    """Whether a git works in the repository. Ours never work in two places, so theirs must be the lock's."""
    import psutil

    try:
        places, ours = _places(process)
    except psutil.AccessDenied:
        return process.uids().real == lock.owner or process.uids().effective == lock.owner
    if lock.is_ours and not ours:
        return False
    if ours and lock.home:
        roots = [lock.home, *_tree(lock.home)]
    if ours and lock.is_ref and any(_elsewhere(place, lock) for place in places):
        return False
    return any(place.is_relative_to(root) for place in places for root in roots)


def _elsewhere(place: Path, lock: _Lock) -> bool:
    """Whether a place is the Git folder of a worktree that has another branch than the locked one."""
    if place.parent != lock.common / "worktrees":
        return False
    with contextlib.suppress(OSError):
        return (place / "HEAD").read_bytes().strip() != lock.ref
    return False


def _places(process: Process) -> tuple[list[Path], bool]:
    """Return where a git works, as far as its folder, arguments and environment tell, and whether it is ours."""
    here, arguments, environment = Path(process.cwd()), process.cmdline(), process.environ()
    named = [environment[name] for name in ("GIT_DIR", "GIT_WORK_TREE") if name in environment]
    for place, argument in enumerate(arguments):
        option, _, value = argument.partition("=")
        if argument in _POINTS and place + 1 < len(arguments):
            named.append(arguments[place + 1])
        elif option in _POINTS and value:
            named.append(value)
    return [here, *(Path(os.path.realpath(here / one)) for one in named)], MARK in environment


def _roots(common: Path) -> Iterator[Path]:
    """Yield the folders of a repository: the shared Git folder and every working tree."""
    yield common
    if common.name == ".git":
        yield common.parent
    with contextlib.suppress(FileNotFoundError):
        for entry in (common / "worktrees").iterdir():
            yield from _tree(entry)


def _tree(git_dir: Path) -> Iterator[Path]:
    with contextlib.suppress(OSError):
        pointer = os.fsdecode((git_dir / "gitdir").read_bytes()).strip("\n")
        yield Path(os.path.realpath(git_dir / pointer)).parent
