"""What the brief of an execution asks of an agent, read from its text as an agent reads it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from milestone.surfaces.rehearse.standins import Identity, identity

if TYPE_CHECKING:
    from collections.abc import Mapping

_LOAD = re.compile(r'`load_agent_state\(key="([^"]+)", agent_id="([^"]+)"\)`')
_NAMES: Mapping[str, str] = {
    "project-milestone-executor": "executor",
    "infra-git-operator": "git",
    "infra-context-discovery": "context",
    "infra-dependency-manager": "dependencies",
    "infra-file-processor": "files",
    "cicd-failure-orchestrator": "ci",
    "cicd-failure-fixer": "fixer",
    "quality-enforcer": "quality",
    "research-orchestrator": "research",
    "examples-generator": "examples",
    "doc-api-documenter": "contracts",
    "doc-module-generator": "modules",
    "doc-architecture-designer": "architect",
    "code-transformer": "transformer",
    "php-transformer": "transformer",
    "testing-orchestrator": "testing",
    "testing-unit-master": "unit tests",
    "testing-integration-master": "integration",
    "testing-api-integration": "api tests",
}


@dataclass(frozen=True, slots=True)
class Order:
    """A task as its agent is told of it: who does it, what to load and save, whether to commit, what to review."""

    who: Identity
    role: str
    title: str
    loads: tuple[tuple[str, str], ...]
    keys: tuple[str, ...]
    commits: bool
    reviews: str
    sent_back: bool

    @property
    def name(self) -> str:
        """What the role is called on the screen."""
        return _NAMES.get(self.role, self.role[:12])

    @property
    def own(self) -> dict[str, str]:
        """What proves to the server who calls."""
        return {"agent_id": self.who.agent_id, "token": self.who.token}


def order(brief: str, role: str) -> Order:
    """Return what a brief asks for.

    Raises:
        NoIdentity: it does not say who the agent is.
    """
    who = identity(brief)
    load, job, save = (_step(brief, number) for number in (2, 3, 4))
    review = re.search(r"^review: task ([^;\s]+);", brief, re.MULTILINE)
    return Order(
        who=who,
        role=role,
        title=brief.partition("\n")[0].removeprefix("# Brief: "),
        loads=tuple(_LOAD.findall(load)),
        keys=tuple(save.partition(" with ")[0].split("`")[1::2]),
        commits='action="commit"' in job,
        reviews=review[1] if review else "",
        sent_back=re.search(r"^sent back: ", brief, re.MULTILINE) is not None,
    )


def _step(brief: str, number: int) -> str:
    """Return a numbered line of the part that comes last: words of others stand further up."""
    _, _, steps = brief.rpartition("\n## In this order\n")
    found = re.search(rf"^{number}\. (.*)$", steps, re.MULTILINE)
    return found[1] if found else ""
