"""Whether the mirror of a large milestone slows calls: `python bench/mirror.py [tasks…]`, ratios last.

Calls save a value through the door of one process, as agents do, while the mirror follows each change in its thread.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

import anyio

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "server"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from scheduling import World

from milestone.domain.identity import Caller
from milestone.surfaces.door import Door

CALLS = 600


async def measure(world: World) -> tuple[list[float], int, int]:
    """Return the seconds of each call, how often the mirror was written meanwhile, and the bytes of its tasks."""
    door = Door(world.application)
    who = {"agent_type": "research-orchestrator", "milestone_id": world.milestone_id}
    agent_id = (await door.call("register_agent", who, Caller()))["agent_id"]
    workspace = world.application.settings.workspace / "active"
    took: list[float] = []
    seen: set[int] = set()
    for number in range(CALLS):
        begun = time.perf_counter()
        await door.call("save_agent_state", {"agent_id": agent_id, "key": "k", "value": number}, Caller())
        took.append(time.perf_counter() - begun)
        await anyio.sleep(0.005)  # an agent thinks between calls, and the mirror gets its turn
        seen |= {file.stat().st_mtime_ns for file in workspace.glob(f"{world.milestone_id}.yaml")}
    await door.close()
    tasks = workspace / f"{world.milestone_id}.tasks.yaml"
    return took, len(seen), tasks.stat().st_size if tasks.exists() else 0


def main(sizes: list[int]) -> None:
    """Print the times for each size, and their ratio to the smallest."""
    first = 0.0
    for size in sizes:
        world = World(Path(tempfile.mkdtemp(prefix="milestone-bench-")), size)
        took, written, size_of = anyio.run(measure, world)
        median, late = statistics.median(took), sorted(took)[int(CALLS * 0.99)]
        first = first or median
        print(
            f"{size:>7} tasks: p50 {median * 1e3:6.2f} ms, p99 {late * 1e3:6.2f} ms, ratio {median / first:.2f}; "
            f"mirror written {written} times, {size_of} bytes of tasks"
        )


if __name__ == "__main__":
    main([int(text) for text in sys.argv[1:]] or [100, 10_000])
