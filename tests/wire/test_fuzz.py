"""Calls made up from the schemas, good and bad: every one is answered, and no answer says more than it should."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from typing import Any

from milestone.operations.catalogue import REGISTRY
from tests.helpers.projects import PROGRAM
from tests.helpers.wire import Wire

CALLS = int(os.environ.get("MILESTONE_FUZZ", "1000"))
ODD = [
    "",
    "x",
    "w",
    "k",
    "*",
    "..",
    "../x",
    "a/b",
    "a b",
    "W",
    "w\n",
    "\0",
    "\ud800",
    "\u202e",
    "ü",
    "{}",
    "null",
    "-1",
    "x" * 200,
    "x" * 30_000,
]
VALUES: list[Any] = [
    None,
    True,
    False,
    0,
    1,
    -1,
    3.5,
    2**31,
    2**63,
    2**70,
    1e300,
    [],
    {},
    [[]],
    {"a": {"b": [None]}},
    *ODD,
]
LEAKS = (
    "Traceback",
    "site-packages",
    PROGRAM[1],
    'File "',
    "pydantic",
    "sqlite3",
    "psycopg",
    "failed inside the server",
)


def made_up(chance: random.Random, shape: dict[str, Any]) -> Any:
    """Return a value for a schema: mostly one that fits, sometimes anything."""
    if chance.random() < 0.25:
        return chance.choice(VALUES)
    if "enum" in shape:
        return chance.choice(shape["enum"])
    if "anyOf" in shape:
        return made_up(chance, chance.choice(shape["anyOf"]))
    makers: dict[str, Callable[[], Any]] = {
        "string": lambda: chance.choice(["w", "k", "worker", "goal", *ODD]),
        "integer": lambda: chance.choice([0, 0, 1, 2, 100, -1, 10**6]),
        "boolean": lambda: chance.random() < 0.5,
        "array": lambda: [made_up(chance, shape.get("items", {})) for _ in range(chance.randrange(3))],
        "object": lambda: {name: made_up(chance, one) for name, one in shape.get("properties", {}).items()},
        "null": lambda: None,
    }
    return makers.get(shape.get("type", ""), lambda: chance.choice(VALUES))()


def arguments(chance: random.Random, tool: str) -> tuple[dict[str, Any], str]:
    """Return arguments for a tool, and the name of one that it does not know if there is one."""
    schema = REGISTRY[tool].schema
    required = schema.get("required", [])
    given = {
        name: made_up(chance, shape)
        for name, shape in schema["properties"].items()
        if chance.random() < (0.95 if name in required else 0.3)
    }
    if given.get("wait_seconds"):
        given["wait_seconds"] = chance.choice([0, -1, 301, "1", 0.5])
    unknown = chance.choice(["agentId", "Key", "x", "path", "ünknown"]) if chance.random() < 0.15 else ""
    return {**given, **({unknown: chance.choice(VALUES)} if unknown else {})}, unknown


def test_made_up_calls_are_all_answered_and_no_answer_tells_of_our_insides(wire: Wire) -> None:
    """Planted and found: unknown arguments that are ignored."""
    chance = random.Random(20260101)  # the same calls on every machine
    tools = [name for name, one in REGISTRY.items() if one.listed]
    refused = 0
    for _ in range(CALLS // 2):
        tool = chance.choice(tools)
        given, unknown = arguments(chance, tool)
        is_refused, text = wire.answer(wire.begin_call(tool, **given))
        refused += is_refused
        assert not [leak for leak in LEAKS if leak in text], (tool, given, text)
        assert len(text) < 30_000
        if unknown:
            assert is_refused, (tool, given)
            problems = text.split(". Allowed: ")[0]
            assert f"argument {unknown!r} is unknown" in problems or problems.count(";") >= 4, (tool, given, text)
    assert CALLS // 20 < refused < CALLS // 2
    assert wire.process.poll() is None
    session = wire.project.rows("sessions")[0]
    assert wire.call("get_session_status", session_id=session["session_id"])["mode"] == session["mode"]
