"""What is drawn in a terminal: it fits, it says everything without colour, and nothing of others acts in it."""

from __future__ import annotations

import io
import re
import unicodedata
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console, Group

from milestone.surfaces.terminal.paper import ASCII, Marks, paper
from milestone.surfaces.terminal.screen import board_lines
from milestone.surfaces.terminal.words import visible
from tests.helpers.boards import NASTY, board, spoilt

SIZES = [(80, 24), (80, 23), (100, 30), (119, 24), (120, 40), (200, 50), (40, 10)]
OTHER = {
    "milestone_id": "m-2",
    "name": "Other",
    "status": "active",
    "percentage": 0.0,
    "phase": "p",
    "waiting": 2,
    "steering": "",
}
ACTING = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
STYLE = re.compile(r"\x1b\[[0-9;]*m")
UTF8 = {"LANG": "C.UTF-8", "TERM": "xterm-256color"}


class Screen(io.TextIOWrapper):
    """A stream that says it is a terminal, or none."""

    def __init__(self, *, terminal: bool = False, encoding: str = "utf-8") -> None:
        super().__init__(io.BytesIO(), encoding=encoding)
        self._terminal = terminal

    def isatty(self) -> bool:
        """Return what was chosen."""
        return self._terminal

    def text(self) -> str:
        """Return what was written."""
        self.flush()
        return self.buffer.getvalue().decode(self.encoding)  # type: ignore[attr-defined]


def drawn(known: dict[str, Any], size: tuple[int, int], marks: Marks | None = None, **options: Any) -> list[str]:
    """Return the lines of a board as a pipe gets them."""
    console = Console(file=io.StringIO(), width=size[0], height=size[1], force_terminal=False, _environ={})
    console.print(Group(*board_lines(known, marks or Marks(), size, **options)))
    return console.file.getvalue().splitlines()  # type: ignore[attr-defined]


def acts(text: str) -> list[str]:
    """Return the characters of a text that a terminal would act on, or that nobody sees."""
    return [char for char in text if char != "\n" and unicodedata.category(char) in ACTING]


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_a_board_fits_every_terminal(size: tuple[int, int]) -> None:
    lines = drawn(board(), size)
    assert len(lines) <= size[1]
    assert max(cell_len(line.rstrip()) for line in lines) <= size[0]


def test_an_old_terminal_shows_something_of_everything() -> None:
    text = "\n".join(drawn(board(), (80, 23)))
    for words in (
        *("Add OAuth login", "31.2 %  5 of 22 tasks", "4.7 to 5.3 h left", "paused by a person", "design", "approved"),
        *(
            "waits for approval",
            "approve spec?",
            "$ milestone approve --phase spec",
            "in review",
            "task-0",
            "lease 28 min",
        ),
        *("3 not received, the oldest for 6 min", "running for task-1", "1,200 turns, 34 min, 1.2M tokens"),
        *("task-9 by Ada: no time for it", "event 88"),
    ):
        assert words in text, words


def test_more_columns_and_lines_show_more() -> None:
    text = "\n".join(drawn(board(), (200, 50)))
    for words in ("task-19", "event 81", "weight 40", "over for 2 min", "silent 1 min", "123k tokens", "task-0 failed"):
        assert words in text, words
    assert "--decision skip (go on without it); stop (stop the milestone)" in text


def test_the_bar_of_a_phase_is_as_long_as_its_weight() -> None:
    lines = drawn(board(), (80, 24), ASCII)
    bars = {
        line.split()[0]: re.findall(r"[#.]{2,}", line)
        for line in lines
        if line.startswith(("  design", "  spec", "  ex"))
    }
    assert {name: len(found[0]) for name, found in bars.items()} == {"design": 8, "spec": 12, "execute": 20}
    assert bars["spec"][0].count("#") == 7


def test_a_command_can_be_copied_whole() -> None:
    """Planted and found: a command that is cut where the line ends."""
    for width in (40, 60, 80):
        lines = drawn(board(), (width, 60))
        start = next(number for number, line in enumerate(lines) if "$ milestone reject" in line)
        words = lines[start].split("$ ", 1)[1]
        while words.endswith("\\"):
            start += 1
            words = words[:-1] + lines[start].strip()
        assert words == board()["waiting"][0]["commands"][1], width


