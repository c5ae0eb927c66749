"""What an actor can do; run by the nursery, which forks an actor for each socket it is sent over stdin."""

from __future__ import annotations

import itertools
import json
import os
import signal
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from milestone.domain.errors import Conflict, Refusal
from milestone.domain.identity import Caller
from milestone.domain.leases import lease
from milestone.operations.context import Aside
from milestone.store import postgres  # noqa: F401 - here, so that no actor has to load it
from milestone.store.engine import Engine, Transaction, run
from milestone.store.sqlite import SqliteEngine
from milestone.surfaces.calls import prepare
from milestone.wiring import Application, read_settings
from tests.helpers import worker

AT = "2026-01-01T00:00:00.000Z"
Tell = Callable[[Any], None]
_applications: dict[str, Application] = {}


def plant(bug: str) -> bool:
    """Break this process with a bug of `worker.plant`."""
    worker.plant(bug)
    return True


def count(place: str, times: int) -> list[int]:
    """Read a number and write it back plus one, `times` times; return the numbers written."""
    return worker.count(place, times)


def call(place: Mapping[str, str], tool: str, given: Mapping[str, Any]) -> Any:
    """Return the answer of a tool, through what every door does."""
    application, engine = _open(place)
    one = prepare(tool, given, Caller())
    answer = run(engine, one.work(application), write=one.operation.writes)
    assert not isinstance(answer, Aside)
    return answer


def begin(place: Mapping[str, str], name: str) -> tuple[str, str]:
    """Start the product on a project for the first time; return the project's id and its milestone's."""
    milestone_id = call(place, "initialize_agent_coordination", {"name": name})["milestone_id"]
    application, _ = _open(place)
    project = (application.settings.data / "project").read_text()
    application.close()
    _applications.clear()
    return project, milestone_id


def save_for_ever(place: Mapping[str, str], agent_id: str, key: str, tell: Tell, *, early: bool = False) -> None:
    """Save 1, 2, 3 …, read each back, and tell each when it is acknowledged; what broke off is asked again.

    Early: each is told before it is saved.
    """
    for number in itertools.count(1):
        given = {"agent_id": agent_id, "key": key, "value": number, "request_id": f"{key}-{number}"}
        if early:
            tell(number)
        while _told(place, "save_agent_state", given) is None:
            pass
        while (found := _told(place, "load_agent_state", {"agent_id": agent_id, "key": key})) is None:
            pass
        assert found["value"] == number
        if not early:
            tell(number)


def _told(place: Mapping[str, str], tool: str, given: Mapping[str, Any]) -> Any:
    """Return an answer; nothing where the refusal says that the same call may be made again."""
    try:
        return call(place, tool, given)
    except Refusal as refusal:
        if "Call again with the same request_id" not in str(refusal):
            raise
        return None


def compare_and_set(
    place: Mapping[str, str], agent_id: str, key: str, times: int, me: int, *, broken: bool = False
) -> list[Any]:
    """Load and save on the version last seen, in turns; return [began, ended, asked, told] of each.

    Broken: it looks whether the version is still the newest, and saves in a transaction of its own.
    """
    history: list[Any] = []
    where = {"agent_id": agent_id, "key": key}
    version = 0

    def load() -> tuple[int, Any]:
        try:
            found = call(place, "load_agent_state", where)
        except Refusal:  # nothing is saved yet
            return 0, None
        return found["version"], found["value"]

    def save(expected: int, value: str) -> int | None:
        if broken:
            if load()[0] != expected:
                return None
            call(place, "save_agent_state", {**where, "value": value})
            return expected + 1
        try:
            answer = call(place, "save_agent_state", {**where, "value": value, "expected_version": expected})
        except Conflict:
            return None
        return answer["version"]

    for number in range(times):
        asked = ("save", version, f"{me}-{number}") if number % 2 else ("load",)
        began = time.monotonic_ns()
        told = save(version, f"{me}-{number}") if number % 2 else load()
        history.append((began, time.monotonic_ns(), asked, told))
        if isinstance(told, tuple):
            version = told[0]
    return history


def claim_all(place: Mapping[str, str], milestone_id: str, agent_id: str, *, broken: bool = False) -> list[str]:
    """Claim the next task that is ready until there is none; return what was claimed.

    Broken: it looks for the task in one transaction and claims it in another.
    """
    application, engine = _open(place)

    def look(transaction: Transaction) -> str:
        store, now = application.store(transaction), transaction.clock()
        found = store.tasks.ready(milestone_id, "execution", "execute", 1, now=now, standing=False)
        return found[0]["task_id"] if found else ""

    def claim(transaction: Transaction, task_id: str) -> str:
        store, hold = application.store(transaction), lease(transaction.clock(), 60)
        store.tasks.claim(milestone_id, task_id, agent_id, "", AT, lease=hold, deadline=hold)
        return task_id

    def look_and_claim(transaction: Transaction) -> str:
        task_id = look(transaction)
        return claim(transaction, task_id) if task_id else ""

    def one() -> str:
        if not broken:
            return run(engine, look_and_claim, write=True)
        task_id = run(engine, look, write=False)
        return run(engine, lambda tx: claim(tx, task_id), write=True) if task_id else ""

    return list(iter(one, ""))


def fork_within(place: str) -> int:
    """Count within a transaction, and fork off a child meanwhile that lives on; return the child."""

    def work(transaction: Transaction) -> int:
        child = os.fork()
        if child == 0:
            signal.alarm(60)
            signal.pause()
        transaction.rows(worker.COUNT)
        return child

    return run(SqliteEngine(Path(place)), work, write=True)


def end_child(child: int) -> bool:
    """End a child that was forked off, if it still runs."""
    ended, _ = os.waitpid(child, os.WNOHANG)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return ended == 0


def _open(place: Mapping[str, str]) -> tuple[Application, Engine]:
    key = json.dumps(place, sort_keys=True)
    if key not in _applications:
        _applications[key] = Application(read_settings(place))
    engine = _applications[key].engine(create=True)
    assert engine is not None
    return _applications[key], engine


def act(pipe: socket.socket) -> None:
    """Do what the pipe says until it ends."""
    with pipe, pipe.makefile("rw") as file:

        def tell(said: Any) -> None:
            file.write(json.dumps(said) + "\n")
            file.flush()

        tell(os.getpid())
        for line in file:
            task = json.loads(line)
            do = task.pop("do")
            more = {"tell": tell} if do == "save_for_ever" else {}
            try:
                tell(globals()[do](**task, **more))
            except Exception as error:  # noqa: BLE001 - whatever it is, the test wants to know
                tell(f"error: {type(error).__name__}: {error}")


def main() -> None:
    """Fork an actor for each socket that comes over stdin."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    control = socket.socket(fileno=0)
    while sent := socket.recv_fds(control, 1, 1)[1]:
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            control.close()
            act(socket.socket(fileno=sent[0]))
            os._exit(0)
        os.close(sent[0])


if __name__ == "__main__":
    main()
