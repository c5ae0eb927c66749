"""`milestone status` and `milestone watch` in a real terminal, on a real project that another process changes."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.helpers.execution import lean, task
from tests.helpers.following import until
from tests.helpers.projects import Project
from tests.helpers.underway import Execution, InProcess, Worker
from tests.terminal.tmux import PATIENCE, PROMPT, Tmux

OLD, LARGE = (80, 24), (200, 50)
PLANNED = (
    task("decide-store", "design", title="Choose the token store"),
    task("specify-api", "spec", ("decide-store",), ("docs/",), title="Write the API contract"),
    task("build-client", "execute", ("specify-api",), ("app/",), title="Build the provider client"),
)


@pytest.fixture(scope="module")
def execution(new_repository: Callable[..., Project]) -> Execution:
    """A milestone that is being carried out, with an agent at work."""
    begun = Execution.begin(InProcess(new_repository(files=lean())), *PLANNED, name="oauth")
    begun.call("update_milestone", name="Add OAuth login")
    Worker(begun.agents, begun.to("specify-api")).begin()
    return begun


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Callable[..., Tmux]]:
    """Opens terminals, and ends what runs in them."""
    opened: list[Tmux] = []

    def opening(project: Project, size: tuple[int, int] = OLD, **more: str) -> Tmux:
        opened.append(Tmux(tmp_path, project.environment | more, size))
        return opened[-1]

    yield opening
    for one in opened:
        one.close()


@pytest.mark.parametrize("size", [OLD, LARGE], ids=str)
def test_status_is_one_screen(terminal: Callable[..., Tmux], execution: Execution, size: tuple[int, int]) -> None:
    """Its first line and the next prompt are both on it."""
    shown = terminal(execution.project, size)
    shown.type("clear; milestone status")
    shown.until("Add OAuth login")
    until(lambda: shown.lines()[-1].strip() == PROMPT.strip(), PATIENCE)
    lines = shown.lines()
    assert lines[0].startswith("◆ Add OAuth login")
    assert lines[0].endswith("execution · active")
    text = "\n".join(lines)
    for words in ("1 at work", "● specify-api", "lease ", "100.0 %", "spent", "log"):
        assert words in text, text


def test_watch_follows_what_another_process_does_and_any_size(
    terminal: Callable[..., Tmux], execution: Execution
) -> None:
    shown = terminal(execution.project)
    shown.type("milestone watch")
    shown.until("Add OAuth login", "q ends")
    assert shown.asked("alternate_on") == "1"
    execution.call("log_milestone_event", event="tea_is_ready", subject="kitchen")
    shown.until("tea is ready: kitchen")
    execution.call("steer_milestone", action="pause")
    shown.until("paused by a person")
    for width, height in (LARGE, (60, 15), (30, 8), OLD):
        shown.resize(width, height)

        def fits(height: int = height) -> bool:
            lines = shown.screen().split("\n")
            return lines[0].startswith("◆ Add OA") and lines[height - 1].startswith("  q ends")

        assert until(fits, PATIENCE), shown.screen()
    execution.call("steer_milestone", action="resume")
    until(lambda: "paused by a person" not in shown.screen(), PATIENCE)


def test_ages_go_on_without_news(terminal: Callable[..., Tmux], execution: Execution) -> None:
    shown = terminal(execution.project)
    shown.type("milestone watch")
    before = shown.until("q ends").splitlines()[-1]
    position = execution.read(lambda store: store.log.position)
    until(lambda: shown.lines()[-1] != before, PATIENCE)
    assert execution.read(lambda store: store.log.position) == position


@pytest.mark.parametrize("how", ["q", "Q", "C-c", "C-d", "SIGTERM", "SIGHUP"])
def test_the_terminal_is_afterwards_as_it_was(terminal: Callable[..., Tmux], execution: Execution, how: str) -> None:
    """Planted and found: an end by SIGTERM that leaves the terminal without echo and in the other screen."""
    shown = terminal(execution.project)
    shown.type("clear; echo THIS STAYS; stty -g")
    before = shown.until("THIS STAYS", ":").splitlines()
    shown.type("milestone watch; echo CODE $?; stty -g")
    shown.until("q ends")
    if how.startswith("SIG"):
        os.kill(shown.running(), getattr(signal, how))
    else:
        shown.key(how)
    code = {"C-c": 130, "SIGTERM": 143, "SIGHUP": 129}.get(how, 0)
    after = shown.until(f"CODE {code}").splitlines()
    until(lambda: shown.lines()[-1].strip() == PROMPT.strip(), PATIENCE)
    assert after[: len(before) - 1][:2] == before[:2]
    settings = [line for line in shown.lines() if line.count(":") > 10]
    assert (len(settings), len(set(settings))) == (2, 1)
    assert (shown.asked("alternate_on"), shown.asked("cursor_flag")) == ("0", "1")
    shown.type("echo heard and se''en")
    shown.until("heard and seen")


def test_it_ends_with_its_terminal(terminal: Callable[..., Tmux], execution: Execution) -> None:
    shown = terminal(execution.project)
    shown.type("milestone watch")
    shown.until("q ends")
    watching = shown.running()
    shown.close()
    until(lambda: not Path(f"/proc/{watching}").exists(), PATIENCE)


def test_ctrl_z_does_not_leave_a_broken_screen(terminal: Callable[..., Tmux], execution: Execution) -> None:
    shown = terminal(execution.project)
    shown.type("milestone watch")
    shown.until("q ends")
    shown.key("C-z")
    execution.call("log_milestone_event", event="still_here", subject="me")
    shown.until("still here: me")
    assert shown.asked("alternate_on") == "1"


def test_watch_waits_for_a_first_milestone(terminal: Callable[..., Tmux], new_project: Callable[..., Project]) -> None:
    project = new_project()
    shown = terminal(project)
    shown.type("milestone watch")
    shown.until("No milestone is under way", "/milestone:plan")
    assert not project.database.exists()
    project.operate("initialize_agent_coordination", name="Brand new")
    shown.until("◆ Brand new")


def test_a_terminal_without_colours_or_unicode_gets_none(terminal: Callable[..., Tmux], execution: Execution) -> None:
    shown = terminal(execution.project, LC_ALL="C", NO_COLOR="1")
    shown.type("clear; milestone watch")
    text = shown.until("* Add OAuth login", "####")
    assert text.isascii()
    assert not re.search(r"\x1b\[[0-9;]*[34][0-7]m", shown.tmux("capture-pane", "-p", "-e"))


def test_a_dumb_terminal_gets_lines(terminal: Callable[..., Tmux], execution: Execution) -> None:
    shown = terminal(execution.project)
    shown.type("clear; TERM=dumb milestone watch")
    until(shown.running, PATIENCE)

    def told() -> bool:
        execution.call("log_milestone_event", event="plain_words", subject="here")
        return "plain words: here" in shown.screen()

    until(told, PATIENCE)
    assert shown.asked("alternate_on") == "0"
