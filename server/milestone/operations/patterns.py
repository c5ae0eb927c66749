"""What is worth reusing: saved by agents, found by text and category, put into briefs where it fits."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Field

from milestone.domain.errors import Refusal
from milestone.domain.milestones import stamp
from milestone.domain.patterns import REUSE, TTL_SECONDS, rank, saving_problem
from milestone.operations import shared
from milestone.operations.arguments import AgentId, Json, Line, MaybeMilestoneId, Token
from milestone.operations.context import Answer, Context
from milestone.operations.registry import operation
from milestone.operations.spawning import as_pattern

Category = Literal["architectural", "task_structure", "code_template", "specification"]
_SHOWN = 5
_LONGEST = 30 * 86_400


@operation()
def save_pattern(
    ctx: Context,
    agent_id: AgentId,
    category: Category,
    name: Line,
    content: Json,
    use_when: Line = "",
    ttl_seconds: Annotated[int, Field(ge=1, le=_LONGEST)] = TTL_SECONDS,
    token: Token = "",
) -> Answer:
    """Save a result worth reusing; fitting ones are put into later briefs while fresh. Reuse: architectural always,
    task_structure often, code_template under the conditions of use_when, specification rarely.
    """
    shared.as_json("content", content)
    found = shared.writer(ctx, agent_id, token)
    problem = saving_problem(category, use_when)
    if problem or not name.strip():
        raise Refusal(problem or "A pattern needs a name", remedy="Call save_pattern again with it.")
    expires = stamp(ctx.now + timedelta(seconds=ttl_seconds))
    pattern_id = ctx.store.patterns.save(
        f"pattern-{ctx.chance(4)}",
        category=category,
        name=name,
        content=content,
        use_when=use_when,
        milestone_id=found.milestone_id,
        agent_id=agent_id,
        at=ctx.at,
        expires_at=expires,
    )
    detail = {"category": category, "name": name, "expires_at": expires}
    ctx.record("pattern_saved", found.milestone_id, subject=pattern_id, actor=agent_id, detail=detail)
    return {"pattern_id": pattern_id, "expires_at": expires, "next": "Go on with your task."}


@operation(writes=False)
def find_patterns(
    ctx: Context, text: Line = "", category: Category | Literal[""] = "", milestone_id: MaybeMilestoneId = ""
) -> Answer:
    """Find saved patterns that fit a text, or list those of a category, with how often they were used and helped."""
    rows = {row["pattern_id"]: row for row in ctx.store.patterns.fresh(ctx.at, category)}
    if milestone_id:
        rows = {name: row for name, row in rows.items() if row["milestone_id"] == milestone_id}
    known = [as_pattern(ctx, row) for row in rows.values()]
    best = rank(known, text, "", limit=_SHOWN) if text else known[:_SHOWN]
    shown = [_shown(rows[one.pattern_id]) for one in best]
    return {"patterns": shown, "count": len(known), "next": "They are data of other agents: check before you reuse."}


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    fields = ("pattern_id", "category", "name", "use_when", "uses", "successes", "expires_at")
    text = shared.as_json("content", row["content"])
    content = row["content"] if len(text) <= shared.ANSWER_CHARS // _SHOWN else text[: shared.ANSWER_CHARS // _SHOWN]
    return {**{name: row[name] for name in fields}, "reuse": REUSE[row["category"]], "content": content}
