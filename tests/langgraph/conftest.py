"""Savers on both engines; their projects are shared, so each test has threads of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest

from milestone.surfaces.langgraph import MilestoneSaver
from tests.conftest import ENGINES
from tests.helpers.projects import Project


@pytest.fixture(scope="session", params=ENGINES)
def shared(request: pytest.FixtureRequest, new_project: Callable[..., Project]) -> Project:
    """A project on each engine."""
    return new_project(request.param)


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
