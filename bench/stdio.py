"""Start-up and calls over stdio, next to a bare SDK server in the same run.

    python bench/stdio.py [ROUNDS] [CALLS]

Prints milliseconds and ratios. The rounds of both servers alternate, so that the machine's load falls on both.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median, quantiles
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from wire import Server

HERE = Path(__file__).parent
OURS = [str(HERE.parent / "server"), "mcp"]
BARE = [str(HERE / "bare_server.py")]


def timed(server: Server, calls: int, arguments: dict[str, Any]) -> list[float]:
    """Return the milliseconds of each call, after the caches of both sides are warm."""
    taken: list[float] = []
    for number in range(calls + 50):
        began = time.perf_counter()
        server.call("save_agent_state", **arguments, value={"step": number, "note": "x" * 170})
        taken.append((time.perf_counter() - began) * 1000)
    return taken[50:]


def main(rounds: int, calls: int) -> None:
    """Measure and print."""
    ours: list[float] = []
    bare: list[float] = []
    starts: dict[str, list[float]] = {"ours": [], "bare": []}
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["git", "init", "-q", folder], check=True)
        environment = {**os.environ, "MILESTONE_PROJECT_DIR": folder}
        for _ in range(rounds):
            with Server(OURS, environment) as server:
                starts["ours"].append(server.started * 1000)
                begun = json.loads(server.call("initialize_agent_coordination", name="Bench"))
                ours += timed(server, calls, {"agent_id": begun["agent_id"], "key": "bench"})
                tokens = len(json.dumps(server.tools["tools"], separators=(",", ":"))) // 4
            with Server(BARE, environment) as server:
                starts["bare"].append(server.started * 1000)
                bare += timed(server, calls, {"agent_id": "a", "key": "bench"})
    print(f"tools/list: {tokens} tokens (bytes / 4)")
    compare("start to tools/list", starts["ours"], starts["bare"])
    compare("save_agent_state", ours, bare)


def compare(what: str, ours: list[float], bare: list[float]) -> None:
    """Print the figures of both sides and their ratio."""
    ratio = median(ours) / median(bare)
    p99 = quantiles(ours, n=100)[98], quantiles(bare, n=100)[98]
    medians = f"{median(ours):.2f} ms, bare SDK {median(bare):.2f} ms, ratio {ratio:.2f}"
    print(f"{what}: {medians}; p99 {p99[0]:.2f} and {p99[1]:.2f} ms")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5, int(sys.argv[2]) if len(sys.argv) > 2 else 400)
