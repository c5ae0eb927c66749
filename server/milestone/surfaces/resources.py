"""The resources of hosts: what people see of a milestone, as JSON under addresses that begin with `milestone://`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from milestone.domain.errors import Missing, Refusal
from milestone.domain.fences import as_data, plain
from milestone.domain.text import MILESTONE_ID, MILESTONE_LIMIT, clip
from milestone.operations import shared
from milestone.operations.arguments import LARGEST
from milestone.operations.context import Context

if TYPE_CHECKING:
    from mcp.server.context import ServerRequestContext
    from mcp.shared.exceptions import MCPError
    from mcp_types import (
        ListResourcesResult,
        ListResourceTemplatesResult,
        PaginatedRequestParams,
        ReadResourceRequestParams,
        ReadResourceResult,
    )

    from milestone.surfaces.door import Door

LIMIT = 100_000
"""Bytes of the longest answer."""

JSON = "application/json"
ALL = "milestone://milestones"
_ADDRESS = re.compile(r"milestone://([^/?#]{1,200})(?:/([a-z]{1,20}))?(?:\?([a-z]{1,20})=([0-9]{1,16}))?", re.ASCII)
_ROOMS = (LIMIT // 2, 8_000, 2_000, 500, 120, 40)  # characters left to one value, tried in this order
_DEEP = 3

Row = Mapping[str, Any]


class Part(NamedTuple):
    """One view of a milestone: its title, what a host may say of it, and the number that pages through it."""

    title: str
    about: str
    page: str = ""


PARTS: Mapping[str, Part] = {
    "": Part("Board", "Where a milestone stands: phases, front, agents, gates, spend, what waits for a person"),
    "tasks": Part("Tasks", "Every task with its state, its agent and what it lacks", "offset"),
    "graph": Part("Task graph", "Which task waits for which"),
    "agents": Part("Agents on a time line", "Who worked when on what, and how each attempt ended"),
    "progress": Part("Burn-up", "Progress over time, velocity and the range of the estimate"),
    "messages": Part("Messages", "What agents told each other, newest first", "offset"),
    "events": Part("Events", "The log, newest first", "before"),
    "checkpoints": Part("Checkpoints", "Points to which state and files can go back"),
    "evidence": Part("Evidence", "What proves which task", "offset"),
    "gates": Part("Gate runs", "What the project's own checks said, newest first", "offset"),
    "decisions": Part("Decisions", "What was decided, and where the code departs from it"),
    "approvals": Part("Approvals", "Which phases a person approves, and what was answered"),
}


@dataclass(frozen=True)
class Address:
    """What a `milestone://` address means; without a milestone it is the list of them."""

    milestone_id: str
    part: str = ""
    page: int = 0

    @classmethod
    def of(cls, uri: str) -> Address:
        """Return what an address means.

        Raises:
            Missing: nothing is there, whatever milestones there are.
        """
        if uri == ALL:
            return cls("")
        found = _ADDRESS.fullmatch(uri)
        part = PARTS.get(found[2] or "") if found else None
        if found is None or part is None or (found[3] or part.page) != part.page or int(found[4] or 0) > LARGEST:
            below = ", ".join(f"/{name}" for name in PARTS if name)
            raise Missing(
                "There is no such resource", allowed=f"{ALL}, milestone://<milestone_id>, and below it {below}"
            )
        if len(found[1]) > MILESTONE_LIMIT or not re.fullmatch(MILESTONE_ID, found[1]):
            raise Missing("What stands after milestone:// is no identifier of a milestone", remedy=f"{ALL} lists them.")
        return cls(found[1], found[2] or "", int(found[4] or 0))

    def __str__(self) -> str:
        if not self.milestone_id:
            return ALL
        query = f"?{PARTS[self.part].page}={self.page}" if self.page else ""
        return f"milestone://{self.milestone_id}" + (f"/{self.part}" if self.part else "") + query

    def row(self, ctx: Context) -> Row | None:
        """Return the milestone; nothing for the list of them.

        Raises:
            Missing: there is no such milestone.
        """
        if not self.milestone_id:
            return None
        return ctx.store.views.milestone(self.milestone_id) or shared.milestone(ctx, self.milestone_id)


def look(ctx: Context, address: Address, row: Row | None) -> Any:
    """Return what lies at an address."""
    from milestone.operations.views import board, records, time, work

    if row is None:
        return board.milestones(ctx)
    page = address.page
    views: Mapping[str, Callable[[], Any]] = {
        "": lambda: board.board(ctx, row),
        "tasks": lambda: work.tasks(ctx, row, page),
        "graph": lambda: work.graph(ctx, row),
        "agents": lambda: time.timeline(ctx, row),
        "progress": lambda: time.burnup(ctx, row),
        "messages": lambda: records.messages(ctx, row, page),
        "events": lambda: records.events(ctx, row, page),
        "checkpoints": lambda: records.checkpoints(ctx, row),
        "evidence": lambda: records.evidence(ctx, row, page),
        "gates": lambda: records.gate_runs(ctx, row, page),
        "decisions": lambda: records.decisions(ctx, row),
        "approvals": lambda: records.approvals(ctx, row),
    }
    return _with_next(address, views[address.part]())


def _with_next(address: Address, answer: Any) -> Any:
    """Return a page with the address of the next one, where there is one."""
    by, items = PARTS[address.part].page, answer["items"] if PARTS[address.part].page else ()
    end = address.page + len(items)
    if by == "offset" and items and end < answer["count"]:
        return {**answer, "next": str(Address(address.milestone_id, address.part, end))}
    if by == "before" and items and answer["more"]:
        return {**answer, "next": str(Address(address.milestone_id, address.part, items[-1]["position"]))}
    return answer


def told(value: Any) -> str:
    """Return a value as JSON of at most 100 kB in which nothing is a tag or invisible; what is long is cut, and the
    longest list last.
    """
    for room in _ROOMS:
        if text := _fitting(value):
            return text
        value = _squeezed(value, room)
    while not (text := _fitting(value)):
        value = _shortened(value)
    return text


def _fitting(value: Any) -> str:
    """Return a value as text; empty where it is too long, which is seen before every character is looked at."""
    text = _json(value)
    text = as_data(value) if len(text) <= LIMIT else ""
    return text if len(text.encode()) <= LIMIT else ""


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _squeezed(value: Any, room: int, depth: int = 0) -> Any:
    """Return a value whose texts, and what is nested deep in it, take at most `room` characters each."""
    if isinstance(value, str):
        return clip(value, room)
    if not isinstance(value, dict | list):
        return value
    if depth >= _DEEP:
        text = _json(value)
        return clip(text, room) if len(text) > room else cast("Any", value)
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        return {clip(name, room): _squeezed(one, room, depth + 1) for name, one in fields.items()}
    return [_squeezed(one, room, depth + 1) for one in cast("list[Any]", value)]


def _shortened(value: Any) -> Any:
    """Return an answer without half of its longest list, and with how much was left out of it in all."""
    if isinstance(value, list):
        items = cast("list[Any]", value)
        return {"items": items[: len(items) // 2], "cut": len(items) - len(items) // 2}
    fields = cast("dict[str, Any]", value)
    lists = {name: cast("list[Any]", one) for name, one in fields.items() if isinstance(one, list)}
    name = max(lists, key=lambda one: len(lists[one]), default="")
    if not name or not lists[name]:
        return {"cut": 1}
    half = len(lists[name]) // 2
    return {**fields, name: lists[name][:half], "cut": fields.get("cut", 0) + len(lists[name]) - half}


def unknown(uri: str, why: Refusal) -> MCPError:
    """Return the protocol's error for an address at which nothing lies."""
    from mcp.shared.exceptions import MCPError
    from mcp_types import INVALID_PARAMS

    named = clip(uri, 200)
    return MCPError(INVALID_PARAMS, f"Unknown resource: {plain(named)}. {why}", {"uri": named})


