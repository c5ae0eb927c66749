"""What the journal costs: the time and the bytes of a save with it, next to the same saves without it.

    python bench/journal.py [SAVES] [ROUNDS]

Prints the median milliseconds of a save and the bytes it adds, with the journal and without, and the ratios; then what
its file adds, and how long it takes to make the database anew from it. Rounds with and without take turns.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "server"))

from milestone.domain.milestones import new_sections
from milestone.store import journal
from milestone.store.engine import run
from milestone.store.following import follow
from milestone.store.replaying import rebuild
from milestone.store.sqlite import SqliteEngine
from milestone.store.store import Store
from milestone.store.written import scan

AT = "2026-01-01T00:00:00.000Z"
VALUE = json.dumps({"step": 1, "note": "x" * 170})
FLUSH = journal.flush


def lay_out(store: Store) -> None:
    """Begin a project with one agent."""
    store.log.open_project(AT)
    store.milestones.add("m", "name", "", new_sections(), AT, store.log.advance())
    store.milestones.add_session("s", "m", "planning", AT)
    store.agents.add("a", "worker", "m", "s", AT)


def save(store: Store, number: int) -> None:
    """Save a value as `save_agent_state` does."""
    position = store.log.add("state_saved", milestone_id="m", at=AT, subject="k", actor="a", topic="state/k")
    store.milestones.touch("m", position)
    store.state.add("m", "a", "k", number, position, VALUE, AT)


def saves(path: Path, count: int, *, kept: bool) -> tuple[float, float, float]:
    """Return the median milliseconds of a save, those of the processor, and the bytes each added."""
    journal.flush = FLUSH if kept else lambda _: None
    engine = SqliteEngine(path)
    engine.migrate()
    run(engine, lambda tx: lay_out(Store(tx, "p")), write=True)
    engine.close()
    before = path.stat().st_size
    engine = SqliteEngine(path)
    taken: list[float] = []
    worked = time.process_time()
    for number in range(1, count + 1):
        began = time.perf_counter()
        run(engine, lambda tx, number=number: save(Store(tx, "p"), number), write=True)
        taken.append((time.perf_counter() - began) * 1000)
    worked = (time.process_time() - worked) * 1000 / count
    engine.close()
    return median(taken), worked, (path.stat().st_size - before) / count


def main(count: int, rounds: int) -> None:
    """Measure and print."""
    found: dict[bool, list[tuple[float, float, float]]] = {True: [], False: []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(rounds):
            for kept in (True, False):
                found[kept].append(saves(folder / f"{number}-{kept}.db", count, kept=kept))
        engine = SqliteEngine(folder / "0-True.db")
        follow(folder / "journal.jsonl", "p", engine)
        engine.close()
        line = (folder / "journal.jsonl").stat().st_size / (count + 1)
        began = time.perf_counter()
        rebuild(scan(folder / "journal.jsonl"), folder / "new.db")
        anew = time.perf_counter() - began
    for what, unit, column in (("time", "ms", 0), ("processor", "ms", 1), ("database", "bytes", 2)):
        with_it, without = (median(one[column] for one in found[kept]) for kept in (True, False))
        print(f"{what:10} {with_it:8.2f} {unit} a save with it, {without:8.2f} without: ratio {with_it / without:.2f}")
    print(
        f"its file adds {line:.0f} bytes a save; made anew: {count} saves in {anew:.2f} s, {count / anew:.0f} a second"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2_000, int(sys.argv[2]) if len(sys.argv) > 2 else 5)
