"""Many server processes on one SQLite file, each saving as fast as it can; next to one process alone.

    python bench/writers.py [PROCESSES] [CALLS]

Prints calls per second, the p99 and the worst wait in milliseconds, and how the throughput compares with one process.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import quantiles

sys.path.insert(0, str(Path(__file__).parent))
from wire import Server

SERVER = [str(Path(__file__).parent.parent / "server"), "mcp"]


def save(server: Server, agent_id: str, key: str, calls: int, taken: list[float]) -> None:
    """Save again and again, and note the milliseconds of each call."""
    for number in range(calls):
        began = time.perf_counter()
        server.call("save_agent_state", agent_id=agent_id, key=key, value={"step": number, "note": "x" * 170})
        taken.append((time.perf_counter() - began) * 1000)


def run(processes: int, calls: int) -> float:
    """Measure, print, and return calls per second."""
    taken: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["git", "init", "-q", folder], check=True)
        environment = {**os.environ, "MILESTONE_PROJECT_DIR": folder}
        servers = [Server(SERVER, environment) for _ in range(processes)]
        agents = [json.loads(one.call("initialize_agent_coordination", name="Bench"))["agent_id"] for one in servers]
        work = [
            threading.Thread(target=save, args=(server, agent, f"key-{number}", calls, taken))
            for number, (server, agent) in enumerate(zip(servers, agents, strict=True))
        ]
        began = time.perf_counter()
        for thread in work:
            thread.start()
        for thread in work:
            thread.join()
        rate = len(taken) / (time.perf_counter() - began)
        for server in servers:
            server.__exit__()
    p99 = quantiles(taken, n=100)[98]
    print(f"{processes} processes: {rate:.0f} calls/s, p99 {p99:.1f} ms, worst {max(taken):.1f} ms")
    return rate


if __name__ == "__main__":
    many = int(sys.argv[1]) if len(sys.argv) > 1 else 16
    each = int(sys.argv[2]) if len(sys.argv) > 2 else 100
    alone = run(1, each * 4)
    print(f"together, compared with one process alone: {run(many, each) / alone:.2f}")
