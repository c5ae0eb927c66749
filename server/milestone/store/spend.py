"""What agents have used: turns and tokens as far as they are told, and when they were at work."""

from __future__ import annotations

from collections.abc import Sequence

from milestone.store.engine import Row
from milestone.store.tables import Tables


class Spend(Tables):
    """The spend of a project's agents."""

    file = "spend"

    def note(self, agent_id: str, where: tuple[str, str, str], at: str, *, turns: int, tokens: int) -> None:
        """Write what an agent has used so far; `where` is its milestone, task and phase."""
        self._change("note_spend", agent_id=agent_id, **_named(where), turns=turns, tokens=tokens, at=at)

    def count(self, agent_id: str, where: tuple[str, str, str], at: str) -> None:
        """Count a turn of an agent whose host tells nothing."""
        self._change("count_turn", agent_id=agent_id, **_named(where), at=at)

    def tell(self, agent_id: str) -> bool:
        """Note that an agent was told of its budget; false where it had been told before."""
        return self._change("told_of_budget", agent_id=agent_id) > 0

    def of_agent(self, agent_id: str) -> Row | None:
        """Return what an agent has used, or nothing."""
        return self._one("spend_of_agent", agent_id=agent_id)

    def by_task(self, milestone_id: str) -> Sequence[Row]:
        """Return turns and tokens of each task of a milestone, with its phase."""
        return self._rows("spend_by_task", milestone_id=milestone_id)

    def attempts(self, milestone_id: str) -> Sequence[Row]:
        """Return when each attempt of a milestone began and ended: task_id, phase, started_at, ended_at."""
        return self._rows("attempts_by_task", milestone_id=milestone_id)

    def spans(self, milestone_id: str, task_id: str) -> Sequence[Row]:
        """Return when each attempt of a task began and ended: started_at, ended_at."""
        return self._rows("spans_of_task", milestone_id=milestone_id, task_id=task_id)

    def worked(self, milestone_id: str, now: str) -> float:
        """Return how many minutes the attempts took together, each from its beginning to its end or to now."""
        return float(self._rows("worked", milestone_id=milestone_id, now=now)[0]["minutes"] or 0)

    def whole(self, milestone_id: str) -> Row:
        """Return turns and tokens of a whole milestone; nothing where nothing was counted."""
        return self._rows("spend_of_all", milestone_id=milestone_id)[0]

    def most(self, milestone_id: str, limit: int) -> Sequence[Row]:
        """Return the tasks with most turns: task_id, turns, tokens."""
        return self._rows("most_spent", milestone_id=milestone_id, limit=limit)


def _named(where: tuple[str, str, str]) -> dict[str, str]:
    return dict(zip(("milestone_id", "task_id", "phase"), where, strict=True))
