"""What the stdio door may answer before the SDK is there: recorded answers, and the rule when one applies."""

from __future__ import annotations

import json

TYPE_CHECKING = False  # `typing` would cost 4 ms before the first answer
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from typing import Any

    from mcp.server import Server

    Message = dict[str, Any]
    Answer = dict[str, Any]

VERSION_KEY = "io.modelcontextprotocol/protocolVersion"
_INFO_KEY = "io.modelcontextprotocol/clientInfo"
_CAPABILITIES_KEY = "io.modelcontextprotocol/clientCapabilities"

_LISTS = ("tools/list", "resources/list", "resources/templates/list")
RECORDED = {"legacy": ("ping", *_LISTS), "modern": ("server/discover", *_LISTS)}
"""The methods recorded beside `initialize`; none of their answers may depend on who asks, or when."""

BY_CLIENT = ("prompts/list",)
"""Methods whose answer depends on the client's name; recorded for the host that waits for them before it begins."""

HOST = "claude-code"

LISTEN = "subscriptions/listen"
AGREED = "notifications/subscriptions/acknowledged"
STREAM_KEY = "io.modelcontextprotocol/subscriptionId"
_NEWS = {"toolsListChanged", "promptsListChanged", "resourcesListChanged"}
"""News that anybody may ask for: a stream of them is agreed to as it is asked for."""

_ANY_OTHER = "*"
_METHOD_NOT_FOUND = -32601
_INFO = {"name", "version", "title", "description", "websiteUrl"}
_CAPABILITIES: Mapping[str, Any] = {
    "roots": {"listChanged": bool},
    "sampling": {"context": {}, "tools": {}},
    "elicitation": {"form": {}, "url": {}},
    "experimental": dict,
    "extensions": dict,
}


def load(path: str | Path | None) -> Mapping[str, Any]:
    """Return the recorded answers in the file at `path`; none of them if there is no such file or it is broken."""
    if path is None:
        return {}
    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123 - pathlib may not be loaded
            table: object = json.load(file)
    except (OSError, ValueError):
        return {}
    return _object(table) or {}


class Handshake:
    """One connection as the SDK would see it, as far as it takes to know that a recorded answer applies.

    Whatever is unusual is left to the SDK: a recorded answer is given only to a request whose every part is known.
    """

    def __init__(self, table: Mapping[str, Any]) -> None:
        self._table = table
        self._era: str | None = None
        self._version: str | None = None
        self._client = ""

    def answer(self, message: Message) -> Answer | None:
        """Return `{"result": …}` or `{"error": …}` for a request, or `None` if only the SDK can tell.

        A stream is agreed to by `{"method": …, "params": …}`; some hosts ask for nothing else before they hear that.
        """
        method = message["method"]
        params: Mapping[str, Any] = message.get("params") or {}
        if not self._table:
            return None
        enveloped = method != "initialize" and VERSION_KEY in _meta(params)
        if self._era is None:
            self._era = "modern" if enveloped else "legacy"
        if enveloped != (self._era == "modern"):
            return None
        if enveloped:
            return _to(message, self._modern(method, params))
        return self._initialize(params) if method == "initialize" else self._legacy(method, params)

    def _modern(self, method: str, params: Mapping[str, Any]) -> Answer | None:
        if method == LISTEN:
            known = self._recorded("modern", params["_meta"][VERSION_KEY], LISTEN)
            return _agreed(params) if known and self._modern("server/discover", {"_meta": params["_meta"]}) else None
        meta = params["_meta"]
        known = {VERSION_KEY, _INFO_KEY, _CAPABILITIES_KEY, "progressToken"}
        usual = set(params) == {"_meta"} and meta.keys() <= known and _is_token(meta)
        if not usual or not _are_capabilities(meta.get(_CAPABILITIES_KEY)):
            return None
        if _INFO_KEY in meta and not _is_info(meta[_INFO_KEY]):
            return None
        self._client = meta.get(_INFO_KEY, {}).get("name", "")
        return self._recorded("modern", meta[VERSION_KEY], method)

    def _legacy(self, method: str, params: Mapping[str, Any]) -> Answer | None:
        meta = _object(params.get("_meta", {}))
        if (
            not params.keys() <= {"_meta"}
            or meta is None
            or not meta.keys() <= {"progressToken"}
            or not _is_token(meta)
        ):
            return None
        return self._recorded(
            "legacy", self._version or _ANY_OTHER, method
        )  # of no version yet, `ping` alone is recorded

    def _initialize(self, params: Mapping[str, Any]) -> Answer | None:
        version = params.get("protocolVersion")
        if set(params) != {"protocolVersion", "capabilities", "clientInfo"} or not _is_text(version):
            return None
        if not _are_capabilities(params["capabilities"]) or not _is_info(params["clientInfo"]):
            return None
        table = self._table.get("initialize", {})
        answer = self._numbered(table.get(version, table.get(_ANY_OTHER)))
        if answer is not None:
            self._version = answer["result"]["protocolVersion"]
            self._client = params["clientInfo"]["name"]
        return answer

    def _recorded(self, era: str, version: object, method: str) -> Answer | None:
        of_era = self._table.get(era, {})
        name = _recorded_name(method, self._client)
        return self._numbered(of_era.get(version, {}).get(name)) if isinstance(version, str) else None

    def _numbered(self, number: int | None) -> Answer | None:
        return None if number is None else self._table["answers"][number]


def reply(message: Message, answer: Answer) -> Message:
    """Return an answer to a request as it is sent; what agrees to a stream carries its id inside."""
    return {"jsonrpc": "2.0", **({} if "method" in answer else {"id": message["id"]}), **answer}


def stream(number: object) -> str:
    """Return under which name it is kept that the stream of this id was agreed to."""
    return f"stream {number!r}"


