"""The list of operations, and how their arguments are checked before they run."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model
from pydantic_core import ErrorDetails

from milestone.domain.errors import Refusal
from milestone.domain.text import clip
from milestone.operations.context import Answer, Aside, Context

T = TypeVar("T", bound=Answer | Aside)
_SHOWN = 200
_IDENTIFIER = "letters, digits, '-', '_' and single dots, beginning with a letter or digit"
_NOISE = (
    "title",
    "pattern",
    "maxLength",
    "minLength",
    "default",
    "maximum",
    "minimum",
    "minItems",
    "maxItems",
    "additionalProperties",
)


@dataclass(frozen=True)
class Operation:
    """A use case as every surface sees it."""

    function: Callable[..., Answer | Aside]
    writes: bool
    listed: bool
    creates: bool
    topic: Callable[[Mapping[str, Any]], str] | None
    idle: Callable[[Context, Mapping[str, Any]], Answer | None] | None
    people: bool

    @property
    def name(self) -> str:
        """The name of the tool and of the command."""
        return self.function.__name__

    @property
    def description(self) -> str:
        """What a model reads of it."""
        return " ".join(inspect.getdoc(self.function).split()) if self.function.__doc__ else ""  # type: ignore[union-attr]

    @cached_property
    def arguments(self) -> type[BaseModel]:
        """The arguments as a strict model that knows no others."""
        hints = get_type_hints(self.function, include_extras=True)
        fields: dict[str, Any] = {}
        for name, parameter in list(inspect.signature(self.function).parameters.items())[1:]:
            fields[name] = (hints[name], ... if parameter.default is parameter.empty else parameter.default)
        if self.writes and self.listed:
            fields["request_id"] = (hints.get("request_id", _request_id()), "")
        return create_model(self.name, __config__=ConfigDict(extra="forbid", strict=True), **fields)

    @cached_property
    def schema(self) -> dict[str, Any]:
        """The arguments as JSON schema, without what a model does not need to call it."""
        full = self.arguments.model_json_schema()
        models = {name: {**one, "description": None} for name, one in full.pop("$defs", {}).items()}
        slim: dict[str, Any] = _slim({**full, "$defs": models} if models else full)
        return {"type": "object", "properties": {}, **slim, "additionalProperties": False}

    def check(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments with defaults filled in.

        Raises:
            Refusal: an argument is unknown, missing or of the wrong kind; it is named.
        """
        try:
            model = self.arguments.model_validate(dict(arguments))
        except ValidationError as error:
            problems = error.errors(include_url=False, include_input=False, include_context=True)
            raise Refusal(
                "; ".join(_problem(problem) for problem in problems[:5]),
                allowed=f"arguments {', '.join(self.arguments.model_fields)}",
                remedy=f"Call {self.name} again with them.",
            ) from None
        return {name: getattr(model, name) for name in self.arguments.model_fields}


REGISTRY: dict[str, Operation] = {}


def operation(
    *,
    writes: bool = True,
    listed: bool = True,
    creates: bool = False,
    topic: Callable[[Mapping[str, Any]], str] | None = None,
    idle: Callable[[Context, Mapping[str, Any]], Answer | None] | None = None,
    people: bool = False,
) -> Callable[[Callable[..., T]], Callable[..., T]]:
    """Register a function as an operation.

    `creates`: may make the database. `topic`: with `wait_seconds` and an answer without news, the call waits for this
    topic. `idle`: a read that gives the answer where nothing is to be written, so that the writers' queue is left
    alone. `people`: a command and never a tool, because it is a person's to decide.
    """

    def register(function: Callable[..., T]) -> Callable[..., T]:
        REGISTRY[function.__name__] = Operation(function, writes, listed and not people, creates, topic, idle, people)
        return function

    return register


def _request_id() -> Any:
    from milestone.operations.arguments import RequestId

    return RequestId


def _slim(node: Any) -> Any:
    if isinstance(node, list):
        return [_slim(item) for item in node]  # pyright: ignore[reportUnknownVariableType]
    if not isinstance(node, dict):
        return node
    if "anyOf" in node:
        # What may be left out may also be null or empty; a model leaves it out.
        branches = [one for one in node["anyOf"] if one.get("type") != "null" and "const" not in one]  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
        if len(branches) == 1:  # pyright: ignore[reportUnknownArgumentType]
            return _slim({**{name: value for name, value in node.items() if name != "anyOf"}, **branches[0]})  # pyright: ignore[reportUnknownVariableType]
    slim: dict[str, Any] = {}
    for key, value in node.items():  # pyright: ignore[reportUnknownVariableType]
        if key == "properties":
            slim[key] = {name: _slim(item) for name, item in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
        elif key not in _NOISE and value is not None:
            slim[str(key)] = _slim(value)  # pyright: ignore[reportUnknownArgumentType]
    return slim


def _problem(problem: ErrorDetails) -> str:
    where = clip(".".join(str(part) for part in problem["loc"]), _SHOWN) or "the arguments"
    kind = problem["type"]
    if kind == "extra_forbidden":
        return f"argument {where!r} is unknown"
    if kind == "missing":
        return f"argument {where!r} is missing"
    if kind == "string_pattern_mismatch":
        return f"argument {where!r} is no identifier: {_IDENTIFIER}"
    return f"argument {where!r}: {problem['msg']}"
