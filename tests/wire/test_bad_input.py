"""Bad input through the wire: each is refused by the name of its field, or stored as we say; the server lives on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.helpers.wire import Wire

SAVE = {"agent_id": "w", "key": "k", "value": 1}
SEND = {"from_agent": "w", "to": "*", "type": "note", "payload": 1}
REFUSED: dict[str, tuple[str, dict[str, Any], tuple[str, ...]]] = {
    "unknown tool": ("conquer", {}, ("no tool 'conquer'", "Allowed: initialize_agent_coordination")),
    "unknown tool of 1 MB": ("x" * 1_000_000, {}, ("no tool", "Allowed: ")),
    "unknown tool with a surrogate": ("x\ud800", {}, ("no tool", "Allowed: ")),
    "unknown argument": (
        "save_agent_state",
        {**SAVE, "valeu": 2},
        ("'valeu' is unknown", "arguments agent_id, key, value"),
    ),
    "unknown argument of 1 MB": ("save_agent_state", {**SAVE, "v" * 1_000_000: 2}, ("is unknown",)),
    "unknown argument with a surrogate": ("get_milestone", {"x\udfff": 1}, ("is unknown", "arguments milestone_id")),
    "missing argument": (
        "save_agent_state",
        {"agent_id": "w", "value": 1},
        ("'key' is missing", "Call save_agent_state again"),
    ),
    "empty object": ("save_agent_state", {}, ("'agent_id' is missing", "'key' is missing", "'value' is missing")),
    "number for a text": ("save_agent_state", {**SAVE, "key": 7}, ("'key'", "string")),
    "text for a number": ("save_agent_state", {**SAVE, "expected_version": "1"}, ("'expected_version'", "integer")),
    "yes for a number": ("next_actions", {"wait_seconds": True}, ("'wait_seconds'", "integer")),
    "text for a list": ("receive_agent_messages", {"agent_id": "w", "ack": "[]"}, ("'ack'", "list")),
    "text for an object": ("update_milestone", {"team": "{}"}, ("'team'", "dict")),
    "null for a text": ("get_milestone", {"milestone_id": None}, ("'milestone_id'", "string")),
    "too large a number": ("next_actions", {"wait_seconds": 301}, ("'wait_seconds'", "300")),
    "negative number": ("list_session_agents", {"offset": -1}, ("'offset'", "0")),
    "huge number": ("load_agent_state", {"key": "k", "offset": 10**30}, ("'offset'",)),
    "word that is not offered": (
        "update_agent_status",
        {"agent_id": "w", "status": "happy"},
        ("'status'", "'active'", "'failed'"),
    ),
    "id with dots": ("get_milestone", {"milestone_id": "../../etc"}, ("'milestone_id'", "is no identifier")),
    "agent id with dots": ("save_agent_state", {**SAVE, "agent_id": "a..b"}, ("'agent_id'", "is no identifier")),
    "id with a line break": ("save_agent_state", {**SAVE, "agent_id": "w\n"}, ("'agent_id'", "is no identifier")),
    "key with a slash": ("save_agent_state", {**SAVE, "key": "a/b"}, ("'key'", "is no identifier")),
    "key with NUL": ("save_agent_state", {**SAVE, "key": "a\0"}, ("'key'", "is no identifier")),
    "id with a surrogate": ("save_agent_state", {**SAVE, "agent_id": "w\ud800"}, ("'agent_id'", "is no identifier")),
    "id with a bidi mark": ("register_agent", {"agent_type": "w\u202e"}, ("'agent_type'", "is no identifier")),
    "recipient with a path": ("send_agent_message", {**SEND, "to": "../w"}, ("'to'", "is no identifier")),
    "long id": ("save_agent_state", {**SAVE, "agent_id": "w" * 129}, ("'agent_id'", "128")),
    "5 MB value": (
        "save_agent_state",
        {**SAVE, "value": "v" * 5_000_000},
        ("value has 5,000,002 bytes", "at most 1,048,576"),
    ),
    "5 MB message": (
        "send_agent_message",
        {**SEND, "payload": ["v" * 5_000_000]},
        ("payload has", "at most 1,048,576"),
    ),
    "5 MB name": ("initialize_agent_coordination", {"name": "n" * 5_000_000}, ("'name'", "400")),
    "5 MB event": (
        "log_milestone_event",
        {"event": "e", "detail": "d" * 5_000_000},
        ("detail has", "at most 1,048,576"),
    ),
    "huge page": ("list_session_agents", {"offset": 2**63}, ("'offset'",)),
    "huge version": ("save_agent_state", {**SAVE, "expected_version": 2**63}, ("'expected_version'",)),
    "milestone of an event": ("log_milestone_event", {"event": "e", "milestone_id": "../x"}, ("milestone",)),
    "nested shape": ("update_milestone", {"risks": [{"risk": 1}]}, ("'risks.0.risk'", "'risks.0.impact' is missing")),
    "progress": ("update_milestone", {"progress": 100}, ("'progress' is unknown",)),
    "nobody's message": ("send_agent_message", {**SEND, "to": "nobody"}, ("no agent type 'nobody'",)),
}
RAW: dict[str, tuple[str, tuple[str, ...]]] = {
    "NaN": ('{"agent_id":"w","key":"k","value":NaN}', ("NaN is not JSON",)),
    "infinity": ('{"agent_id":"w","key":"k","value":[1,-Infinity]}', ("Infinity is not JSON",)),
    "a number beyond all bounds": ('{"agent_id":"w","key":"k","value":1e999}', ("value", "NaN or infinity")),
    "an array": ("[1]", ()),
    "a text": ('"{}"', ()),
    "a number": ("7", ()),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_wrong_is_refused_by_name_with_its_remedy_and_nothing_changes(wire: Wire, case: str) -> None:
    """Planted and found: `extra="ignore"`, numbers without bounds, a size that is not looked at."""
    tool, arguments, words = REFUSED[case]
    before = wire.project.dump()
    told = wire.refusal(tool, **arguments)
    for word in words:
        assert word in told
    assert len(told) < 3_000
    assert "Traceback" not in told
    assert "failed inside the server" not in told
    assert wire.project.dump() == before
    assert wire.call("get_milestone")["name"] == "Goal"


@pytest.mark.parametrize("case", RAW)
def test_what_is_no_json_or_no_object_is_refused_and_nothing_changes(wire: Wire, case: str) -> None:
    arguments, words = RAW[case]
    before = wire.project.dump()
    answer = wire.end_or_refused(wire.begin_raw("save_agent_state", arguments))
    told = json.dumps(answer)
    assert "error" in answer or answer["result"]["isError"]
    for word in words:
        assert word in told
    assert wire.project.dump() == before


@pytest.mark.parametrize("depth", [50, 100, 101, 200, 480, 900, 5_000, 100_000])
def test_nesting_is_stored_or_refused_by_name_and_never_a_crash(wire: Wire, depth: int) -> None:
    """Planted and found: a scrub that goes deeper than Python can, and reads as a crash."""
    before = wire.project.dump()
    value = "[" * depth + "]" * depth
    answer = wire.end_or_refused(wire.begin_raw("save_agent_state", f'{{"agent_id":"w","key":"deep","value":{value}}}'))
    if "error" in answer or answer["result"].get("isError"):
        assert depth > 100
        assert "nested too deeply" in json.dumps(answer)
        assert wire.project.dump() == before
    else:
        assert json.dumps(wire.call("load_agent_state", key="deep")["value"]) == value


@pytest.mark.parametrize(
    "text", ["{}", '{"a": 1}', "[1, 2]", "null", "true", "7", '"quoted"', "  {} ", '{"a": NaN}', "\\u0041"]
)
def test_a_text_that_looks_like_json_comes_back_the_same_text(wire: Wire, text: str) -> None:
    """Planted and found: a save that parses what looks like JSON, as the SDK's own tools do."""
    wire.call("save_agent_state", agent_id="w", key="text", value=text)
    assert wire.call("load_agent_state", key="text")["value"] == text
    wire.call("send_agent_message", from_agent="w", to="*", type="note", payload=[text])
    message = wire.project.rows("agent_messages")
    assert json.dumps([text], separators=(",", ":"), ensure_ascii=False) in [row["payload"] for row in message]


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("a\0b", "a\ufffdb"),
        ("\ud800", "\ufffd"),
        ("\udc00\ud800", "\ufffd\ufffd"),
        ({"k\0": ["\udfff"]}, {"k\ufffd": ["\ufffd"]}),
    ],
    ids=["NUL", "half a pair", "a pair the wrong way round", "inside"],
)
def test_what_no_database_can_hold_is_replaced_and_the_answer_says_so(wire: Wire, given: Any, stored: Any) -> None:
    answer = wire.call("save_agent_state", agent_id="w", key="odd", value=given)
    assert "cannot be stored were replaced by U+FFFD" in answer["replaced"]
    assert wire.call("load_agent_state", key="odd")["value"] == stored


