"""All table groups of one project within one transaction."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from milestone.store.agents import Agents
from milestone.store.engine import Transaction
from milestone.store.evidence import Evidence
from milestone.store.log import Log
from milestone.store.messages import Messages
from milestone.store.milestones import Milestones
from milestone.store.state import State
from milestone.store.tasks import Tasks

if TYPE_CHECKING:
    from milestone.store.approvals import Approvals
    from milestone.store.health import Health
    from milestone.store.journal import Journal
    from milestone.store.parkings import Parkings
    from milestone.store.patterns import Patterns
    from milestone.store.rollbacks import Rollbacks
    from milestone.store.spend import Spend
    from milestone.store.threads import Threads
    from milestone.store.views import Views


class Store:
    """The data of a project, as one transaction sees it; what a hook does not need is loaded when it is asked for."""

    def __init__(self, transaction: Transaction, project_id: str) -> None:
        self._transaction, self._project = transaction, project_id
        self.log = Log(transaction, project_id)
        self.milestones = Milestones(transaction, project_id)
        self.agents = Agents(transaction, project_id)
        self.state = State(transaction, project_id)
        self.messages = Messages(transaction, project_id)
        self.tasks = Tasks(transaction, project_id)
        self.evidence = Evidence(transaction, project_id)

    @cached_property
    def rollbacks(self) -> Rollbacks:
        """What a rollback looks at and writes."""
        from milestone.store.rollbacks import Rollbacks

        return Rollbacks(self._transaction, self._project)

    @cached_property
    def approvals(self) -> Approvals:
        """Phases that a person has to approve."""
        from milestone.store.approvals import Approvals

        return Approvals(self._transaction, self._project)

    @cached_property
    def threads(self) -> Threads:
        """Threads of LangGraph graphs."""
        from milestone.store.threads import Threads

        return Threads(self._transaction, self._project)

    @cached_property
    def parkings(self) -> Parkings:
        """When milestones were parked."""
        from milestone.store.parkings import Parkings

        return Parkings(self._transaction, self._project)

    @cached_property
    def patterns(self) -> Patterns:
        """Results worth reusing."""
        from milestone.store.patterns import Patterns

        return Patterns(self._transaction, self._project)

    @cached_property
    def spend(self) -> Spend:
        """What agents have used."""
        from milestone.store.spend import Spend

        return Spend(self._transaction, self._project)

    @cached_property
    def health(self) -> Health:
        """What does not fit together."""
        from milestone.store.health import Health

        return Health(self._transaction, self._project)

    @cached_property
    def journal(self) -> Journal:
        """What was written, so that it can be written again."""
        from milestone.store.journal import Journal

        return Journal(self._transaction, self._project)

    @cached_property
    def views(self) -> Views:
        """What people look at."""
        from milestone.store.views import Views

        return Views(self._transaction, self._project)
