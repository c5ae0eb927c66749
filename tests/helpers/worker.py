"""A process of its own that does what it is told, line by line; `Workers` tells several at once.

Run as `python worker.py`; each line on stdin is `{"do": <function>, …}`, each line on stdout its result or error.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

from milestone.store import sqlite
from milestone.store.engine import Engine, Transaction, run
from milestone.store.queries import Query

ROOT = Path(__file__).resolve().parents[2]
COUNT = Query("count", "UPDATE projects SET position = position + 1 WHERE project_id = 'p' RETURNING position")
SEEN = Query("seen", "SELECT position FROM projects WHERE project_id = 'p'")
_engines: dict[str, Engine] = {}


class Workers:
    """Processes that start the same thing at the same time."""

    def __init__(self, count: int) -> None:
        environment = {"PYTHONPATH": f"{ROOT / 'server'}:{ROOT}"}
        self.processes = [
            subprocess.Popen(
                [sys.executable, __file__], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            for _ in range(count)
        ]

    def __enter__(self) -> Workers:
        self.all("ready")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self.processes:
            process.kill()
            process.communicate()

    def begin(self, number: int, do: str, **arguments: Any) -> None:
        """Tell one worker what to do."""
        pipe = self.processes[number].stdin
        assert pipe is not None
        pipe.write(json.dumps({"do": do, **arguments}) + "\n")
        pipe.flush()

    def end(self, number: int) -> Any:
        """Return what one worker answers: its result, or a text that begins with `error: `."""
        pipe = self.processes[number].stdout
        assert pipe is not None
        return json.loads(pipe.readline())

    def all(self, do: str, **arguments: Any) -> list[Any]:
        """Tell all workers the same and return their answers."""
        for number in range(len(self.processes)):
            self.begin(number, do, **arguments)
        return [self.end(number) for number in range(len(self.processes))]


def ready() -> bool:
    """Answer."""
    return True


def plant(bug: str) -> None:
    """Break the engine here: `begin` (plain BEGIN), `queue` (no turns), `no_lock` (migrations without a turn)."""
    if bug == "begin":
        sqlite.BEGIN_WRITE = "BEGIN"
    if bug == "queue":
        sqlite.Turn.now = lambda _: True  # pyright: ignore[reportAttributeAccessIssue]
    if bug == "no_lock":
        sqlite.SqliteEngine._first_turn = lambda _: contextlib.nullcontext()  # type: ignore[assignment]  # noqa: SLF001


def _engine(place: str) -> Engine:
    if place not in _engines:
        if place.startswith("postgresql:"):
            from milestone.store.postgres import PostgresEngine

            _engines[place] = PostgresEngine(place, "p", size=1)
        else:
            _engines[place] = sqlite.SqliteEngine(Path(place))
    return _engines[place]


def migrate(place: str) -> int:
    """Open a database for the first time, bring it up, close it."""
    _engine(place).migrate()
    _engines.pop(place).close()
    return 1


def count(place: str, times: int) -> list[int]:
    """Read a number and write it back plus one, `times` times; return the numbers written."""

    def work(transaction: Transaction) -> int:
        before = transaction.rows(SEEN)[0]["position"]
        after = transaction.rows(COUNT)[0]["position"]
        assert after == before + 1
        return after

    return [run(_engine(place), work, write=True) for _ in range(times)]


def hold(place: str, *, open_transaction: bool) -> str:
    """Take the turn to write, and a transaction too if asked, and keep both until killed."""
    engine = _engine(place)
    entering = engine.enter(write=True)
    try:
        while True:
            next(entering)()
    except StopIteration as entered:
        if open_transaction:
            entered.value.rows(COUNT)
        _held.append(entered.value)
    return "held"


_held: list[Any] = []


def main() -> None:
    """Do what stdin says until it ends."""
    for line in sys.stdin:
        task = json.loads(line)
        try:
            result = globals()[task.pop("do")](**task)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test wants to know
            result = f"error: {type(error).__name__}: {error}"
        sys.stdout.write(json.dumps(result) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
