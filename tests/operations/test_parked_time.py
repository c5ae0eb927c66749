"""Time spent parked at a usage limit is not active time: neither the pace nor what is left to do gets worse by it."""

from __future__ import annotations

from milestone.operations.reporting import progress
from milestone.store.engine import run
from tests.helpers.agents import Agents
from tests.helpers.execution import task
from tests.helpers.underway import Execution

DECIDE = task("decide", "design", paths=("docs/",))


def park(execution: Execution, from_at: str, until_at: str) -> None:
    """Write down that the milestone was parked then."""
    project, milestone_id = execution.project, execution.milestone_id
    run(
        project.engine,
        lambda tx: project.application.store(tx).parkings.add(milestone_id, from_at, until_at),
        write=True,
    )


def test_the_pace_is_measured_in_time_that_was_not_parked(repository: Agents) -> None:
    """Planted and found: parked time counted as active."""
    execution = Execution.begin(repository, DECIDE)
    execution.worker("decide").do("docs/store.md")

    def pace() -> str:
        return execution.read(lambda store: progress(store, execution.milestone_id))["velocity"]

    assert "percent per active hour (n=1)" in pace()
    before = pace()
    park(execution, "2001-01-01T00:00:00.000Z", "2001-01-01T02:00:00.000Z")
    assert pace() == before
    park(execution, "2020-01-01T00:00:00.000Z", "2099-01-01T00:00:00.000Z")
    assert pace() == "insufficient data (1)"
