"""What a person may do from the page: what each action says beforehand, what it asks for, and which call it becomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from milestone.domain.errors import Refusal
from milestone.surfaces.web.guard import Form

_ANSWER = "answer"
_STEER = "steer_milestone"


@dataclass(frozen=True)
class Action:
    """An action. `asks` are the fields a person fills in; those with a `*` must be; `about` is what it is done to."""

    title: str
    says: str
    done: str
    operation: str
    given: Mapping[str, Any] = field(default_factory=dict[str, Any])
    asks: tuple[str, ...] = ()
    about: str = ""
    grave: bool = False

    @property
    def name(self) -> str:
        """The first word of the title, for a button."""
        return self.title.split(" {")[0]

    def needed(self) -> tuple[str, ...]:
        """Return the fields that must be filled in."""
        return tuple(one[:-1] for one in self.asks if one.endswith("*"))

    def fields(self) -> tuple[str, ...]:
        """Return the fields that a person fills in."""
        return tuple(one.rstrip("*") for one in self.asks)


def _decision(decision: str, title: str, says: str, done: str) -> Action:
    return Action(
        title, says, done, _ANSWER, {"decision": decision}, ("by*", "reason"), "task", decision in ("skip", "discard")
    )


ACTIONS: Mapping[str, Action] = {
    "approve": Action(
        "Approve {about}",
        "The phase is approved in your name and can be completed; work that waited for it goes on.",
        "Approved.",
        "approve",
        asks=("by*", "reason"),
        about="phase",
    ),
    "reject": Action(
        "Reject {about}",
        "The phase is not completed. A task is added that mends what you name; when it is done, you are asked again.",
        "Rejected; a task that mends it was added.",
        "reject",
        asks=("by*", "reason*"),
        about="phase",
    ),
    "pause": Action(
        "Pause",
        "Agents at work finish their tasks. Nothing new is started, in no session and on no host, until you resume.",
        "Paused: agents at work finish, nothing new is started.",
        _STEER,
        {"action": "pause"},
    ),
    "resume": Action(
        "Resume",
        "A pause or a stop is lifted. The session that coordinates goes on by itself; where none is open any more, "
        "type /milestone:resume in one.",
        "Resumed: work goes on.",
        _STEER,
        {"action": "resume"},
    ),
    "stop": Action(
        "Stop",
        "Agents at work are told to save what they have and to end. Nothing new is started until you resume.",
        "Stopped: agents were told to save and to end.",
        _STEER,
        {"action": "stop"},
        grave=True,
    ),
    "take-over": Action(
        "Take over",
        "Whoever coordinates this milestone now is let go, so that another session may: the next that asks goes on.",
        "Taken over: type /milestone:resume in the session that should go on.",
        _STEER,
        {"action": "take_over"},
        grave=True,
    ),
    "waive": Action(
        "Waive the proof of {about}",
        "The task counts as done without its proof, in your name and for your reason. Both stand beside the progress "
        "from then on, here and in the report.",
        "Waived: it counts as done, in your name.",
        "waive",
        asks=("by*", "reason*"),
        about="task",
        grave=True,
    ),
    "retry": _decision("retry", "Try {about} again", "The task is handed out again.", "It is tried again."),
    "skip": _decision(
        "skip",
        "Go on without {about}",
        "The task is left out for good; tasks that need it go on without what it would have made.",
        "Work goes on without it.",
    ),
    "keep": _decision(
        "keep",
        "Keep the files of {about}",
        "What the lost agent left in the task's folder stays, and the next attempt begins with it.",
        "The files stay; the task goes on with them.",
    ),
    "discard": _decision(
        "discard",
        "Put the files of {about} away",
        "What the lost agent left is put away where it can be found again, and the task begins anew.",
        "The files are put away; the task begins anew.",
    ),
    "checkpoint": Action(
        "Create a checkpoint",
        "What the milestone knows now and its files in Git are kept under a label, so that you can go back to it.",
        "The checkpoint is made.",
        "create_agent_checkpoint",
        {"scope": "milestone"},
        ("label",),
    ),
    "rollback": Action(
        "Roll back to {about}",
        "What the dry run shows is carried out, and who is at work is retired. What is there now is kept as a "
        "checkpoint first, so that this can be undone.",
        "Rolled back. What was there before is kept as a checkpoint.",
        "restore_agent_checkpoint",
        {"dry_run": False},
        about="checkpoint",
        grave=True,
    ),
}
FIELDS: Mapping[str, tuple[str, str, int]] = {
    "by": ("Your name", "It stands beside what you decide.", 200),
    "reason": ("Reason", "What whoever reads this later should know.", 400),
    "label": ("Label", "What you will know it by.", 400),
}
MOST_TASKS = 50


def subject(action: Action, fields: Form) -> str:
    """Return what an action is done to, in a word.

    Raises:
        Refusal: the address names nothing.
    """
    named = [one for one in fields.get(action.about, []) if one] if action.about else []
    if action.about and not named:
        raise Refusal(f"This address names no {action.about}", remedy="Go back and choose one.")
    return ", ".join(named[:3]) + (f" and {len(named) - 3} more" if len(named) > 3 else "")  # noqa: PLR2004 - as shown


def arguments(action: Action, milestone_id: str, form: Form) -> dict[str, Any]:
    """Return the arguments of the call that an action becomes.

    Raises:
        Refusal: a field that must be filled in is empty, or what it is about is not named.
    """
    subject(action, form)
    text = {name: first(form, name).strip() for name in action.fields()}
    for name in action.needed():
        if not text[name]:
            raise Refusal(f"{FIELDS[name][0]!r} is empty", remedy="Fill it in: it is kept with what you decide.")
    made: dict[str, Any] = {**action.given, **text}
    match action.operation:
        case "create_agent_checkpoint":
            made["scope_id"] = milestone_id
        case "restore_agent_checkpoint":
            made |= {"checkpoint_id": first(form, "checkpoint"), "tree": first(form, "tree") == "1"}
        case "answer":
            made |= {"tasks": form["task"][:MOST_TASKS], "milestone_id": milestone_id}
        case _:
            made["milestone_id"] = milestone_id
            made |= {"task_id": first(form, "task")} if action.about == "task" else {}
            made |= {"phase": first(form, "phase")} if action.about == "phase" else {}
    return made


def first(form: Form, name: str) -> str:
    """Return the first value of a field; empty where it has none."""
    return next(iter(form.get(name, [])), "")
