"""Files under one folder, never outside of it: no link is followed, and a file is whole or not there."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import stat
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{8}\.tmp")
_KINDS = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket", stat.S_IFLNK: "a link"}
_TRIES = 5


class Odd(Exception):
    """What lies at a path is no file that could be read; the message says what it is."""


@dataclass(frozen=True)
class Taken:
    """A file as it was at one moment; `changed` is when it was written last, in seconds of the time of day."""

    content: bytes
    changed: float


class Folder:
    """A folder for people. Paths are relative to it, with forward slashes; links on the way are refused (`OSError`)."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, path: str, content: bytes) -> None:
        """Write a file by renaming a finished one into place."""
        with self._parent(path, create=True) as (parent, name):
            temporary = f".{name}.{secrets.token_hex(4)}.tmp"
            descriptor = os.open(
                temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=parent
            )
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(content)
                os.rename(temporary, name, src_dir_fd=parent, dst_dir_fd=parent)
            except BaseException:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(temporary, dir_fd=parent)
                raise

    def append(self, path: str, content: bytes) -> None:
        """Add to the end of a file."""
        with self._opened(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT) as descriptor:
            os.write(descriptor, content)

    def read(self, path: str, limit: int) -> bytes | None:
        """Return at most `limit` bytes of a regular file, or nothing where there is none."""
        try:
            with self._opened(path, os.O_RDONLY | os.O_NONBLOCK) as descriptor:
                return os.read(descriptor, limit)
        except FileNotFoundError:
            return None

    def take(self, path: str, limit: int) -> Taken | None:
        """Return a file of at most `limit` bytes that somebody else may be writing; nothing where there is none.

        Raises:
            Odd: it is no regular file of one name, is reached over a link, is too large, or changes all the while.
        """
        for _ in range(_TRIES):
            with contextlib.suppress(FileNotFoundError):
                with self._parent(path, create=False) as (parent, name):
                    taken = _take(parent, name, limit)
                if taken:
                    return taken
                continue
            return None
        raise Odd("it changes while it is read")

    def names(self, path: str) -> list[str]:
        """Return what lies in a folder; nothing where there is none."""
        try:
            with self._parent(f"{path}/x", create=False) as (folder, _):
                return sorted(os.listdir(folder))  # noqa: PTH208 - a folder that is open has no path
        except (FileNotFoundError, NotADirectoryError):
            return []

    def leftovers(self, path: str) -> list[str]:
        """Return the unfinished files that killed writers left in a folder."""
        return [f"{path}/{name}" for name in self.names(path) if _TEMPORARY.fullmatch(name)]

    def tail(self, path: str, size: int) -> bytes:
        """Return the last `size` bytes of a file; empty where there is none."""
        try:
            with self._opened(path, os.O_RDONLY | os.O_NONBLOCK) as descriptor:
                end = os.fstat(descriptor).st_size
                return os.pread(descriptor, size, max(0, end - size))
        except FileNotFoundError:
            return b""

    def move(self, path: str, to: str) -> None:
        """Rename a file within the folder."""
        with self._parent(path, create=False) as (source, name), self._parent(to, create=True) as (target, new):
            os.rename(name, new, src_dir_fd=source, dst_dir_fd=target)

    def remove(self, path: str) -> None:
        """Delete a file of the folder."""
        with self._parent(path, create=False) as (parent, name):
            os.unlink(name, dir_fd=parent)

    def make(self, path: str) -> None:
        """Create a folder within the folder."""
        with self._parent(f"{path}/x", create=True):
            pass

    @contextlib.contextmanager
    def _opened(self, path: str, flags: int) -> Generator[int, None, None]:
        with self._parent(path, create=bool(flags & os.O_CREAT)) as (parent, name):
            descriptor = os.open(name, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=parent)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    @contextlib.contextmanager
    def _parent(self, path: str, *, create: bool) -> Generator[tuple[int, str], None, None]:
        *folders, name = PurePosixPath(path).parts
        if create:
            self.root.parent.mkdir(parents=True, exist_ok=True)
        current = os.open(self.root.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for part in (self.root.name, *folders):
                if create:
                    with contextlib.suppress(FileExistsError):
                        os.mkdir(part, 0o700, dir_fd=current)
                deeper = os.open(part, _FOLDER, dir_fd=current)
                os.close(current)
                current = deeper
            yield current, name
        finally:
            os.close(current)


def _take(parent: int, name: str, limit: int) -> Taken | None:
    """Return a file as it is, or nothing where it changed meanwhile."""
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
    except FileNotFoundError:
        raise
    except OSError as error:
        there = os.stat(name, dir_fd=parent, follow_symlinks=False)
        kind = _KINDS.get(stat.S_IFMT(there.st_mode))
        raise Odd(f"it is {kind}, no file" if kind else str(error.strerror)) from None
    try:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode):
            raise Odd(f"it is {_KINDS.get(stat.S_IFMT(before.st_mode), 'a device')}, no file")
        if before.st_nlink > 1:
            raise Odd("it is a hard link: another file has the same content, and would be changed with it")
        if before.st_size > limit:
            raise Odd(f"it has {before.st_size:,} bytes, at most {limit:,} are allowed")
        content = _read(descriptor, limit)
        after, there = os.fstat(descriptor), os.stat(name, dir_fd=parent, follow_symlinks=False)
    finally:
        os.close(descriptor)
    still = (_state(before), len(content)) == (_state(after), before.st_size)
    swapped = (there.st_dev, there.st_ino) != (before.st_dev, before.st_ino)
    return Taken(content, before.st_mtime) if still and not swapped else None


def _read(descriptor: int, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while size <= limit and (part := os.read(descriptor, 1 << 20)):
        parts.append(part)
        size += len(part)
    return b"".join(parts)


def _state(of: os.stat_result) -> tuple[int, int, int, int]:
    return of.st_size, of.st_mtime_ns, of.st_ctime_ns, of.st_nlink
