"""Who calls: whether a caller may act as the agent it names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from milestone.domain.errors import NotYours

Proof = Literal["host", "token", "none"]
ENDED = ("retired", "failed")


@dataclass(frozen=True)
class Caller:
    """Where a call comes from, as the host told it.

    `host_session` is empty where no host establishes the caller; `host_agent` is empty for the main conversation.
    """

    host_session: str = ""
    host_agent: str = ""
    host_type: str = ""

    @property
    def established(self) -> bool:
        """Whether the host named the caller, so that nothing in the arguments has to be believed."""
        return bool(self.host_session)


@dataclass(frozen=True)
class Agent:
    """A row of the registry. Times are ISO text in UTC; empty where it has not happened."""

    agent_id: str
    agent_type: str
    milestone_id: str
    session_id: str
    capabilities: str
    status: str
    detail: str
    verified: int
    token_digest: str
    host_session: str
    host_agent: str
    registered_at: str
    seen_at: str
    ended_at: str

    @property
    def bound(self) -> bool:
        """Whether the host's agent behind this one is known."""
        return bool(self.host_session)


def prove(agent: Agent, caller: Caller, own: Agent | None, *, token_digest: str) -> Proof:
    """Return what proves that `caller` may act as `agent`; `own` is the agent the caller is bound to, if any.

    Raises:
        NotYours: the host says that the caller is somebody else, the claim's token is missing or wrong, or the agent
        has ended.
    """
    if agent.status in ENDED:
        raise NotYours(
            f"Agent {agent.agent_id!r} was {agent.status}: its task was given to somebody else or has ended, so "
            "nothing of it is written",
            remedy="Stop working on the task and report that the agent was replaced.",
        )
    if own is not None and own.agent_id != agent.agent_id:
        raise NotYours(
            f"You are {own.agent_id!r} and named {agent.agent_id!r}",
            allowed=f"agent id {own.agent_id!r}",
            remedy="Call again with your own id.",
        )
    if own is not None:
        return "host"
    if agent.token_digest:
        if token_digest == agent.token_digest and not (caller.established and agent.bound):
            return "token"
        raise NotYours(
            f"Agent {agent.agent_id!r} holds a task, and this call does not prove to come from it",
            remedy="If the brief names you so, pass the token of the brief; otherwise register_agent gives you an "
            "id of your own.",
        )
    if agent.bound and caller.established:
        raise NotYours(
            f"Agent {agent.agent_id!r} is another agent of this host",
            remedy="register_agent gives you an id of your own.",
        )
    return "none"
