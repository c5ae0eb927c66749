"""What every table group shares: one transaction, one project, its own named queries."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from milestone.store.engine import Entry, Row, Transaction
from milestone.store.queries import Query, load

_LOADED: dict[str, Mapping[str, Query]] = {}


class Tables:
    """A table group within one transaction."""

    file = ""

    def __init__(self, transaction: Transaction, project_id: str) -> None:
        self._transaction = transaction
        self._project = project_id
        if self.file not in _LOADED:
            _LOADED[self.file] = load(self.file)
        self._sql = _LOADED[self.file]

    def _rows(self, query: str, **values: object) -> Sequence[Row]:
        rows = self._transaction.rows(self._sql[query], project_id=self._project, **values)
        self._note(query, values, len(rows))
        return rows

    def _one(self, query: str, **values: object) -> Row | None:
        found = self._rows(query, **values)
        return found[0] if found else None

    def _change(self, query: str, **values: object) -> int:
        changed = self._transaction.change(self._sql[query], project_id=self._project, **values)
        self._note(query, values, changed)
        return changed

    def _note(self, query: str, values: Mapping[str, object], changed: int) -> None:
        """Keep for the journal what changed rows; statements that only note signs of life are not kept."""
        known = self._sql[query]
        if changed and known.writes and not known.volatile:
            self._transaction.entries.append(Entry(self._project, self.file, query, values, changed))


def dump(value: Any) -> str:
    """Return JSON text as the tables store it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
