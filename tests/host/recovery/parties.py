"""Scripted parties that do one step in each message, so that a kill can come between any two of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.helpers.execution import task
from tests.host.actors import Coordinator, Unexpected, begin, brief_of, call, complete, must_have_worked, stop, told
from tests.host.conversation import Block, Request, Result, tool
from tests.host.execution.workers import brief_text, commit, deliver, folder, owes_commit, take, usual
from tests.host.scripted_model import ScriptedModel, hold

COORDINATOR = "coordinator"
TASKS = (
    task("specify-door", "spec", paths=("docs/",)),
    task("build-door", "execute", ("specify-door",), ("app/build_door.py",)),
    task("build-key", "execute", ("specify-door",), ("app/build_key.py",)),
)
"""What the planner plans."""
MODES = {"# Plan a milestone": "planning", "# Execute a milestone": "execution", "# Resume a milestone": "resume"}
"""How a coordinator works, by the heading of the skill that began its conversation."""

Cue = Callable[["Moment"], bool]
"""Says whether the model's next message is the one that never comes."""


@dataclass(frozen=True)
class Moment:
    """What a party was asked, and what it would say; `who` is the coordinator, or the task of an agent."""

    who: str
    agent_id: str
    request: Request
    blocks: Sequence[Block]

    def calls(self, name: str, **arguments: object) -> bool:
        """Return whether it would call a tool, with at least these arguments."""
        return any(
            block["type"] == "tool_use"
            and block["name"].split("__")[-1] == name
            and arguments.items() <= block["input"].items()
            for block in self.blocks
        )

    def has_read(self, name: str) -> bool:
        """Return whether it was just told what a call of a tool has done."""
        return any(_is(result, name) and not result.failed for result in self.request.fresh)


@dataclass
class Take:
    """One session of the host: its parties, what they said, and the message that is withheld, if any."""

    withheld: Cue | None = None
    said: list[Moment] = field(default_factory=list[Moment])
    reached: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def plays_on(self, model: ScriptedModel) -> None:
        """Fill all parts from now on."""
        model.plays(COORDINATOR, lambda r: brief_of(r) is None and _mode(r) != "", self._coordinator)
        model.plays("agent", lambda r: brief_of(r) is not None, self._agent)

    def _coordinator(self, request: Request) -> Sequence[Block]:
        return self._say(Moment(COORDINATOR, "", request, Coordinator(mode=_mode(request))(request)))

    def _agent(self, request: Request) -> Sequence[Block]:
        brief = told(request)
        return self._say(Moment(brief.task_id, brief.agent_id, request, _worker(request)))

    def _say(self, moment: Moment) -> Sequence[Block]:
        with self._lock:
            withheld = bool(self.withheld and not self.reached.is_set() and self.withheld(moment))
            if withheld:
                self.reached.set()
            else:
                self.said.append(moment)
        if withheld:
            hold(self.over, "the end of the killed session")
        return moment.blocks


def _is(result: Result, name: str) -> bool:
    return result.tool.split("__")[-1] == name


def _mode(request: Request) -> str:
    return next((mode for heading, mode in MODES.items() if heading in request.first), "")


def _worker(request: Request) -> Sequence[Block]:
    """Do what the brief says, one step in each message; what lost attempts left is built on, never done again."""
    for result in request.fresh:
        must_have_worked(result)
    steps = _steps(request)
    if request.turn >= len(steps):
        raise Unexpected(f"{told(request)} has nothing more to say to: {request.new[-1000:]}")
    return steps[request.turn](request)


def _steps(request: Request) -> Sequence[Callable[[Request], Sequence[Block]]]:
    to_commit = owes_commit(request) and "already committed" not in brief_text(request)
    looking = (_look,) if _look(request) else ()
    changing = (_change, lambda r: [commit(r)]) if to_commit else ()
    return (_report, *looking, *changing, _save, complete, stop)


def _report(request: Request) -> Sequence[Block]:
    return begin(request)[:1]


def _look(request: Request) -> Sequence[Block]:
    subject = told(request).task_id.removeprefix("review-").rpartition("-")[0]
    reviews = told(request).task_id.startswith("review-")
    return [*take(request), *([call("git_milestone", action="diff", task_id=subject)] if reviews else [])]


def _change(request: Request) -> Sequence[Block]:
    """Write the files of the task; those that a person wanted kept are only looked at."""
    files = {folder(request) / name: content for name, content in usual(told(request).task_id).items()}
    kept = "a person wants them kept" in brief_text(request)
    if kept and any(path.read_text("utf-8") != content for path, content in files.items()):
        raise Unexpected(f"not kept: {files}")
    return [
        tool("Read", file_path=str(path)) if kept else tool("Write", file_path=str(path), content=content)
        for path, content in files.items()
    ]


def _save(request: Request) -> Sequence[Block]:
    return [
        _planned(block) if block["input"].get("key") == "milestone-plan" else block for block in deliver(request)[:-1]
    ]


def _planned(save: Block) -> Block:
    plan = {**save["input"]["value"], "tasks": list(TASKS)}
    return {**save, "input": {**save["input"], "value": plan}}
