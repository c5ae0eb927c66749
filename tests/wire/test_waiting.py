"""Waiting costs nothing: a hundred callers wait, others work as before, and all wake when there is news."""

from __future__ import annotations

import json
import statistics
import time

from tests.helpers.wire import Wire

WAITING = 100
CALLS = 100


def seconds_of_a_call(wire: Wire) -> float:
    """Return the median of many calls."""

    def one() -> float:
        began = time.perf_counter()
        wire.call("get_session_status")
        return time.perf_counter() - began

    return statistics.median(one() for _ in range(CALLS))


def test_a_hundred_who_wait_slow_nobody_down_and_all_wake(wire: Wire) -> None:
    """Planted and found: a wait that sleeps in the loop, or in one of the SDK's forty threads."""
    alone = seconds_of_a_call(wire)
    for_state = [wire.begin_call("load_agent_state", key="news", wait_seconds=100) for _ in range(WAITING // 2)]
    readers = [f"reader-{number}" for number in range(WAITING // 2)]
    for reader in readers:
        wire.call("register_agent", agent_type="reader", agent_id=reader)
    for_messages = [wire.begin_call("receive_agent_messages", agent_id=reader, wait_seconds=100) for reader in readers]
    beside = seconds_of_a_call(wire)
    assert beside < 5 * alone + 0.005
    assert not [number for number in (*for_state, *for_messages) if wire.has_answer(number)]

    wire.call("save_agent_state", agent_id="w", key="news", value="there")
    assert {json.loads(wire.answer(number)[1])["value"] for number in for_state} == {"there"}
    assert not [number for number in for_messages if wire.has_answer(number)]
    wire.call("send_agent_message", from_agent="w", to="reader", type="note", payload="wake up")
    told = [json.loads(wire.answer(number)[1])["messages"] for number in for_messages]
    assert [[message["payload"] for message in messages] for messages in told] == [["wake up"]] * len(readers)


def test_who_waits_in_vain_is_told_so_in_time(wire: Wire) -> None:
    state = wire.begin_call("load_agent_state", key="never", wait_seconds=1)
    messages = wire.begin_call("receive_agent_messages", agent_id="w", wait_seconds=1)
    answer = json.loads(wire.answer(state)[1])
    assert (answer["version"], answer["value"], answer["next"]) == (0, None, "Call again to wait on.")
    assert json.loads(wire.answer(messages)[1])["messages"] == []


def test_a_host_that_hangs_up_ends_the_server_though_many_wait(wire: Wire) -> None:
    other = Wire(wire.project)
    for _ in range(WAITING):
        other.begin_call("load_agent_state", key="never", wait_seconds=300)
    other.call("get_session_status")
    began = time.monotonic()
    other.close()
    assert (other.process.returncode, time.monotonic() - began < 5) == (0, True)
