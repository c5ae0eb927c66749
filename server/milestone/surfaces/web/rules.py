"""The one table of routes: which methods each knows, whether it wants the key, what it may change, how large it is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

FORM = 32 << 10
_GET = frozenset({"GET"})
_HOLES = {"path": r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}"}


@dataclass(frozen=True)
class Rule:
    """What a route lets through. `body` is the largest body in bytes; `token`: only who has the cookie comes in."""

    path: str
    endpoint: str
    methods: frozenset[str] = _GET
    token: bool = True
    changes: bool = False
    body: int = 0

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """What paths the rule is for; a hole holds an id."""
        literal = (
            _HOLES["path"] if part.startswith("{") else re.escape(part) for part in re.split(r"(\{\w+\})", self.path)
        )
        return re.compile("".join(literal))


RULES: tuple[Rule, ...] = (
    Rule("/enter", "enter", token=False),
    Rule("/", "home"),
    Rule("/live", "live"),
    Rule("/static/{name}", "static"),
    Rule("/m/{milestone_id}", "overview"),
    Rule("/m/{milestone_id}/tasks", "tasks"),
    Rule("/m/{milestone_id}/agents", "agents"),
    Rule("/m/{milestone_id}/progress", "progress"),
    Rule("/m/{milestone_id}/messages", "messages"),
    Rule("/m/{milestone_id}/events", "events"),
    Rule("/m/{milestone_id}/checkpoints", "checkpoints"),
    Rule("/m/{milestone_id}/checkpoints/{checkpoint_id}", "checkpoint"),
    Rule("/m/{milestone_id}/evidence", "evidence"),
    Rule("/m/{milestone_id}/decisions", "decisions"),
    Rule("/m/{milestone_id}/approvals", "approvals"),
    Rule("/m/{milestone_id}/chart/{name}.svg", "chart"),
    Rule("/m/{milestone_id}/do/{action}", "ask"),
    Rule("/m/{milestone_id}/do/{action}/confirmed", "act", frozenset({"POST"}), changes=True, body=FORM),
)


def rule_of(path: str, rules: tuple[Rule, ...] = RULES) -> Rule | None:
    """Return the rule of a path; nothing where no route is."""
    return next((rule for rule in rules if rule.pattern.fullmatch(path)), None)


def by_endpoint(rules: tuple[Rule, ...] = RULES) -> Mapping[str, Rule]:
    """Return the rules by what they lead to."""
    return {rule.endpoint: rule for rule in rules}
