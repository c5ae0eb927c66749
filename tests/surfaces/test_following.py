"""`milestone log` and `milestone watch` into a pipe: a line for each event, or JSON, as long as somebody reads."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
from collections.abc import Callable, Generator, Iterator
from typing import Any

import pytest

from milestone.surfaces.terminal.paper import paper
from milestone.surfaces.terminal.watch import Seen
from tests.helpers.boards import NASTY
from tests.helpers.commands import milestone, told
from tests.helpers.following import until
from tests.helpers.projects import PROGRAM, Project
from tests.surfaces.test_terminal import Screen, acts

PATIENCE = 20.0


@pytest.fixture
def begun(project: Project) -> Project:
    """A project, on each engine, with a milestone under way."""
    project.operate("initialize_agent_coordination", name="Add OAuth login", milestone_id="oauth")
    return project


def note(project: Project, event: str, **given: Any) -> int:
    """Write an event of an agent's own and return its position."""
    return project.operate("log_milestone_event", milestone_id="oauth", event=event, **given)["position"]


class Reader:
    """A command in a process of its own, and what it has printed so far."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process, self._taken = process, b""
        assert process.stdout is not None
        os.set_blocking(process.stdout.fileno(), False)

    def text(self) -> str:
        """Return everything that came."""
        assert self.process.stdout is not None
        self._taken += self.process.stdout.read() or b""
        return self._taken.decode()

    def until(self, words: str) -> str:
        """Return everything that came, as soon as the words are among it."""
        return until(lambda: shown if words in (shown := self.text()) else "", PATIENCE)


@pytest.fixture
def started() -> Iterator[Callable[..., Reader]]:
    """Starts commands whose output is a pipe, and ends them."""
    processes: list[subprocess.Popen[bytes]] = []

    def start(project: Project, *arguments: str) -> Reader:
        environment = {**project.environment, "LC_ALL": "C.UTF-8", "PYTHONUNBUFFERED": "1"}
        pipe = subprocess.PIPE
        command = [*PROGRAM, *arguments]
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe)
        processes.append(process)
        return Reader(process)

    yield start
    for process in processes:
        with ended(process):
            process.kill()


@contextlib.contextmanager
def ended(process: subprocess.Popen[bytes]) -> Generator[None, None, None]:
    """Close what is left of a process."""
    yield
    process.wait(PATIENCE)
    for stream in (process.stdout, process.stderr):
        if stream and not stream.closed:
            stream.close()


def test_the_log_shows_the_newest_events_the_last_one_below(begun: Project) -> None:
    for number in range(5):
        note(begun, f"event-{number}", subject="kitchen")
    lines = milestone(begun, "log", "oauth", "-n", "3").stdout.splitlines()
    assert [re.split(r"  +", line.strip())[2].split()[0] for line in lines] == ["event-2", "event-3", "event-4"]
    known = told(begun, "log", "-n", "2")
    assert [one["event"] for one in known["events"]] == ["event-3", "event-4"]
    assert (known["milestone_id"], known["more"]) == ("oauth", True)


def test_the_log_goes_on_where_a_reader_stopped(begun: Project) -> None:
    """Planted and found: a page after a position that ends at the newest event instead of its own last one."""
    start = note(begun, "mark")
    for number in range(5):
        note(begun, f"event-{number}")
    seen: list[str] = []
    while True:
        page = told(begun, "log", "--since", str(start), "--limit", "2")
        seen += [one["event"] for one in page["events"]]
        start = page["position"]
        if not page["more"]:
            break
    assert seen == [f"event-{number}" for number in range(5)]
    assert told(begun, "log", "--since", str(start))["events"] == []


def test_the_log_of_nothing_says_so(new_project: Callable[..., Project]) -> None:
    project = new_project()
    assert "No milestone is under way" in milestone(project, "log").stdout
    assert told(project, "log") == {"milestone_id": "", "events": [], "more": False, "position": 0}
    assert not project.database.exists()


def test_a_milestone_that_is_not_there_is_refused_with_those_that_are(begun: Project) -> None:
    for command in ("status", "log", "watch"):
        done = milestone(begun, command, "nowhere")
        assert (done.returncode, done.stdout) == (1, "")
        assert "There is no milestone 'nowhere'. Allowed: oauth" in done.stderr


@pytest.mark.parametrize("command", [("log", "--follow"), ("watch",)], ids=" ".join)
def test_events_come_as_they_happen_a_line_each(
    begun: Project, started: Callable[..., Reader], command: tuple[str, ...]
) -> None:
    reader = started(begun, *command)

    def first() -> bool:
        note(begun, "knock")
        return "knock" in reader.text()

    until(first, PATIENCE)
    for number in range(20):
        note(begun, f"event-{number}", subject="two\nlines")
    lines = reader.until("event-19").splitlines()
    found = [line.split()[3] for line in lines if "event-" in line]
    assert found == [f"event-{number}" for number in range(20)]
    assert acts("\n".join(lines)) == []


def test_watch_as_json_is_the_board_whenever_it_has_changed(begun: Project, started: Callable[..., Reader]) -> None:
    reader = started(begun, "watch", "--json")
    reader.until('"steering": ""')
    begun.operate("steer_milestone", action="pause", milestone_id="oauth")
    boards = [json.loads(line) for line in reader.until('"steering": "paused"').splitlines()]
    assert [one["milestone_id"] for one in boards] == ["oauth"] * len(boards)
    positions = [one["position"] for one in boards]
    assert positions == sorted(set(positions))


@pytest.mark.parametrize("form", [(), ("--json",)], ids=["lines", "json"])
def test_watch_ends_with_its_milestone(begun: Project, started: Callable[..., Reader], form: tuple[str, ...]) -> None:
    """The log is followed on: somebody may open it again."""
    watch, log = started(begun, "watch", *form), started(begun, "log", "--follow")
    log.until("session_started")
    begun.write("UPDATE milestones SET status = 'cancelled'")
    note(begun, "over")
    assert watch.process.wait(PATIENCE) == 0
    log.until("over")
    assert log.process.poll() is None


@pytest.mark.parametrize("command", [("log", "--follow"), ("watch", "--json")], ids=" ".join)
def test_who_follows_ends_quietly_when_nobody_reads_any_more(
    begun: Project, started: Callable[..., Reader], command: tuple[str, ...]
) -> None:
    """Planted and found: a follower that notices it with the next event only."""
    reader = started(begun, *command)
    reader.until("session")
    assert reader.process.stdout is not None
    assert reader.process.stderr is not None
    reader.process.stdout.close()
    reader.process.wait(PATIENCE)
    assert reader.process.stderr.read() == b""


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_who_follows_can_be_ended(begun: Project, started: Callable[..., Reader], ending: signal.Signals) -> None:
    reader = started(begun, "log", "--follow")
    reader.until("session_started")
    reader.process.send_signal(ending)
    assert reader.process.wait(PATIENCE) in (130, -ending)
    assert reader.process.stderr is not None
    assert b"Traceback" not in reader.process.stderr.read()


def test_nothing_that_agents_wrote_acts_in_a_terminal(project: Project) -> None:
    """Every nasty text as a name, an event, a message and a detail; seen through each command for people."""
    project.operate("initialize_agent_coordination", name="x", milestone_id="oauth")
    agent = project.operate("register_agent", agent_type="research-orchestrator", milestone_id="oauth")["agent_id"]
    for nasty in NASTY:
        project.operate("update_milestone", milestone_id="oauth", name=f"a{nasty}b", description=nasty)
        note(project, "noted", subject=f"a{nasty}b", detail={"why": nasty})
        project.operate("update_agent_status", agent_id=agent, status="active", detail=nasty)
        for command in (("status",), ("status", "oauth"), ("log", "-n", "20")):
            done = milestone(project, *command)
            assert (done.returncode, acts(done.stdout)) == (0, []), command
            assert len(done.stdout.splitlines()) <= 24


def test_what_an_encoding_lacks_is_escaped_and_json_stays_json(begun: Project) -> None:
    """Planted and found: a command line that fails where the terminal knows no more than Latin letters."""
    begun.operate("update_milestone", milestone_id="oauth", name="Größe 漢字 👩")
    environment = {**begun.environment, "PYTHONIOENCODING": "iso-8859-1"}

    def said(*arguments: str) -> str:
        done = subprocess.run([*PROGRAM, *arguments], env=environment, capture_output=True, check=True, timeout=60)
        return done.stdout.decode("iso-8859-1")

    assert json.loads(said("status", "--json"))["milestones"][0]["name"] == "Größe 漢字 👩"
    assert json.loads(said("get-milestone", "--milestone-id", "oauth"))["name"] == "Größe 漢字 👩"
    assert "Gr??e ?? ?" in said("status")


def test_json_tells_of_the_milestone_that_the_screen_shows_when_none_is_under_way(begun: Project) -> None:
    begun.write("UPDATE milestones SET status = 'cancelled'")
    (told,) = json.loads(milestone(begun, "status", "--json").stdout)["milestones"]
    assert told["name"] in milestone(begun, "status").stdout
    assert told["status"] == "cancelled"


def test_what_fails_for_a_while_is_shown_and_tried_again(begun: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    seen, sheet = Seen(begun.application, ""), paper({"LANG": "C.UTF-8"}, Screen())
    assert seen.look()
    assert "Add OAuth login" in seen.lines(sheet)[0].plain
    with monkeypatch.context() as broken:
        broken.setattr(begun.application, "engine", lambda: (_ for _ in ()).throw(OSError("the disk\x1b[2J is gone")))
        assert not seen.look()
        assert "the disk\\x1b[2J is gone" in seen.lines(sheet)[-1].plain
        assert "Add OAuth login" in seen.lines(sheet)[0].plain
    note(begun, "back")
    assert seen.look()
    assert "q ends" in seen.lines(sheet)[-1].plain
