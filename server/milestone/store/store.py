"""All table groups of one project within one transaction."""

from __future__ import annotations

from milestone.store.agents import Agents
from milestone.store.engine import Transaction
from milestone.store.evidence import Evidence
from milestone.store.health import Health
from milestone.store.journal import Journal
from milestone.store.log import Log
from milestone.store.messages import Messages
from milestone.store.milestones import Milestones
from milestone.store.parkings import Parkings
from milestone.store.patterns import Patterns
from milestone.store.rollbacks import Rollbacks
from milestone.store.spend import Spend
from milestone.store.state import State
from milestone.store.tasks import Tasks
from milestone.store.threads import Threads


class Store:
    """The data of a project, as one transaction sees it."""

    def __init__(self, transaction: Transaction, project_id: str) -> None:
        self.log = Log(transaction, project_id)
        self.milestones = Milestones(transaction, project_id)
        self.agents = Agents(transaction, project_id)
        self.state = State(transaction, project_id)
        self.messages = Messages(transaction, project_id)
        self.tasks = Tasks(transaction, project_id)
        self.evidence = Evidence(transaction, project_id)
        self.patterns = Patterns(transaction, project_id)
        self.health = Health(transaction, project_id)
        self.journal = Journal(transaction, project_id)
        self.threads = Threads(transaction, project_id)
        self.parkings = Parkings(transaction, project_id)
        self.rollbacks = Rollbacks(transaction, project_id)
        self.spend = Spend(transaction, project_id)
