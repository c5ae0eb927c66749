"""What the host asks the model, as values: a conversation, its tool results, and the blocks of an answer."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

Block = Mapping[str, Any]
"""One block of a message, as the Messages API spells it."""


def text(words: str) -> Block:
    """Return a block in which the model says something."""
    return {"type": "text", "text": words}


def tool(name: str, /, **arguments: Any) -> Block:
    """Return a block in which the model calls a tool."""
    return {"type": "tool_use", "id": f"toolu_{uuid.uuid4().hex[:20]}", "name": name, "input": arguments}


@dataclass(frozen=True)
class Result:
    """What a tool answered, as the model is told."""

    tool: str
    arguments: Mapping[str, Any]
    text: str
    failed: bool

    @cached_property
    def json(self) -> Any:
        """The answer read as JSON; `None` where it is something else."""
        try:
            return json.loads(self.text)
        except ValueError:
            return None


@dataclass(frozen=True)
class Request:
    """One question of the host to the model: a whole conversation, waiting for its next message."""

    number: int
    at: float
    body: Mapping[str, Any]
    actor: str

    @cached_property
    def messages(self) -> Sequence[Mapping[str, Any]]:
        """The conversation so far, each message with its content as a list of blocks."""
        return [{"role": m["role"], "content": _blocks(m["content"])} for m in self.body.get("messages", [])]

    @cached_property
    def system(self) -> str:
        """The system prompt as one text."""
        return _words(_blocks(self.body.get("system", "")))

    @cached_property
    def first(self) -> str:
        """What the conversation began with, everything before the model's first message."""
        return "\n".join(_words(m["content"]) for m in self._until_first_answer())

    def _until_first_answer(self) -> Sequence[Mapping[str, Any]]:
        answers = [n for n, m in enumerate(self.messages) if m["role"] == "assistant"]
        return self.messages[: answers[0]] if answers else self.messages

    @cached_property
    def turn(self) -> int:
        """How many messages of the model the conversation holds."""
        return sum(m["role"] == "assistant" for m in self.messages)

    @cached_property
    def new(self) -> str:
        """All text that came after the model's last message, tool results included."""
        return "\n".join(_words(m["content"]) for m in self.messages[self._last + 1 :])

    @cached_property
    def _last(self) -> int:
        return max((n for n, m in enumerate(self.messages) if m["role"] == "assistant"), default=-1)

    @cached_property
    def tools(self) -> frozenset[str]:
        """Names of the tools that are offered with their schemas."""
        offered: Sequence[Mapping[str, Any]] = self.body.get("tools") or []
        return frozenset(t["name"] for t in offered)

    @cached_property
    def results(self) -> Sequence[Result]:
        """Every answered tool call of the conversation, in order."""
        return _results(self.messages)

    @cached_property
    def fresh(self) -> Sequence[Result]:
        """The answers to the calls of the model's last message."""
        return _results(self.messages[self._last :])

    def of(self, name: str) -> Sequence[Result]:
        """Return the answers of one tool; `name` may leave out the server's prefix."""
        return [r for r in self.results if r.tool.split("__")[-1] == name]

    def heard(self) -> str:
        """Return everything the model has been told in this conversation, by anyone but itself."""
        return "\n".join(_words(m["content"]) for m in self.messages if m["role"] != "assistant")


def _results(messages: Sequence[Mapping[str, Any]]) -> list[Result]:
    calls = {b["id"]: b for m in messages for b in m["content"] if b["type"] == "tool_use"}
    answers = [b for m in messages for b in m["content"] if b["type"] == "tool_result"]
    return [_result(calls[b["tool_use_id"]], b) for b in answers if b["tool_use_id"] in calls]


def _result(call: Block, answer: Block) -> Result:
    return Result(call["name"], call["input"], _words(_blocks(answer.get("content", ""))), bool(answer.get("is_error")))


def _blocks(content: Any) -> list[Block]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content or [])


def _words(blocks: Sequence[Block]) -> str:
    found: list[str] = []
    for block in blocks:
        if block["type"] == "text":
            found.append(block["text"])
        elif block["type"] == "tool_result":
            found.append(_words(_blocks(block.get("content", ""))))
    return "\n".join(found)