class Resources:
    """The resources, read through a door; pages for hosts that render them are there beside those."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def listed(
        self, _context: ServerRequestContext[Any], _params: PaginatedRequestParams | None
    ) -> ListResourcesResult:
        """Return the one resource that needs no milestone; the page is named by the tool that it belongs to."""
        from mcp_types import ListResourcesResult, Resource

        about = "The milestones of this project, newest first, with their progress and what waits for a person"
        one = Resource(uri=ALL, name="milestones", title="Milestones", description=about, mime_type=JSON)
        return ListResourcesResult(resources=[one])

    async def templates(
        self, _context: ServerRequestContext[Any], _params: PaginatedRequestParams | None
    ) -> ListResourceTemplatesResult:
        """Return where the views of a milestone lie."""
        from mcp_types import ListResourceTemplatesResult, ResourceTemplate

        found = [
            ResourceTemplate(
                uri_template="milestone://{milestone_id}"
                + (f"/{name}" if name else "")
                + (f"{{?{part.page}}}" if part.page else ""),
                name=name or "board",
                title=part.title,
                description=part.about,
                mime_type=JSON,
            )
            for name, part in PARTS.items()
        ]
        return ListResourceTemplatesResult(resource_templates=found)

    async def read(self, _context: ServerRequestContext[Any], params: ReadResourceRequestParams) -> ReadResourceResult:
        """Return what lies at an address."""
        from mcp_types import ReadResourceResult, TextResourceContents

        from milestone.surfaces import apps

        uri = str(params.uri)
        if uri == apps.PAGE:
            return apps.page()
        try:
            text = await self._text(Address.of(uri))
        except Missing as missing:
            raise unknown(uri, missing) from None
        return ReadResourceResult(contents=[TextResourceContents(uri=uri, mime_type=JSON, text=text)])

    async def _text(self, address: Address) -> str:
        text = await self._door.read(lambda ctx: told(look(ctx, address, address.row(ctx))))
        if text is None and address.milestone_id:
            raise Missing("There is no milestone in this project yet", remedy=shared.START)
        return "[]" if text is None else text
