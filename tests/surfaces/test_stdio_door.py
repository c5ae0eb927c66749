"""Through the stdio door every client gets what the SDK's own transport gives it, in both eras.

Each of these edits was made once, and the test named beside it failed:
- stdio.py, `_admit`: do not queue for the SDK what was answered: test_the_same[ours-legacy-who].
- stdio.py, `_replay`: queue it under its own id: test_recorded_answers_are_given_before_the_sdk_is_there.
- handshake.py, `answer`: never answer: the same; ignore eras: test_no_answer_is_recorded_that_the_sdk_would_not_give.
- handshake.py, `_are_capabilities`: accept any object; `_legacy`: accept any `_meta`: the same.
- handshake.py, `record`: keep lists for a client without a handshake: the same.
- wire.py, `send`: drop notifications; session.py, `survive`: one call at a time: test_the_same, every scenario.
"""

from __future__ import annotations

import copy
import functools
import json
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, StdioServerParameters
from mcp.shared.exceptions import MCPError
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, MODERN_PROTOCOL_VERSIONS

from milestone.surfaces import handshake
from milestone.surfaces.handshake import Handshake
from tests.surfaces import toy_server
from tests.surfaces.toy_host import ENVELOPE, ENVIRONMENT, HELLO, PATIENCE, TOY, Toy, request

MODES = {"legacy": "legacy", "modern": "auto"}
VERSIONS = [*HANDSHAKE_PROTOCOL_VERSIONS, *MODERN_PROTOCOL_VERSIONS, "1999-12-31"]


def plain(model: Any) -> Any:
    """Return a model of the SDK as JSON has it."""
    return model.model_dump(mode="json", by_alias=True, exclude_none=True)


async def failing(call: Awaitable[Any]) -> Any:
    """Return the error a call ends with."""
    with pytest.raises(MCPError) as caught:
        await call
    return plain(caught.value.error)


async def handshakes(client: Client) -> Any:
    return [plain(client.server_info), plain(client.server_capabilities), client.instructions, client.protocol_version]


async def lists(client: Client) -> Any:
    errors = [await failing(client.list_prompts()), await failing(client.list_resources())]
    return [plain(await client.list_tools()), plain(await client.list_tools(cursor="second")), *errors]


async def calls(client: Client) -> Any:
    words = {"text": "Grüße 😀 \u2028 \x00", "number": 10**30, "fraction": 0.1, "nothing": None, "list": [[], {}]}
    unknown = await client.call_tool("no such tool", {})
    return [
        plain(await client.call_tool("echo", words)),
        plain(unknown),
        await failing(client.read_resource("toy://x")),
    ]


async def who(client: Client) -> Any:
    return plain(await client.call_tool("who", {}))


async def progress(client: Client) -> Any:
    steps: list[Any] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        steps.append((progress, total, message))

    result = await client.call_tool("progress", {}, progress_callback=note)
    return [plain(result), steps]


async def waiting(client: Client) -> Any:
    """One call waits, others are answered meanwhile, and the waiting one is cancelled."""
    begun = anyio.Event()

    async def note(progress: float, total: float | None, message: str | None) -> None:
        assert (progress, total, message) == (1, 1, "begun")
        begun.set()

    async def wait() -> None:
        await client.call_tool("wait", {}, progress_callback=note)

    async with anyio.create_task_group() as group:
        group.start_soon(wait)
        await begun.wait()
        meanwhile = [plain(await client.call_tool("echo", {"n": n})) for n in range(3)]
        group.cancel_scope.cancel()
    return [meanwhile, plain(await client.call_tool("cancelled", {}))]


async def changes(client: Client) -> Any:
    """A change is announced to who listens; only the modern era can."""
    if client.protocol_version not in MODERN_PROTOCOL_VERSIONS:
        return "not in this era"
    async with client.listen(tools_list_changed=True) as subscription:
        await client.call_tool("change", {})
        async for event in subscription:
            return repr(event)
    return "nothing"


SCENARIOS = {one.__name__: one for one in (handshakes, lists, calls, who, progress, waiting, changes)}


