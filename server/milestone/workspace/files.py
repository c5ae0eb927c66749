"""Files under one folder, never outside of it: no link is followed, and a file is whole or not there."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Generator
from pathlib import Path, PurePosixPath

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


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
