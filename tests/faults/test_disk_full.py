"""A full disk: whoever writes is told so, whoever reads reads on, and with room again all goes on as before."""

from __future__ import annotations

import json
import random
import resource
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.amounts import of
from tests.helpers.projects import Project
from tests.helpers.wire import Wire

PLANTED = (sys.executable, str(Path(__file__).with_name("planted.py")))
LIMITS = 20
SAMPLE = 4


def limit(wire: Wire, size: int) -> None:
    """Let no file of a server grow beyond a size: a full disk where nobody may mount a small one."""
    _, hard = resource.prlimit(wire.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(wire.process.pid, resource.RLIMIT_FSIZE, (size, hard))


def save(wire: Wire, agent: str, number: int) -> str:
    """Save a few kilobytes that begin with a number; return why it was refused, else nothing."""
    call = wire.begin_call("save_agent_state", agent_id=agent, key="k", value=[number, "x" * 3_000])
    refused, text = wire.answer(call)
    return text if refused else ""


def fill(wire: Wire, limits: int = SAMPLE) -> list[str]:
    """Save until the disk is full, make room, and again; return what is wrong."""
    database = wire.project.database
    wire.call("initialize_agent_coordination", name="Base")
    agent = wire.call("register_agent", agent_type="worker")["agent_id"]
    chance = random.Random(5)
    wrong: list[str] = []
    acknowledged = 0
    for _ in range(limits):
        used = max(file.stat().st_size for file in (database, database.with_name("milestone.db-wal")))
        limit(wire, used + chance.randrange(60_000))
        said = ""
        while not said:
            said = save(wire, agent, acknowledged + 1)
            acknowledged += not said
        named = "The disk is full" in said and str(database) in said and "Make room there" in said
        wrong += [] if named else [said]
        wrong += [] if wire.call("list_session_agents")["agents"] else ["nothing can be read"]
        limit(wire, resource.RLIM_INFINITY)
        said = save(wire, agent, acknowledged + 1)
        wrong += [f"with room again: {said}"] if said else []
        acknowledged += not said
    rows = [(row["version"], json.loads(row["value"])[0]) for row in wire.project.rows("agent_state")]
    wrong += (
        [] if sorted(rows) == [(n, n) for n in range(1, acknowledged + 1)] else [f"{acknowledged} became {len(rows)}"]
    )
    integrity = wire.project.engine.maintain()["integrity"]
    return wrong + ([] if integrity == "ok" else [str(integrity)])


@pytest.mark.parametrize("command", [(), (*PLANTED, "eager")], ids=["log", "file"])
def test_twenty_full_disks_are_named_and_nothing_is_lost(
    new_project: Callable[..., Project], connect: Callable[..., Wire], command: tuple[str, ...]
) -> None:
    """Planted and found (below, each time this runs): errors that nobody explains, and a commit that is told as refused
    because the log could not be folded into the file after it.
    """
    assert fill(connect(new_project(), command=command), of(LIMITS, SAMPLE)) == []


@pytest.mark.parametrize(
    ("bug", "told"), [("unexplained", "failed inside the server"), ("told", " became ")], ids=["unexplained", "told"]
)
def test_the_check_above_fails_with_a_server_that(
    new_project: Callable[..., Project], connect: Callable[..., Wire], bug: str, told: str
) -> None:
    assert any(told in one for one in fill(connect(new_project(), command=(*PLANTED, bug))))