async def play(arguments: list[str], era: str) -> dict[str, Any]:
    """Return what each scenario saw, one after the other on one connection."""
    command = StdioServerParameters(command=sys.executable, args=[str(TOY), *arguments], env=ENVIRONMENT)
    with anyio.fail_after(PATIENCE):
        async with Client(command, mode=MODES[era]) as client:
            return {name: await scenario(client) for name, scenario in SCENARIOS.items()}


@pytest.fixture(scope="module")
def seen(arguments: Callable[[str], list[str]]) -> Callable[[str, str], dict[str, Any]]:
    """What the SDK's client sees of the toy server behind a door, in an era."""
    return functools.cache(lambda door, era: anyio.run(play, arguments(door), era))


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("era", MODES)
@pytest.mark.parametrize("door", ["ours", "plain"])
def test_the_same(seen: Callable[[str, str], dict[str, Any]], door: str, era: str, scenario: str) -> None:
    assert seen(door, era)[scenario] == seen("sdk", era)[scenario]


def openings(version: str) -> list[dict[str, Any]]:
    """Return every way to ask for what is recorded, for one version of the protocol."""
    if version in MODERN_PROTOCOL_VERSIONS:
        methods = [*handshake.RECORDED["modern"], "ping", "initialize"]
        return [request(method, method, modern=True) for method in methods]
    first = request("initialize", "initialize", {**HELLO, "protocolVersion": version})
    return [request("early", "ping"), first, *(request(method, method) for method in handshake.RECORDED["legacy"])]


@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_recorded_is_what_the_sdk_answers(toy: Callable[..., Toy], version: str) -> None:
    requests = openings(version)
    ours, sdk = toy("ours"), toy("sdk")
    for one in (ours, sdk):
        one.send(*requests)
    for asked in requests:
        assert ours.answer(asked["id"]) == sdk.answer(asked["id"])
    ours.hang_up()
    ours.end()
    assert ours.said() == []  # it compares what it has answered with what the SDK would have


def test_an_initialize_for_the_modern_version_is_answered_as_by_the_sdk(toy: Callable[..., Toy]) -> None:
    hello = request(1, "initialize", {**HELLO, "protocolVersion": MODERN_PROTOCOL_VERSIONS[-1]})
    assert toy("ours").ask(hello) == toy("sdk").ask(hello)


def test_recorded_answers_are_given_before_the_sdk_is_there(toy: Callable[..., Toy]) -> None:
    server = toy("ours")
    server.send(request(1, "initialize", HELLO), request(2, "tools/call", {"name": "echo"}), request(3, "tools/list"))
    assert [server.line()["id"] for _ in range(3)] == [1, 3, 2]
    assert server.ask(request(4, "ping"))["id"] == 4
    server.hang_up()
    with pytest.raises(ConnectionError):  # what was answered from the record is not answered again
        server.line()


ODD = [None, True, 0, 1.5, "", "\x00", "\ud800", [], ["x"], {}, {"x": 1}, {"listChanged": "yes"}, "2025-11-25"]


def variations(value: Any) -> Iterator[Any]:
    """Yield `value` with each part of it replaced by something odd, left out, or joined by something odd."""
    yield from ODD
    if isinstance(value, dict):
        for key, inner in value.items():
            yield {name: one for name, one in value.items() if name != key}
            yield from ({**value, key: one} for one in variations(inner))
        yield from ({**value, "odd": one} for one in ODD)


def is_object(params: Any) -> bool:
    """Whether a request may have such parameters: the door refuses the others."""
    return params is None or isinstance(params, dict)


