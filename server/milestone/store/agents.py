"""The registry of agents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from milestone.domain.identity import Agent, Caller
from milestone.store.engine import Row
from milestone.store.tables import Tables, dump

_COLUMNS = tuple(Agent.__dataclass_fields__)


class Agents(Tables):
    """Agents of a project."""

    file = "agents"

    def get(self, agent_id: str) -> Agent | None:
        """Return an agent, or nothing."""
        return _agent(self._one("agent", agent_id=agent_id))

    def of_caller(self, caller: Caller) -> Agent | None:
        """Return the agent a host's caller is bound to, if any."""
        if not caller.established:
            return None
        return _agent(self._one("agent_of_host", host_session=caller.host_session, host_agent=caller.host_agent))

    def of_token(self, token_digest: str) -> Agent | None:
        """Return the agent whose claim carries this token."""
        return _agent(self._one("agent_of_token", token_digest=token_digest)) if token_digest else None

    def add(self, agent_id: str, agent_type: str, milestone_id: str, session_id: str, at: str, **given: Any) -> None:
        """Write a new agent. `given`: status, capabilities, verified, token_digest."""
        values: dict[str, Any] = {"status": "active", "verified": 0, "token_digest": "", **given}
        values["capabilities"] = dump(given.get("capabilities", []))
        self._change(
            "add_agent",
            agent_id=agent_id,
            agent_type=agent_type,
            milestone_id=milestone_id,
            session_id=session_id,
            at=at,
            **values,
        )

    def bind(self, agent_id: str, caller: Caller, at: str, *, verified: bool) -> None:
        """Note which agent of which host session this agent is; the host's agent is nobody else from now on."""
        where = {"agent_id": agent_id, "host_session": caller.host_session, "host_agent": caller.host_agent}
        self._change("drop_starting", **where)
        self._change("unbind_host", **where)
        self._change("bind_agent", **where, verified=int(verified), at=at)

    def set(self, agent_id: str, status: str, at: str, detail: str = "") -> None:
        """Write an agent's status."""
        ended = at if status in ("completed", "failed", "retired") else ""
        self._change("set_agent", agent_id=agent_id, status=status, detail=detail, at=at, ended_at=ended)

    def set_capabilities(self, agent_id: str, capabilities: Sequence[str]) -> None:
        """Write what an agent can do."""
        self._change("set_capabilities", agent_id=agent_id, capabilities=dump(list(capabilities)))

    def see(self, agent_id: str, at: str, older_than: str) -> None:
        """Note that an agent was heard of, unless it was noted since `older_than`."""
        self._change("see_agent", agent_id=agent_id, at=at, older_than=older_than)

    def of_session(self, session_id: str, *, status: str = "", limit: int = 500, offset: int = 0) -> Sequence[Row]:
        """Return the agents of a session in the order they came, with their unread messages."""
        return self._rows("agents_of", session_id=session_id, status=status, limit=limit, offset=offset)

    def counts(self, session_id: str) -> dict[str, int]:
        """Return how many agents of a session have which status."""
        return {row["status"]: row["n"] for row in self._rows("count_agents", session_id=session_id)}

    def recipients(self, milestone_id: str, recipient: str, sender: str) -> list[str]:
        """Return who gets a message now: an agent, the agents of a type, or (`*`) everybody else."""
        return [
            row["agent_id"]
            for row in self._rows("recipients", milestone_id=milestone_id, recipient=recipient, sender=sender)
        ]


def _agent(row: Row | None) -> Agent | None:
    return Agent(**{name: row[name] for name in _COLUMNS}) if row else None
