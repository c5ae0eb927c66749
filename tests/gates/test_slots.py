"""No more gates than the limits allow run at once in a project, whatever its processes do and however they end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from milestone.gates.slots import Cancelled, slot
from tests.helpers.following import until

SERVER = Path(__file__).resolve().parents[2] / "server"
HOLDER = """\
import sys, threading
from pathlib import Path
from milestone.gates.slots import slot

def tell(line):
    print(line, flush=True)

with slot(Path("slots"), int(sys.argv[1]), progress=tell, cancelled=threading.Event()):
    with open("log", "a") as log: log.write("+")
    sys.stdin.read()
    with open("log", "a") as log: log.write("-")
"""
RUNNER = """\
import os, sys, threading
from pathlib import Path
from milestone.domain.gates import Gate, GateLimits
from milestone.gates.runner import run_gate
from milestone.gates.slots import slot

never = threading.Event()
stays = "import os, signal; open('pid', 'w').write(str(os.getpid())); signal.pause()"
with slot(Path("slots"), 3, progress=print, cancelled=never) as mark:
    gate = Gate("tests", (sys.executable, "-c", stays))
    run_gate(gate, Path.cwd(), environ=os.environ, limits=GateLimits(), progress=print, cancelled=never, mark=mark)
"""


@contextmanager
def worker(code: str, folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run code in a process of its own, with the lines it says in a file `said-<pid>`."""
    with (folder / f"said-{arguments}-{os.urandom(3).hex()}").open("w") as said:
        process = subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(SERVER)},
            stdin=subprocess.PIPE,
            stdout=said,
            text=True,
        )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def waiting(folder: Path) -> int:
    """Return how many workers have said that they wait."""
    return sum("waiting for a free place" in path.read_text() for path in folder.glob("said-*"))


def log(folder: Path) -> str:
    """Return how places were taken and given back."""
    path = folder / "log"
    return path.read_text() if path.exists() else ""


def test_no_more_hold_a_place_than_there_are(tmp_path: Path) -> None:
    """Planted and found: with a shared lock instead of an exclusive one all five are in at once."""
    with (
        worker(HOLDER, tmp_path, "3") as one,
        worker(HOLDER, tmp_path, "3") as two,
        worker(HOLDER, tmp_path, "3") as three,
        worker(HOLDER, tmp_path, "3") as four,
        worker(HOLDER, tmp_path, "3") as five,
    ):
        until(lambda: log(tmp_path) == "+++" and waiting(tmp_path) == 2)
        for process in (one, two, three, four, five):
            assert process.stdin is not None
            process.stdin.close()
            process.stdin = None
        for process in (one, two, three, four, five):
            assert process.wait(30) == 0
    steps = [1 if step == "+" else -1 for step in log(tmp_path)]
    assert sorted(steps) == [-1] * 5 + [1] * 5
    assert max(sum(steps[:end]) for end in range(len(steps) + 1)) == 3


def test_a_killed_holder_frees_its_place(tmp_path: Path) -> None:
    with worker(HOLDER, tmp_path, "1") as holder:
        until(lambda: log(tmp_path) == "+")
        with worker(HOLDER, tmp_path, "1"):
            until(lambda: waiting(tmp_path) == 1)
            holder.send_signal(signal.SIGKILL)
            until(lambda: log(tmp_path) == "++")


def test_what_the_gate_of_a_killed_holder_left_running_is_ended(tmp_path: Path, alive: Callable[[int], bool]) -> None:
    """Planted and found: a place that is only locked gives the next gate a folder in which another still works."""
    with worker(RUNNER, tmp_path) as holder:
        pid = int(until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text()))
        holder.send_signal(signal.SIGKILL)
        holder.wait(30)
    assert alive(pid)
    with slot(tmp_path / "slots", 3, progress=print, cancelled=threading.Event()):
        assert not alive(pid)


def test_waiting_can_be_cancelled_and_is_told(tmp_path: Path) -> None:
    cancelled = threading.Event()
    told: list[str] = []

    def tell(line: str) -> None:
        told.append(line)
        cancelled.set()

    with (
        slot(tmp_path, 1, progress=print, cancelled=threading.Event()),
        pytest.raises(Cancelled),
        slot(tmp_path, 1, progress=tell, cancelled=cancelled),
    ):
        pytest.fail("there was no place")
    assert told == ["waiting for a free place, 0 s: 1 of 1 gates are running in this project"]


def test_a_place_is_free_again_after_an_error_within(tmp_path: Path) -> None:
    never = threading.Event()
    with pytest.raises(ZeroDivisionError), slot(tmp_path, 1, progress=print, cancelled=never):
        raise ZeroDivisionError
    with slot(tmp_path, 1, progress=print, cancelled=never) as mark:
        assert len(mark) == 32


@pytest.mark.parametrize("text", ["", "nonsense", "0" * 31, "\xff" * 40, "f" * 32])
def test_whatever_stands_in_the_file_of_a_place_it_can_be_taken(tmp_path: Path, text: str) -> None:
    (tmp_path / "gate-1.lock").write_text(text, "latin-1")
    with slot(tmp_path, 1, progress=print, cancelled=threading.Event()) as mark:
        assert (tmp_path / "gate-1.lock").read_text() == mark
    assert (tmp_path / "gate-1.lock").read_text() == ""
