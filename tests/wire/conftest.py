"""Servers on the raw wire, one for each module and era."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.helpers.projects import Project
from tests.helpers.wire import Wire


@pytest.fixture(scope="module", params=["sqlite-modern", "postgres-legacy"])
def wire(request: pytest.FixtureRequest, new_project: Callable[..., Project]) -> Iterator[Wire]:
    """A server whose project has one milestone and one agent, `w`."""
    engine, era = request.param.split("-")
    connected = Wire(new_project(engine), era)
    connected.call("initialize_agent_coordination", name="Goal")
    connected.call("register_agent", agent_type="worker", agent_id="w")
    yield connected
    connected.close()