@pytest.mark.parametrize(
    "text",
    [
        "\U0001f9d1\u200d\U0001f680",
        "\u202egnp.exe",
        "\u200b",
        "\u00e9",
        "e\u0301",
        "\ufeff",
        "\x1b[31m",
        "\x7f\x85",
        "\U0010ffff",
        "\ufffe",
    ],
)
def test_every_other_character_comes_back_as_it_was(wire: Wire, text: str) -> None:
    answer = wire.call("save_agent_state", agent_id="w", key="fine", value=text)
    assert "replaced" not in answer
    assert wire.call("load_agent_state", key="fine")["value"] == text


def test_a_line_over_eight_mebibytes_is_refused_unread(wire: Wire) -> None:
    before = wire.project.dump()
    number = wire.begin_raw("save_agent_state", json.dumps({**SAVE, "value": "v" * (9 << 20)}))
    told = wire.end(number)
    assert "longer than 8388608 bytes" in told["error"]["message"]
    assert wire.project.dump() == before
    assert wire.call("get_milestone")["name"] == "Goal"


def test_answers_stay_small_whatever_is_stored(wire: Wire) -> None:
    """An answer costs at most 1,500 tokens and pages beyond."""
    wire.call("save_agent_state", agent_id="w", key="big", value=["v" * 900_000])
    for _ in range(30):
        wire.call("send_agent_message", from_agent="w", to="*", type="note", payload="p" * 4_000)
    wire.call("register_agent", agent_type="reader", agent_id="r")
    wire.call("send_agent_message", from_agent="w", to="r", type="note", payload="p" * 900_000)
    for tool, arguments in {
        "load_agent_state": {"key": "big"},
        "receive_agent_messages": {"agent_id": "r"},
        "list_session_agents": {},
        "get_session_status": {},
        "get_milestone": {},
    }.items():
        _, text = wire.answer(wire.begin_call(tool, **arguments))
        assert len(text.encode()) <= 4 * 1_500, tool