def asked_oddly() -> Iterator[list[dict[str, Any]]]:
    """Yield connections: requests that are answered from the record, the last of them varied."""
    capabilities = {
        "roots": {"listChanged": True},
        "sampling": {"tools": {}},
        "elicitation": {"form": {}},
        "experimental": {"x": {"y": [True, "z"]}},
        "extensions": {"x/y": {"z": {}}},
    }
    info = {"name": "n", "version": "1", "title": "t", "websiteUrl": "https://example.invalid"}
    hello = {"protocolVersion": "2025-06-18", "capabilities": capabilities, "clientInfo": info}
    meta = {**ENVELOPE, "io.modelcontextprotocol/clientCapabilities": capabilities, "progressToken": 1}
    for params in filter(is_object, variations(hello)):
        yield [{"method": "initialize", "params": params}]
    for params in filter(is_object, variations({"_meta": {"progressToken": 1}})):
        yield [{"method": "initialize", "params": HELLO}, {"method": "tools/list", "params": params}]
        yield [{"method": "tools/list", "params": params}]
        yield [{"method": "ping", "params": params}]
    modern, hello_again = {"_meta": ENVELOPE}, {"method": "initialize", "params": HELLO}
    yield [hello_again, {"method": "tools/list", "params": modern}]
    yield [{"method": "ping", "params": None}, {"method": "tools/list", "params": modern}]
    for method in ("ping", "tools/list", "initialize"):
        yield [
            {"method": "server/discover", "params": modern},
            {"method": method, "params": HELLO if method == "initialize" else None},
        ]
    for params in filter(is_object, variations({"_meta": meta})):
        yield [{"method": "server/discover", "params": params}]


def test_no_answer_is_recorded_that_the_sdk_would_not_give(constants: Path) -> None:
    table = json.loads(constants.read_text(encoding="utf-8"))
    server = toy_server.build()
    given = 0
    for asked in asked_oddly():
        fresh = Handshake(table)
        answers = [fresh.answer(copy.deepcopy(one)) for one in asked]
        if answers[-1] is not None:
            given += 1
            assert anyio.run(handshake.ask, server, asked).get(asked[-1]["method"]) == answers[-1], asked
    assert given > 20


def listen(number: Any, **wanted: Any) -> dict[str, Any]:
    """Return a request for a stream of news."""
    return request(number, "subscriptions/listen", {"notifications": wanted}, modern=True)


def test_a_stream_is_agreed_to_before_the_sdk_is_there_and_once(toy: Callable[..., Toy]) -> None:
    """A host may ask for nothing else before. Planted and found: an agreement that the SDK gives a second time."""
    server = toy("ours")
    wanted = {"toolsListChanged": True, "promptsListChanged": True}
    server.send(listen("news", **wanted), request(2, "tools/call", {"name": "echo"}, modern=True))
    first, second = server.line(), server.line()
    agreed = {"notifications": wanted, "_meta": {"io.modelcontextprotocol/subscriptionId": "news"}}
    assert (first["method"], first["params"]) == ("notifications/subscriptions/acknowledged", agreed)
    assert second["id"] == 2
    server.send(request(3, "tools/call", {"name": "change"}, modern=True))
    assert {one.get("method", one.get("id")) for one in (server.line(), server.line())} == {
        "notifications/tools/list_changed",
        3,
    }


@pytest.mark.parametrize("odd", [{}, {"toolsListChanged": False}, {"resourceSubscriptions": ["toy://x"]}, {"x": True}])
def test_any_other_stream_is_left_to_the_sdk(constants: Path, odd: dict[str, Any]) -> None:
    fresh = Handshake(json.loads(constants.read_text(encoding="utf-8")))
    assert fresh.answer(listen(1, toolsListChanged=True)) is not None
    assert fresh.answer(listen(2, **odd)) is None


def test_claude_code_is_answered_from_the_record(constants: Path) -> None:
    fresh = Handshake(json.loads(constants.read_text(encoding="utf-8")))
    for method in ("server/discover", "tools/list", "prompts/list"):
        assert fresh.answer({"method": method, "params": {"_meta": CLAUDE}}) is not None


CLAUDE = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {
        "name": "claude-code",
        "title": "Claude Code",
        "version": "2.1.330",
        "description": "Anthropic's agentic coding tool",
        "websiteUrl": "https://claude.com/claude-code",
    },
    "io.modelcontextprotocol/clientCapabilities": {
        "roots": {"listChanged": True},
        "elicitation": {"form": {}, "url": {}},
    },
}
"""What Claude Code 2.1.330 sends with every request."""
