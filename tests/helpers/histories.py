"""Random histories of a planning, through the real operations; the same seed gives the same calls."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from milestone.domain.errors import Refusal
from milestone.domain.identity import Caller
from tests.helpers.execution import value
from tests.helpers.projects import Project

TEXTS = ("", "plain", 'it\'s "quoted"; -- DROP TABLE tasks', "ünï\tcode\n漢 🎉", "x" * 3_000)
TYPES = ("infra-context-discovery", "research-orchestrator")
STEPS = (
    *("begin", "register", "status", "save", "send", "receive", "note", "pattern", "checkpoint", "restore", "change"),
    *("go_on",) * 4,
    *("deliver",) * 3,
    *("lose", "fail", "wait", "steer", "start"),
)


class History:
    """One history in one project. What is refused is a part of it, too."""

    def __init__(self, project: Project, seed: int) -> None:
        self.project, self.seed, self.chance = project, seed, random.Random(seed)
        self.later = 0.0
        self.carried_out = 0
        self.milestones: list[str] = []
        self.agents: list[dict[str, str]] = []
        self.hands: list[dict[str, Any]] = []
        self.messages: list[str] = []
        self.checkpoints: list[str] = []

    def play(self, steps: int) -> None:
        """Do that many things."""
        self.begin()
        for _ in range(steps):
            getattr(self, self.chance.choice(STEPS))()

    def call(self, tool: str, /, *, caller: Caller | None = None, **given: Any) -> dict[str, Any]:
        """Return the answer of an operation, or nothing where it is refused."""
        self.later += 0.25
        try:
            answer = self.project.operate(tool, later=self.later, caller=caller, **given)
        except Refusal:
            return {}
        self.carried_out += 1
        return answer

    def begin(self) -> None:
        name = f"Goal {self.seed}-{len(self.milestones) % 2}"
        begun = self.call("initialize_agent_coordination", name=name, description=self.text())
        self.milestones.append(begun["milestone_id"])

    def register(self) -> None:
        name = f"agent-{self.seed}-{len(self.agents)}"
        where: dict[str, Any] = {
            "agent_type": self.chance.choice(TYPES),
            "milestone_id": self.chance.choice(self.milestones),
        }
        if self.call("register_agent", agent_id=name, **where):
            self.agents.append({"agent_id": name})

    def status(self) -> None:
        self.call("update_agent_status", **self.somebody(), status=self.chance.choice(("active", "waiting", "failed")))

    def save(self) -> None:
        texts = ({"text": self.text(), "more": [1, None]}, self.text())
        kept = self.chance.choice((None, True, 0, -1.5, 2**53, [], *texts))
        self.call("save_agent_state", **self.somebody(), key=self.chance.choice(("notes", "more")), value=kept)

    def send(self) -> None:
        to = self.chance.choice(("*", *TYPES, self.somebody()["agent_id"]))
        who = self.somebody()
        sent = self.call(
            "send_agent_message", from_agent=who.pop("agent_id"), to=to, type="note", payload=self.text(), **who
        )
        self.messages += [sent["message_id"]] if sent else []

    def receive(self) -> None:
        self.call("receive_agent_messages", **self.somebody(), ack=self.messages[-self.chance.randint(0, 2) :])

    def note(self) -> None:
        self.call("log_milestone_event", event="noted", subject=self.text()[:50], milestone_id=self.milestones[-1])

    def pattern(self) -> None:
        name = self.chance.choice(("one", "two"))
        given = {"category": "architectural", "name": name, "content": {"say": self.text()}, "use_when": "ever"}
        self.call("save_pattern", **self.somebody(), **given)

    def checkpoint(self) -> None:
        made = self.call("create_agent_checkpoint", scope_id=self.milestones[-1], scope="milestone", label="here")
        self.checkpoints += [made["checkpoint_id"]] if made else []

    def restore(self) -> None:
        if self.checkpoints:
            self.call("restore_agent_checkpoint", checkpoint_id=self.chance.choice(self.checkpoints), dry_run=False)

    def change(self) -> None:
        self.call("update_milestone", milestone_id=self.milestones[-1], description=self.text())

    def steer(self) -> None:
        action = self.chance.choice(("pause", "resume", "resume", "take_over"))
        self.call("steer_milestone", action=action, milestone_id=self.milestones[-1])

    def wait(self) -> None:
        self.later += self.chance.choice((5, 70, 2_000))

    def go_on(self) -> None:
        answer = self.call("next_actions", milestone_id=self.milestones[-1])
        self.hands += [one for one in answer.get("actions", ()) if one["kind"] == "spawn"]

    def start(self) -> None:
        for action in self.handed():
            caller = Caller(f"session-{self.seed}", action["agent_id"], action["agent_type"])
            self.call("update_agent_status", status="active", **who(action), caller=caller)

    def deliver(self) -> None:
        for action in self.handed():
            task = self.project.read(lambda store: store.tasks.get(self.milestones[-1], action["task_id"]))  # noqa: B023
            for key in task["produces"] if task else ():
                self.call("save_agent_state", key=key, value=value(key, action["task_id"]), **who(action))
            self.call("complete_task", task_id=action["task_id"], **who(action))

    def fail(self) -> None:
        for action in self.handed():
            self.call("report_failure", error=self.text() or "no reason", **who(action))

    def lose(self) -> None:
        for action in self.handed():
            given = {name: action[name] for name in ("agent_id", "agent_type")}
            given |= {"session_id": f"session-{self.seed}"}
            self.call("host_event", event=self.chance.choice(("SubagentStop", "StopFailure")), **given)

    def text(self) -> str:
        return self.chance.choice(TEXTS)

    def somebody(self) -> dict[str, Any]:
        known = [*self.agents, *(who(action) for action in self.hands)]
        return dict(self.chance.choice(known)) if known else {"agent_id": "nobody"}

    def handed(self) -> list[dict[str, Any]]:
        return [self.chance.choice(self.hands[-4:])] if self.hands else []


def who(action: dict[str, Any]) -> dict[str, Any]:
    """Return what proves that a call is of the agent of a task."""
    return {"agent_id": action["agent_id"], "token": action["token"]}


def played(project: Project, folder: Path, seed: int, steps: int) -> History:
    """Return a history that was played in a project."""
    (folder / ".git").mkdir(parents=True, exist_ok=True)
    history = History(project, seed)
    history.play(steps)
    return history
