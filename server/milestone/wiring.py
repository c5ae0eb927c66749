"""Settings from the environment, and everything put together from them; the only reader of the environment."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from milestone.domain.errors import Refusal
from milestone.domain.identity import Caller
from milestone.domain.text import slug
from milestone.git.locate import find
from milestone.store.engine import Engine, Transaction
from milestone.store.following import expect, reaches
from milestone.store.store import Store

if TYPE_CHECKING:
    from milestone.domain.gates import Limits
    from milestone.operations.context import Context
    from milestone.prompts.playbooks import Playbook


def random_hex(size: int) -> str:
    """Return `size` random bytes as hex; the module `secrets` would cost a hook a third of its time."""
    return os.urandom(size).hex()


@dataclass(frozen=True)
class Settings:
    """Where things are. `data` holds the database, `workspace` what people read, `assets` prompts and playbooks;
    `given` are the settings as the environment has them, for a server of our own.
    """

    project_dir: Path
    data: Path
    workspace: Path
    assets: Path
    database_url: str
    project_name: str
    hooks: bool
    given: Mapping[str, str]
    environ: Mapping[str, str]


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Return the settings that the environment gives."""
    given = environ.get("MILESTONE_PROJECT_DIR") or environ.get("CLAUDE_PROJECT_DIR")
    project = Path(given or Path.cwd()).resolve()
    repository = find(project)
    home = repository.main_worktree if repository else project
    workspace = Path(environ.get("MILESTONE_WORKSPACE") or home / ".milestones")
    default = repository.common / "milestone" if repository else workspace
    assets = environ.get("MILESTONE_ASSETS")
    return Settings(
        project_dir=repository.worktree if repository else project,
        data=Path(environ.get("MILESTONE_DATA_DIR") or default),
        workspace=workspace,
        assets=Path(assets) if assets else Path(__file__).resolve().parents[2],
        database_url=environ.get("MILESTONE_DATABASE_URL", ""),
        project_name=environ.get("MILESTONE_PROJECT", ""),
        hooks=environ.get("MILESTONE_HOOKS", "").lower() != "off",
        given={name: value for name, value in environ.items() if name.startswith("MILESTONE_")},
        environ=dict(environ),
    )


