"""Messages and their receipts: queued, delivered, read and acknowledged are separate facts."""

from __future__ import annotations

from collections.abc import Sequence

from milestone.store.engine import Row
from milestone.store.tables import Tables


class Messages(Tables):
    """Messages of a project. Payloads are JSON text."""

    file = "messages"

    def get(self, message_id: str) -> Row | None:
        """Return a message, or nothing."""
        return self._one("message", message_id=message_id)

    def add(
        self,
        message_id: str,
        milestone_id: str,
        from_agent: str,
        recipient: str,
        *,
        kind: str,
        payload: str,
        reply_to: str,
        position: int,
        at: str,
    ) -> None:
        """Write a message; who receives it is written apart."""
        self._change(
            "add_message",
            message_id=message_id,
            milestone_id=milestone_id,
            from_agent=from_agent,
            recipient=recipient,
            type=kind,
            payload=payload,
            reply_to=reply_to,
            position=position,
            at=at,
        )

    def queue(self, message_id: str, agent_id: str, position: int) -> None:
        """Note that a message is on its way to an agent."""
        self._change("add_receipt", message_id=message_id, agent_id=agent_id, position=position)

    def queue_waiting(self, milestone_id: str, agent_type: str, agent_id: str) -> None:
        """Give a new agent the messages to its type that had nobody to receive them."""
        for row in self._rows("waiting_for_type", milestone_id=milestone_id, agent_type=agent_type):
            self.queue(row["message_id"], agent_id, row["position"])

    def undelivered(self, agent_id: str, limit: int) -> Sequence[Row]:
        """Return what an agent has not been handed yet, oldest first; each with the sender's attempt, if it had one."""
        return self._rows("undelivered", agent_id=agent_id, limit=limit)

    def count_undelivered(self, agent_id: str) -> int:
        """Return how many messages an agent has not been handed yet."""
        return int(self._rows("count_undelivered", agent_id=agent_id)[0]["n"])

    def deliver(self, agent_id: str, message_id: str, at: str) -> None:
        """Note that a message was handed over to an agent."""
        self._change("deliver", agent_id=agent_id, message_id=message_id, at=at)

    def read(self, agent_id: str, at: str) -> None:
        """Note that an agent that calls again has before it what was handed over to it until now."""
        self._change("read", agent_id=agent_id, at=at)

    def ack(self, agent_id: str, message_id: str, at: str) -> bool:
        """Note that an agent acted on a message; false where there is none to acknowledge."""
        return self._change("ack", agent_id=agent_id, message_id=message_id, at=at) > 0

    def renew(self, agent_id: str) -> None:
        """Let a new run of an agent receive what was handed to the one before, and neither read nor acknowledged."""
        self._change("renew", agent_id=agent_id)

    def inherit(self, from_agent: str, to_agent: str) -> None:
        """Give the agent of the next attempt what the one before was sent and did not come to read."""
        self._change("hand_on", from_agent=from_agent, to_agent=to_agent)
        self._change("withdraw", from_agent=from_agent)

    def overdue(self, milestone_id: str, before: str) -> Sequence[Row]:
        """Return who has not been handed what was sent before a time: recipient, how many, the oldest; oldest first."""
        return self._rows("overdue", milestone_id=milestone_id, before=before)
