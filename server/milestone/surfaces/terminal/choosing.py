"""Which milestone a person means: the one they name, else the one that was last at work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from milestone.domain.errors import Missing
from milestone.domain.milestones import ENDED

if TYPE_CHECKING:
    from milestone.operations.context import Context
    from milestone.store.engine import Row

_MOST = 100
_NAMED = 10


def chosen(ctx: Context, named: str = "", before: str = "") -> Row | None:
    """Return the milestone that is named by its id or name.

    Without a name it is the one shown `before` while that has not ended, then the one that changed last; one that has
    ended where there is no other; nothing where there is none at all.

    Raises:
        Missing: none has this id or name.
    """
    known = ctx.store.views.milestones(_MOST)
    if named:
        row = ctx.store.views.milestone(named) or ctx.store.milestones.newest_named(named)
        if row is None:
            there = ", ".join(one["milestone_id"] for one in known[:_NAMED])
            raise Missing(f"There is no milestone {named!r}", allowed=there)
        return row
    live = [one for one in known if one["status"] not in ENDED]
    kept = [one for one in live if one["milestone_id"] == before]
    return max(kept or live or known[:1], key=lambda one: one["updated_at"], default=None)


def others(ctx: Context, row: Row) -> list[Mapping[str, Any]]:
    """Return the other milestones that have not ended, each as a list shows it."""
    from milestone.operations.views import board

    known = ctx.store.views.milestones(2)
    if all(one["milestone_id"] == row["milestone_id"] or one["status"] in ENDED for one in known):
        return []
    listed = board.milestones(ctx)
    return [one for one in listed if one["status"] not in ENDED and one["milestone_id"] != row["milestone_id"]]
