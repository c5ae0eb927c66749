"""The stdio door next to the SDK's own transport: the same toy server behind both, in the same run.

    python bench/stdio_door.py [ROUNDS] [CALLS]

Prints milliseconds, medians over all rounds with the best in brackets. The rounds of the doors alternate, so that the
machine's load falls on all of them.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from statistics import median, quantiles

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "server"))

from milestone.surfaces import handshake
from tests.surfaces import toy_server
from tests.surfaces.toy_host import HELLO, Toy, call, request

COLUMNS = ("initialize", "tools/list", "first call", "call p50", "call p99", "16 in flight", "exit")
AHEAD = 16


def milliseconds(since: float) -> float:
    """Return how long ago `since` was."""
    return 1000 * (time.perf_counter() - since)


def measure(arguments: list[str], calls: int) -> list[float]:
    """Return one value for each column; `16 in flight` is milliseconds for each call."""
    began = time.perf_counter()
    with Toy(*arguments) as server:
        server.ask(request("hello", "initialize", HELLO))
        values = [milliseconds(began)]
        server.send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        server.ask(request("tools", "tools/list"))
        values.append(milliseconds(began))
        server.ask(call("first", "echo"))
        values.append(milliseconds(began))
        taken: list[float] = []
        for number in range(calls):
            asked = time.perf_counter()
            server.ask(call(number, "echo", text="x" * 100))
            taken.append(milliseconds(asked))
        values += [median(taken), quantiles(taken, n=100)[98]]
        asked = time.perf_counter()
        server.send(*(call(number, "echo") for number in range(AHEAD)))
        for number in range(calls):
            server.answer(number)
            server.send(call(number + AHEAD, "echo"))
        values.append(milliseconds(asked) / calls)
        ended = time.perf_counter()
        server.hang_up()
        server.end()
        return [*values, milliseconds(ended)]


def main(rounds: int, calls: int) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        constants = Path(folder, "handshake.json")
        constants.write_text(json.dumps(handshake.record(toy_server.build)), encoding="utf-8")
        doors = {"our door": ["ours", str(constants)], "without a record": ["ours"], "the SDK's own": ["sdk"]}
        seen: dict[str, list[list[float]]] = {door: [] for door in doors}
        for _ in range(rounds):
            for door, arguments in doors.items():
                seen[door].append(measure(arguments, calls))
    print(f"{'':17}" + "".join(f"{column:>17}" for column in COLUMNS))
    for door, values in seen.items():
        columns = zip(*values, strict=True)
        print(f"{door:17}" + "".join(f"{median(one):9.2f} ({min(one):.2f})".rjust(17) for one in columns))


if __name__ == "__main__":
    main(*(int(argument) for argument in [*sys.argv[1:], "7", "500"][:2]))
