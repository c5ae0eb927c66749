"""A project on which servers are started, and what a test wants to know of it."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from milestone.domain.identity import Caller
from milestone.operations.catalogue import REGISTRY
from milestone.operations.context import Aside, Context, Outside
from milestone.store.engine import Engine, Row, Transaction, run
from milestone.store.queries import Query, migrations
from milestone.store.store import Store
from milestone.wiring import Application, read_settings

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = (sys.executable, str(ROOT / "server"))
_MIGRATIONS = "\n".join(text for _, _, texts in migrations() for text in texts)
_RENAMED = dict(re.findall(r"^ALTER TABLE (\w+) RENAME TO (\w+)", _MIGRATIONS, re.MULTILINE))
TABLES = sorted({_RENAMED.get(name, name) for name in re.findall(r"^CREATE TABLE (\w+)", _MIGRATIONS, re.MULTILINE)})
_KEPT = ("PATH", "LANG", "TMPDIR", "SYSTEMROOT")


@dataclass
class Project:
    """A folder with a database. `url` is PostgreSQL's address, empty for SQLite."""

    folder: Path
    url: str = ""
    more: Mapping[str, str] = field(default_factory=dict[str, str])
    _application: Application | None = None

    @property
    def environment(self) -> dict[str, str]:
        """What a server of this project is started with."""
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        own = {"HOME": str(self.folder), "MILESTONE_PROJECT_DIR": str(self.folder), "MILESTONE_DATABASE_URL": self.url}
        return {**kept, **own, **self.more}

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.folder / ".git" / "milestone" / "milestone.db"

    @property
    def mirror(self) -> Path:
        """The folder for people."""
        return self.folder / ".milestones"

    @property
    def application(self) -> Application:
        """The product in this process, on the same database."""
        if self._application is None:
            self._application = Application(read_settings(self.environment))
        return self._application

    @property
    def engine(self) -> Engine:
        """The database."""
        engine = self.application.engine(create=True)
        assert engine is not None
        return engine

    def read(self, look: Callable[[Store], Any]) -> Any:
        """Return what `look` sees in the data."""
        return run(self.engine, lambda tx: look(self.application.store(tx)), write=False)

    def write(self, statement: str, **values: Any) -> None:
        """Change the data behind the product's back."""
        run(self.engine, lambda tx: tx.change(Query("by hand", statement), **values), write=True)

    def rows(self, table: str) -> list[Row]:
        """Return every row of a table of this project, in a fixed order."""
        project = (self.application.settings.data / "project").read_text().strip()
        query = Query(table, f"SELECT * FROM {table} WHERE project_id = :project_id")  # noqa: S608 - the name is a table's
        found = run(self.engine, lambda tx: list(tx.rows(query, project_id=project)), write=False)
        return sorted(found, key=lambda row: str(sorted(row.items())))

    def dump(self) -> dict[str, list[Row]]:
        """Return everything that the database holds of this project."""
        return {table: self.rows(table) for table in TABLES}

    def operate(
        self,
        tool: str,
        /,
        *,
        later: float = 0,
        caller: Caller | None = None,
        alive: Callable[[str], bool] | None = None,
        **given: Any,
    ) -> Any:
        """Return the answer of an operation carried out here, `later` seconds from now."""
        operation = REGISTRY[tool]
        arguments = {field: value for field, value in operation.check(given).items() if field != "request_id"}

        def moved(transaction: Transaction) -> Context:
            context = self.application.context(transaction, caller or Caller(), set())
            now = datetime.now(UTC) + timedelta(seconds=later)
            clock = context.clock.after(later)
            return replace(context, now=now, measure=lambda: clock, alive=alive or context.alive)

        write = operation.writes
        answer = run(self.engine, lambda tx: operation.function(moved(tx), **arguments), write=write)
        while isinstance(answer, Aside):
            aside, result = answer, answer.work(Outside())
            answer = run(self.engine, lambda tx, aside=aside, result=result: aside.then(moved(tx), result), write=write)
        return answer

    @contextlib.contextmanager
    def writing(self) -> Generator[None, None, None]:
        """Keep everybody else from writing."""
        entering = self.engine.enter(write=True)
        transaction = None
        while transaction is None:
            try:
                next(entering)()
            except StopIteration as entered:
                transaction = entered.value
        try:
            yield
        finally:
            self.engine.leave(transaction, commit=False)

    def close(self) -> None:
        """Give the database back."""
        if self._application is not None:
            self._application.close()
            self._application = None
