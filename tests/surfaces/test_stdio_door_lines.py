"""No line can break the stdio door: the broken are refused, the endless dropped, and nothing but MCP comes out.

Each of these edits was made once, and the test named beside it failed:
- lines.py, `parse`: let JSON's errors through, accept NaN, or decode with replacement: test_a_malformed_line….
- lines.py, `_checked`: do not ask for jsonrpc; `_checked_answer`: give the id back: the same.
- lines.py, `Lines`: keep what is skipped, never refuse without an id: test_an_endless_line_costs_no_memory.
- lines.py, `Lines`: skip for ever: test_lines_are_the_same_however_they_arrive; no limit: test_the_longest_line….
- lines.py, `encode`: leave halves of characters: test_text_that_is_no_text_comes_back_replaced.
- wire.py: read on though the outlet, or the intake, is full: test_a_client_that_does_not_read_is_not_read_either.
- session.py, `survive`: catch `Exception` only, or do not install it: test_whatever_a_handler_raises….
- stdio.py, `_drive`: run the loop once only; session.py, `serve`: begin no new session: the same.
- wire.py, `begin_anew`: forget the handshake, or what is in flight: the same, for crash_thread and GeneratorExit.
- wire.py, `_encoded`: let `encode` raise: test_progress_that_is_no_number_is_told_as_nothing.
- stdio.py, `_claim`: do not divert descriptor 1: test_only_mcp_is_on_stdout.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milestone.surfaces.lines import LIMIT, Lines, Refused, parse
from tests.surfaces.toy_host import HELLO, Toy, call, request

PARSE_ERROR, INVALID_REQUEST, INVALID_PARAMS, INTERNAL_ERROR = -32700, -32600, -32602, -32603
MIB = 1024 * 1024

KINDS = [
    "SystemExit",
    "KeyboardInterrupt",
    "GeneratorExit",
    "BaseException",
    "MemoryError",
    "RecursionError",
    "StopIteration",
    "StopAsyncIteration",
    "BrokenPipeError",
    "ValueError",
]

MALFORMED: list[tuple[bytes, int, Any]] = [
    (b"x", PARSE_ERROR, None),
    (b"{", PARSE_ERROR, None),
    (b"}", PARSE_ERROR, None),
    (b'{"jsonrpc":"2.0","id":1,"method":"ping"', PARSE_ERROR, None),
    (b'{"jsonrpc":"2.0","id":1,"method":"ping"}}', PARSE_ERROR, None),
    (b'{"jsonrpc":"2.0","id":1,"method":"ping"}{}', PARSE_ERROR, None),
    (b"{'jsonrpc':'2.0'}", PARSE_ERROR, None),
    (b'{"jsonrpc":"2.0","id":1,"method":"ping",}', PARSE_ERROR, None),
    (b'{"jsonrpc":"2.0","id":01,"method":"ping"}', PARSE_ERROR, None),
    (b'{"jsonrpc":"2.0","id":NaN,"method":"ping"}', PARSE_ERROR, None),
    (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":-Infinity}}', PARSE_ERROR, None),
    (b'{"jsonrpc":"2.0","id":' + b"9" * 5000 + b',"method":"ping"}', PARSE_ERROR, None),
    (b'\xef\xbb\xbf{"jsonrpc":"2.0","id":1,"method":"ping"}', PARSE_ERROR, None),
    (b'{"jsonrpc":"2.0","id":1,"method":"pi\xffng"}', PARSE_ERROR, None),
    (b"\xff\xfe", PARSE_ERROR, None),
    (b"\x00", PARSE_ERROR, None),
    (b'{"jsonrpc":"2.0","id":1,"method":"pi\x00ng"}', PARSE_ERROR, None),
    (b'{"jsonrpc":"2.0","id":1,"method":"\xed\xa0\x80"}', PARSE_ERROR, None),
    (b"[" * 100_000, PARSE_ERROR, None),
    (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, PARSE_ERROR, None),
    (b"Content-Length: 40", PARSE_ERROR, None),
    (b"[]", INVALID_REQUEST, None),
    (b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]', INVALID_REQUEST, None),
    (b"1", INVALID_REQUEST, None),
    (b'"ping"', INVALID_REQUEST, None),
    (b"null", INVALID_REQUEST, None),
    (b"true", INVALID_REQUEST, None),
    (b"{}", INVALID_REQUEST, None),
    (b'{"id":7}', INVALID_REQUEST, 7),
    (b'{"jsonrpc":"2.0","id":7}', INVALID_REQUEST, 7),
    (b'{"jsonrpc":"2.0","id":"seven","method":7}', INVALID_REQUEST, "seven"),
    (b'{"jsonrpc":"2.0","method":null}', INVALID_REQUEST, None),
    (b'{"jsonrpc":"1.0","id":7,"method":"ping"}', INVALID_REQUEST, 7),
    (b'{"jsonrpc":2.0,"id":7,"method":"ping"}', INVALID_REQUEST, 7),
    (b'{"id":7,"method":"ping"}', INVALID_REQUEST, 7),
    (b'{"jsonrpc":"2.0","id":null,"method":"ping"}', INVALID_REQUEST, None),
    (b'{"jsonrpc":"2.0","id":1.5,"method":"ping"}', INVALID_REQUEST, None),
    (b'{"jsonrpc":"2.0","id":true,"method":"ping"}', INVALID_REQUEST, None),
    (b'{"jsonrpc":"2.0","id":{},"method":"ping"}', INVALID_REQUEST, None),
    (b'{"jsonrpc":"2.0","id":7,"method":"ping","params":[1]}', INVALID_PARAMS, 7),
    (b'{"jsonrpc":"2.0","id":7,"method":"ping","params":"x"}', INVALID_PARAMS, 7),
    (b'{"jsonrpc":"2.0","id":7,"result":1}', INVALID_REQUEST, None),
    (b'{"jsonrpc":"2.0","id":7,"error":"x"}', INVALID_REQUEST, None),
    (b'{"jsonrpc":"1.0","id":7,"result":{}}', INVALID_REQUEST, None),
    (b'{"jsonrpc":"2.0","result":{}}', INVALID_REQUEST, None),
]


@pytest.fixture(params=["before the SDK is there", "with the SDK"])
def listening(request: pytest.FixtureRequest, toy: Callable[..., Toy]) -> Toy:
    """A toy server that has, or has not, loaded the SDK; malformed lines do not make it load it."""
    server = toy()
    return server.greet() if request.param == "with the SDK" else server


def test_a_malformed_line_is_answered_and_the_next_one_works(listening: Toy) -> None:
    for line, code, number in MALFORMED:
        listening.send(line)
        answer = listening.line()
        assert (answer["error"]["code"], answer["id"], "result" in answer) == (code, number, False), line
    assert listening.ask(request("next", "ping"))["result"] == {}


def test_empty_lines_and_answers_to_nothing_are_passed_over(listening: Toy) -> None:
    listening.send(b"", b" \t", b"\r", b'{"jsonrpc":"2.0","id":7,"result":{}}')
    listening.send(b'{"jsonrpc":"2.0","id":7,"error":{"code":1,"message":"x"}}', b'{"jsonrpc":"2.0","method":"x"}')
    listening.send(b'  {"jsonrpc": "2.0", "id": "next", "method": "ping"}\r')
    assert listening.line()["id"] == "next"


@given(
    st.binary()
    | st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists).map(
        lambda value: json.dumps(value).encode()
    )
    | st.dictionaries(
        st.sampled_from(["jsonrpc", "id", "method", "params", "result", "error"]),
        st.sampled_from(["2.0", 1, None, {}, [], "x", True, {"code": 1, "message": "m"}]),
    ).map(lambda value: json.dumps(value).encode())
)
def test_any_line_is_a_message_or_refused(line: bytes) -> None:
    try:
        message = parse(line)
    except Refused as refusal:
        message = json.loads(refusal.reply)
    assert {"method", "result", "error"} & message.keys()


@given(st.lists(st.sampled_from([b"a", b"bb", b"\n", b"\n\n", b"0123456789", b" "])), st.lists(st.integers(0, 40)))
def test_lines_are_the_same_however_they_arrive(parts: list[bytes], cuts: list[int]) -> None:
    data = b"".join(parts)
    edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    lines = Lines(limit=12)
    items = [item for begin, end in itertools.pairwise(edges) for item in lines.feed(data[begin:end])] + lines.rest()
    expected = [line if len(line) <= 12 else None for line in data.split(b"\n") if line.strip() or len(line) > 12]
    assert [item if isinstance(item, bytes) else None for item in items] == expected


@pytest.mark.parametrize(
    ("line", "number"),
    [
        (b'{"jsonrpc":"2.0","id":5,"method":"x","params":{"a":"%s"}}', 5),
        (b'{"method":"x","jsonrpc":"2.0","id":"five","params":{"a":"%s"}}', "five"),
        (b'{"method":"x","params":{"a":"%s"},"jsonrpc":"2.0","id":5}', 5),
        (b'{"method":"x","params":{"a":"%s","id":5}}', None),
        (b'{"method":"x","params":{"id":5,"a":"%s"}}', None),
        (b'{"method":"x","a":"\\"id\\":5,%s\\"id\\":5}', None),
    ],
)
def test_a_line_that_is_too_long_is_refused_by_its_id_if_that_can_be_seen(line: bytes, number: Any) -> None:
    lines = Lines(limit=1000)
    items = lines.feed(line % (b"x" * 3000) + b"\n" + b"next\n")
    assert isinstance(items[0], Refused)
    assert json.loads(items[0].reply)["id"] == number
    assert items[1:] == [b"next"]


def test_the_longest_line_is_served_and_one_byte_more_refused(running: Toy) -> None:
    line = json.dumps(call("long", "echo", text="")).encode()
    filled = line.replace(b'"text": ""', b'"text": "%s"' % (b"x" * (LIMIT - len(line))))
    assert len(filled) == LIMIT
    running.send(filled)
    assert len(running.answer("long")["result"]["structuredContent"]["text"]) == LIMIT - len(line)
    running.send(filled + b" ")
    assert running.answer("long")["error"]["code"] == INVALID_REQUEST


def test_an_endless_line_costs_no_memory(listening: Toy) -> None:
    listening.forget_peak()
    before = listening.peak()
    listening.write(b'{"jsonrpc":"2.0","method":"' + b"x" * (LIMIT + 1))
    began = time.monotonic()
    answer = listening.line()
    assert time.monotonic() - began < 1
    assert (answer["id"], answer["error"]["code"]) == (None, INVALID_REQUEST)
    for _ in range(200):
        listening.write(b"x" * MIB)
    listening.send(b"", request("next", "ping"))
    assert listening.line() == {"jsonrpc": "2.0", "id": "next", "result": {}}
    assert listening.peak() - before < 32 * MIB


@pytest.mark.parametrize(
    "text", ["\ud800", "a\udfffb", "\ude00\ud83d", "\x00", "\u202e", "😀", "\\ud800", '\\\\\ud800"']
)
def test_text_that_is_no_text_comes_back_replaced(running: Toy, text: str) -> None:
    readable = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    assert running.ask(call("text", "echo", text=text))["result"]["structuredContent"]["text"] == readable
    running.send(call("key", "echo", **{text: 1}), request(text, "ping"), request("method", text))
    assert {running.line()["id"] for _ in range(3)} == {"key", readable, "method"}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", ["crash", "crash_thread", "crash_group", "crash_task"])
def test_whatever_a_handler_raises_is_an_error_of_its_request(running: Toy, way: str, kind: str) -> None:
    waiting, fallen = call("waiting", "wait", seconds=0.2), call("fallen", way, kind=kind)
    running.send(waiting, fallen)
    answer = running.answer("fallen")
    if way == "crash_task":  # nobody waits for that task
        assert "result" in answer
    else:
        assert answer["error"] == {"code": INTERNAL_ERROR, "message": "Internal server error"}
    ended = (way, kind) == ("crash_thread", "GeneratorExit")  # the one that takes the session along
    survived = {"error"} if ended else {"result"}
    assert running.answer("waiting").keys() - {"jsonrpc", "id"} == survived
    assert any("result" in running.ask(call("again", "echo")) for _ in range(5 if ended else 1))
    assert running.ask(call("next", "who"))["result"]["structuredContent"]["client"] == HELLO


def test_endless_recursion_is_an_error_of_its_request(running: Toy) -> None:
    assert running.ask(call("deep", "overflow"))["error"]["code"] == INTERNAL_ERROR
    assert "result" in running.ask(call("next", "echo"))


@pytest.mark.parametrize(("kind", "value"), [("nan", None), ("surrogate", "\ufffd")])
def test_a_value_that_comes_near_json_is_brought_there(running: Toy, kind: str, value: Any) -> None:
    assert running.ask(call("near", "weird", kind=kind))["result"]["structuredContent"] == {"value": value}


def test_progress_that_is_no_number_is_told_as_nothing(running: Toy) -> None:
    asked = request("far", "tools/call", {"name": "unmeasured", "arguments": {}, "_meta": {"progressToken": "p"}})
    running.send(asked)
    told = {"progressToken": "p", "progress": None, "total": 3, "message": "\ufffd"}
    assert running.line() == {"jsonrpc": "2.0", "method": "notifications/progress", "params": told}
    assert "result" in running.answer("far")


def test_an_error_json_has_no_word_for_is_another_error(running: Toy) -> None:
    assert running.ask(call("far", "refuse"))["error"] == {"code": INTERNAL_ERROR, "message": "Internal server error"}


@pytest.mark.parametrize("kind", ["object", "bytes", "deep", "circle"])
def test_a_value_json_has_no_word_for_is_an_error(running: Toy, kind: str) -> None:
    assert running.ask(call("far", "weird", kind=kind))["error"]["code"] == INTERNAL_ERROR
    assert "result" in running.ask(call("next", "echo"))


def test_a_call_that_waits_delays_nobody(running: Toy) -> None:
    running.send(*(call(f"wait {number}", "wait") for number in range(50)))
    began = time.monotonic()
    assert "result" in running.ask(call("quick", "echo"))
    assert time.monotonic() - began < 0.25
    cancel = [
        {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": f"wait {n}"}} for n in range(50)
    ]
    running.send(*cancel)


def test_a_client_that_does_not_read_is_not_read_either(toy: Callable[..., Toy]) -> None:
    server = toy(reads=False).greet()
    server.forget_peak()
    before = server.peak()
    last = server.fill(call(0, "big", size=MIB, padding="x" * 100_000))
    assert last * 100_000 < 8 * MIB
    assert server.peak() - before < 32 * MIB
    server.read()
    server.finish()
    assert all(
        len(server.answer(number)["result"]["structuredContent"]["letters"]) == MIB for number in range(last + 1)
    )


def test_only_mcp_is_on_stdout(toy: Callable[..., Toy]) -> None:
    server = toy().greet()
    assert "result" in server.ask(call("chatter", "chatter"))
    server.send(call("fallen", "crash_task", kind="ValueError"), call("crash", "crash", kind="ValueError"))
    server.answer("crash")
    server.hang_up()
    assert server.end()[0] == 0
    with pytest.raises(ConnectionError):
        server.answer("nothing")
    said = server.said()
    assert {"printed", "written", "said by a child"} <= set(said)
    assert all(line.startswith("milestone: ") for line in said if line not in {"printed", "written", "said by a child"})
    assert "a secret" not in "".join(said)