def test_time_goes_on_between_two_looks() -> None:
    text = "\n".join(drawn(board(), (200, 50), passed=60))
    for words in ("lease 27 min", "over for 30 s", "over for 3 min", "oldest for 7 min", "silent 2 min"):
        assert words in text, words


@pytest.mark.parametrize("nasty", NASTY, ids=ascii)
@pytest.mark.parametrize("size", [(80, 24), (200, 50)], ids=str)
def test_nothing_that_others_wrote_acts_in_a_terminal(nasty: str, size: tuple[int, int]) -> None:
    """Planted and found: names that are shown without `visible`."""
    known = spoilt(board(), f"a{nasty}b")
    lines = drawn(known, size, others=[spoilt(OTHER, f"a{nasty}b")])
    assert acts("\n".join(lines)) == []
    assert len(lines) <= size[1]
    assert max(cell_len(line.rstrip()) for line in lines) <= size[0]


def test_markup_is_shown_as_it_was_written() -> None:
    assert "[bold]x[/bold] :smile: <b>" in "\n".join(drawn(board(name="[bold]x[/bold] :smile: <b>"), (80, 24)))


def test_what_is_invisible_shows_as_its_number() -> None:
    shown = [
        visible(one)
        for one in ("a\x1b[2J", "x\u202ey", "tab\tline\n", "e\u0301\u0301\u0301\u0301", "\ufe0f", "ok é 漢")
    ]
    assert shown == ["a\\x1b[2J", "x\\u202ey", "tab line", "e\u0301\u0301", "", "ok é 漢"]


@pytest.mark.parametrize(
    ("environ", "encoding"),
    [({"LC_ALL": "C"}, "utf-8"), ({"LANG": "POSIX"}, "utf-8"), ({}, "utf-8"),
     ({"LANG": "en_US.ISO-8859-1"}, "iso-8859-1"), ({"LANG": "C.UTF-8", "LC_ALL": "C"}, "utf-8"), (UTF8, "ascii")],
    ids=str,
)  # fmt: skip
def test_a_locale_without_unicode_gets_ascii(environ: dict[str, str], encoding: str) -> None:
    """Planted and found: marks that follow the stream's encoding alone, which is UTF-8 in the locale C, too."""
    stream = Screen(encoding=encoding)
    sheet = paper(environ, stream)
    sheet.console.print(Group(*board_lines(board(name="Größe 漢字"), sheet.marks, (80, 24))))
    assert stream.text().isascii()
    assert "Gr??e ??" in stream.text()
    assert "####" in stream.text()


@pytest.mark.parametrize(
    ("terminal", "environ", "styled"),
    [
        (False, UTF8, False),
        (False, {**UTF8, "FORCE_COLOR": "1"}, False),
        (True, UTF8, True),
        (True, {**UTF8, "NO_COLOR": "1"}, False),
        (True, {**UTF8, "TERM": "dumb"}, False),
    ],
)
def test_colour_is_for_terminals_that_want_it(terminal: bool, environ: dict[str, str], styled: bool) -> None:
    stream = Screen(terminal=terminal)
    sheet = paper(environ, stream)
    sheet.console.print(Group(*board_lines(board(), sheet.marks, (80, 24))))
    text = stream.text()
    assert bool(re.search(r"\x1b\[[0-9;]*3\dm", text)) == styled
    assert acts(STYLE.sub("", text)) == []
    assert sheet.live == (terminal and environ["TERM"] != "dumb")


def test_a_pipe_is_as_wide_as_it_says() -> None:
    assert paper(UTF8, Screen()).size == (80, 24)
    assert paper({**UTF8, "COLUMNS": "132"}, Screen()).size == (132, 24)
    assert paper({**UTF8, "COLUMNS": "9999999999"}, Screen()).size == (500, 24)
    assert paper({**UTF8, "COLUMNS": "wide"}, Screen()).size == (80, 24)


def test_a_planning_shows_its_tasks_and_no_phases() -> None:
    known = board(mode="planning", status="planning")
    known["tasks"]["counts"] = {"completed": 2, "claimed": 1, "pending": 2}
    text = "\n".join(drawn(known, (80, 23), others=[OTHER]))
    assert " 40.0 %  2 of 5 tasks" in text
    assert "the plan is being made" in text
    assert "weight" not in text
    assert "  design " not in text
    assert "Other  0 % · p · active  m-2" in text
    assert "2 questions for you" in text
