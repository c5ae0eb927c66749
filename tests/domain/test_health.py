"""Which versions of SQLite lose writes, and how bad it is altogether."""

from __future__ import annotations

import pytest

from milestone.domain.health import Finding, State, loses_writes, worst


@pytest.mark.parametrize(
    ("version", "affected"),
    [
        ("3.6.23", False),
        ("3.7.0", True),
        ("3.7", True),
        ("3.40.1", True),
        ("3.43.2", True),
        ("3.44.0", True),
        ("3.44.5", True),
        ("3.44.6", False),
        ("3.44.7", False),
        ("3.45.0", True),
        ("3.45.1", True),
        ("3.49.2", True),
        ("3.50.0", True),
        ("3.50.6", True),
        ("3.50.7", False),
        ("3.50.8", False),
        ("3.51.0", True),
        ("3.51.2", True),
        ("3.51.3", False),
        ("3.52.0", False),
        ("4.0.0", False),
    ],
)
def test_a_version_of_sqlite_is_known_to_lose_writes_or_not(version: str, affected: bool) -> None:
    """Planted and found: the line 3.44 taken for mended from its first version on; 3.51.0 taken for mended."""
    assert loses_writes(tuple(map(int, version.split(".")))) is affected


@pytest.mark.parametrize(
    ("states", "whole"),
    [((), "ok"), (("ok", "ok"), "ok"), (("ok", "warning"), "warning"), (("broken", "warning", "ok"), "broken")],
)
def test_one_broken_part_makes_the_whole_broken(states: tuple[State, ...], whole: State) -> None:
    assert worst(Finding("x", state, "") for state in states) == whole
