"""One real Chromium for these tests, and a page of its own for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser.serving import Dashboard
from tests.browser.visiting import Visit
from tests.helpers.chromium import running_chromium
from tests.helpers.projects import Project
from tests.helpers.underway import Execution, InProcess


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """The machine's own browser, headless; it ends before tests elsewhere begin, for it keeps a loop running."""
    with running_chromium() as browser:
        yield browser


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Callable[..., Visit]]:
    """Opens windows in contexts of their own. At the end each must have been quiet: no dialog, request or error."""
    opened: list[Visit] = []

    def visiting(dashboard: Dashboard, **options: Any) -> Visit:
        opened.append(Visit(chromium.new_context(**options), dashboard))
        return opened[-1]

    yield visiting
    for one in opened:
        one.close()
    for one in opened:
        assert one.noise == []


@pytest.fixture
def new_execution(new_repository: Callable[..., Project]) -> Callable[..., Execution]:
    """Begins executions, each in a repository of its own; agents act in this process, the page is served by another."""

    def begin(*tasks: dict[str, Any], files: dict[str, str] | None = None, **sections: Any) -> Execution:
        return Execution.begin(InProcess(new_repository(files=files)), *tasks, **sections)

    return begin


@pytest.fixture
def serve() -> Iterator[Callable[..., Dashboard]]:
    """Starts dashboards; each ends with the test."""
    running: list[Dashboard] = []

    def start(project: Project, port: int = 0) -> Dashboard:
        running.append(Dashboard(project, port))
        return running[-1].__enter__()

    yield start
    for one in running:
        one.__exit__()
