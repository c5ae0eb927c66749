"""The contract of a transaction, the same on every engine."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from milestone.domain.errors import Conflict
from milestone.store.engine import Engine, Transaction, run
from milestone.store.log import Log
from milestone.store.queries import Query
from milestone.store.store import Store
from tests.helpers.worker import COUNT

AT = "2026-01-01T00:00:00.000Z"
EVENTS = Query("events", "SELECT position, event, detail FROM events WHERE project_id = :project_id ORDER BY position")


def log(transaction: Transaction, project: str = "p") -> Log:
    """Return the log of a project that exists."""
    opened = Store(transaction, project).log
    opened.open_project(AT)
    return opened


def write(engine: Engine, event: str, project: str = "p") -> int:
    """Append an event in a transaction of its own."""
    return run(engine, lambda tx: log(tx, project).add(event, milestone_id="m", at=AT), write=True)


def events(engine: Engine, project: str = "p") -> list[tuple[int, str]]:
    """Return what is committed."""
    rows = run(engine, lambda tx: list(tx.rows(EVENTS, project_id=project)), write=False)
    return [(row["position"], row["event"]) for row in rows]


def test_what_is_committed_is_seen_by_another_connection(open_engine: Callable[[], Engine], engine: Engine) -> None:
    write(engine, "first")
    assert events(open_engine()) == [(1, "first")]


def test_an_exception_undoes_the_whole_transaction(engine: Engine) -> None:
    def half(transaction: Transaction) -> None:
        log(transaction).add("lost", milestone_id="m", at=AT)
        raise LookupError("halfway")

    write(engine, "kept")
    with pytest.raises(LookupError, match="halfway"):
        run(engine, half, write=True)
    assert events(engine) == [(1, "kept")]
    assert write(engine, "after") == 2


def test_even_an_exit_in_the_middle_undoes_the_transaction(engine: Engine) -> None:
    def leave(transaction: Transaction) -> None:
        log(transaction).add("lost", milestone_id="m", at=AT)
        raise SystemExit

    with pytest.raises(SystemExit):
        run(engine, leave, write=True)
    assert write(engine, "kept") == 1
    assert events(engine) == [(1, "kept")]


def test_nobody_sees_what_is_not_committed(open_engine: Callable[[], Engine], engine: Engine) -> None:
    other = open_engine()
    write(engine, "first")

    def look_from_outside(transaction: Transaction) -> list[tuple[int, str]]:
        log(transaction).add("second", milestone_id="m", at=AT)
        return events(other)

    assert run(engine, look_from_outside, write=True) == [(1, "first")]
    assert events(other) == [(1, "first"), (2, "second")]


def test_a_reader_sees_one_moment_however_much_is_written_meanwhile(
    open_engine: Callable[[], Engine], engine: Engine
) -> None:
    other = open_engine()
    write(engine, "first")

    def read_twice(transaction: Transaction) -> tuple[int, int]:
        before = len(transaction.rows(EVENTS, project_id="p"))
        write(other, "second")
        return before, len(transaction.rows(EVENTS, project_id="p"))

    assert run(engine, read_twice, write=False) == (1, 1)
    assert len(events(engine)) == 2


def test_a_read_transaction_followed_by_a_write_by_the_same_engine_works(engine: Engine) -> None:
    for number in range(1, 4):
        assert len(events(engine)) == number - 1
        assert write(engine, f"event {number}") == number


def test_positions_count_up_without_a_gap_and_in_the_order_of_commits(
    open_engine: Callable[[], Engine], engine: Engine
) -> None:
    engines = [engine, open_engine(), open_engine()]
    written = [write(engines[number % 3], f"event {number}") for number in range(12)]
    assert written == list(range(1, 13))
    assert [position for position, _ in events(engine)] == written


def test_each_project_has_positions_of_its_own(engine: Engine) -> None:
    assert [write(engine, "a", "one"), write(engine, "b", "two"), write(engine, "c", "one")] == [1, 1, 2]
    assert events(engine, "one") == [(1, "a"), (2, "c")]


def test_a_refused_writer_is_told_so_and_leaves_nothing_behind(
    open_engine: Callable[[], Engine], engine: Engine
) -> None:
    """Planted and found: a `give_up` that never closes its file leaves the last line waiting for its turn."""
    other = open_engine()

    def keep_the_turn(transaction: Transaction) -> None:
        log(transaction).add("first", milestone_id="m", at=AT)
        for _ in range(3):
            with pytest.raises(Conflict, match=r"busy for 0\.1 s; nothing was written\. Call again"):
                run(other, lambda tx: tx.rows(COUNT), write=True, patience=0.1)

    run(engine, keep_the_turn, write=True)
    assert write(other, "second") == 2
    assert write(engine, "third") == 3


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ünïcode — 漢字",
        "\U0001f9d1\u200d\U0001f680",
        "a" * 100_000,
        "'; DROP TABLE events; --",
        "%(x)s :x \\",
        "\ufffd",
    ],
)
def test_text_comes_back_as_it_was(engine: Engine, text: str) -> None:
    run(engine, lambda tx: log(tx).add("e", milestone_id="m", at=AT, detail={"text": text}), write=True)
    stored = run(engine, lambda tx: Store(tx, "p").log.since("m", 0), write=False)
    assert [row["detail"] for row in stored] == ['{"text":' + json.dumps(text, ensure_ascii=False) + "}"]


def test_a_row_that_names_what_is_not_there_is_refused_by_the_database(engine: Engine) -> None:
    with pytest.raises(Exception, match=r"(?i)foreign key"):
        run(engine, lambda tx: Store(tx, "p").milestones.add("m", "name", "", {}, AT, 1), write=True)


def test_health_tells_engine_integrity_and_tables(engine: Engine) -> None:
    health = engine.maintain()
    assert str(health["engine"]).startswith(("SQLite 3.", "PostgreSQL "))
    assert health["integrity"] == "ok"
    assert "agent_state" in health["tables"]  # pyright: ignore[reportOperatorIssue]
