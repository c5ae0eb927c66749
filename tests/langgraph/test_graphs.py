"""Real graphs of LangGraph on the saver: killed, interrupted, forked and pruned, they go on with the same state."""

from __future__ import annotations

import operator
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest
from langgraph.channels.delta import DeltaChannel
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.types import Command

import milestone
from milestone.surfaces.langgraph import MilestoneSaver
from tests.helpers.projects import Project
from tests.helpers.worker import ROOT
from tests.langgraph.graph import build
from tests.langgraph.samples import at

PROGRAM = Path(__file__).with_name("graph.py")


def extended(notes: list[str], more: Sequence[Any]) -> list[str]:
    """Return notes with what several steps added."""
    return [*notes, *(note for added in more for note in added)]


class Notes(TypedDict):
    """A list of which only the additions are stored, except now and then."""

    notes: Annotated[list[str], DeltaChannel(extended, snapshot_frequency=4)]
    count: Annotated[int, operator.add]


@pytest.fixture
def killed(shared: Project, thread: str, tmp_path: Path) -> str:
    """Two graphs that another process began before it was killed; their threads begin with this name."""
    package = Path(milestone.__file__).parents[1]
    environment = {**shared.environment, "PYTHONPATH": f"{package}:{ROOT}"}
    command = [sys.executable, str(PROGRAM), thread, str(tmp_path)]
    died = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert died.returncode == -signal.SIGKILL, died.stderr
    return thread


@pytest.mark.anyio
async def test_a_graph_goes_on_in_another_process_as_if_nothing_had_been(
    killed: str, saver: MilestoneSaver, tmp_path: Path
) -> None:
    """Of two nodes side by side, the one that had ended before the kill is not run again; the one that died is.

    A node that asked begins anew when it is answered, as always.
    """
    undisturbed = build(InMemorySaver(), tmp_path, "undisturbed")
    undisturbed.invoke({"said": ["hello"], "answer": ""}, at("undisturbed"))
    expected: Any = undisturbed.invoke(Command(resume="yes"), at("undisturbed"))
    assert expected == {"said": ["hello", "quick", "slow", "end: yes"], "answer": "yes"}
    for name, again in ((f"{killed}-asked", 1), (f"{killed}-killed", 2)):
        graph = build(saver, tmp_path, name)
        if name.endswith("killed"):
            await graph.ainvoke(None, at(name))
        waiting = await graph.aget_state(at(name))
        assert (waiting.next, waiting.interrupts[0].value) == (("ask",), {"heard": ["hello", "quick", "slow"]})
        assert await graph.ainvoke(Command(resume="yes"), at(name)) == expected
        ran = Counter((tmp_path / name).read_text().splitlines())
        assert ran == {
            "quick 1": 1,
            "slow 1": again,
            "ask 3": 2,
            "end 3": 1,
        }


def test_a_graph_may_go_back_and_take_another_way_and_both_stay(
    saver: MilestoneSaver, thread: str, tmp_path: Path
) -> None:
    graph = build(saver, tmp_path, thread)
    graph.invoke({"said": ["hello"], "answer": ""}, at(thread))
    asked = graph.get_state(at(thread)).config
    ways = [graph.update_state(asked, {"answer": answer}, as_node="ask") for answer in ("left", "right")]
    assert [graph.get_state(way).values["answer"] for way in ways] == ["left", "right"]
    assert [graph.invoke(None, way)["said"][-1] for way in ways] == ["end: left", "end: right"]
    assert [graph.get_state(way).values["answer"] for way in (asked, *ways)] == ["", "left", "right"]


def test_a_pruned_graph_has_the_state_it_had_and_goes_on(saver: MilestoneSaver, thread: str) -> None:
    def write(state: Notes) -> dict[str, Any]:
        return {"notes": [f"note {state['count']}"], "count": 1}

    start: Any = {"count": 0}
    graph = StateGraph(Notes)
    graph.add_node("write", write)
    graph.add_edge(START, "write")
    compiled = graph.compile(checkpointer=saver)
    for _ in range(7):
        compiled.invoke(start, at(thread))
    before, stored = compiled.get_state(at(thread)).values, len(list(saver.list(at(thread))))
    saver.prune([thread])
    assert compiled.get_state(at(thread)).values == before == {"notes": [f"note {n}" for n in range(7)], "count": 7}
    assert 1 < len(list(saver.list(at(thread)))) < stored
    assert compiled.invoke(start, at(thread))["notes"] == [*before["notes"], "note 7"]
