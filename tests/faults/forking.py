"""Opens a database, forks within a transaction, and prints what child and parent met.

`python forking.py <place> <end> [<bug>]`: the child ends by `exit`, as programs do, with all that it still holds
destroyed, or by `_exit`, at once. With the bug `unguarded` the engine does not look whose it is, and the child only
reads and writes on: were it to commit, its parent would wait for ten seconds, and fail.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from milestone.domain.errors import Refusal
from milestone.store.engine import Engine, Transaction, run
from milestone.store.guard import Guard
from milestone.store.postgres import PostgresEngine
from milestone.store.sqlite import SqliteEngine
from tests.helpers.worker import COUNT, SEEN


def attempts(engine: Engine, transaction: Transaction) -> dict[str, Callable[[], Any]]:
    """Return everything that a child could try with what its parent had opened."""
    return {
        "read": lambda: run(engine, lambda tx: tx.rows(SEEN), write=False),
        "write": lambda: run(engine, lambda tx: tx.rows(COUNT), write=True),
        "read on": lambda: transaction.rows(SEEN),
        "write on": lambda: transaction.change(COUNT),
        "commit": lambda: engine.leave(transaction, commit=True),
        "roll back": lambda: engine.leave(transaction, commit=False),
        "migrate": engine.migrate,
        "maintain": engine.maintain,
    }


def tried(what: Callable[[], Any]) -> str:
    """Return how an attempt was refused; empty if it was not."""
    try:
        what()
    except Refusal as refusal:
        return str(refusal)
    except sqlite3.Error as error:
        return f"crash: {error}"
    return ""


def unguarded(self: Guard) -> None:
    """Let everybody in."""
    del self


def main(place: str, end: str, bug: str = "") -> None:
    """Fork within a transaction, let the child try everything, then go on."""
    if bug:
        Guard.__enter__ = unguarded
    engine = PostgresEngine(place, "p") if place.startswith("postgresql:") else SqliteEngine(Path(place))

    def work(transaction: Transaction) -> None:
        transaction.rows(COUNT)
        if os.fork() == 0:
            tries = {name: one for name, one in attempts(engine, transaction).items() if not bug or name.endswith("on")}
            said = {name: tried(one) for name, one in tries.items()}
            if not bug:
                engine.close()
            sys.stdout.write(json.dumps(said) + "\n")
            sys.stdout.flush()
            os._exit(0) if end == "_exit" else sys.exit(0)
        os.wait()
        transaction.rows(COUNT)

    run(engine, work, write=True)
    run(engine, lambda tx: tx.rows(COUNT), write=True)
    seen = run(engine, lambda tx: tx.rows(SEEN), write=False)[0]["position"]
    sys.stdout.write(json.dumps({"seen": seen, "integrity": engine.maintain()["integrity"]}) + "\n")
    engine.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
