"""The journal: one row for each transaction that changed something, and the tables that follow from its rows alone."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from milestone.domain.errors import Refusal
from milestone.domain.milestones import new_sections
from milestone.store import journal, queries
from milestone.store.engine import Engine, Transaction, run
from milestone.store.following import follow
from milestone.store.lines import decode, last
from milestone.store.queries import Query
from milestone.store.store import Store
from milestone.store.written import scan
from tests.helpers.journals import all_rows, entries, exported, led_to, rows_of_file, write

AT = "2026-01-01T00:00:00.000Z"
LATER = "2026-01-01T00:10:00.000Z"


def lay_out(store: Store) -> None:
    """Begin a project."""
    store.log.open_project(AT)
    store.milestones.add("m", "name", "", new_sections(), AT, store.log.advance())
    store.milestones.add_session("s", "m", "planning", AT)
    store.agents.add("ann", "worker", "m", "s", AT)


def note(store: Store, text: str = "") -> None:
    """Write an event."""
    store.log.add("noted", milestone_id="m", at=AT, subject=text)


@pytest.fixture
def begun(engine: Engine) -> Engine:
    """A project with a milestone and six entries in its journal."""
    write(engine, lay_out)
    for number in range(5):
        write(engine, lambda store, number=number: note(store, f"it's {number}"))
    return engine


def test_a_transaction_is_one_row_with_its_statements_in_order(begun: Engine) -> None:
    found = entries(begun)
    assert [row["number"] for row in found] == [1, 2, 3, 4, 5, 6]
    assert [row["position"] for row in found] == [1, 2, 3, 4, 5, 6]
    assert {row["schema_version"] for row in found} == {queries.VERSION}
    assert [one[:2] for one in json.loads(found[0]["entries"])] == [
        ["log", "add_project"],
        ["log", "next_position"],
        ["milestones", "add_milestone"],
        ["milestones", "add_session"],
        ["agents", "add_agent"],
    ]
    values = json.loads(found[3]["entries"])[1][2]
    assert (values["subject"], values["position"]) == ("it's 2", 4)


def test_what_reads_or_changes_nothing_or_breaks_off_is_not_in_it(begun: Engine) -> None:
    before = entries(begun)
    write(begun, lambda store: (store.agents.get("ann"), store.tasks.set("m", "none", "completed")))
    write(begun, lambda store: store.log.open_project(AT))

    def half(store: Store) -> None:
        note(store)
        raise LookupError

    with pytest.raises(LookupError):
        write(begun, half)
    assert entries(begun) == before


def test_signs_of_life_are_not_in_it(begun: Engine, tmp_path: Path) -> None:
    write(begun, lambda store: store.agents.see("ann", LATER, LATER))
    assert len(entries(begun)) == 6
    assert run(begun, lambda tx: Store(tx, "p").agents.get("ann"), write=False).seen_at == LATER  # type: ignore[union-attr]
    assert rows_of_file(led_to(exported(begun, tmp_path), tmp_path / "new.db")) == all_rows(begun)


def test_the_tables_follow_from_the_file_alone(begun: Engine, tmp_path: Path) -> None:
    """Planted and found: statements that return rows are forgotten; the order within a transaction is lost."""
    write(begun, lambda store: store.tasks.add("m", 1, **TASK))
    write(begun, lambda store: store.tasks.remind("nobody"))
    write(begun, lambda store: store.patterns.save("one", content={"a": 1}, at=AT, **PATTERN))
    write(begun, lambda store: store.patterns.save("two", content={"a": 2}, at=LATER, **PATTERN))
    write(begun, lambda store: store.state.add("m", "ann", "k", 1, store.log.advance(), '"ü 漢 🎉"', AT))
    assert rows_of_file(led_to(exported(begun, tmp_path), tmp_path / "new.db")) == all_rows(begun)


def test_lines_in_any_order_and_twice_lead_to_the_same(begun: Engine, tmp_path: Path) -> None:
    """Planted and found: what is there twice is done twice."""
    path = exported(begun, tmp_path)
    whole = path.read_bytes().splitlines(keepends=True)
    for seed in range(5):
        mixed = [*whole, *whole[:4]]
        random.Random(seed).shuffle(mixed)
        path.write_bytes(b"".join(mixed))
        found = scan(path)
        assert found.repeated == 4
        assert found.flaws
        assert rows_of_file(led_to(path, tmp_path / f"{seed}.db")) == all_rows(begun)


def test_a_line_that_was_cut_off_is_left_out_and_written_again(begun: Engine, tmp_path: Path) -> None:
    path = exported(begun, tmp_path)
    whole = path.read_bytes()
    for size in (1, 20, len(whole.splitlines()[-1])):
        path.write_bytes(whole[:-size])
        assert scan(path).end == 5
        assert last(path).number == 5  # type: ignore[union-attr]
        exported(begun, tmp_path)
        assert path.read_bytes() == whole
    path.write_bytes(whole.splitlines()[0][:30])
    exported(begun, tmp_path)
    assert path.read_bytes() == whole


def test_the_file_is_its_owners_alone_and_grows_only_at_its_end(begun: Engine, tmp_path: Path) -> None:
    path = exported(begun, tmp_path)
    before = path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    write(begun, note)
    assert follow(path, "p", begun) == 1
    assert follow(path, "p", begun) == 0
    assert path.read_bytes().startswith(before)
    assert [decode(line).number for line in path.read_bytes().splitlines(keepends=True)] == [1, 2, 3, 4, 5, 6, 7]


def test_a_file_of_another_history_is_never_gone_on_with(begun: Engine, tmp_path: Path, tmp_path_factory: Any) -> None:
    """Planted and found: the file's last line is not compared."""
    path = exported(begun, tmp_path)
    write(begun, lambda store: store.log.open_project(AT), project="q")
    write(begun, lambda store: store.log.advance(), project="q")
    before = path.read_bytes()
    with pytest.raises(Refusal, match="journal of project 'p', not of 'q'"):
        follow(path, "q", begun)
    lines = before.splitlines(keepends=True)
    other = tmp_path_factory.mktemp("other") / "journal.jsonl"
    other.write_bytes(b"".join(lines[:5]) + changed(lines[5], "it's 4", "it's 9"))
    kept = other.read_bytes()
    with pytest.raises(Refusal, match="does not have entry 6 as its journal"):
        follow(other, "p", begun)
    assert (path.read_bytes(), other.read_bytes()) == (before, kept)


