"""A planning whose agents fail, and whose host meets usage limits."""

from __future__ import annotations

import json
from typing import Any

from milestone.domain.identity import Caller
from milestone.operations.recovering import LOG
from milestone.store.engine import run
from milestone.store.queries import Query
from tests.helpers.projects import Project

MAIN = Caller("session-1")


class Planning:
    """A planning on a new project; its coordinator is the main conversation of a host session."""

    def __init__(self, project: Project) -> None:
        self.project = project
        begun = project.operate("initialize_agent_coordination", name="Goal", caller=MAIN)
        self.milestone_id, self.coordinator = begun["milestone_id"], begun["agent_id"]

    def actions(self, later: float = 0) -> dict[str, dict[str, Any]]:
        """Return what is to be done, by task or kind, at some time."""
        found = self.project.operate("next_actions", milestone_id=self.milestone_id, caller=MAIN, later=later)
        return {one.get("task_id", one["kind"]): one for one in found["actions"]}

    def bound(self, action: dict[str, Any], name: str = "a1") -> Caller:
        """Let the host start the agent of an action, and return who it is."""
        child: dict[str, Any] = {"tool_name": "Agent", "prompt": action["brief"], "child_agent_id": name}
        self.project.operate("host_event", event="PostToolUse", session_id=MAIN.host_session, **child)
        return Caller(MAIN.host_session, name, action["agent_type"])

    def report(self, action: dict[str, Any], *, later: float = 0, **given: Any) -> dict[str, Any]:
        """Let the agent of an action report that it failed."""
        told = {"agent_id": action["agent_id"], "token": action["token"], "error": "it broke", **given}
        return self.project.operate("report_failure", later=later, **told)

    def limit(self, caller: Caller = MAIN, said: str = "", *, later: float = 0, error: str = "rate_limit") -> None:
        """Let the host say that a conversation ended because of a usage limit."""
        who: dict[str, Any] = {"session_id": caller.host_session, "agent_id": caller.host_agent}
        who["agent_type"] = caller.host_type
        self.project.operate("host_event", event="StopFailure", error=error, last_message=said, later=later, **who)

    def task(self, task_id: str = "scope") -> dict[str, Any]:
        """Return a task."""
        return self.project.read(lambda store: store.tasks.get(self.milestone_id, task_id))

    def events(self, name: str, subject: str = "scope") -> list[dict[str, Any]]:
        """Return the details of the events of a name that are about a task, oldest first."""
        rows = sorted(self.project.rows("events"), key=lambda row: row["position"])
        return [json.loads(row["detail"]) for row in rows if (row["event"], row["subject"]) == (name, subject)]

    def log(self) -> list[dict[str, Any]]:
        """Return the recovery log."""
        return json.loads(self.project.read(lambda store: store.state.newest(self.coordinator, LOG))["value"])

    def uncritical(self) -> None:
        """Let the scope be a task that the plan could do without."""
        query = Query(
            "uncritical", "UPDATE tasks SET critical = 0 WHERE project_id = :project_id AND task_id = 'scope'"
        )
        project_id = (self.project.application.settings.data / "project").read_text().strip()
        run(self.project.engine, lambda tx: tx.change(query, project_id=project_id), write=True)
