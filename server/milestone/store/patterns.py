"""Results worth reusing: saved by agents, fresh for a time, counted when they help."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from milestone.store.engine import Row
from milestone.store.tables import Tables, dump


class Patterns(Tables):
    """Patterns of a project; all its milestones share them."""

    file = "patterns"

    def save(self, pattern_id: str, *, content: Any, at: str, **given: Any) -> str:
        """Write a pattern and return its id; one of the same category and name is replaced and keeps its id."""
        values = {**given, "content": dump(content), "at": at}
        return str(self._rows("save_pattern", pattern_id=pattern_id, **values)[0]["pattern_id"])

    def fresh(self, now: str, category: str = "") -> list[dict[str, Any]]:
        """Return at most 200 patterns that have not expired, the newest first."""
        rows: Sequence[Row] = self._rows("fresh_patterns", now=now, category=category)
        return [{**row, "content": json.loads(row["content"])} for row in rows]

    def used(self, pattern_id: str) -> None:
        """Count that a pattern went into a brief."""
        self._change("count_use", pattern_id=pattern_id)

    def succeeded(self, pattern_id: str) -> None:
        """Count that a task with this pattern in its brief was completed."""
        self._change("count_success", pattern_id=pattern_id)
