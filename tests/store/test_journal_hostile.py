"""A journal's file may come from anybody: what it says is done only if it could have been written by us."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from milestone.domain.errors import Refusal
from milestone.store import queries
from milestone.store.lines import last
from milestone.store.written import scan
from tests.helpers.journals import led_to

AT = "2026-01-01T00:00:00.000Z"
BEGIN = ["log", "add_project", {"at": AT}, 1]
NEXT = ["log", "next_position", {}, 1]
PROJECT = {"table": "projects", "columns": ["project_id", "position", "created_at"], "rows": [["p", 1, AT]]}


def line(*entries: Any, **more: Any) -> bytes:
    """Return a line with the right checksum. `more`: project, number, position, version."""
    fields = {"project": "p", "number": 1, "position": 1, "version": queries.VERSION, **more, "entries": list(entries)}
    body = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))[:-1].encode("utf-8", "surrogatepass")
    return b'%b,"crc":"%08x"}\n' % (body, zlib.crc32(body))


@pytest.fixture
def carried_out(tmp_path: Path) -> Callable[..., Path]:
    """Carries lines out on a new database."""

    def carry_out(*lines: bytes) -> Path:
        path = tmp_path / "journal.jsonl"
        path.write_bytes(b"".join(lines))
        return led_to(path, tmp_path / "new.db")

    return carry_out


def test_what_is_ours_is_carried_out(carried_out: Callable[..., Path]) -> None:
    assert carried_out(line(BEGIN, NEXT)).exists()


def test_a_copy_of_ours_is_carried_out(carried_out: Callable[..., Path]) -> None:
    assert carried_out(line({"copy": [1, 1]}, PROJECT)).exists()


ENTRIES: dict[str, tuple[Any, str]] = {
    "text of SQL as a statement": (["log", "DELETE FROM events", {}, 1], "names a statement that there is not"),
    "text of SQL as an entry": ("DELETE FROM events", "is of no known kind"),
    "a statement with its text": (["log", "add_project", {"at": AT}, 1, "DROP TABLE x"], "is of no known kind"),
    "a group that is a file elsewhere": (["../../x", "add_project", {}, 1], "names a statement that there is not"),
    "a statement that reads": (["log", "position", {}, 1], "names a statement that there is not"),
    "a sign of life": (["agents", "see_agent", {}, 1], "names a statement that there is not"),
    "the journal itself": (["journal", "add_line", {}, 1], "names a statement that there is not"),
    "a list as a value": (["log", "add_project", {"at": ["x"]}, 1], "no text, no number"),
    "an object as a value": (["log", "add_project", {"at": {"x": 1}}, 1], "no text, no number"),
    "a character that no database holds": (["log", "add_project", {"at": "a\0b"}, 1], "that no database of ours"),
    "a number beyond all columns": (
        ["milestones", "touch_milestone", {"position": 2**70, "milestone_id": "m"}, 1],
        "too large",
    ),
    "a value that is missing": (["log", "add_project", {}, 1], "lacks values for add_project: at"),
    "another project's row": (["log", "add_project", {"at": AT, "project_id": "q"}, 1], "changes 0 now"),
    "what has no effect": (["milestones", "touch_milestone", {"position": 1, "milestone_id": "m"}, 1], "changes 0 now"),
    "what the tables forbid": (
        ["milestones", "add_phase", {"milestone_id": "m", "phase": "x", "ordinal": 1, "weight": 1}, 1],
        "cannot be carried out",
    ),
    "a number of rows that is none": (["log", "add_project", {"at": AT}, "1"], "is of no known kind"),
    "a copy in the middle": (PROJECT, "is of no known kind"),
}


@pytest.mark.parametrize(("entry", "said"), ENTRIES.values(), ids=ENTRIES)
def test_what_is_not_ours_is_refused(entry: Any, said: str, carried_out: Callable[..., Path]) -> None:
    """Planted and found: a statement's text is taken from the file; what changes nothing is let pass."""
    with pytest.raises(Refusal, match=said):
        carried_out(line(BEGIN, NEXT), line(entry, number=2))


COPIES: dict[str, tuple[Any, str]] = {
    "a table that is not ours": ({"table": "sqlite_master", "columns": ["sql"], "rows": [["x"]]}, "another table"),
    "SQL as a table": ({**PROJECT, "table": "projects; DROP TABLE x"}, "another table than ours"),
    "SQL as a column": ({**PROJECT, "columns": ["project_id", "position", "created_at) --"]}, "another table"),
    "a column too few": ({"table": "projects", "columns": ["project_id"], "rows": [["p"]]}, "another table"),
    "another project": ({**PROJECT, "rows": [["q", 1, AT]]}, "a row of another project"),
    "a row that is too long": ({**PROJECT, "rows": [["p", 1, AT, "x"]]}, "does not fit"),
    "a row that is none": ({**PROJECT, "rows": ["abc"]}, "does not fit"),
    "the journal": ({**PROJECT, "table": "journal"}, "another table than ours"),
    "a row twice": ({**PROJECT, "rows": [["p", 1, AT], ["p", 1, AT]]}, "cannot be carried out"),
}


@pytest.mark.parametrize(("entry", "said"), COPIES.values(), ids=COPIES)
def test_a_copy_that_is_not_ours_is_refused(entry: Any, said: str, carried_out: Callable[..., Path]) -> None:
    with pytest.raises(Refusal, match=said):
        carried_out(line({"copy": [1, 1]}, entry))


WHOLE: dict[str, tuple[list[bytes], str]] = {
    "two projects": ([line(BEGIN), line(NEXT, number=2, project="q")], "is of project 'q', what is before it of 'p'"),
    "a newer version": ([line(BEGIN, version=queries.VERSION + 1)], "Update the plugin"),
    "no beginning": ([line(NEXT, number=2)], "lacks entry 1 of 2"),
    "another position": ([line(BEGIN, NEXT, position=7)], "leads to position 1, not to 7"),
    "parts of a copy without end": ([line({"copy": [1, 10**9]}, PROJECT)], "holds only a part of a copy"),
    "nothing": ([], "holds no journal"),
    "no journal": ([b"hello\n", b"\x00\xff\n"], "holds no journal"),
    "depth": ([b'{"entries":' + b"[" * 200_000 + b"\n"], "holds no journal"),
    "other fields": ([line(BEGIN).replace(b'"crc"', b'"x":1,"crc"')], "holds no journal"),
}


@pytest.mark.parametrize(("lines", "said"), WHOLE.values(), ids=WHOLE)
def test_a_file_that_is_not_ours_is_refused(lines: list[bytes], said: str, carried_out: Callable[..., Path]) -> None:
    with pytest.raises(Refusal, match=said):
        carried_out(*lines)


def test_depth_with_the_right_checksum_is_refused(carried_out: Callable[..., Path]) -> None:
    body = b'{"project":"p","number":1,"position":1,"version":5,"entries":' + b"[" * 100_000 + b"]" * 100_000
    with pytest.raises(Refusal, match="holds no journal"):
        carried_out(b'%b,"crc":"%08x"}\n' % (body, zlib.crc32(body)))


def test_no_link_and_no_pipe_stands_for_the_file(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(line(BEGIN, NEXT))
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="symbolic link"):
        scan(tmp_path / "link")
    with pytest.raises(OSError, match="symbolic link"):
        last(tmp_path / "link")
    with pytest.raises(Refusal, match="holds no journal"):
        scan(tmp_path / "pipe")
