"""What `next_actions` costs with 10,000 tasks against 100 tasks: `python bench/scheduling.py [tasks…]`, ratios last.

Each size is a milestone of its own with ten claims; half of its tasks are ready. The call goes through the operation
and its transaction, as the door makes it; what it hands out is handed back outside of the measurement.
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
from milestone.operations.seeding import Sown, write
from milestone.store.engine import Transaction, run
from milestone.wiring import Application, read_settings

PHASES = ("design", "spec", "task", "execute")
CLAIMS, ROUNDS = 10, 60


class World:
    """A project with one milestone that is carried out, with as many tasks as wanted."""

    def __init__(self, folder: Path, tasks: int) -> None:
        limits = folder / ".milestones" / "config" / "limits.yaml"
        limits.parent.mkdir(parents=True)
        limits.write_text(f"agents_at_once: {CLAIMS}\n")
        self.application = Application(read_settings({"MILESTONE_PROJECT_DIR": str(folder), "HOME": str(folder)}))
        self.engine = self.application.engine(create=True)
        assert self.engine is not None
        self.milestone_id: str = self.call("initialize_agent_coordination", name="Bench")["milestone_id"]
        self.within(lambda ctx: self._seed(ctx, tasks))
        while self.call("next_actions", milestone_id=self.milestone_id)["actions"][0]["kind"] == "spawn":
            pass  # until ten agents are at work
        self.begin()
        limits.write_text(f"agents_at_once: {CLAIMS + 1}\n")  # one place is free

    def within(self, work: Any) -> Any:
        """Return what `work` makes of a context in one writing transaction."""
        assert self.engine is not None

        def carry_out(transaction: Transaction) -> Any:
            return work(self.application.context(transaction, Caller(), set()))

        return run(self.engine, carry_out, write=True)

    def call(self, tool: str, **arguments: Any) -> Any:
        """Return the answer of an operation."""
        operation = REGISTRY[tool]
        given = {name: value for name, value in operation.check(arguments).items() if name != "request_id"}
        return self.within(lambda ctx: operation.function(ctx, **given))

    def _seed(self, ctx: Any, tasks: int) -> None:
        sown = Sown()
        for number in range(tasks):
            sown.add(
                task_id=f"t-{number}",
                mode="execution",
                agent_type="code-transformer",
                title=f"Task {number}",
                phase=PHASES[number * 4 // tasks],
                weight=1,
                standing=0,
                produces=("task-report",),
                time_limit=3_600,
            )
            if number % 2:
                sown.needs.append((f"t-{number}", f"t-{number - 1}", "task-report"))
        write(ctx, self.milestone_id, "execution", sown)
        row = ctx.store.milestones.get(self.milestone_id)
        row["status"] = "active"
        ctx.store.milestones.save(row, ctx.at)
        ctx.store.milestones.set_strategy(self.milestone_id, "parallel_independent", ctx.at)
        session = f"execution-{self.milestone_id}-1"
        ctx.store.milestones.add_session(session, self.milestone_id, "execution", ctx.at)
        ctx.store.agents.add(
            f"coordinator-{session}", "project-milestone-coordinator", self.milestone_id, session, ctx.at
        )
        for old in ctx.store.milestones.sessions(self.milestone_id):
            if old["mode"] == "planning":
                ctx.store.milestones.end_session(old["session_id"], "completed", ctx.at)

    def begin(self) -> None:
        """Let every agent that was handed a task begin it, so that nothing is taken over."""

        def start(ctx: Any) -> None:
            for held in ctx.store.tasks.held(self.milestone_id, "execution"):
                ctx.store.tasks.start_claim(held["held_by"], ctx.server, ctx.at)

        self.within(start)

    def measure(self) -> float:
        """Return the seconds of one `next_actions` that hands one task out."""
        begun = time.perf_counter()
        actions = self.call("next_actions", milestone_id=self.milestone_id)["actions"]
        took = time.perf_counter() - begun
        spawned = [action for action in actions if action["kind"] == "spawn"]
        assert len(spawned) == 1, actions

        def give_back(ctx: Any) -> None:
            ctx.store.tasks.end_claim(spawned[0]["agent_id"], "bench", ctx.at)
            ctx.store.tasks.set(self.milestone_id, spawned[0]["task_id"], "ready")

        self.within(give_back)
        return took


def main(sizes: list[int]) -> None:
    """Print the curve, and the ratio of each size to the smallest."""
    worlds: dict[int, World] = {}
    for size in sizes:
        begun = time.perf_counter()
        worlds[size] = World(Path(tempfile.mkdtemp(prefix="milestone-bench-")), size)
        print(f"{size:>7} tasks written in {time.perf_counter() - begun:.2f} s")
    times: dict[int, list[float]] = {size: [] for size in sizes}
    for _ in range(ROUNDS):  # in turns, so that a slow moment of the machine hits all of them
        for size, world in worlds.items():
            times[size].append(world.measure())
    smallest = statistics.median(times[sizes[0]])
    print(f"{datetime.now(UTC):%Y-%m-%d}, {ROUNDS} rounds in turns, {CLAIMS} claims, one task handed out by each call")
    for size in sizes:
        median = statistics.median(times[size])
        worst = sorted(times[size])[int(ROUNDS * 0.95)]
        print(f"{size:>7} tasks: p50 {median * 1e3:6.2f} ms, p95 {worst * 1e3:6.2f} ms, ratio {median / smallest:.2f}")


if __name__ == "__main__":
    main([int(text) for text in sys.argv[1:]] or [100, 1_000, 10_000])
