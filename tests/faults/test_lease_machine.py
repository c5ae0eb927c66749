"""Leases while clocks jump, machines start anew and holders come back: nobody writes beside the holder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from milestone.domain import identity
from milestone.operations import shared, tracking
from milestone.operations.context import Context
from tests.faults.amounts import of
from tests.faults.lease_machine import SILENCE, LeaseMachine
from tests.helpers.projects import Project

STEPS = settings(
    stateful_step_count=40,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def play(project: Project, plan: settings) -> None:
    """Let the machine run on a project."""

    class Machine(LeaseMachine):
        pass

    Machine.project = project
    run_state_machine_as_test(Machine, settings=plan)


@pytest.mark.parametrize(("engine", "examples"), [("sqlite", 300), ("postgres", 100)])
def test_whatever_clocks_and_holders_do_only_the_holder_writes_and_what_is_abandoned_comes_back(
    new_project: Callable[..., Project], engine: str, examples: int
) -> None:
    """Planted and found (below, each time this runs): a lease that ends by the time of day, holders without a fence."""
    play(new_project(engine), settings(STEPS, max_examples=of(examples)))


def by_the_time_of_day(ctx: Context, held: Mapping[str, Any]) -> str:
    """Say that a claim is over when its agent was last seen too long ago."""
    seen = ctx.now.timestamp() - datetime.fromisoformat(held["seen_at"]).timestamp()
    return "silent" if seen > SILENCE else ""


def everybody(found: identity.Agent, *_: object, **__: object) -> str:
    """Let every agent through."""
    return "token" if found.token_digest else "none"


def nobody_kept_out(*_: object) -> None:
    """Keep nobody out."""


PLANTED: dict[str, list[tuple[Any, str, Any]]] = {
    "a lease ends by the time of day": [(tracking, "takeable", by_the_time_of_day)],
    "holders have no fence": [(shared, "prove", everybody), (shared, "_fence", nobody_kept_out)],
}


@pytest.mark.parametrize("bug", PLANTED)
def test_the_check_above_fails_where(
    new_project: Callable[..., Project], monkeypatch: pytest.MonkeyPatch, bug: str
) -> None:
    for module, name, stand_in in PLANTED[bug]:
        monkeypatch.setattr(module, name, stand_in)
    quick = settings(STEPS, max_examples=100, derandomize=True, phases=[Phase.generate])
    with pytest.raises(AssertionError):
        play(new_project(), quick)
