"""Who opens the database, and what happens to it under its users: first starts at once, forks, a file that is gone."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from milestone.domain.errors import Refusal
from milestone.store.engine import run
from tests.faults.amounts import of
from tests.faults.nursery import ROOT, Actor, Nursery, together
from tests.faults.test_contention import NEW, place
from tests.helpers.projects import Project

FIRST_STARTS = 8
ROUNDS = 20


def started(actors: list[Actor], places: Iterable[Project]) -> list[str]:
    """Let all start the product for the first time on each project; return what is wrong."""
    wrong: list[str] = []
    for project in places:
        answers = together(actors, "begin", place=project.environment, name="First")
        failed = [answer for answer in answers if isinstance(answer, str)]
        agreed = {tuple(answer) for answer in answers if not isinstance(answer, str)}
        wrong += failed + ([] if len(agreed) == 1 else [f"{len(agreed)} projects or milestones"])
    return wrong


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_all_of_eight_first_starts_succeed_and_find_the_same_project_and_milestone(
    new_project: Callable[..., Project], nursery: Nursery, engine: str
) -> None:
    """Planted and found (below, each time this runs): migrations without a turn."""
    with nursery.actors(FIRST_STARTS) as actors:
        assert started(actors, (new_project(engine) for _ in range(of(ROUNDS)))) == []


def test_the_check_above_fails_when_migrations_take_no_turn(
    new_project: Callable[..., Project], nursery: Nursery
) -> None:
    with nursery.actors(FIRST_STARTS) as actors:
        together(actors, "plant", bug="no_lock")
        assert any("locked" in one for one in started(actors, (new_project() for _ in range(5))))


def forked(project: Project, end: str, *bugs: str) -> tuple[dict[str, str], list[dict[str, Any]]]:
    """Fork within a transaction on a project's database; return how the child was refused, and what the parent saw."""
    project.operate("initialize_agent_coordination", name="Base")
    run(project.engine, lambda tx: tx.change(NEW), write=True)
    project.close()
    program = [sys.executable, str(Path(__file__).with_name("forking.py")), place(project), end, *bugs]
    environment = {"PYTHONPATH": f"{ROOT / 'server'}:{ROOT}"}
    shown = subprocess.run(program, env=environment, capture_output=True, text=True, check=False, timeout=60)
    child, *parent = map(json.loads, shown.stdout.splitlines())
    return child, parent


@pytest.mark.parametrize("end", ["exit", "_exit"])
def test_a_forked_child_is_refused_and_does_its_parent_no_harm(project: Project, end: str) -> None:
    """Planted and found (below, each time this runs): an engine that does not look whose it is."""
    child, parent = forked(project, end)
    assert len(child) == 8
    assert [name for name, said in child.items() if "this one was forked off from it" not in said] == []
    assert parent == [{"seen": 3, "integrity": "ok"}]


def test_the_check_above_fails_when_the_engine_does_not_look_whose_it_is(new_project: Callable[..., Project]) -> None:
    child, _ = forked(new_project(), "_exit", "unguarded")
    assert child == {"read on": "", "write on": ""}


def test_a_child_that_outlives_its_parents_transaction_keeps_nobody_from_writing(
    new_project: Callable[..., Project], nursery: Nursery
) -> None:
    """Planted and found: a turn that is given back by closing its file alone, which the child still has."""
    project = new_project()
    project.operate("initialize_agent_coordination", name="Base")
    run(project.engine, lambda tx: tx.change(NEW), write=True)
    with nursery.actors(2) as (one, other):
        child = one.call("fork_within", place=place(project))
        assert other.call("count", place=place(project), times=1) == [2]
        assert one.call("end_child", child=child) is True


@pytest.mark.parametrize("what", ["deleted", "replaced", "folder"])
def test_a_database_that_is_gone_under_its_users_is_noticed_before_anything_is_read_or_written(
    new_project: Callable[..., Project], tmp_path: Path, what: str
) -> None:
    """Planted and found: a guard that does not compare; one that compares only once the turn to write has come."""
    project = new_project()
    project.operate("initialize_agent_coordination", name="Base")
    agent = project.operate("register_agent", agent_type="worker")["agent_id"]
    if what == "replaced":
        shutil.copy(project.database, tmp_path / "copy")
        (tmp_path / "copy").rename(project.database)
    elif what == "deleted":
        project.database.unlink()
    else:
        project.database.parent.rename(tmp_path / "elsewhere")
    given = {"agent_id": agent, "key": "k", "value": 1}
    for tool, arguments in (("save_agent_state", given), ("get_milestone", {}), ("save_agent_state", given)):
        with pytest.raises(Refusal, match=r"deleted or replaced while .* nothing was read or written") as refused:
            project.operate(tool, **arguments)
        assert str(project.database) in str(refused.value)
    assert project.database.exists() is (what == "replaced")


def test_what_is_no_database_is_named_and_left_as_it_is(new_project: Callable[..., Project]) -> None:
    """Planted and found: an engine that explains nothing while it opens."""
    project = new_project()
    project.database.parent.mkdir(parents=True)
    project.database.write_text("a person's notes, by mistake in our place\n" * 50)
    before = project.database.read_bytes()
    with pytest.raises(Refusal, match="is no database of SQLite") as refused:
        project.operate("initialize_agent_coordination", name="Base")
    assert str(project.database) in str(refused.value)
    assert project.database.read_bytes() == before
