"""What all tests share: both engines, projects on both, and hosts connected to a real server in both eras."""

from __future__ import annotations

import contextlib
import functools
import os
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import anyio.from_thread
import pytest

from milestone.store.engine import Engine
from milestone.store.sqlite import SqliteEngine
from tests.helpers.agents import Agents
from tests.helpers.execution import lean, make_repository
from tests.helpers.postgres import Postgres, running_postgres
from tests.helpers.projects import Project
from tests.helpers.wire import Wire

ENGINES = ("sqlite", "postgres")
# Each engine and each era twice, together all four pairs.
CONNECTIONS = (("sqlite", "modern"), ("postgres", "legacy"))
REPOSITORIES = (("sqlite", "legacy"), ("postgres", "modern"))


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """The loop of the product."""
    return "asyncio"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL of our own; where it cannot be started, the tests fail."""
    with tempfile.TemporaryDirectory(prefix="pg-") as folder, running_postgres(Path(folder)) as server:
        yield server


@pytest.fixture
def database_path(tmp_path: Path) -> Path:
    """Where a SQLite database may be made."""
    return tmp_path / "data" / "milestone.db"


@pytest.fixture(params=ENGINES)
def open_engine(request: pytest.FixtureRequest, database_path: Path) -> Iterator[Callable[[], Engine]]:
    """Opens engines on one new database, each as another process would have it."""
    opened: list[Engine] = []
    url = request.getfixturevalue("postgres").new_database() if request.param == "postgres" else ""

    def another() -> Engine:
        if url:
            from milestone.store.postgres import PostgresEngine

            opened.append(PostgresEngine(url, "p"))
        else:
            opened.append(SqliteEngine(database_path))
        return opened[-1]

    yield another
    for one in opened:
        one.close()


@pytest.fixture
def engine(open_engine: Callable[[], Engine]) -> Engine:
    """An engine with its tables on a new database."""
    made = open_engine()
    made.migrate()
    return made


@pytest.fixture(scope="session")
def new_project(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Project]]:
    """Makes projects: a new folder with a Git folder, on the engine that is named."""
    made: list[Project] = []

    def make(engine: str = "sqlite", **environment: str) -> Project:
        folder = tmp_path_factory.mktemp("project")
        (folder / ".git").mkdir()
        url = request.getfixturevalue("postgres").new_database() if engine == "postgres" else ""
        made.append(Project(folder, url, environment))
        return made[-1]

    yield make
    for project in made:
        project.close()


@pytest.fixture(scope="session")
def new_repository(new_project: Callable[..., Project]) -> Callable[..., Project]:
    """Makes projects that are repositories with one commit; the usual one has a gate, and a playbook without tasks."""

    def make(engine: str = "sqlite", files: Mapping[str, str] | None = None, **environment: str) -> Project:
        project = new_project(engine, **environment)
        make_repository(project.folder, lean() if files is None else files)
        return project

    return make


@pytest.fixture(scope="session")
def portal() -> Iterator[anyio.from_thread.BlockingPortal]:
    """An event loop in a thread, where the SDK's clients live."""
    with anyio.from_thread.start_blocking_portal("asyncio") as running:
        yield running


@pytest.fixture(scope="session")
def agents_on(portal: anyio.from_thread.BlockingPortal) -> Iterator[Callable[..., Agents]]:
    """Connects hosts to real servers through the SDK's client; one for each kind of project, engine and era."""
    with contextlib.ExitStack() as stack:
        yield functools.cache(lambda make, engine, era: stack.enter_context(Agents(make(engine), era, portal)))


@pytest.fixture(params=CONNECTIONS, ids="-".join)
def connected(
    request: pytest.FixtureRequest, agents_on: Callable[..., Agents], new_project: Callable[..., Project]
) -> Agents:
    """A host's connection to a real server; its project is shared by many tests."""
    return agents_on(new_project, *request.param)


@pytest.fixture
def agents(connected: Agents) -> Agents:
    """The same connection with a milestone of the test's own."""
    connected.milestone_id = connected.call("initialize_agent_coordination", name=f"Goal {uuid.uuid4()}")[
        "milestone_id"
    ]
    return connected


@pytest.fixture(params=REPOSITORIES, ids="-".join)
def repository(
    request: pytest.FixtureRequest, agents_on: Callable[..., Agents], new_repository: Callable[..., Project]
) -> Agents:
    """A connection to the server of a real repository with a gate; each test has milestones of its own in it."""
    return agents_on(new_repository, *request.param)


@pytest.fixture(scope="session")
def wire_to() -> Iterator[Callable[[Agents], Wire]]:
    """Connects hosts on the raw wire with further servers, one for each connection."""
    with contextlib.ExitStack() as stack:
        yield functools.cache(lambda agents: stack.enter_context(contextlib.closing(Wire(agents.project))))


@pytest.fixture
def wired(repository: Agents, wire_to: Callable[[Agents], Wire]) -> Wire:
    """A host on the raw wire, on another server of that repository; hooks are told over it."""
    return wire_to(repository)


@pytest.fixture(params=ENGINES)
def project(request: pytest.FixtureRequest, new_project: Callable[..., Project]) -> Project:
    """A project that nobody has touched."""
    return new_project(request.param)


@pytest.fixture
def connect() -> Iterator[Callable[..., Wire]]:
    """Connects hosts on the raw wire; every server ends with the test."""
    wires: list[Wire] = []

    def connected(project: Project, era: str = "modern", command: tuple[str, ...] = ()) -> Wire:
        wires.append(Wire(project, era, command))
        return wires[-1]

    yield connected
    for wire in wires:
        wire.close()


@pytest.fixture(scope="session", autouse=True)
def _private_umask() -> Iterator[None]:
    """Tests see the permissions that the usual mask leaves, whatever this machine's is."""
    before = os.umask(0o022)
    yield
    os.umask(before)
