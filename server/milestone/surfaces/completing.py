"""Completes what a person types for a prompt or an address: milestones, types of agents, tasks that wait."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from milestone.domain.milestones import ENDED
from milestone.operations.context import Context
from milestone.surfaces.prompting import OFFERS, WAITING, agent_types

if TYPE_CHECKING:
    from mcp.server.context import ServerRequestContext
    from mcp_types import CompleteRequestParams, CompleteResult

    from milestone.surfaces.door import Door

MOST = 100
"""Values that the protocol lets an answer have."""

_LOOKED_AT = 1_000
_NAME = 120


class Completions:
    """What may stand in an argument, looked up through a door."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._assets = door.application.settings.assets

    async def complete(self, _context: ServerRequestContext[Any], params: CompleteRequestParams) -> CompleteResult:
        """Return at most 100 values that begin with what was typed; none where nothing is known of the argument."""
        from mcp_types import CompleteResult, Completion, PromptReference

        prompt = params.ref.name if isinstance(params.ref, PromptReference) else ""
        name, typed = params.argument.name, params.argument.value
        others = (params.context.arguments if params.context else None) or {}
        found = await self._values(prompt, name, typed, others)
        fitting = list(dict.fromkeys(one for one in found if one.casefold().startswith(typed.casefold())))
        return CompleteResult(
            completion=Completion(values=fitting[:MOST], total=len(fitting), has_more=len(fitting) > MOST)
        )

    async def _values(self, prompt: str, name: str, typed: str, others: Mapping[str, str]) -> Iterable[str]:
        offer = OFFERS.get(prompt)
        if prompt and (offer is None or name not in [one.name for one in offer.arguments]):
            return []
        if name == "agent_type" and prompt:
            spelled = "milestone:" if typed.startswith("milestone:") else ""
            return [f"{spelled}{one}" for one in agent_types(self._assets)]
        if name == "task_id" and prompt:
            return await self._door.read(lambda ctx: _tasks(ctx, others)) or []
        if name in ("milestone", "name") if prompt else name == "milestone_id":
            return await self._door.read(lambda ctx: _milestones(ctx, by_name=name == "name")) or []
        return []


def _milestones(ctx: Context, *, by_name: bool) -> list[str]:
    """Return the ids of the milestones, those under way first, or the names that fit on a line."""
    rows = ctx.store.views.milestones(_LOOKED_AT)
    if by_name:
        return [one["name"] for one in rows if one["name"].isprintable() and len(one["name"]) <= _NAME]
    return [one["milestone_id"] for one in rows]


def _tasks(ctx: Context, others: Mapping[str, str]) -> list[str]:
    """Return the tasks that wait, those that could begin now first; of one milestone and type where these are known."""
    wanted, kind = others.get("milestone", ""), others.get("agent_type", "").removeprefix("milestone:")
    rows = ctx.store.views.milestones(MOST)
    live = [one["milestone_id"] for one in rows if one["status"] not in ENDED and wanted in ("", one["milestone_id"])]
    found: list[str] = []
    for status in WAITING:
        for milestone_id in live:
            for mode in ("planning", "execution"):
                left = _LOOKED_AT - len(found)
                rows_of = ctx.store.tasks.with_status(milestone_id, mode, status, left) if left > 0 else []
                found += [one["task_id"] for one in rows_of if kind in ("", one["next_role"] or one["agent_type"])]
    return found
