"""The MCP server: the operations as tools, and who calls them."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from milestone import __version__
from milestone.domain.errors import Refusal
from milestone.domain.fences import as_data
from milestone.domain.identity import Caller
from milestone.domain.text import clip
from milestone.prompts.portable import NAMESPACE
from milestone.surfaces import apps
from milestone.surfaces.asking import ASKS, Asking
from milestone.surfaces.transcripts import Meter, first_prompt, of_agent

if TYPE_CHECKING:
    from mcp.server import Server
    from mcp.server.context import ServerRequestContext
    from mcp_types import (
        CallToolRequestParams,
        CallToolResult,
        InputRequiredResult,
        ListToolsResult,
        PaginatedRequestParams,
    )

    from milestone.surfaces.door import Door
    from milestone.wiring import Application

TOOL_USE = "claudecode/toolUseId"
HOST_EVENT = "host_event"
INSTRUCTIONS = files("milestone.prompts").joinpath("instructions.md").read_text("utf-8")
_LOG = logging.getLogger("milestone")
_REMEMBERED = 10_000
_WHOLE = ("prompt", "transcript_path")


class Callers:
    """Joins what the host's hooks say of a tool use with the call that carries its id."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, Caller] = OrderedDict()

    def note(self, event: Mapping[str, Any]) -> None:
        """Remember who makes a tool use."""
        use = str(event.get("tool_use_id", ""))
        if use:
            self._known[use] = Caller(
                str(event.get("session_id", "")), str(event.get("agent_id", "")), str(event.get("agent_type", ""))
            )
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)

    def of(self, meta: Mapping[str, Any]) -> Caller:
        """Return who makes a call; nobody where the host has not said so."""
        return self._known.get(str(meta.get(TOOL_USE, "")), Caller())


class Tools:
    """The tools, carried out through a door."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._callers = Callers()
        self._meter = Meter()
        self._asking = Asking(door)

    async def listed(
        self, _context: ServerRequestContext[Any], _params: PaginatedRequestParams | None
    ) -> ListToolsResult:
        """Return every tool an agent may call."""
        from mcp_types import ListToolsResult, Tool

        from milestone.operations.catalogue import REGISTRY

        tools = [
            Tool(
                name=one.name,
                description=one.description,
                input_schema=one.schema,
                _meta=apps.TOOL_META if one.name == apps.TOOL else None,
            )
            for one in REGISTRY.values()
            if one.listed
        ]
        return ListToolsResult(tools=tools)

    async def called(
        self, context: ServerRequestContext[Any], params: CallToolRequestParams
    ) -> CallToolResult | InputRequiredResult:
        """Return an operation's answer as one text of compact JSON, or its refusal as a tool error."""
        raw = context.params or {}
        arguments: Mapping[str, Any] = raw.get("arguments") or {}
        try:
            meta: Mapping[str, Any] = raw.get("_meta") or {}
            if params.name == HOST_EVENT and TOOL_USE not in meta:  # a hook's call carries no tool use, a model's does
                return _result(await self._event(arguments))
            caller, name = self._callers.of(meta), _callable(params.name)
            answer = await self._door.call(name, arguments, caller, _teller(context))
            if name == ASKS:
                anew = {field: value for field, value in arguments.items() if field != "request_id"}
                settled = await self._asking.about(
                    answer, context, params, lambda: self._door.call(name, anew, caller, _teller(context))
                )
                if not isinstance(settled, dict):
                    return settled
                answer = settled
        except Refusal as refusal:
            return _result(str(refusal), error=True)
        except Exception:  # noqa: BLE001 - a crash says nothing to the agent and is logged
            _LOG.exception("%s crashed", params.name)
            return _result(
                f"{params.name} failed inside the server and changed nothing that was not acknowledged. Call it "
                "again once.",
                error=True,
            )
        return _result(answer)

    async def _event(self, event: Mapping[str, Any]) -> Mapping[str, Any]:
        """Take in a host's event. It never fails: the host must not wait for us, nor show an error of ours."""
        if not self._door.application.settings.hooks:
            return {}
        from milestone.operations.host import ALLOWED, EDITING, HOST_PREFIX

        self._callers.note(event if event.get("event") == "PreToolUse" else {})
        if event.get("event") == "PermissionRequest" and event.get("tool_name") not in EDITING:
            if _is_foreign(event):
                return {}
            if str(event.get("agent_type", "")).startswith(HOST_PREFIX):
                return ALLOWED  # in the background nobody would see the question
        try:
            return await self._door.call(HOST_EVENT, _within_limits(event, self._meter), Caller())
        except Refusal as refusal:
            _LOG.warning("%s was not taken in: %s", event.get("event"), refusal)
        except Exception:  # noqa: BLE001 - the host goes on, whatever happens here
            _LOG.exception("%s was not taken in", event.get("event"))
        return {}


