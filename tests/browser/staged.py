"""A milestone as people have them: half carried out over the last hours, with questions open and agents at work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.helpers.execution import carry_out, lean, make_repository, obey, play, task
from tests.helpers.projects import Project
from tests.helpers.underway import Execution, InProcess, plan

LIMITS = ".milestones/config/limits.yaml"
MILESTONE = "oauth-login"
TITLES = {
    "compare-providers": "Compare the identity providers that the company may use",
    "design-token-store": "Design where tokens are kept and for how long",
    "specify-login": "Specify the sign-in with OAuth, with every way in which it may fail",
    "specify-token-store": "Specify the token store and what it promises",
    "specify-logout": "Specify how people sign out on all their devices",
    "build-token-store": "Build the token store",
    "build-login": "Build the sign-in with OAuth",
    "build-logout": "Build the sign-out on all devices",
    "rotate-tokens": "Rotate refresh tokens, and retire those that were seen twice",
    "remove-passwords": "Remove the password form and its table",
    "document-login": "Describe the sign-in for people who run the service",
}
TASKS = (
    task("compare-providers", "design"),
    task("design-token-store", "design", ("compare-providers",)),
    task("specify-login", "spec", ("compare-providers",), ("docs/",)),
    task("specify-token-store", "spec", ("design-token-store",), ("docs/",)),
    task("specify-logout", "spec", ("specify-login",), ("docs/",)),
    task("build-token-store", "execute", ("specify-token-store",), ("app/",)),
    task("build-login", "execute", ("specify-login", "build-token-store"), ("app/",)),
    task("build-logout", "execute", ("specify-logout",), ("app/",)),
    task("rotate-tokens", "execute", ("build-token-store",), ("app/",)),
    task("remove-passwords", "execute", ("build-login",), ("app/",)),
    task("document-login", "execute", ("build-login",), ("app/",)),
)
HOUR = 3_600


class Staged:
    """The project with its milestone `oauth-login`; every step of it happened some minutes after the last."""

    def __init__(self, folder: Path) -> None:
        limits = lean()[LIMITS] + "approvals: [design, spec]\nattempts: 1\n"
        make_repository(folder, {**lean(), LIMITS: limits})
        home = folder.with_name("home")
        home.mkdir()
        self.project, self.later = Project(folder, more={"HOME": str(home)}), -5.0 * HOUR
        self.milestone_id = MILESTONE

    def call(self, tool: str, /, **arguments: Any) -> Any:
        """Carry an operation out, a little later than the last."""
        self.later = min(self.later + 40, -20)
        return self.project.operate(tool, later=self.later, **arguments)

    def rest(self, minutes: float) -> None:
        """Let time pass."""
        self.later = min(self.later + minutes * 60, -20)

    def begin(self) -> Execution:
        """Plan it and begin to carry it out."""
        tasks = [{**one, "title": TITLES[one["id"]]} for one in TASKS]
        about = "People sign in with OAuth instead of a password of their own, and sign out on all devices at once."
        opened = {"milestone_id": MILESTONE, "name": "Sign-in with OAuth", "description": about}
        self.call("initialize_agent_coordination", **opened)
        assert play(self.call, MILESTONE, said={"milestone-plan": plan(*tasks)})[-1]["kind"] == "done"
        self.rest(20)
        begun = self.call("initialize_agent_coordination", milestone_id=MILESTONE, mode="execution")
        return Execution(InProcess(self.project), begun.pop("milestone_id"), **begun)

    def actions(self, milestone_id: str = MILESTONE) -> list[dict[str, Any]]:
        """Return what is to be done."""
        return self.call("next_actions", milestone_id=milestone_id)["actions"]

    def play(self, *until: str, milestone_id: str = MILESTONE) -> list[dict[str, Any]]:
        """Carry everything out, and approve, until one of these tasks is handed out; return the last actions."""
        while True:
            actions = self.actions(milestone_id)
            if {one.get("task_id", "") for one in actions} & {*until} or actions[0]["kind"] in ("wait", "done"):
                return actions
            for one in actions:
                if one["kind"] == "ask_human" and one["tasks"]:
                    continue
                if one["kind"] == "ask_human":
                    approved = {"phase": one["phase"], "by": "Ada Lovelace", "reason": "Reads well"}
                    self.call("approve", milestone_id=milestone_id, **approved)
                else:
                    obey(self.call, one, milestone_id)
                self.rest(9)

    def half(self) -> Execution:
        """Carry it out up to its middle: agents at work, a question, a waiver, a checkpoint, messages."""
        execution = self.begin()
        store, logout = sorted(self.play("build-token-store"), key=lambda one: one["task_id"], reverse=True)
        self.call("create_agent_checkpoint", scope_id=MILESTONE, scope="milestone", label="before the build")
        carry_out(self.call, store)
        who = {"agent_id": logout["agent_id"], "token": logout["token"]}
        self.call("update_agent_status", status="active", **who)
        self.call("report_failure", error="The session table has no column for devices", kind="impossible", **who)
        actions = self.play("build-login")
        self.later = max(self.later, -200)
        for one in actions:
            if one["kind"] == "spawn":
                self._staff({"agent_id": one["agent_id"], "token": one["token"]})
        given = {"by": "Ada Lovelace", "reason": "The form went with the old site already"}
        self.call("waive", task_id="remove-passwords", milestone_id=MILESTONE, **given)
        return execution

    def _staff(self, who: dict[str, str]) -> None:
        """Have an agent at work that tells the others something."""
        self.call("update_agent_status", status="active", **who)
        self.call("save_agent_state", key="notes", value={"read": ["docs/specify_login.md"]}, **who)
        said = {"said": "The store returns None for a token that was seen twice", "file": "app/build_token_store.py"}
        given = {"from_agent": who["agent_id"], "token": who["token"], "to": "*", "type": "interface_changed"}
        self.call("send_agent_message", payload=said, **given)

    def asking(self) -> str:
        """Begin another milestone, and carry it out until its design has to be approved for the second time."""
        name = "search-index"
        self.call("initialize_agent_coordination", milestone_id=name, name="Search over all documents")
        index = task("design-index", "design", ("compare-engines",))
        tasks = [task("compare-engines", "design"), index, task("specify-index", "spec", ("design-index",), ("docs/",))]
        assert play(self.call, name, said={"milestone-plan": plan(*tasks)})[-1]["kind"] == "done"
        self.call("initialize_agent_coordination", milestone_id=name, mode="execution")
        while (found := self.actions(name))[0]["kind"] != "ask_human":
            for one in found:
                obey(self.call, one, name)
        return name
