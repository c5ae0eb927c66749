"""What a planning left behind, read from outside: the database through plain SQLite, and the files."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True)
class Ledger:
    """Reads one project's database and its `.milestones` folder; writes nothing."""

    project: Path

    def rows(self, query: str, *values: object) -> Sequence[tuple[Any, ...]]:
        """Return the rows of a query on a read-only connection."""
        path = self.project / ".git" / "milestone" / "milestone.db"
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as connection:
            return connection.execute(query, values).fetchall()

    def milestone_id(self) -> str:
        """Return the id of the only milestone."""
        ((found,),) = self.rows("SELECT milestone_id FROM milestones")
        return str(found)

    def tasks(self) -> Mapping[str, str]:
        """Return the status of each task of the only milestone."""
        query = "SELECT task_id, status FROM tasks WHERE milestone_id = ?"
        return dict(self.rows(query, self.milestone_id()))  # type: ignore[arg-type]  # two columns

    def authors(self) -> Mapping[str, str]:
        """Return who saved each key: its agent type."""
        query = (
            "SELECT s.key, r.agent_type FROM agent_state s JOIN agent_registry r ON r.agent_id = s.agent_id "
            "WHERE s.milestone_id = ? AND s.key != 'brief'"
        )
        return {key: agent_type.removeprefix("milestone:") for key, agent_type in self.rows(query, self.milestone_id())}

    def values(self) -> Mapping[str, Any]:
        """Return the newest value of each key, what the server keeps for itself apart."""
        own = "key NOT IN ('brief', 'recovery-log')"
        query = f"SELECT key, value FROM agent_state WHERE milestone_id = ? AND {own} ORDER BY key, version"  # noqa: S608
        return {key: json.loads(value) for key, value in self.rows(query, self.milestone_id())}

    def agents(self) -> Sequence[tuple[str, str]]:
        """Return type and status of every registered agent, sorted."""
        query = "SELECT agent_type, status FROM agent_registry WHERE milestone_id = ?"
        rows = self.rows(query, self.milestone_id())
        return sorted((kind.removeprefix("milestone:"), status) for kind, status in rows)

    def of_agent(self, agent_id: str) -> Sequence[Any]:
        """Return all that is stored in an agent's name: its registration's status, its state, its messages."""
        status = "SELECT status FROM agent_registry WHERE agent_id = ?"
        state = "SELECT key, version, value FROM agent_state WHERE agent_id = ? ORDER BY key, version"
        sent = "SELECT type, payload FROM agent_messages WHERE from_agent = ?"
        return [self.rows(query, agent_id) for query in (status, state, sent)]

    def plan(self) -> Mapping[str, Any]:
        """Return the milestone file as its YAML says it."""
        path = self.project / ".milestones" / "active" / f"{self.milestone_id()}.yaml"
        return yaml.safe_load(path.read_text())

    def deliverables(self) -> Mapping[str, str]:
        """Return the files written for people, by name."""
        folder = self.project / ".milestones" / "deliverables" / self.milestone_id()
        return {path.name: path.read_text() for path in sorted(folder.iterdir())}