def _callable(name: str) -> str:
    """Return a tool's name, made unknown where only hooks or people call it."""
    from milestone.operations.catalogue import REGISTRY

    found = REGISTRY.get(name)
    if name == HOST_EVENT:
        return f"{HOST_EVENT}, which only hooks call"
    return f"{name}, which only people call" if found and found.people else name


def _teller(context: ServerRequestContext[Any]) -> Callable[[str], None]:
    """Return what tells the host how far long work is; it may be called from any thread."""
    loop = asyncio.get_running_loop()
    told = itertools.count(1)
    running: set[asyncio.Task[None]] = set()

    def start(message: str) -> None:
        task = loop.create_task(context.session.report_progress(float(next(told)), message=message))
        running.add(task)
        task.add_done_callback(lambda ended: (running.discard(ended), ended.cancelled() or ended.exception()))

    return lambda message: _later(loop, start, message)


def _later(loop: asyncio.AbstractEventLoop, start: Callable[[str], None], message: str) -> None:
    with contextlib.suppress(RuntimeError):  # the loop has ended, and with it whoever wanted to know
        loop.call_soon_threadsafe(start, message)


def _within_limits(event: Mapping[str, Any], meter: Meter) -> dict[str, Any]:
    """Return the event's fields, cut to a length we keep, with what the transcript says the agent has used; a stop
    brings the brief along.
    """
    fields: dict[str, Any] = {
        name: value if name in _WHOLE else clip(value, 390) for name, value in event.items() if isinstance(value, str)
    }
    fields.pop("tool_use_id", None)
    transcript, stop = fields.pop("transcript_path", ""), event.get("event") == "SubagentStop"
    if stop and not fields.get("prompt"):
        fields["prompt"] = first_prompt(transcript)
    agent = fields.get("agent_id", "")
    if transcript and agent:
        fields["turns"], fields["tokens"] = meter.used(transcript if stop else of_agent(transcript, agent))
    return fields


def _is_foreign(event: Mapping[str, Any]) -> bool:
    """Return whether a permission question is about a tool that is not ours; those are the person's alone."""
    return not str(event.get("tool_name", "")).startswith(NAMESPACE)


def _result(value: Any, *, error: bool = False) -> CallToolResult:
    from mcp_types import CallToolResult, TextContent

    text = value if isinstance(value, str) else as_data(value)
    return CallToolResult(content=[TextContent(type="text", text=text)], is_error=error)


def build(door: Door) -> Server[Any]:
    """Return the SDK's server with our tools, resources and prompts."""
    from mcp.server import Server

    from milestone.surfaces.completing import Completions
    from milestone.surfaces.prompting import Prompts
    from milestone.surfaces.resources import Resources
    from milestone.surfaces.subscriptions import Subscriptions

    tools, resources, prompts = Tools(door), Resources(door), Prompts(door)
    following = Subscriptions(door)
    server = Server(
        "milestone",
        version=__version__,
        title="Milestone",
        instructions=INSTRUCTIONS,
        on_list_tools=tools.listed,
        on_call_tool=tools.called,
        on_list_resources=resources.listed,
        on_list_resource_templates=resources.templates,
        on_read_resource=resources.read,
        on_subscribe_resource=following.subscribe,
        on_unsubscribe_resource=following.unsubscribe,
        on_subscriptions_listen=following.listen,
        on_list_prompts=prompts.listed,
        on_get_prompt=prompts.rendered,
        on_completion=Completions(door).complete,
        lifespan=following.session,
    )
    server.extensions[apps.EXTENSION] = {}
    server.middleware.clear()  # telemetry spans that nobody collects
    return server


def record(application: Application) -> str:
    """Return what the door answers before the SDK is loaded: the SDK's own answers, as JSON text."""
    from milestone.surfaces import handshake
    from milestone.surfaces.door import Door

    return json.dumps(handshake.record(lambda: build(Door(application))), indent=1) + "\n"
