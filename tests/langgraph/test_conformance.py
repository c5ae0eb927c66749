"""The public conformance suite of LangGraph, run by its own runner on both engines, for both halves of the saver."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Any

import pytest
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.conformance import checkpointer_test, validate
from langgraph.checkpoint.conformance.report import CapabilityReport

from milestone.surfaces.langgraph import MilestoneSaver
from tests.helpers.worker import ROOT

# What the suite had when it was pinned: a capability is a method that LangGraph lets a saver leave out, a test one of
# the functions that its runner calls for it. Fewer would mean that something is no longer looked at.
TESTS = {
    "put": 17,
    "put_writes": 10,
    "get_tuple": 10,
    "list": 16,
    "delete_thread": 5,
    "delete_for_runs": 7,
    "copy_thread": 8,
    "prune": 8,
}


class Sync(BaseCheckpointSaver[str]):
    """A saver whose asynchronous half is the synchronous half of another: the suite knows only the asynchronous one."""

    def __init__(self, inner: MilestoneSaver) -> None:
        super().__init__(serde=inner.serde)
        self._inner = inner

    async def aput(self, *given: Any, **named: Any) -> Any:
        return self._inner.put(*given, **named)

    async def aput_writes(self, *given: Any, **named: Any) -> None:
        self._inner.put_writes(*given, **named)

    async def aget_tuple(self, *given: Any, **named: Any) -> Any:
        return self._inner.get_tuple(*given, **named)

    async def alist(self, *given: Any, **named: Any) -> AsyncIterator[Any]:
        for found in self._inner.list(*given, **named):
            yield found

    async def adelete_thread(self, *given: Any, **named: Any) -> None:
        self._inner.delete_thread(*given, **named)

    async def adelete_for_runs(self, *given: Any, **named: Any) -> None:
        self._inner.delete_for_runs(*given, **named)

    async def acopy_thread(self, *given: Any, **named: Any) -> None:
        self._inner.copy_thread(*given, **named)

    async def aprune(self, *given: Any, **named: Any) -> None:
        self._inner.prune(*given, **named)


async def report(make: Callable[[], BaseCheckpointSaver[str]]) -> CapabilityReport:
    """Return what the suite says of the savers that `make` returns; it takes a new one for each capability."""

    @checkpointer_test(name="Milestone")
    async def registered() -> AsyncGenerator[BaseCheckpointSaver[str], None]:
        yield make()

    return await validate(registered)


@pytest.mark.anyio
@pytest.mark.parametrize("half", ["asynchronous", "synchronous"])
async def test_the_suite_finds_eight_capabilities_and_all_eighty_one_tests_pass(
    half: str, open_saver: Callable[[], MilestoneSaver]
) -> None:
    told = await report(open_saver if half == "asynchronous" else lambda: Sync(open_saver()))
    assert [failure for one in told.results.values() for failure in one.failures] == []
    assert {name: one.tests_passed for name, one in told.results.items() if one.detected} == TESTS
    assert (len(TESTS), sum(TESTS.values())) == (8, 81)
    assert told.passed_all()


def test_whoever_does_not_import_the_saver_does_not_load_langgraph() -> None:
    import subprocess

    program = "import sys, milestone.surfaces.cli, milestone.surfaces.mcp; sys.exit('langgraph' in sys.modules)"
    environment = {"PYTHONPATH": str(ROOT / "server")}
    assert subprocess.run([sys.executable, "-c", program], env=environment, check=False).returncode == 0
