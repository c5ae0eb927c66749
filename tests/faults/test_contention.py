"""Many processes want the same thing at once: nobody fails, nothing is lost, and each thing goes to one of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from milestone.store.engine import run
from milestone.store.queries import Query
from tests.faults.amounts import of
from tests.faults.linearizability import VERSIONED, Operation, linearizable
from tests.faults.nursery import Actor, Nursery, together
from tests.helpers.projects import Project
from tests.helpers.worker import SEEN

PROCESSES = 16
CLAIMS = 1_000
WRITES = 500
ROUNDS = 5
NEW = Query("new", "INSERT INTO projects (project_id, position, created_at) VALUES ('p', 0, 'now')")
INDEX = Query("index", "DROP INDEX claims_open")


def place(project: Project) -> str:
    """Return where a database is."""
    return project.url or str(project.database)


def counted(project: Project, actors: list[Actor], times: int) -> list[str]:
    """Let all read a number and write it back plus one at once; return what is wrong."""
    run(project.engine, lambda tx: tx.change(NEW), write=True)
    answers = together(actors, "count", place=place(project), times=times)
    wrong = [answer for answer in answers if isinstance(answer, str)]
    numbers = sorted(number for answer in answers if not isinstance(answer, str) for number in answer)
    wrong += [] if numbers == list(range(1, times * len(actors) + 1)) else [f"{len(set(numbers))} different numbers"]
    last = run(project.engine, lambda tx: tx.rows(SEEN), write=False)[0]["position"]
    return wrong + ([] if last == times * len(actors) else [f"{last} at the end"])


def test_sixteen_processes_that_read_and_then_write_never_fail(project: Project, nursery: Nursery) -> None:
    """Planted and found (below, each time this runs): a plain BEGIN without a queue."""
    project.operate("initialize_agent_coordination", name="Base")
    with nursery.actors(PROCESSES) as actors:
        assert counted(project, actors, of(WRITES)) == []


def test_the_check_above_fails_with_a_plain_begin_and_no_queue(
    new_project: Callable[..., Project], nursery: Nursery
) -> None:
    project = new_project()
    project.operate("initialize_agent_coordination", name="Base")
    with nursery.actors(PROCESSES) as actors:
        together(actors, "plant", bug="begin")
        together(actors, "plant", bug="queue")
        assert any("database is locked" in one for one in counted(project, actors, 20))


def claimed(project: Project, actors: list[Actor], count: int, *, broken: bool = False) -> list[str]:
    """Let all claim tasks until there is none left; return what is wrong."""
    milestone_id = project.operate("initialize_agent_coordination", name="Claims")["milestone_id"]
    agent_id = project.operate("register_agent", agent_type="worker", milestone_id=milestone_id)["agent_id"]
    names = [f"task-{number}" for number in range(count)]
    run(project.engine, lambda tx: _write_tasks(project, tx, milestone_id, names), write=True)
    given = {"milestone_id": milestone_id, "agent_id": agent_id, "broken": broken}
    answers = together(actors, "claim_all", place=project.environment, **given)
    wrong = [answer for answer in answers if isinstance(answer, str)]
    taken = [task_id for answer in answers if not isinstance(answer, str) for task_id in answer]
    wrong += [] if len(set(taken)) == len(taken) else [f"{len(taken) - len(set(taken))} given to two"]
    wrong += [] if broken or sorted(taken) == sorted(names) else [f"{len(set(taken))} of {count} given"]
    rows = sorted(row["task_id"] for row in project.rows("claims"))
    return wrong + ([] if rows == sorted(taken) else [f"{len(rows)} claims for {len(taken)} answers"])


def _write_tasks(project: Project, transaction: Any, milestone_id: str, names: Sequence[str]) -> None:
    tasks = project.application.store(transaction).tasks
    common = {"mode": "execution", "phase": "execute", "agent_type": "worker", "produces": (), "time_limit": 60}
    for ordinal, name in enumerate(names):
        tasks.add(milestone_id, ordinal, task_id=name, title=name, **common)


def test_of_sixteen_processes_that_claim_no_two_get_the_same_task(project: Project, nursery: Nursery) -> None:
    """Planted and found (below, each time this runs): a claim that looks and takes in two transactions."""
    with nursery.actors(PROCESSES) as actors:
        assert claimed(project, actors, PROCESSES * of(CLAIMS)) == []


@pytest.mark.parametrize(
    ("index", "told"), [(True, "IntegrityError"), (False, "given to two")], ids=["index", "no index"]
)
def test_the_check_above_fails_when_looking_and_claiming_are_two_transactions(
    new_project: Callable[..., Project], nursery: Nursery, index: bool, told: str
) -> None:
    project = new_project()
    project.operate("initialize_agent_coordination", name="Base")
    if not index:
        run(project.engine, lambda tx: tx.change(INDEX), write=True)
    with nursery.actors(PROCESSES) as actors:
        assert any(told in one for one in claimed(project, actors, 60, broken=True))


def judged(project: Project, actors: list[Actor], round_: int, times: int, *, broken: bool = False) -> bool:
    """Let all load and save on versions at once; return whether that can be told as one after the other."""
    milestone_id = project.operate("initialize_agent_coordination", name="Base")["milestone_id"]
    agent_id = project.operate("register_agent", agent_type="worker", milestone_id=milestone_id)["agent_id"]
    given = {"agent_id": agent_id, "key": f"round-{round_}", "times": times, "broken": broken}
    for number, actor in enumerate(actors):
        actor.begin("compare_and_set", place=project.environment, me=number, **given)
    histories = [actor.read() for actor in actors]
    assert not [history for history in histories if isinstance(history, str)], histories
    operations = [[Operation(*_frozen(one)) for one in history] for history in histories]
    refused = sum(one.told is None for history in operations for one in history)
    assert broken or 0 < refused < times * len(actors) / 2
    return linearizable(operations, VERSIONED)


def _frozen(told: list[Any]) -> list[Any]:
    return [tuple(one) if isinstance(one, list) else one for one in told]


def test_what_eight_processes_see_and_save_could_have_happened_one_after_the_other(
    project: Project, nursery: Nursery
) -> None:
    """Planted and found (below, each time this runs): a save that compares in one transaction and writes in another."""
    project.operate("initialize_agent_coordination", name="Base")
    with nursery.actors(8) as actors:
        assert [judged(project, actors, round_, of(500)) for round_ in range(ROUNDS)] == [True] * ROUNDS


def test_the_check_above_fails_when_comparing_and_saving_are_two_transactions(
    new_project: Callable[..., Project], nursery: Nursery
) -> None:
    project = new_project()
    project.operate("initialize_agent_coordination", name="Base")
    with nursery.actors(8) as actors:
        found = [judged(project, actors, round_, 50, broken=True) for round_ in range(ROUNDS)]
        assert found == [False] * ROUNDS
