"""Writers that are killed in the middle of anything: what was acknowledged is there, once, and nothing is damaged."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest

from milestone.store.engine import run
from milestone.store.postgres import PostgresEngine
from tests.faults.amounts import of
from tests.faults.nursery import Actor, Nursery
from tests.helpers.postgres import Postgres, running_postgres
from tests.helpers.projects import Project
from tests.helpers.wire import Wire
from tests.helpers.worker import SEEN

WRITERS = 8
OTHERS = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
KILLS = 200


class Writers:
    """Eight processes that save for ever; each life of one has a key of its own."""

    def __init__(self, nursery: Nursery, project: Project, seed: int, **broken: bool) -> None:
        self._nursery, self._project, self._broken = nursery, project, broken
        self._chance = random.Random(seed)
        milestone_id = project.operate("initialize_agent_coordination", name="Base")["milestone_id"]
        given = {"agent_type": "worker", "milestone_id": milestone_id}
        self._agents = [project.operate("register_agent", **given)["agent_id"] for _ in range(WRITERS)]
        project.close()
        self.acknowledged: dict[tuple[str, str], int] = {}
        self._keys: dict[int, tuple[str, str]] = {}
        self._alive = [self._begin(number) for number in range(WRITERS)]

    def _begin(self, number: int) -> Actor:
        actor = self._nursery.actor()
        key = f"life-{len(self.acknowledged)}"
        self._keys[number] = (self._agents[number], key)
        self.acknowledged[self._keys[number]] = 0
        actor.begin(
            "save_for_ever", place=self._project.environment, agent_id=self._agents[number], key=key, **self._broken
        )
        return actor

    def _heard(self, number: int, said: Any) -> None:
        key = self._keys[number]
        assert said == self.acknowledged[key] + 1, said
        self.acknowledged[key] = said

    def after_a_while(self) -> int:
        """Return one of the writers, once it has acknowledged a few more."""
        number = self._chance.randrange(WRITERS)
        for _ in range(self._chance.randrange(1, 10)):
            self._heard(number, self._alive[number].read())
        return number

    def kill(self, number: int) -> None:
        """End one wherever it is, hear what it had still said, and start another in its place."""
        self._end(number)
        self._alive[number] = self._begin(number)

    def end(self) -> None:
        """End them all."""
        for number in range(WRITERS):
            self._end(number)

    def _end(self, number: int) -> None:
        self._alive[number].kill()
        for said in self._alive[number].rest():
            self._heard(number, said)
        self._alive[number].close()


def wrong(project: Project, acknowledged: dict[tuple[str, str], int], asked: int = 1) -> list[str]:
    """Return what is lost, doubled or damaged; of each writer up to `asked` calls were under way at its end."""
    saved: dict[tuple[str, str], list[tuple[int, int]]] = {key: [] for key in acknowledged}
    for row in project.rows("agent_state"):
        saved[row["agent_id"], row["key"]].append((row["version"], json.loads(row["value"])))
    found = [
        f"{key}: {acknowledged[key]} acknowledged, {sorted(there)[-3:]} of {len(there)} at the end"
        for key, there in saved.items()
        if sorted(there) != [(n, n) for n in range(1, len(there) + 1)]
        or not 0 <= len(there) - acknowledged[key] <= asked
    ]
    events = [row["position"] for row in project.rows("events") if row["event"] == "state_saved"]
    versions = [row["position"] for row in project.rows("agent_state")]
    found += [] if sorted(events) == sorted(versions) else [f"{len(events)} events, {len(versions)} versions"]
    found += [] if len(set(events)) == len(events) else ["two events at one position"]
    found += [] if max(events) <= project.rows("projects")[0]["position"] else ["an event beyond the newest position"]
    return found + damages(project)


def damages(project: Project) -> list[str]:
    """Return what SQLite finds damaged."""
    health = project.engine.maintain()["integrity"]
    if project.url:
        return []
    with closing(sqlite3.connect(project.database)) as connection:
        dangling = connection.execute("PRAGMA foreign_key_check").fetchall()
    return [str(one) for one in (health, *dangling) if one != "ok"]


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_what_killed_writers_had_acknowledged_is_there_exactly_once(
    new_project: Callable[..., Project], nursery: Nursery, engine: str
) -> None:
    """Planted and found (below, each time this runs): a writer that acknowledges before it has committed."""
    project = new_project(engine)
    writers = Writers(nursery, project, seed=1)
    for _ in range(of(KILLS)):
        writers.kill(writers.after_a_while())
    writers.end()
    assert wrong(project, writers.acknowledged) == []
    assert sum(writers.acknowledged.values()) > of(KILLS)


def test_the_check_above_fails_when_what_is_not_committed_is_acknowledged(
    new_project: Callable[..., Project], nursery: Nursery
) -> None:
    project = new_project()
    writers = Writers(nursery, project, seed=2, early=True)
    for _ in range(10):
        writers.kill(writers.after_a_while())
    writers.end()
    assert any("acknowledged" in one for one in wrong(project, writers.acknowledged))


def test_what_killed_servers_had_answered_is_there(new_project: Callable[..., Project]) -> None:
    project = new_project()
    project.operate("initialize_agent_coordination", name="Base")
    project.close()
    chance = random.Random(3)
    acknowledged: dict[tuple[str, str], int] = {}
    for _ in range(of(20)):
        with ExitStack() as stack:
            wires = [stack.enter_context(closing(Wire(project, era))) for era in ("modern", "legacy")]
            agents = [wire.call("register_agent", agent_type="worker")["agent_id"] for wire in wires]
            calls = [
                [wire.begin_call("save_agent_state", agent_id=agent, key="k", value=n) for n in range(1, 61)]
                for wire, agent in zip(wires, agents, strict=True)
            ]
            for wire, agent, begun in zip(wires, agents, calls, strict=True):
                acknowledged[agent, "k"] = chance.randrange(1, 50)
                for call in begun[: acknowledged[agent, "k"]]:
                    assert wire.answer(call)[0] is False
                wire.kill()
                with suppress(ConnectionError):
                    for call in begun[acknowledged[agent, "k"] :]:
                        assert wire.answer(call)[0] is False
                        acknowledged[agent, "k"] += 1
    assert wrong(project, acknowledged, asked=60) == []


def terminated(url: str, chance: random.Random) -> None:
    """End a random connection of a database, as its administrator can."""
    with psycopg.connect(url, autocommit=True) as connection:
        backends = connection.execute(OTHERS).fetchall()
        if backends:
            connection.execute("SELECT pg_terminate_backend(%s)", chance.choice(backends))


def test_a_call_does_not_hear_that_a_connection_which_nobody_used_was_cut(postgres: Postgres) -> None:
    """Planted and found: a transaction that tries to begin on the first connection of the pool and on no other."""
    url = postgres.new_database()
    engine = PostgresEngine(url, "p")
    engine.migrate()
    chance = random.Random(7)
    for write in (True, False, True):
        terminated(url, chance)
        run(engine, lambda tx: tx.rows(SEEN), write=write)
    engine.close()


def test_writers_that_see_postgresql_crash_under_them_write_everything_once(nursery: Nursery, tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="pg-") as folder, running_postgres(Path(folder)) as server:
        (tmp_path / ".git").mkdir()
        project = Project(tmp_path, server.new_database())
        writers = Writers(nursery, project, seed=8)
        for _ in range(of(20)):
            writers.after_a_while()
            with suppress(psycopg.OperationalError), psycopg.connect(project.url) as connection:
                backends = connection.execute(OTHERS).fetchall()
                os.kill(random.Random(8).choice(backends)[0], signal.SIGKILL)
        writers.after_a_while()
        writers.end()
        assert wrong(project, writers.acknowledged) == []
        project.close()


def test_writers_whose_connections_to_postgresql_are_cut_write_everything_once(
    new_project: Callable[..., Project], nursery: Nursery
) -> None:
    project = new_project("postgres")
    writers = Writers(nursery, project, seed=4)
    chance = random.Random(4)
    for _ in range(of(KILLS)):
        writers.after_a_while()
        terminated(project.url, chance)
    writers.end()
    assert wrong(project, writers.acknowledged) == []
