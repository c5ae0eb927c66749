"""Asks the person at the host about phases and tasks, where the host can ask; without an answer nothing is decided."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

import anyio

from milestone.domain.errors import Refusal
from milestone.domain.identity import Caller

if TYPE_CHECKING:
    from mcp.server.context import ServerRequestContext
    from mcp_types import CallToolRequestParams, ElicitResult, InputRequiredResult

    from milestone.operations.context import Answer
    from milestone.surfaces.door import Door

ASKS = "next_actions"
PATIENCE = 50.0  # seconds: some hosts give up a call after a minute
LOOK_EVERY = 1.0  # seconds between two looks at whether somebody has answered elsewhere
PERSON = "the person at the host"
NO_REASON = "no reason was given"
_QUESTION = "person"
_MODERN = "2026-07-28"


class Asking:
    """Puts the question of an `ask_human` action to the person, in the way of the host's protocol era.

    A host of the modern era is handed the question as the result and calls again with the answer; an older one is asked
    while the call waits. Whoever declines, dismisses or does not answer a question is not asked it again.
    """

    def __init__(self, door: Door, patience: float = PATIENCE) -> None:
        self._door, self._patience = door, patience
        self._closed: set[str] = set()

    async def about(
        self,
        answer: Answer,
        context: ServerRequestContext[Any],
        params: CallToolRequestParams,
        again: Callable[[], Awaitable[Answer]],
    ) -> Answer | InputRequiredResult:
        """Return the answer to a call that may end with a question; `again` makes the call anew once it is settled."""
        found = await self._question(answer) if _can_ask(context) else {}
        if not found:
            return answer
        name = _name(answer["milestone_id"], found)
        if name in self._closed:
            return answer
        if context.protocol_version >= _MODERN:
            if params.input_responses is None or params.request_state != name:
                return _handed_over(found, name)
            given: Any = params.input_responses.get(_QUESTION)
        else:
            given = await self._asked(context, answer, found)
        decision = _decision(given, found)
        if decision:
            operation, arguments = _to_carry_out(decision, given, found)
            with contextlib.suppress(Refusal):  # it has been settled elsewhere meanwhile
                await self._door.call(operation, {**arguments, "milestone_id": answer["milestone_id"]}, Caller())
        elif await self._question(answer):
            self._closed.add(name)
            return answer
        return await again()

    async def _question(self, answer: Answer) -> Answer:
        """Return what to ask; nothing where there is something else to do or to read, or nothing to choose from."""
        actions: list[Mapping[str, Any]] = [] if "messages" in answer else answer.get("actions") or []
        if len(actions) != 1 or actions[0]["kind"] != "ask_human":
            return {}
        about = {field: actions[0][field] for field in ("tasks", "phase") if actions[0].get(field)}
        if not about:
            return {}
        try:
            return await self._door.call("question", {**about, "milestone_id": answer["milestone_id"]}, Caller())
        except Refusal:
            return {}

    async def _asked(self, context: ServerRequestContext[Any], answer: Answer, found: Answer) -> ElicitResult | None:
        """Return what the person answered here; nothing where nobody did, or somebody answered elsewhere first."""
        from mcp.shared.exceptions import MCPError

        given: list[ElicitResult] = []
        async with anyio.create_task_group() as group:

            async def watch() -> None:
                with anyio.move_on_after(self._patience):
                    while await self._question(answer):  # noqa: ASYNC110 - it changes in another process
                        await anyio.sleep(LOOK_EVERY)
                group.cancel_scope.cancel()

            group.start_soon(watch)
            with contextlib.suppress(MCPError):
                given.append(await context.session.elicit_form(found["message"], _form(found), context.request_id))
            group.cancel_scope.cancel()
        return given[0] if given else None


def _can_ask(context: ServerRequestContext[Any]) -> bool:
    """Return whether the host said that it can show a form; before there were modes, none meant forms."""
    known = context.session.client_capabilities
    asks = known.elicitation if known else None
    return asks is not None and (asks.form is not None or asks.url is None)


def _name(milestone_id: str, found: Answer) -> str:
    """Return what tells a question from others: the tasks, and how often they were tried."""
    known = json.dumps([milestone_id, found["tasks"], found["attempts"], found.get("phase", "")])
    return hashlib.sha256(known.encode()).hexdigest()[:32]


def _form(found: Answer) -> dict[str, Any]:
    choices: Mapping[str, str] = found["choices"]
    decision = {
        "type": "string",
        "title": "What should be done?",
        "description": "; ".join(f"{key}: {text}" for key, text in choices.items()),
        "enum": list(choices),
    }
    fields: dict[str, Any] = {"decision": decision}
    if found.get("phase"):
        fields["reason"] = {"type": "string", "title": "Why?", "description": "What has to change, if you reject it"}
    return {"type": "object", "properties": fields, "required": ["decision"]}


def _handed_over(found: Answer, name: str) -> InputRequiredResult:
    from mcp_types import ElicitRequest, ElicitRequestFormParams, InputRequiredResult

    asked = ElicitRequestFormParams(message=found["message"], requested_schema=_form(found))
    return InputRequiredResult(input_requests={_QUESTION: ElicitRequest(params=asked)}, request_state=name)


def _decision(given: ElicitResult | None, found: Answer) -> str:
    """Return what a person chose; empty where nothing was chosen that was offered."""
    action = getattr(given, "action", "")
    content: Mapping[str, Any] = getattr(given, "content", None) or {}
    chosen = content.get("decision")
    return str(chosen) if action == "accept" and chosen in found["choices"] else ""


def _to_carry_out(decision: str, given: ElicitResult | None, found: Answer) -> tuple[str, dict[str, Any]]:
    """Return the operation that carries out what was chosen, and its arguments."""
    if not found.get("phase"):
        return "answer", {"tasks": found["tasks"], "decision": decision, "by": PERSON}
    content: Mapping[str, Any] = getattr(given, "content", None) or {}
    said = str(content.get("reason") or "").strip()
    return decision, {"phase": found["phase"], "by": PERSON, "reason": said or NO_REASON}