def _agreed(params: Mapping[str, Any]) -> Answer | None:
    wanted = _object(params.get("notifications"))
    plain = set(params) == {"_meta", "notifications"} and wanted is not None and wanted.keys() <= _NEWS
    if not plain or not wanted or not all(one is True for one in wanted.values()):
        return None
    return {"method": AGREED, "params": {"notifications": wanted}}


def _to(message: Message, answer: Answer | None) -> Answer | None:
    """Return an answer with the id of its request where it is a stream's."""
    if answer is None or "method" not in answer:
        return answer
    return {**answer, "params": {**answer["params"], "_meta": {STREAM_KEY: message["id"]}}}


def _recorded_name(method: str, client: str) -> str:
    return f"{method} of {client}" if method in BY_CLIENT else method


def _object(value: Any) -> dict[str, Any] | None:
    return value if isinstance(value, dict) else None  # pyright: ignore[reportUnknownVariableType] - JSON's keys are str


def _meta(params: Mapping[str, Any]) -> Mapping[str, Any]:
    return _object(params.get("_meta")) or {}


def _is_token(meta: Mapping[str, Any]) -> bool:
    token = meta.get("progressToken", 0)
    return type(token) is int or _is_text(token)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value.isprintable()


def _is_info(value: Any) -> bool:
    """Whether `value` names a client the way every version of the protocol allows."""
    info = _object(value) or {}
    return {"name", "version"} <= info.keys() <= _INFO and all(map(_is_text, info.values()))


def _are_capabilities(value: Any, shape: Any = _CAPABILITIES) -> bool:
    """Whether `value` holds nothing but switches and objects that every version of the protocol allows.

    >>> _are_capabilities({"roots": {"listChanged": True}}), _are_capabilities({"roots": True})
    (True, False)
    """
    if shape is bool:
        return isinstance(value, bool)
    inner = _object(value)
    if inner is None:
        return False
    if shape is dict:
        return all(_is_text(key) and _object(one) is not None and _is_plain(one) for key, one in inner.items())
    return all(key in shape and _are_capabilities(one, shape[key]) for key, one in inner.items())


def _is_plain(value: Any) -> bool:
    if (inner := _object(value)) is not None:
        return all(_is_text(key) and _is_plain(one) for key, one in inner.items())
    if isinstance(value, list):
        return all(map(_is_plain, value))  # pyright: ignore[reportUnknownArgumentType] - JSON, again
    return isinstance(value, bool) or _is_text(value)


def record(build: Callable[[], Server[Any]]) -> dict[str, Any]:
    """Return what the server that `build` makes answers by itself, in every version of the protocol."""
    import anyio
    from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, MODERN_PROTOCOL_VERSIONS

    server = build()
    table: dict[str, Any] = {"initialize": {}, "legacy": {}, "modern": {}, "answers": []}

    def keep(answers: Mapping[str, Answer]) -> dict[str, int]:
        known = table["answers"]
        known.extend(answer for answer in answers.values() if answer not in known)
        return {method: known.index(answer) for method, answer in answers.items()}

    for version in (*HANDSHAKE_PROTOCOL_VERSIONS, _ANY_OTHER):
        opening = _initialize_request(version)
        methods = keep(anyio.run(ask, server, [opening, *_requests("legacy", None)]))
        table["initialize"][version] = methods.pop("initialize")
        table["legacy"][version] = methods if version != _ANY_OTHER else {"ping": methods["ping"]}
    for version in MODERN_PROTOCOL_VERSIONS:
        table["modern"][version] = keep(anyio.run(ask, server, _requests("modern", version)))
    return table


def _initialize_request(version: str) -> Message:
    client = {"name": HOST, "version": "1"}
    return {"method": "initialize", "params": {"protocolVersion": version, "capabilities": {}, "clientInfo": client}}


def _requests(era: str, version: str | None) -> list[Message]:
    nothing: Message = {}
    client = {"name": HOST, "version": "1"}
    meta = {VERSION_KEY: version, _CAPABILITIES_KEY: nothing, _INFO_KEY: client}
    envelope = nothing if version is None else {"_meta": meta}
    asked = [{"method": method, "params": envelope} for method in (*RECORDED[era], *BY_CLIENT)]
    wanted = {"notifications": dict.fromkeys(sorted(_NEWS), True)}
    return asked if version is None else [*asked, {"method": LISTEN, "params": {**envelope, **wanted}}]


async def ask(server: Server[Any], requests: list[Message]) -> dict[str, Answer]:
    """Return the answers of `server` to `requests`, one connection in memory, by method; crashes are left out."""
    import anyio
    from mcp.shared.message import SessionMessage
    from mcp_types import JSONRPCError, JSONRPCNotification, JSONRPCRequest, JSONRPCResponse

    client, inbound = anyio.create_memory_object_stream[SessionMessage | Exception](1)
    outbound, answers = anyio.create_memory_object_stream[SessionMessage](1)
    found: dict[str, Answer] = {}
    async with answers, client, anyio.create_task_group() as group:
        group.start_soon(server.run, inbound, outbound, server.create_initialization_options())
        for number, request in enumerate(requests):
            await client.send(SessionMessage(JSONRPCRequest(jsonrpc="2.0", id=number, **request)))
            answer = (await answers.receive()).message
            name = _recorded_name(request["method"], HOST)
            if isinstance(answer, JSONRPCNotification):
                found[name] = {"method": answer.method}
            elif isinstance(answer, JSONRPCResponse):
                found[name] = {"result": answer.result}
            elif isinstance(answer, JSONRPCError) and answer.error.code == _METHOD_NOT_FOUND:
                found[name] = {"error": answer.error.model_dump(by_alias=True, exclude_unset=True)}
        client.close()
    return found
