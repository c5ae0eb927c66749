"""What every table group shares: one transaction, one project, its own named queries."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from milestone.store.engine import Row, Transaction
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
        return self._transaction.rows(self._sql[query], project_id=self._project, **values)

    def _one(self, query: str, **values: object) -> Row | None:
        found = self._rows(query, **values)
        return found[0] if found else None

    def _change(self, query: str, **values: object) -> int:
        return self._transaction.change(self._sql[query], project_id=self._project, **values)


def dump(value: Any) -> str:
    """Return JSON text as the tables store it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
