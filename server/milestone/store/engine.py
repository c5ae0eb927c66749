"""The engine seam: what a database must do for the store, and how a unit of work is driven through it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

from milestone.domain.errors import Conflict
from milestone.domain.leases import Clock
from milestone.store.queries import Query

T = TypeVar("T")
Row = Mapping[str, Any]
Step = Callable[[], object]
PATIENCE = 10.0


class Entry(NamedTuple):
    """A statement that changed rows of a project: its table group, its name, its values, how many rows."""

    project: str
    group: str
    name: str
    values: Mapping[str, object]
    changed: int


class Transaction(Protocol):
    """An open transaction: the only way to the data. `entries` is what the journal will say of it."""

    entries: list[Entry]

    def rows(self, query: Query, **values: object) -> Sequence[Row]:
        """Return every row of a query; also for statements that return what they wrote."""
        ...

    def change(self, query: Query, **values: object) -> int:
        """Carry out a statement and return how many rows it changed."""
        ...

    def clock(self) -> Clock:
        """Return the reading of the clock that every process of this database shares and that does not jump."""
        ...

    def version(self) -> int:
        """Return which version the tables have now; a newer program may have changed them since they were opened."""
        ...


class Engine(Protocol):
    """A database. Five verbs; SQL that differs becomes a verb here, never a question about which engine it is."""

    @property
    def blocking(self) -> bool:
        """Whether its calls wait on a network, so that an event loop must drive it from threads."""
        ...

    def migrate(self) -> None:
        """Bring the tables to this program's version; safe from several processes at once."""
        ...

    def enter(self, *, write: bool, patience: float = PATIENCE) -> Generator[Step, None, Transaction]:
        """Begin a transaction. Yields what has to be waited for, as calls that block until it is worth going on.

        `patience` in seconds is for what is waited for inside the database.
        """
        ...

    def leave(self, transaction: Transaction, *, commit: bool) -> None:
        """End a transaction; durable when this returns from a commit."""
        ...

    def maintain(self) -> Mapping[str, object]:
        """Return what the database says of its own health: version, integrity, size."""
        ...

    def close(self) -> None:
        """Give everything back."""
        ...


def busy(patience: float) -> Conflict:
    """Return the refusal for a caller whose turn to write did not come."""
    return Conflict(
        f"Other processes kept the database busy for {patience:g} s; nothing was written",
        remedy="Call again in a moment.",
    )


def run(engine: Engine, work: Callable[[Transaction], T], *, write: bool, patience: float = PATIENCE) -> T:
    """Return what `work` returns, carried out in one transaction; an exception undoes all of it.

    Raises:
        Conflict: the turn to write did not come within `patience` seconds.
    """
    transaction = _wait_for(engine.enter(write=write, patience=patience), patience)
    return finish(engine, transaction, work)


def finish(engine: Engine, transaction: Transaction, work: Callable[[Transaction], T]) -> T:
    """Return what `work` returns and end the transaction it ran in, with its row in the journal."""
    try:
        result = work(transaction)
        if transaction.entries:
            from milestone.store.journal import flush

            flush(transaction)
    except BaseException:
        engine.leave(transaction, commit=False)
        raise
    engine.leave(transaction, commit=True)
    return result


def _wait_for(entering: Generator[Step, None, Transaction], patience: float) -> Transaction:
    deadline = time.monotonic() + patience
    while True:
        try:
            step = next(entering)
        except StopIteration as entered:
            return entered.value
        waiter = threading.Thread(target=step, daemon=True)
        waiter.start()
        waiter.join(max(0.0, deadline - time.monotonic()))
        if time.monotonic() >= deadline:
            entering.close()
            raise busy(patience)
