"""The real host is killed in the middle of a planning and an execution; what is resumed ends as if nothing had been."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from .points import NORMAL, POINTS, Point
from .rehearsal import rehearse, undisturbed


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """What a run ends with that nobody disturbs."""
    return undisturbed(tmp_path_factory.mktemp("undisturbed"))


@pytest.mark.parametrize("point", [one for one in POINTS if one.name in NORMAL], ids=lambda point: point.name)
def test_after_a_kill_a_resumed_milestone_ends_as_if_nobody_had_disturbed_it(
    point: Point, expected: Mapping[str, Any], tmp_path: Path
) -> None:
    """The same tasks, values, proofs, tree and commits; nothing done twice. `python -m tests.host.recovery` plays all.

    Planted and found: what a lost agent delivered is given back and not accepted (done again, at "value saved"); nobody
    looks what Git has of a lost attempt (nobody asks, at "file written"; work is committed again, at "committed"); the
    claims of a dead server stand (nothing goes on).
    """
    assert rehearse(point, tmp_path, expected, planned=True).wrong == []


def test_the_points_are_spread_over_planning_and_execution() -> None:
    """25 points, each with a name of its own; the usual check has five of them."""
    assert len({point.name for point in POINTS}) == 25
    assert {point.session for point in POINTS if point.name in NORMAL} == {"plan", "execute"}
    assert len([point for point in POINTS if point.name in NORMAL]) == len(NORMAL) == 5
