"""Time, memory and processors are limited for a command with all its processes, and none of them outlives it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

import psutil
import pytest

from milestone.gates.environment import MARK
from milestone.gates.share import BURST
from milestone.gates.tree import Tree
from tests.gates.conftest import Gates
from tests.helpers.following import until

Alive = Callable[[int], bool]
CORES = os.cpu_count() or 1
SLACK = 0.15 * CORES  # what all processors do between two looks, and a little more

# A process that stays, notes its id, and has left its parent's session; `FAR` has also lost its parent.
STAY = "open('pid', 'w').write(str(os.getpid())); signal.pause()"
NEAR = f"import os, signal\nif not os.fork():\n  os.setsid(); {STAY}\n"
FAR = f"import os, signal\nif not os.fork():\n  os.setsid()\n  if os.fork(): os._exit(0)\n  {STAY}\n"
BARE = (
    "import os, subprocess, sys\n"
    f"subprocess.Popen([sys.executable, '-c', \"import os, signal; {STAY.replace(chr(34), chr(39))}\"],"
    " env={'PATH': '/bin'}, start_new_session=True)\n"
)
NOTED = "import os, time\nwhile not (os.path.exists('pid') and os.path.getsize('pid')): time.sleep(0.01)\n"


@pytest.mark.parametrize("start", [NEAR, FAR, BARE], ids=["own session", "no parent", "no environment"])
def test_what_a_command_leaves_running_is_ended_and_told(gates: Gates, alive: Alive, start: str) -> None:
    """Planted and found: killing only the command's group leaves all three, looking only among children the second,
    looking only at the mark the third.
    """
    result = gates.python(f"{start}{NOTED}time.sleep(0.15)\nprint('served')")
    assert result.passed
    assert not alive(gates.noted("pid"))
    assert result.output.startswith("served\nIt left running, and the server ended: python")
    assert f"({gates.noted('pid')})" in result.output


def test_helpers_that_end_with_their_parent_are_no_leftovers(gates: Gates) -> None:
    result = gates.python("import os\nr, w = os.pipe()\nif not os.fork():\n  os.close(w); os.read(r, 1); os._exit(0)")
    assert (result.passed, result.output) == (True, "")


def test_a_chain_of_forks_does_not_get_away(gates: Gates) -> None:
    """Planted and found, in most runs: taking the first look without a member for the end lets it go on."""
    os.mkfifo(gates.folder / "line")
    chain = "for _ in range(3000):\n  if os.fork(): os._exit(0)\n  os.setsid()"
    for _ in range(4):
        line = os.open(gates.folder / "line", os.O_RDONLY | os.O_NONBLOCK)
        assert gates.python(f"import os\nline = os.open('line', os.O_WRONLY)\n{chain}").passed
        with os.fdopen(line, "rb") as held_by_all:
            assert held_by_all.read() == b"", "somebody still holds the other end"


@pytest.mark.parametrize(
    ("start", "gate", "most"),
    [(NEAR, 1, 60), (FAR, 60, 1)],
    ids=["own session, own time", "no parent, time of all gates"],
)
def test_time_is_limited_for_all_of_them(gates: Gates, alive: Alive, start: str, gate: int, most: int) -> None:
    code = f"{start}{NOTED}print('waits', flush=True)\nsignal.pause()"
    result = gates.python(code, seconds=gate, limits={"seconds": most})
    assert (result.outcome, result.exit_code) == ("timeout", None)
    assert result.output == "waits\ntests was ended: it took longer than 1 s."
    assert 1 <= result.seconds < 5
    assert not alive(gates.noted("pid"))


def test_memory_is_limited(gates: Gates) -> None:
    result = gates.python("kept = []\nwhile True: kept.append(b'1' * 1_000_000)", limits={"memory_mb": 100})
    assert (result.outcome, result.exit_code) == ("memory", None)
    assert 100_000_000 < result.peak_bytes < 1_000_000_000
    assert "of memory, 100 MB are allowed." in result.output


@pytest.mark.parametrize("start", [NEAR, FAR], ids=["own session", "no parent"])
def test_memory_is_counted_wherever_a_process_went(gates: Gates, alive: Alive, start: str) -> None:
    """Planted and found: counting the command's own memory lets these take what they like."""
    eats = start.replace("signal.pause()", "kept = b'1' * 150_000_000; signal.pause()")
    result = gates.python(f"{eats}signal.pause()", limits={"memory_mb": 100}, seconds=20)
    assert result.outcome == "memory"
    assert not alive(gates.noted("pid"))


def test_many_small_processes_are_summed_up(gates: Gates) -> None:
    result = gates.python(
        "import os, signal\nfor _ in range(4):\n  if not os.fork():\n    kept = b'1' * 40_000_000; signal.pause()\n"
        "signal.pause()",
        limits={"memory_mb": 120},
        seconds=20,
    )
    assert result.outcome == "memory"


