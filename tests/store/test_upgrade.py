"""A database of the version before goes on where it was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from milestone.store import queries
from milestone.store.engine import Engine, run
from milestone.store.queries import Query
from milestone.store.store import Store

AT = "2026-01-01T00:00:00.000Z"
TASK = """INSERT INTO tasks (project_id, milestone_id, task_id, ordinal, mode, agent_type, title, phase, weight,
    produces, critical, time_limit, status, detail, attempts, completed_at)
VALUES ('p', 'm', :task_id, :ordinal, 'planning', 'a', 't', '', 0, '["k"]', 1, 60, :status, '', 0, '')"""
NEED = """INSERT INTO task_dependencies (project_id, milestone_id, task_id, needs_task, needs_key)
VALUES ('p', 'm', :task_id, :needs_task, :needs_key)"""


def fill(transaction: Any) -> None:
    """Write a planning under way as the first version had it: scope is done, research is not, the plan needs both."""
    transaction.change(Query("p", "INSERT INTO projects VALUES ('p', 0, :at)"), at=AT)
    transaction.change(
        Query(
            "m",
            "INSERT INTO milestones (project_id, milestone_id, name, description, status, duration, sections, "
            "created_at, updated_at, position) VALUES ('p', 'm', 'n', 'd', 'planning', '', '{}', :at, :at, 1)",
        ),
        at=AT,
    )
    for ordinal, (task_id, status) in enumerate((("scope", "completed"), ("research", "pending"), ("plan", "pending"))):
        transaction.change(Query("t", TASK), task_id=task_id, ordinal=ordinal, status=status)
    for needs_task, key in (("scope", "planning-scope"), ("research", "planning-research")):
        transaction.change(Query("d", NEED), task_id="plan", needs_task=needs_task, needs_key=key)


def test_a_planning_under_way_is_kept_and_knows_what_it_waits_for(
    open_engine: Callable[[], Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted and found: a migration that leaves `unmet` at 0 hands the plan out before the research is there."""
    known = queries.migrations()
    monkeypatch.setattr(queries, "migrations", lambda: known[:1])
    old = open_engine()
    old.migrate()
    run(old, fill, write=True)
    monkeypatch.setattr(queries, "migrations", lambda: known)
    new = open_engine()
    new.migrate()

    def look(transaction: Any) -> tuple[list[str], list[int], list[tuple[str, str]]]:
        tasks = Store(transaction, "p").tasks
        ready = [row["task_id"] for row in tasks.ready("m", "planning", "", 9, now=transaction.clock(), standing=False)]
        return ready, [row["unmet"] for row in tasks.all("m")], tasks.needs("m", "plan")

    ready, unmet, needs = run(new, look, write=False)
    assert ready == ["research"]
    assert unmet == [0, 0, 1]
    assert needs == [("planning-research", ""), ("planning-scope", "")]

    def finish(transaction: Any) -> list[str]:
        tasks = Store(transaction, "p").tasks
        tasks.set("m", "research", "completed")
        tasks.set("m", "research", "completed")  # twice counts once
        ready = tasks.ready("m", "planning", "", 9, now=transaction.clock(), standing=False)
        return [row["task_id"] for row in ready]

    assert run(new, finish, write=True) == ["plan"]
