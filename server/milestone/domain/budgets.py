"""Budgets: how many turns, minutes and tokens an agent, a task or a phase may use before a person is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

Scope = Literal["agent", "task", "phase"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
KINDS = ("turns", "minutes", "tokens")


@dataclass(frozen=True)
class Amount:
    """What was used, or may be: requests to a model, minutes at work, tokens read and written. As a limit 0 is none."""

    turns: int = 0
    minutes: float = 0
    tokens: int = 0

    def __add__(self, other: Amount) -> Amount:
        """Return both together."""
        return Amount(self.turns + other.turns, self.minutes + other.minutes, self.tokens + other.tokens)

    def plain(self) -> dict[str, float]:
        """Return it as JSON has it, minutes with one digit."""
        return {"turns": self.turns, "minutes": round(self.minutes, 1), "tokens": self.tokens}


def _usual() -> Mapping[Scope, Amount]:
    return {"agent": Amount(turns=400), "task": Amount(turns=1_200), "phase": Amount()}


@dataclass(frozen=True)
class Budgets:
    """The limits of each scope."""

    limits: Mapping[Scope, Amount] = field(default_factory=_usual)


def exceeded(used: Amount, limit: Amount, allowed: Amount = Amount()) -> str:
    """Return which limit is reached, in words; empty while none is. `allowed` was used when a person let it go on.

    >>> exceeded(Amount(turns=30), Amount(turns=30)), exceeded(Amount(turns=30), Amount(turns=30), Amount(turns=30))
    ('30 of 30 turns', '')
    """
    for kind in KINDS:
        most, spent = getattr(limit, kind), getattr(used, kind) - getattr(allowed, kind)
        if most and spent >= most:
            return f"{spent:,.0f} of {most:,.0f} {kind}"
    return ""
