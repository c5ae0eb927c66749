"""The stdio door ends within five seconds once nobody needs it, whatever hangs, and at no other time.

Each of these edits was made once, and the test named beside it failed:
- watch.py: never start it, never arm it, always disarm it; stdio.py: take no signals: test_it_ends_whatever_hangs.
- stdio.py, `_on_hangup`: do nothing; session.py, `_end`: wait for ever; stdio.py: skip `on_close`: the same.
- watch.py: do not look at the parent: test_it_ends_with_its_parent_though_another_holds_its_stdin.
- stdio.py, `wait_for_sdk`: leave at the end of stdin: test_calls_sent_before_the_end_are_answered….
- lines.py, `Intake.read`: lose the last line; stdio.py, `_claim`: no pump: test_a_file_is_served_like_a_pipe.
- wire.py, `_follow`: overlook that nobody can read: test_it_ends_when_nobody_can_read_what_it_says.
- wire.py, `_write`: do not compare: test_a_recorded_answer_that_is_stale_is_reported.
- stdio.py, `_main`: refuse no backlog: test_a_server_that_cannot_be_built_says_so.
"""

from __future__ import annotations

import itertools
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.surfaces.toy_host import ENVIRONMENT, HELLO, PATIENCE, TOY, Toy, call, request

Ended = dict[tuple[str, str], tuple[int | None, list[str], bool]]

PROMISE = 5.0
"""Seconds within which a server nobody needs must be gone."""

HANGS = {
    "a call that waits": call("hung", "wait"),
    "a call that ignores its cancellation": call("hung", "stubborn", seconds=60),
    "a thread": call("hung", "thread", seconds=60),
    "the event loop": call("hung", "block", seconds=60),
}


ENDS = {"its stdin ends": None, "SIGTERM": signal.SIGTERM, "SIGINT": signal.SIGINT}


def make_hang(server: Toy, hang: str) -> None:
    """Let `server` hang; what is sent behind it is answered at once, or not at all."""
    server.greet().send(HANGS[hang])
    if hang != "the event loop":
        server.ask(call("behind", "echo"))


def make_end(server: Toy, number: signal.Signals | None) -> None:
    """Let `server` know that nobody needs it any more."""
    if number is None:
        server.hang_up()
    else:
        server.process.send_signal(number)


def check_end(server: Toy, closed: Path | None = None, code: int = 0) -> None:
    """Check that `server` ends in time and well."""
    assert server.end(PROMISE)[0] == code
    if closed is not None:
        assert closed.read_text(encoding="utf-8") == "closed"
    assert not [line for line in server.said() if not line.startswith("milestone: ")]


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """The file `on_close` writes."""
    return tmp_path / "closed"