class Application:
    """The product in one process: opens the database when it is first needed."""

    def __init__(self, settings: Settings, *, serves: bool = False) -> None:
        self.settings = settings
        self._serves = serves
        self._engine: Engine | None = None
        self._project = ""
        self._beacon: int | None = None
        self._server = ""
        self._limits: Limits | None = None
        self._limits_of: tuple[tuple[Path, int], ...] = ()

    @property
    def opened(self) -> bool:
        """Whether the database is open."""
        return self._engine is not None

    @property
    def remote(self) -> bool:
        """Whether the database is reached over a network."""
        return bool(self.settings.database_url)

    def engine(self, *, create: bool = False) -> Engine | None:
        """Return the database, or nothing while the project has none and none is to be created."""
        if self._engine is None:
            if not self.remote:
                expect(self.journal, self.database)
            self._project = self._identity(create=create)
            if not self._project:
                return None
            engine = self._checked()
            self._server = self._light() if self._serves else ""
            self._engine = engine
        return self._engine

    def open_engine(self) -> Engine:
        """Return a new door to the database, for the thread that asks."""
        if self.settings.database_url:
            try:
                from milestone.store.postgres import PostgresEngine
            except ImportError:
                raise Refusal(
                    "MILESTONE_DATABASE_URL is set and psycopg is not installed",
                    remedy="Install the extra 'postgres', or unset it.",
                ) from None
            return PostgresEngine(self.settings.database_url, self._project)
        from milestone.store.sqlite import SqliteEngine

        return SqliteEngine(self.database)

    @property
    def database(self) -> Path:
        """The SQLite file, where the database is one."""
        return self.settings.data / "milestone.db"

    @property
    def project(self) -> str:
        """The project's id; empty where it has none yet."""
        return self._project or self._identity(create=False)

    @property
    def journal(self) -> Path:
        """The file that follows the journal; a project that was given its name has one of its own."""
        name = slug(self.settings.project_name)
        return self.settings.data / (f"journal-{name}.jsonl" if name else "journal.jsonl")

    def store(self, transaction: Transaction) -> Store:
        """Return the project's data within a transaction."""
        return Store(transaction, self._project)

    def context(self, transaction: Transaction, caller: Caller, touched: set[str]) -> Context:
        """Return what an operation is given."""
        from milestone.operations.context import Context, World

        return Context(
            store=self.store(transaction),
            caller=caller,
            now=datetime.now(UTC),
            chance=random_hex,
            project_root=str(self.settings.project_dir),
            server=self._server,
            alive=self.alive,
            playbook=self.playbook,
            world=World(
                self.settings.project_dir,
                self.settings.workspace,
                self.settings.data,
                self.settings.environ,
                self.limits,
            ),
            measure=transaction.clock,
            touched=touched,
        )

    def limits(self) -> Limits:
        """Return the project's limits, else the plugin's; read anew when a file has changed.

        Raises:
            Refusal: a file cannot be used.
        """
        from milestone.prompts.configuration import BadConfiguration, read_limits

        files = (self.settings.assets / "playbooks" / "limits.yaml", self.settings.workspace / "config" / "limits.yaml")
        known = tuple((file, changed) for file in files if (changed := _changed(file)))
        if known != self._limits_of or self._limits is None:
            try:
                self._limits = read_limits(*(file for file, _ in known))
            except BadConfiguration as error:
                raise Refusal(str(error), remedy="Mend the file, then call again.") from None
            self._limits_of = known
        return self._limits

    def playbook(self, mode: str) -> Playbook:
        """Return the playbook of a mode: the project's own, else the plugin's.

        Raises:
            Refusal: there is none, or it cannot be used.
        """
        from milestone.prompts.playbooks import BadPlaybook, read_playbook

        own = self.settings.workspace / "config" / f"{mode}.yaml"
        path = own if own.is_file() else self.settings.assets / "playbooks" / f"{mode}.yaml"
        if not path.is_file():
            raise Refusal(f"There is no playbook for mode {mode!r} yet", allowed="mode 'planning'")
        try:
            return read_playbook(path)
        except BadPlaybook as error:
            raise Refusal(str(error), remedy="Mend the file, then call again.") from None

    def alive(self, server: str) -> bool:
        """Return whether the process that handed out a claim still runs; what cannot be known counts as running."""
        place, _, name = server.partition(".")
        if not name or place != self._place():
            return True
        try:
            beacon = os.open(self.settings.data / "servers" / name, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(beacon, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(beacon)
        with contextlib.suppress(FileNotFoundError):
            (self.settings.data / "servers" / name).unlink()
        return False

    def running(self) -> list[str]:
        """Return the servers on this machine that have this folder's database open."""
        folder = self.settings.data / "servers"
        names = sorted(os.listdir(folder)) if folder.is_dir() else []  # noqa: PTH208 - only names
        return [name for name in names if self.alive(f"{self._place()}.{name}")]

    @contextlib.contextmanager
    def locked(self, name: str) -> Generator[None, None, None]:
        """Hold a lock that all processes of the project share; waits for it."""
        descriptor = os.open(self.settings.data / f"{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def close(self) -> None:
        """Give everything back."""
        if self._engine is not None:
            self._engine.close()
            self._engine = None
        if self._beacon is not None:
            os.close(self._beacon)
            self._beacon = None

    def _identity(self, *, create: bool) -> str:
        """Return the project's id: the name given, else the one made once and kept beside the database."""
        if self.settings.project_name:
            if create or (self.settings.data / "milestone.db").exists() or self.settings.database_url:
                self.settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
                return self.settings.project_name
            return ""
        made = f"{slug(self.settings.project_dir.name) or 'project'}-{random_hex(4)}"
        return _once(self.settings.data / "project", made, create=create)

    def _checked(self) -> Engine:
        """Open the database, which must reach as far as its journal."""
        engine = self.open_engine()
        try:
            engine.migrate()
            reaches(self.journal, self._project, engine)
        except BaseException:
            engine.close()
            raise
        return engine

    def _place(self) -> str:
        return _once(self.settings.data / "place", random_hex(6), create=True)

    def _light(self) -> str:
        """Hold a lock for as long as this process lives; the kernel drops it with the process."""
        name = f"{os.getpid()}-{random_hex(4)}"
        folder = self.settings.data / "servers"
        folder.mkdir(mode=0o700, exist_ok=True)
        self._beacon = os.open(folder / name, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._beacon, fcntl.LOCK_EX)
        return f"{self._place()}.{name}"


def _changed(file: Path) -> int:
    """Return when a file was changed, in nanoseconds; 0 where there is none."""
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0


def _once(path: Path, text: str, *, create: bool) -> str:
    """Return what a file holds; where there is none, and one may be created, the first process decides."""
    with contextlib.suppress(FileNotFoundError):
        return path.read_text("utf-8").strip()
    if not create:
        return ""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{random_hex(4)}")
    temporary.write_text(text, "utf-8")
    with contextlib.suppress(FileExistsError):
        os.link(temporary, path)
    temporary.unlink()
    return path.read_text("utf-8").strip()