def test_an_entry_that_is_missing_is_named_and_what_was_before_it_can_be_had(begun: Engine, tmp_path: Path) -> None:
    path = exported(begun, tmp_path)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:3], lines[3].replace(b"it's 2", b"it's 3"), *lines[4:]]))
    with pytest.raises(Refusal, match=r"lacks entry 4 of 6; damaged in the file: line 4. `milestone rebuild --upto 3`"):
        scan(path)
    found = rows_of_file(led_to(path, tmp_path / "new.db", upto=3))
    assert [row[5] for row in found["events"]] == all_rows_until(begun, 3)


def test_the_same_entry_in_two_forms_is_refused(begun: Engine, tmp_path: Path) -> None:
    path = exported(begun, tmp_path)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines, changed(lines[3], "it's 2", "it's 9")]))
    with pytest.raises(Refusal, match="entry 4, is there twice, and not the same"):
        scan(path)


def test_a_database_of_before_the_journal_begins_it_with_a_copy_of_its_rows(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted and found: what the transaction did is done once more after the copy."""
    monkeypatch.setattr(journal, "_PART", 5_000)
    write(engine, lay_out)
    for number in range(9):
        write(engine, lambda store, number=number: note(store, f"{number}" * 1_000))
    run(engine, lambda tx: tx.change(Query("q", "DELETE FROM journal")), write=True)
    write(engine, note)
    write(engine, note)
    found = [json.loads(row["entries"])[0] for row in entries(engine)]
    assert [one["copy"] for one in found[:-1]] == [[1, 2], [2, 2]]
    assert found[-1][:2] == ["log", "next_position"]
    path = exported(engine, tmp_path)
    assert rows_of_file(led_to(path, tmp_path / "new.db")) == all_rows(engine)


def test_tables_of_a_new_version_begin_anew_and_half_a_copy_counts_for_nothing(
    begun: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "_PART", 100)
    version = run(begun, lambda tx: tx.version(), write=True)
    set_version(begun, version + 1)
    monkeypatch.setattr(queries, "VERSION", version + 1)
    write(begun, note)
    parts = [json.loads(row["entries"])[0]["copy"] for row in entries(begun)[6:]]
    assert parts == [[number, len(parts)] for number in range(1, len(parts) + 1)]
    assert len(parts) > 3
    path = exported(begun, tmp_path)
    lines = path.read_bytes().splitlines(keepends=True)
    assert scan(path).begin == 7
    path.write_bytes(b"".join(lines[3:]))
    assert scan(path).begin == 7
    path.write_bytes(b"".join(lines[:-1]))
    assert (scan(path).begin, scan(path).end) == (1, 6)
    assert (scan(path, 4).begin, scan(path, 4).end) == (1, 4)


def test_a_program_that_goes_on_beside_a_newer_one_is_refused_and_writes_nothing(
    begun: Engine, open_engine: Callable[[], Engine]
) -> None:
    """Planted and found: the version is looked at only when the database is opened."""
    before = all_rows(begun)
    set_version(open_engine(), queries.VERSION + 1)
    wanted = rf"of version {queries.VERSION + 1} and this program knows version {queries.VERSION}\. Update the plugin"
    with pytest.raises(Refusal, match=wanted):
        write(begun, note)
    assert all_rows(begun) == before


def set_version(engine: Engine, version: int) -> None:
    """Let the tables be of another version, as a newer program would."""
    later = f"INSERT INTO schema_versions VALUES ({version}, 'later')"  # noqa: S608 - a number of ours
    query = Query("later", later if engine.blocking else f"PRAGMA user_version={version}")
    run(engine, lambda tx: tx.change(query), write=True)


def changed(line: bytes, old: str, new: str) -> bytes:
    """Return a line with another text in it and the checksum that goes with that."""
    import zlib

    body = line[: -len(b',"crc":"00000000"}\n')].replace(old.encode(), new.encode())
    return b'%b,"crc":"%08x"}\n' % (body, zlib.crc32(body))


def all_rows_until(engine: Engine, position: int) -> list[Any]:
    """Return the events up to a position, as the test above sees them."""

    def look(tx: Transaction) -> list[Any]:
        query = Query("q", "SELECT * FROM events WHERE position <= :position AND project_id = 'p'")
        return sorted((list(dict(sorted(row.items())).values()) for row in tx.rows(query, position=position)), key=str)

    return [row[5] for row in run(engine, look, write=False)]


TASK = {"task_id": "t", "mode": "planning", "agent_type": "worker", "title": "", "time_limit": 60, "produces": ("k",)}
PATTERN = {
    "category": "c",
    "name": "n",
    "use_when": "",
    "milestone_id": "m",
    "agent_id": "ann",
    "expires_at": LATER,
}