@pytest.fixture(scope="module")
def ended(arguments: Callable[[str], list[str]], tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """Of a server for every hang and every end, all at once: its exit code in time, what it said, whether it closed."""
    folder = tmp_path_factory.mktemp("ended")
    with ExitStack() as stack:
        servers: dict[tuple[str, str], Toy] = {}
        for hang, end in itertools.product(HANGS, ENDS):
            servers[hang, end] = stack.enter_context(Toy(*arguments("ours"), folder / f"{hang}, {end}"))
            make_hang(servers[hang, end], hang)
        for (_, end), server in servers.items():
            make_end(server, ENDS[end])
        deadline = time.monotonic() + PROMISE
        codes: dict[tuple[str, str], int | None] = dict.fromkeys(servers)
        for key, server in servers.items():
            with suppress(subprocess.TimeoutExpired):
                codes[key] = server.end(max(0, deadline - time.monotonic()))[0]
        for server in servers.values():
            server.process.kill()
        return {key: (codes[key], one.said(), (folder / ", ".join(key)).exists()) for key, one in servers.items()}


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("hang", HANGS)
def test_it_ends_whatever_hangs(ended: Ended, hang: str, end: str) -> None:
    code, said, closed = ended[hang, end]
    assert code == 0
    assert closed or hang == "the event loop"
    assert not [line for line in said if not line.startswith("milestone: ")]


def test_what_is_in_flight_at_the_end_is_answered_as_by_the_sdk(toy: Callable[..., Toy]) -> None:
    servers = [toy("ours"), toy("sdk")]
    for server in servers:
        make_hang(server, "a call that waits")
        server.hang_up()
    answers = [server.answer("hung") for server in servers]
    assert answers[0] == answers[1]
    assert answers[0]["error"]["message"] == "Connection closed"


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("opening", ["nothing", "a handshake", "a call"])
def test_it_ends_before_the_sdk_is_there(toy: Callable[..., Toy], closed: Path, opening: str, end: str) -> None:
    server = toy("ours", closed)
    server.send(b"[]")
    server.answer(None)  # so it listens, and has taken its signals
    if opening == "a handshake":
        server.ask(request(1, "initialize", HELLO))
    elif opening == "a call":
        server.send(call("early", "echo"))
    make_end(server, ENDS[end])
    check_end(server, closed)


def test_calls_sent_before_the_end_are_answered_even_if_the_sdk_comes_after_it(toy: Callable[..., Toy]) -> None:
    server = toy("ours")
    server.send(request(1, "initialize", HELLO), call(2, "echo"), call(3, "echo"))
    server.hang_up()
    assert {server.answer(number)["id"] for number in (1, 2, 3)} == {1, 2, 3}
    check_end(server)


def test_it_ends_though_nobody_reads_what_it_says(toy: Callable[..., Toy], closed: Path) -> None:
    server = toy("ours", closed, reads=False).greet()
    server.fill(call(0, "big", size=1 << 20, padding="x" * 100_000))
    server.hang_up()
    check_end(server, closed)


def test_it_ends_when_nobody_can_read_what_it_says(toy: Callable[..., Toy], closed: Path) -> None:
    server = toy("ours", closed, reads=False).greet()
    assert server.process.stdout is not None
    server.process.stdout.close()
    server.send(call(0, "echo"))
    check_end(server, closed)


PARENT = """
import subprocess, sys
wire, *command = sys.argv[1:]
print(subprocess.Popen(command, stdin=int(wire), stdout=int(wire)).pid, flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("hang", [None, "a thread"])
def test_it_ends_with_its_parent_though_another_holds_its_stdin(
    constants: Path, closed: Path, hang: str | None
) -> None:
    ours, theirs = socket.socketpair()
    command = [
        sys.executable,
        "-c",
        PARENT,
        str(theirs.fileno()),
        sys.executable,
        str(TOY),
        "ours",
        str(constants),
        str(closed),
    ]
    with (
        ours,
        theirs,
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=ENVIRONMENT,
            pass_fds=[theirs.fileno()],
        ) as parent,
        ours.makefile("rwb", buffering=0) as wire,
    ):
        assert parent.stdout is not None
        server = os.pidfd_open(int(parent.stdout.readline()))
        messages = [request(1, "initialize", HELLO), *([call(2, "echo")] if hang else [])]
        for message in messages:
            wire.write(json.dumps(message).encode() + b"\n")
            wire.readline()
        wire.write(json.dumps(HANGS.get(hang or "", call(3, "echo"))).encode() + b"\n")
        parent.kill()
        poller = select.poll()
        poller.register(server, select.POLLIN)
        assert poller.poll(1000 * PROMISE)
        os.close(server)
    assert closed.exists()


def test_a_file_is_served_like_a_pipe(toy: Callable[..., Toy], tmp_path: Path) -> None:
    file = tmp_path / "requests"
    messages = [request(1, "initialize", HELLO), *(call(number, "echo", text="x" * 100_000) for number in range(2, 80))]
    file.write_text("\n".join(map(json.dumps, messages)), encoding="utf-8")  # and no newline at the end
    with file.open("rb") as stdin:
        server = toy("ours", stdin=stdin)
        assert [server.line()["id"] for _ in messages] == [message["id"] for message in messages]
        check_end(server)


def test_without_stdin_it_ends_at_once() -> None:
    command = ["sh", "-c", 'exec "$0" "$@" <&-', sys.executable, TOY, "ours"]
    ended = subprocess.run(command, env=ENVIRONMENT, capture_output=True, timeout=PATIENCE, check=False)
    assert (ended.returncode, ended.stdout) == (1, b"")
    assert ended.stderr.startswith(b"milestone: stdin or stdout is not open")


def test_a_server_that_cannot_be_built_says_so(constants: Path, closed: Path) -> None:
    with Toy("broken", constants, closed) as server:
        server.send(request(1, "initialize", HELLO), call(2, "echo"))
        assert "result" in server.answer(1)
        assert "could not be built" in server.answer(2)["error"]["message"]
        check_end(server, closed, code=1)
        assert "ImportError" in server.said()[0]


def test_a_recorded_answer_that_is_stale_is_reported(constants: Path, tmp_path: Path) -> None:
    table = constants.read_text(encoding="utf-8").replace("Return what it is given.", "Return nothing.")
    old = tmp_path / "old.json"
    old.write_text(table, encoding="utf-8")
    with Toy("ours", old) as server:
        server.send(request(1, "initialize", HELLO), request(2, "tools/list"))
        assert "Return nothing." in json.dumps(server.answer(2))
        server.ask(call(3, "echo"))
        assert "Return what it is given." in json.dumps(server.ask(request(4, "tools/list")))
        server.hang_up()
        server.end()
        (said,) = server.said()
        assert "tools/list is stale" in said


@pytest.mark.parametrize("broken", ["", "{", "[]", "\xff"])
def test_without_a_record_everything_waits_for_the_sdk(tmp_path: Path, broken: str) -> None:
    record = tmp_path / "broken.json"
    record.write_text(broken, encoding="latin-1")
    with Toy("ours", record) as server:
        assert "result" in server.greet().ask(call(1, "echo"))
