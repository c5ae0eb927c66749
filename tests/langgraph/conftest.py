"""Savers on both engines; their projects are shared, so each test has threads of its own.

Planted bugs are tried without the fixtures of all tests, whose imports would take longer than the tests here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from milestone.surfaces.langgraph import MilestoneSaver
from tests.helpers.projects import Project


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project on each engine."""
    folder: Path = tmp_path_factory.mktemp("project")
    (folder / ".git").mkdir()
    url = request.getfixturevalue("postgres").new_database() if request.param == "postgres" else ""
    project = Project(folder, url)
    yield project
    project.close()


@pytest.fixture
def open_saver(shared: Project) -> Iterator[Callable[..., MilestoneSaver]]:
    """Opens savers on the project, each as another process would have it."""
    opened: list[MilestoneSaver] = []

    def another(**environment: str) -> MilestoneSaver:
        opened.append(MilestoneSaver.of(environ={**shared.environment, **environment}))
        return opened[-1]

    yield another
    for one in opened:
        one.close()


@pytest.fixture
def saver(open_saver: Callable[..., MilestoneSaver]) -> MilestoneSaver:
    """A saver."""
    return open_saver()


@pytest.fixture
def thread() -> str:
    """The name of a thread that nobody has used."""
    return str(uuid4())
