"""A small graph that asks a person, and a process in which it is interrupted once and killed once.

Run as `python graph.py <thread> <folder>` with the project's environment. Every node that runs leaves a line in the
ledger of its thread: its name, and how many had spoken. The graph on `<thread>-asked` is left waiting for an answer;
the one on `<thread>-killed` kills the process as soon as the database has what the node beside it wrote.
"""

from __future__ import annotations

import operator
import os
import signal
import sys
from pathlib import Path
from typing import Annotated, Any, TypedDict

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import interrupt

from milestone.surfaces.langgraph import MilestoneSaver
from tests.helpers.following import until
from tests.langgraph.samples import at


class State(TypedDict):
    """What the nodes said, and what a person answered."""

    said: Annotated[list[str], operator.add]
    answer: str


def build(
    saver: BaseCheckpointSaver[Any], folder: Path, thread: str, *, dies: bool = False
) -> CompiledStateGraph[State, None, State, State]:
    """Return a graph: two nodes side by side, one that asks a person, one at the end."""

    def note(name: str, state: State) -> None:
        with (folder / thread).open("a", encoding="utf-8") as file:
            file.write(f"{name} {len(state['said'])}\n")

    def quick(state: State) -> dict[str, Any]:
        note("quick", state)
        return {"said": ["quick"]}

    def slow(state: State) -> dict[str, Any]:
        note("slow", state)
        if dies:
            until(lambda: "quick" in written(saver, thread))
            os.kill(os.getpid(), signal.SIGKILL)
        return {"said": ["slow"]}

    def ask(state: State) -> dict[str, Any]:
        note("ask", state)
        return {"answer": interrupt({"heard": state["said"]})}

    def end(state: State) -> dict[str, Any]:
        note("end", state)
        return {"said": [f"end: {state['answer']}"]}

    graph = StateGraph(State)
    for node in (quick, slow, ask, end):
        graph.add_node(node.__name__, node)
    graph.add_edge(START, "quick")
    graph.add_edge(START, "slow")
    graph.add_edge(["quick", "slow"], "ask")
    graph.add_edge("ask", "end")
    graph.add_edge("end", END)
    return graph.compile(checkpointer=saver)


def written(saver: BaseCheckpointSaver[Any], thread: str) -> set[str]:
    """Return what the database has of the nodes that ended since the last checkpoint."""
    found = saver.get_tuple(at(thread))
    return {said for _, channel, value in (found and found.pending_writes) or () if channel == "said" for said in value}


def main() -> None:
    """Begin twice, and end in the middle of the second."""
    thread, folder = sys.argv[1], Path(sys.argv[2])
    saver = MilestoneSaver.of(environ=os.environ)
    for name in (f"{thread}-asked", f"{thread}-killed"):
        build(saver, folder, name, dies=name.endswith("killed")).invoke({"said": ["hello"], "answer": ""}, at(name))


if __name__ == "__main__":
    main()
