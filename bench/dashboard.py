"""What a large project costs those who look at it: `python bench/dashboard.py`, small against large, ratios last.

Two projects, each served by `milestone dashboard` in a process of its own: 50 tasks, 5 agents, 2,000 events, and 5,000,
500 and 200,000. Measured in turns: seconds from the request of a page to its last byte, from a committed event to its
news at a subscribed client and to the fresh page in its hands; the most memory the server has used; the commands
`milestone status` and `milestone watch` up to their first screen.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import pty
import re
import select
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "server"))

from bench.sizes import World

SERVER = str(Path(__file__).resolve().parents[1] / "server")
ROUNDS, COMMANDS = 15, 5
VIEWS = (
    *("", "tasks", "agents", "progress", "messages", "events", "checkpoints", "evidence", "decisions", "approvals"),
    *("chart/graph.svg", "chart/timeline.svg", "chart/burnup.svg", "chart/phases.svg"),
)
FIRST, NEWS, FRESH, MEMORY = "first page", "live update", "live update, page in hand", "memory of the server"
MOST = {FIRST: 3.0, NEWS: 3.0, FRESH: 3.0, MEMORY: 1.5}


class Served:
    """A world and the process that serves it."""

    def __init__(self, world: World) -> None:
        self.world = world
        command = [sys.executable, SERVER, "dashboard", "--json"]
        self.process = subprocess.Popen(command, env=world.environment, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        told = json.loads(self.process.stdout.readline())
        self.port = told["port"]
        answer = self._ask(told["link"].partition(f":{self.port}")[2], {})
        self.cookie = {"Cookie": answer.headers["Set-Cookie"].partition(";")[0]}

    def _ask(self, path: str, headers: dict[str, str]) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET", path, headers=headers)
        return connection.getresponse()

    def view(self, name: str) -> float:
        """Return the seconds from the request of a view to its last byte."""
        begun = time.perf_counter()
        answer = self._ask(f"/m/{self.world.milestone_id}" + (f"/{name}" if name else ""), self.cookie)
        answer.read()
        took = time.perf_counter() - begun
        assert answer.status == 200, (name, answer.status)
        return took

    def news(self) -> tuple[float, float]:
        """Return the seconds from a committed event to its news, and to the page that shows it."""
        with contextlib.closing(self._ask("/live", self.cookie)) as stream:
            _until(stream, 0)
            time.sleep(0.05 + 0.2 * (os.getpid() % 5) / 5)
            position = self.world.happen()
            begun = time.perf_counter()
            _until(stream, position)
            heard = time.perf_counter() - begun
            self.view("")
            return heard, time.perf_counter() - begun

    def memory(self) -> float:
        """Return the most memory the process has used, in MB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.findall(r"VmHWM:\s+(\d+)", status)[0]) / 1024

    def close(self) -> None:
        """End the process."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(20)


def _until(stream: http.client.HTTPResponse, position: int) -> None:
    """Read a stream until it tells of a position."""
    while True:
        line = stream.readline().decode()
        assert line, "the stream has ended"
        if line.startswith("data:") and int(line[5:]) >= position:
            return


def status(world: World) -> float:
    """Return the seconds of `milestone status`."""
    begun = time.perf_counter()
    command = [sys.executable, SERVER, "status", world.milestone_id]
    subprocess.run(command, env=world.environment, check=True, capture_output=True)
    return time.perf_counter() - begun


def watch(world: World) -> float:
    """Return the seconds from the start of `milestone watch` to its first screen, on a terminal of 80 by 24."""
    ours, theirs = pty.openpty()
    environment = {**world.environment, "TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"}
    begun = time.perf_counter()
    command = [sys.executable, SERVER, "watch", world.milestone_id]
    process = subprocess.Popen(command, env=environment, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = b""
    while b"execute" not in shown:
        assert select.select([ours], [], [], 30)[0], shown
        shown += os.read(ours, 65_536)
    took = time.perf_counter() - begun
    os.write(ours, b"q")
    with contextlib.suppress(OSError):
        while select.select([ours], [], [], 10)[0] and os.read(ours, 65_536):
            pass
    process.wait(20)
    os.close(ours)
    return took


def measure(servers: dict[str, Served]) -> dict[str, dict[str, float]]:
    """Return the medians by what was measured and by size; in turns, so that a slow moment hits both."""
    found: dict[str, dict[str, list[float]]] = {}

    def note(name: str, size: str, value: float) -> None:
        found.setdefault(name, {}).setdefault(size, []).append(value)

    def rounds(count: int, work: Callable[[str, Served], None]) -> None:
        for _ in range(count):
            for size, server in servers.items():
                work(size, server)

    rounds(1, lambda size, server: note(f"{FIRST}, cold", size, server.view("")))
    rounds(ROUNDS, lambda size, server: note(FIRST, size, server.view("")))
    for view in VIEWS[1:]:
        rounds(3 if "chart" in view else ROUNDS, lambda size, server, view=view: note(view, size, server.view(view)))

    def hear(size: str, server: Served) -> None:
        heard, fresh = server.news()
        note(NEWS, size, heard)
        note(FRESH, size, fresh)

    rounds(ROUNDS, hear)
    rounds(1, lambda size, server: note(MEMORY, size, server.memory()))
    rounds(COMMANDS, lambda size, server: note("milestone status", size, status(server.world)))
    rounds(COMMANDS, lambda size, server: note("milestone watch, first screen", size, watch(server.world)))
    return {name: {size: statistics.median(some) for size, some in by.items()} for name, by in found.items()}


def main() -> int:
    """Print the table; 1 where a ratio is over what it may be."""
    with tempfile.TemporaryDirectory(prefix="milestone-bench-") as folder:
        worlds = {size: World(Path(folder) / size, scale) for size, scale in (("small", 1), ("large", 100))}
        for world in worlds.values():
            print(f"{world.said}, written in {world.took:.1f} s")
        servers = {size: Served(world) for size, world in worlds.items()}
        try:
            found = measure(servers)
        finally:
            for server in servers.values():
                server.close()
    print(f"{datetime.now(UTC):%Y-%m-%d}, medians of {ROUNDS} rounds in turns, of {COMMANDS} for commands")
    print(f"{'':32}{'small':>12}{'large':>12}{'ratio':>8}")
    over = 0
    for name, by in found.items():
        ratio, unit = by["large"] / by["small"], "MB" if name == MEMORY else "ms"
        small, large = (by[size] * (1 if name == MEMORY else 1e3) for size in ("small", "large"))
        most = MOST.get(name)
        over += most is not None and ratio > most
        said = f"  at most {most:g}{'' if ratio <= most else ': OVER'}" if most else ""
        print(f"{name:32}{small:9.1f} {unit}{large:9.1f} {unit}{ratio:8.2f}{said}")
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
