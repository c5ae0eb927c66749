"""One call of an operation, the same at every door: checked, remembered, carried out in one transaction."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from milestone.domain.errors import Conflict, Missing, Refusal
from milestone.domain.identity import Caller
from milestone.domain.text import clip, scrub
from milestone.operations.catalogue import REGISTRY, Operation
from milestone.operations.context import Answer, Aside, Context, digest
from milestone.store.engine import Transaction
from milestone.wiring import Application


@dataclass
class Call:
    """A call whose arguments have been checked. `touched` collects the milestones whose mirror is stale afterwards."""

    operation: Operation
    arguments: dict[str, Any]
    caller: Caller
    replaced: int = 0
    touched: set[str] = field(default_factory=set[str])

    @property
    def wait_seconds(self) -> int:
        """How long the call may wait for news."""
        return int(self.arguments.get("wait_seconds", 0)) if self.operation.topic else 0

    @property
    def topic(self) -> str:
        """What the call waits for."""
        return self.operation.topic(self.arguments) if self.operation.topic else ""

    def work(
        self, application: Application, step: Callable[[Context], Answer | Aside] | None = None
    ) -> Callable[[Transaction], Answer | Aside]:
        """Return the call as one unit of work: its beginning, or the `step` that follows work outside."""

        def carry_out(transaction: Transaction) -> Answer | Aside:
            context = application.context(transaction, self.caller, self.touched)
            arguments = {name: value for name, value in self.arguments.items() if name != "request_id"}
            request_id = self.arguments.get("request_id", "")
            fingerprint = (
                digest(json.dumps([self.operation.name, arguments], sort_keys=True, default=_plain))
                if request_id
                else ""
            )
            remembered = context.store.log.remembered(request_id) if request_id else None
            if remembered:
                if remembered["arguments_digest"] != fingerprint:
                    raise Conflict(
                        f"request_id {request_id!r} was used for another call of {remembered['operation']}",
                        remedy="Use a new request_id.",
                    )
                return json.loads(remembered["answer"])
            answer = step(context) if step else self.operation.function(context, **arguments)
            if isinstance(answer, Aside):
                return answer
            if self.replaced and self.operation.listed:
                answer["replaced"] = f"{self.replaced} characters that cannot be stored were replaced by U+FFFD"
            if request_id and not answer.get("waiting"):
                context.store.log.remember(request_id, self.operation.name, fingerprint, answer, context.at)
            return answer

        return carry_out

    def idle_answer(self, application: Application) -> Callable[[Transaction], Answer | None]:
        """Return the read that gives the answer where there is nothing to write; a remembered request is looked up."""

        def look(transaction: Transaction) -> Answer | None:
            if self.operation.idle is None or self.arguments.get("request_id"):
                return None
            return self.operation.idle(application.context(transaction, self.caller, set()), self.arguments)

        return look


def prepare(tool: str, arguments: Mapping[str, Any], caller: Caller) -> Call:
    """Return a call with its arguments checked.

    Raises:
        Missing: there is no such operation.
        Refusal: an argument is unknown, missing or wrong.
    """
    operation = REGISTRY.get(tool)
    if operation is None:
        listed = ", ".join(one.name for one in REGISTRY.values() if one.listed)
        raise Missing(f"There is no tool {clip(tool, 100)!r}", allowed=listed)
    clean: dict[str, Any] = {}
    replaced = 0
    for name, value in arguments.items():
        try:
            field, count = scrub({name: value})
        except RecursionError:
            raise Refusal(f"argument {clip(name, 100)!r} is nested too deeply", remedy="Flatten it.") from None
        clean |= field
        replaced += count
    return Call(operation, operation.check(clean), caller, replaced)


def no_database(call: Call) -> Answer:
    """Answer a call in a project that has no database yet.

    Raises:
        Missing: the call needs one.
    """
    if not call.operation.listed:
        return {}
    raise Missing("There is no milestone in this project yet", remedy="initialize_agent_coordination starts one.")


def _plain(value: Any) -> Any:
    return value.model_dump()
