"""What does not fit together in the data, and how it is put right."""

from __future__ import annotations

from collections.abc import Sequence

from milestone.store.engine import Row
from milestone.store.tables import Tables


class Health(Tables):
    """The state of a project's data. Nothing here is an agent's work."""

    file = "health"

    def claims(self) -> Sequence[Row]:
        """Return the open claims, each with its lease and with the states of its task and its agent."""
        return self._rows("open_claims")

    def unheld(self) -> Sequence[Row]:
        """Return the tasks that are claimed and that nobody holds."""
        return self._rows("unheld")

    def open_after_the_end(self) -> Sequence[Row]:
        """Return the open sessions of milestones that have ended."""
        return self._rows("open_after_the_end")

    def miscounted(self) -> Sequence[Row]:
        """Return the tasks that wait for another number of needs than they have."""
        return self._rows("miscounted")

    def recount(self, milestone_id: str, task_id: str) -> None:
        """Count anew for how many needs a task waits."""
        self._change("recount", milestone_id=milestone_id, task_id=task_id)

    def undeliverable(self) -> Sequence[Row]:
        """Return the agents that have ended and to which messages are still on their way, with how many."""
        return self._rows("undeliverable")

    def withdraw(self, agent_id: str) -> None:
        """Take back what an agent was sent and has not been handed."""
        self._change("withdraw", agent_id=agent_id)

    def heard(self) -> Row:
        """Return how many agents there are, how many of them a host established, and when one was heard of last."""
        return self._rows("heard")[0]
