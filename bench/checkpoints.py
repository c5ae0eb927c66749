"""What a checkpoint and a rollback cost with 100,000 keys against 10: `python bench/checkpoints.py [keys…]`, ratios.

Each size is a milestone of its own outside of Git, so that the state alone is measured. A rollback brings back ten keys
that changed since the checkpoint. Calls go through the operation and its transactions, as the door makes them.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "server"))

from milestone.domain.identity import Caller
from milestone.operations.catalogue import REGISTRY
from milestone.operations.context import Aside, Outside
from milestone.store.engine import Transaction, run
from milestone.wiring import Application, read_settings

AGENT, CHANGED, ROUNDS, BATCH = "worker", 10, 40, 5_000
MOST = 2.0  # how much more the largest may cost than the smallest


class World:
    """A project with one milestone and one agent that has saved as many keys as wanted."""

    def __init__(self, folder: Path, keys: int) -> None:
        self.application = Application(read_settings({"MILESTONE_PROJECT_DIR": str(folder), "HOME": str(folder)}))
        self.engine = self.application.engine(create=True)
        self.milestone_id: str = self.call("initialize_agent_coordination", name="Bench")["milestone_id"]
        self.call("register_agent", agent_type="worker", agent_id=AGENT, milestone_id=self.milestone_id)
        for first in range(0, keys, BATCH):
            self.within(lambda ctx, first=first: self._fill(ctx, range(first, min(first + BATCH, keys))))

    def _fill(self, ctx: Any, numbers: range) -> None:
        for number in numbers:
            position = ctx.record("state_saved", self.milestone_id, subject=f"k-{number}", topic=f"state:k-{number}")
            ctx.store.state.add(self.milestone_id, AGENT, f"k-{number}", 1, position, '"first"', ctx.at)

    def within(self, work: Any) -> Any:
        """Return what `work` makes of a context in one writing transaction."""
        assert self.engine is not None

        def carry_out(transaction: Transaction) -> Any:
            return work(self.application.context(transaction, Caller(), set()))

        return run(self.engine, carry_out, write=True)

    def call(self, tool: str, **arguments: Any) -> Any:
        """Return the answer of an operation, with its work outside of transactions."""
        operation = REGISTRY[tool]
        given = {name: value for name, value in operation.check(arguments).items() if name != "request_id"}
        answer = self.within(lambda ctx: operation.function(ctx, **given))
        while isinstance(answer, Aside):
            aside, came = answer, answer.work(Outside())
            answer = self.within(lambda ctx, aside=aside, came=came: aside.then(ctx, came))
        return answer

    def create(self) -> tuple[float, str]:
        """Return the seconds of a checkpoint of the milestone, and its id."""
        begun = time.perf_counter()
        made = self.call("create_agent_checkpoint", scope_id=self.milestone_id, scope="milestone")
        return time.perf_counter() - begun, made["checkpoint_id"]

    def restore(self, point: str) -> float:
        """Return the seconds of a rollback that brings ten keys back."""

        def change(ctx: Any) -> None:
            for number in range(CHANGED):
                version = ctx.store.state.newest(AGENT, f"k-{number}")["version"]
                position = ctx.record("state_saved", self.milestone_id, subject=f"k-{number}")
                where = (self.milestone_id, AGENT, f"k-{number}", version + 1, position)
                ctx.store.state.add(*where, '"changed"', ctx.at)

        self.within(change)
        begun = time.perf_counter()
        done = self.call("restore_agent_checkpoint", checkpoint_id=point, dry_run=False)
        took = time.perf_counter() - begun
        assert done["count"] == CHANGED, done
        return took


def main(sizes: list[int]) -> None:
    """Print what both cost at each size, and whether the largest stays within a factor of two of the smallest."""
    worlds: dict[int, World] = {}
    for size in sizes:
        begun = time.perf_counter()
        worlds[size] = World(Path(tempfile.mkdtemp(prefix="milestone-bench-")), size)
        print(f"{size:>7} keys written in {time.perf_counter() - begun:.2f} s")
    created: dict[int, list[float]] = {size: [] for size in sizes}
    restored: dict[int, list[float]] = {size: [] for size in sizes}
    for _ in range(ROUNDS):  # in turns, so that a slow moment of the machine hits all of them
        for size, world in worlds.items():
            took, point = world.create()
            created[size].append(took)
            restored[size].append(world.restore(point))
    print(f"{datetime.now(UTC):%Y-%m-%d}, {ROUNDS} rounds in turns, {CHANGED} keys changed before each rollback")
    for name, times in (("checkpoint", created), ("rollback", restored)):
        smallest = statistics.median(times[sizes[0]])
        ratios = {size: statistics.median(times[size]) / smallest for size in sizes}
        for size in sizes:
            print(
                f"{name:>10} at {size:>7} keys: p50 {smallest * ratios[size] * 1e3:6.2f} ms, ratio {ratios[size]:.2f}"
            )
        worst = max(ratios.values())
        print(f"{'OK' if worst <= MOST else 'FAIL'}: {name} within a factor of {worst:.2f}, allowed {MOST:g}")


if __name__ == "__main__":
    main([int(text) for text in sys.argv[1:]] or [10, 10_000, 100_000])