def test_memory_that_processes_share_counts_once(gates: Gates) -> None:
    """Planted and found: the plain sum takes three forks of 60 MB for 180."""
    result = gates.python(
        "import os, time\nkept = b'1' * 60_000_000\n"
        "for _ in range(2):\n  if not os.fork():\n    time.sleep(0.5); os._exit(0)\n"
        "os.wait(); os.wait()",
        limits={"memory_mb": 100},
    )
    assert result.passed


def test_starting_programs_does_not_count_twice(gates: Gates) -> None:
    """Between fork and exec a child holds its parent's memory for a moment."""
    result = gates.python(
        "import subprocess\nkept = b'1' * 70_000_000\nfor _ in range(150): subprocess.run(['true'])",
        limits={"memory_mb": 100},
    )
    assert result.passed


def test_a_command_uses_no_more_than_its_share_of_the_processors(gates: Gates) -> None:
    """Planted and found: pausing nothing, or its own group alone, or counting only what is alive gives it far more.

    Each process uses 0.02 s and writes a dot.
    """
    dots = gates.folder / "dots"
    dots.touch()
    rate = 0.2 * CORES
    result = gates.python(
        f"import os, time\ndots = os.open('dots', os.O_WRONLY | os.O_APPEND)\nfor _ in range({CORES}):\n"
        "  if not os.fork():\n    os.setsid()\n    while True:\n      if not os.fork():\n"
        "        while time.process_time() < 0.02: pass\n        os.write(dots, b'.'); os._exit(0)\n"
        "      os.wait()\nos.wait()",
        seconds=3,
        limits={"cpu_percent": 20},
    )
    used = 0.02 * dots.stat().st_size
    assert result.outcome == "timeout"
    assert used < BURST + rate * result.seconds + SLACK
    assert used < result.cpu_seconds + SLACK


def test_a_pause_is_told_and_a_paused_command_can_be_cancelled(gates: Gates, alive: Alive) -> None:
    told: list[str] = []

    def listen(line: str) -> None:
        told.append(line)
        if "paused for its share of the processors" in line:
            until(lambda: psutil.Process(gates.noted("pid")).status() == psutil.STATUS_STOPPED)
            gates.cancelled.set()

    code = f"import os\nfor _ in range({CORES - 1}): os.fork() or exec('while True: pass')\n"
    note = "open('pid', 'w').write(str(os.getpid()))\nwhile True: pass"
    result = gates.python(code + note, limits={"cpu_percent": 1}, progress=listen)
    assert result.outcome == "cancelled"
    assert not alive(gates.noted("pid"))
    assert told[-1].startswith("tests: ")


def test_a_command_is_slowed_down_not_ended_and_what_it_has_stopped_itself_stays_so(gates: Gates) -> None:
    """Planted and found: letting all processes go on after a pause wakes the one that was stopped before."""
    percent = max(1, 20 // CORES)
    each = 2.5 / CORES
    code = (
        "import os, signal, time\nchild = os.fork()\nif not child:\n"
        "  os.kill(os.getpid(), signal.SIGSTOP); open('pid', 'w').write('1'); os._exit(0)\n"
        f"os.waitpid(child, os.WUNTRACED)\nothers = [os.fork() for _ in range({CORES - 1})]\n"
        f"while time.process_time() < {each}: pass\n"
        "if 0 not in others: [os.waitpid(other, 0) for other in others]\n"
    )
    result = gates.python(code, limits={"cpu_percent": percent})
    assert result.passed
    assert 2.3 < result.cpu_seconds < BURST + percent / 100 * CORES * result.seconds + SLACK
    assert gates.noted("pid") == 0


def test_a_crash_in_whoever_listens_leaves_nothing_running(gates: Gates, alive: Alive) -> None:
    def listen(line: str) -> None:
        raise KeyboardInterrupt(line)

    with pytest.raises(KeyboardInterrupt):
        gates.python(f"{FAR}{NOTED}signal.pause()", progress=listen)
    assert not alive(gates.noted("pid"))


def test_processes_of_other_runs_are_left_alone(gates: Gates, alive: Alive) -> None:
    seen: list[bool] = []

    def look() -> None:
        pid = until(lambda: gates.noted("pid"))
        Tree("0" * 32).end()
        seen.append(alive(pid))
        gates.cancelled.set()

    looker = threading.Thread(target=look)
    looker.start()
    gates.python(f"import os, signal; {STAY}", environ={"PATH": os.environ["PATH"], MARK: "f" * 32})
    looker.join()
    assert seen == [True]
