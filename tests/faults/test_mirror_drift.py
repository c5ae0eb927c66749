"""The files for people and the database drift apart in every way: the doctor finds it, mends it, and then rests."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ENGINES
from tests.faults.amounts import of
from tests.helpers.mirrored import Mirrored
from tests.helpers.patients import Report, change, everything
from tests.helpers.projects import Project

ROUNDS = 100
LETTERS = b"abcdefghijklmnopqrstuvwxyz"
SET = "project_id = :project_id AND milestone_id = :milestone_id"


@pytest.fixture(scope="module", params=ENGINES)
def plan(request: pytest.FixtureRequest, new_project: Callable[..., Project]) -> Mirrored:
    """A milestone that is planned."""
    return Mirrored.planned(new_project(request.param))


def _files(plan: Mirrored) -> list[Path]:
    folders = ("active", "sessions", "deliverables", "logs")
    return sorted(path for name in folders for path in (plan.project.mirror / name).rglob("*") if path.is_file())


def _gone(plan: Mirrored, chance: random.Random) -> str:
    path = chance.choice(_files(plan))
    path.unlink()
    return path.name


def _cut(plan: Mirrored, chance: random.Random) -> str:
    path = chance.choice(_files(plan))
    whole = path.read_bytes()
    path.write_bytes(whole[: chance.randrange(len(whole) - 1)])
    return path.name


def _grown(plan: Mirrored, chance: random.Random) -> str:
    path = chance.choice(_files(plan))
    path.write_bytes(path.read_bytes() + chance.randbytes(9) + b"\n")
    return path.name


def _letter(plan: Mirrored, chance: random.Random) -> str:
    path = chance.choice([one for one in _files(plan) if one.suffix != ".jsonl"])
    whole = bytearray(path.read_bytes())
    at = chance.choice([at for at, byte in enumerate(whole) if byte in LETTERS])
    whole[at] = chance.choice([byte for byte in LETTERS if byte != whole[at]])
    path.write_bytes(whole)
    return path.name


def _said(plan: Mirrored, chance: random.Random) -> str:
    given: dict[str, Any] = {"duration": f"{chance.random()} days"}
    plan.project.operate("update_milestone", milestone_id=plan.milestone_id, **given)
    return plan.path.name


def _behind_our_back(plan: Mirrored, chance: random.Random) -> str:
    table, column = chance.choice((("milestones", "description"), ("phases", "started_at"), ("sessions", "ended_at")))
    sql = f"UPDATE {table} SET {column} = :value WHERE {SET}"  # noqa: S608 - names of our own
    change(plan.project, sql, milestone_id=plan.milestone_id, value=str(chance.random()))
    return plan.path.name


@pytest.mark.parametrize("seed", range(of(ROUNDS)))
def test_whatever_is_changed_on_either_side_is_found_and_mended_once(plan: Mirrored, seed: int) -> None:
    """Planted and found: a comparison of positions alone; one that only asks whether a file is there."""
    assert Report(plan.project, "--fix").wrong == {}
    chance = random.Random(seed)
    ways = chance.choices((_gone, _cut, _grown, _letter, _said, _behind_our_back), k=chance.choice((1, 1, 2)))
    changed = [way(plan, chance) for way in ways]
    assert Report(plan.project).wrong != {}, changed
    assert Report(plan.project, "--fix").wrong == {}, changed
    well = everything(plan.project)
    assert Report(plan.project, "--fix").mended == {}
    assert everything(plan.project) == well
