"""Scripted parties of a milestone: the coordinator, honest agents, and agents that misbehave."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .conversation import Block, Request, Result, text, tool
from .deliveries import KEYS, NEEDS, VALUES
from .scripted_model import Actor, ScriptedModel, hold

SERVER = "mcp__plugin_milestone_milestone__"
"""What the host puts before the names of our tools."""

NAME = "Add OAuth login"
"""The milestone that the tests plan and carry out."""

PATIENT = 30
"""Seconds that the coordinator waits for a task that is tried again; before a longer rest it ends its turn."""

Step = Callable[[Request], Sequence[Block]]
"""One message of an agent that follows a script."""

_BEGIN, _LOOP = ("initialize_agent_coordination",), ("next_actions", "get_milestone")
_EXECUTION = ("run_gates", "transition_phase", "steer_milestone")
_COORDINATION = {
    "planning": (*_BEGIN, *_LOOP),
    "execution": (*_BEGIN, *_LOOP, *_EXECUTION),
    "resume": (*_LOOP, *_EXECUTION),
}
"""What a coordinator loads before it begins."""


class Unexpected(AssertionError):
    """The host or the server answered something that the script does not allow."""


def call(operation: str, /, **arguments: Any) -> Block:
    """Return a call of one of our tools."""
    return tool(SERVER + operation, **arguments)


@dataclass(frozen=True)
class Brief:
    """What an agent is told about itself in the first message it gets."""

    agent_id: str
    token: str
    task_id: str


def brief_of(request: Request) -> Brief | None:
    """Return the brief the conversation began with, which a workflow indents; `None` where there is none."""
    found = {name: re.search(rf"^[ \t]*{name}: (\S+)$", request.first, re.MULTILINE) for name in Brief.__annotations__}
    values = {name: match[1] for name, match in found.items() if match}
    return Brief(**values) if len(values) == len(found) else None


def told(request: Request) -> Brief:
    """Return the brief of an agent that must have one."""
    brief = brief_of(request)
    if brief is None:
        raise Unexpected(f"no brief in: {request.first[:2000]}")
    return brief


# The coordinator


@dataclass
class Coordinator:
    """Follows the loop: initialise, ask what to do, start all agents of a batch in one message, wait, sum up.

    `aside` is asked after each of its tool results and may return blocks to send first. In mode `resume` it begins by
    taking up what is there. The person that it asks about files of a lost agent wants them kept.
    """

    name: str = NAME
    mode: str = "planning"
    aside: Callable[[Request], Sequence[Block]] = field(default=lambda _: ())

    def __call__(self, request: Request) -> Sequence[Block]:
        """Return the coordinator's next message."""
        wanted = frozenset(SERVER + name for name in _COORDINATION[self.mode])
        return _loaded(request, wanted) or self.aside(request) or self._next(request)

    def _next(self, request: Request) -> Sequence[Block]:
        ours = [r for r in request.results if r.tool != "ToolSearch"]
        if not ours:
            return [self._begin()]
        last = ours[-1]
        if last.tool == SERVER + "steer_milestone" and last.failed and "nothing to steer" in last.text:
            return [call("get_milestone")]
        for result in request.fresh:
            must_have_worked(result)
        if last.tool == SERVER + "get_milestone":
            return [text(f"{self.mode} of {last.json['milestone_id']}: {last.json['status']}")]
        if last.tool == SERVER + "next_actions":
            return self._obey(last)
        return [call("next_actions", wait_seconds=20 if request.of("next_actions") else 0)]

    def _begin(self) -> Block:
        if self.mode == "resume":
            return call("steer_milestone", action="resume")
        return call("initialize_agent_coordination", name=self.name, mode=self.mode)

    def _obey(self, answer: Result) -> Sequence[Block]:
        actions = answer.json["actions"]
        todo = [_obeying(action) for kind in _TODO for action in actions if action["kind"] == kind]
        todo += [call("steer_milestone", action="keep", task_id=a["tasks"][0]) for a in actions if a.get("files")]
        if todo:
            return todo
        if actions[0]["kind"] == "wait" or actions[0].get("seconds", PATIENT) < PATIENT:
            return [call("next_actions", wait_seconds=20)]
        if actions[0]["kind"] in ("done", "ask_human", "retry_at"):
            return [call("get_milestone")]
        raise Unexpected(f"actions: {actions}")


_TODO = ("transition", "spawn", "run_gates")
"""Agents are started before the gates of the same answer run, so that they work meanwhile."""


def _obeying(action: Mapping[str, Any]) -> Block:
    if action["kind"] == "transition":
        return call("transition_phase", phase=action["phase"])
    if action["kind"] == "run_gates":
        return call("run_gates", task_id=action["task_id"])
    names = {"subagent_type": "agent_type", "description": "description", "prompt": "brief"}
    return tool("Agent", **{name: action[ours] for name, ours in names.items()})


def hasty(loop: Actor, woken: threading.Event) -> Actor:
    """Return a coordinator that ends its turn while its agents work; `woken` is set when a new turn has begun."""

    def act(request: Request) -> Sequence[Block]:
        notified = "<task-notification>" in request.new
        if notified and not request.fresh:
            woken.set()
        launched = any(r.tool == "Agent" for r in request.fresh)
        return [text("They work now.")] if launched and not notified else loop(request)

    return act


def loading(names: Sequence[str], actor: Actor) -> Actor:
    """Return the actor, made to load the named deferred tools first."""
    wanted = frozenset(SERVER + name for name in names)
    return lambda request: _loaded(request, wanted) or actor(request)


def _loaded(request: Request, wanted: frozenset[str]) -> Sequence[Block]:
    missing = sorted(wanted - request.tools)
    if not missing:
        return ()
    if "ToolSearch" not in request.tools or any(_is_final(r, missing) for r in request.of("ToolSearch")):
        raise Unexpected(f"not offered: {missing}; offered: {sorted(request.tools)}; said: {request.new[-500:]}")
    return [tool("ToolSearch", query=f"select:{','.join(missing)}", max_results=len(missing))]


def _is_final(search: Result, missing: Sequence[str]) -> bool:
    """Tell whether a search for the missing tools was answered with no, and not with "still connecting"."""
    asked = str(search.arguments["query"]).removeprefix("select:").split(",")
    return set(missing) <= set(asked) and "still connecting" not in search.text


def must_have_worked(result: Result) -> None:
    """Raise `Unexpected` with the answer of a call that failed."""
    if result.failed:
        raise Unexpected(f"{result.tool}({dict(result.arguments)}) failed: {result.text}")


# Agents


def script(*steps: Step) -> Actor:
    """Return an actor that says one step after the other."""

    def act(request: Request) -> Sequence[Block]:
        if request.turn >= len(steps):
            raise Unexpected(f"{told(request)} has nothing more to say to: {request.new[-1000:]}")
        return steps[request.turn](request)

    return act


def strict(step: Step) -> Step:
    """Return the step, made to refuse to go on when one of the calls just before it failed."""

    def checked(request: Request) -> Sequence[Block]:
        for result in request.fresh:
            must_have_worked(result)
        return step(request)

    return checked


def begin(request: Request) -> Sequence[Block]:
    """Report for work with the brief's token, and read what the task needs."""
    brief = told(request)
    loads = [call("load_agent_state", key=key) for key in NEEDS.get(brief.task_id, ())]
    return [call("update_agent_status", agent_id=brief.agent_id, status="active", token=brief.token), *loads]


def save(request: Request) -> Sequence[Block]:
    """Save everything that the task must produce."""
    brief = told(request)
    return [
        call("save_agent_state", agent_id=brief.agent_id, key=key, value=VALUES[key], token=brief.token)
        for key in KEYS[brief.task_id]
    ]


def complete(request: Request) -> Sequence[Block]:
    """Say that the task is done."""
    brief = told(request)
    return [call("complete_task", task_id=brief.task_id, agent_id=brief.agent_id, token=brief.token)]


def stop(request: Request) -> Sequence[Block]:
    """End, with the words of an agent that thinks it is done."""
    return [text(f"DONE\nTask {told(request).task_id}.")]


DELIVER: tuple[Step, ...] = (strict(save), strict(complete), strict(stop))
"""How honest work ends."""

honest = script(begin, *DELIVER)
forgetful = script(begin, stop, *DELIVER)
forgets_twice = script(begin, stop, stop)


def after(event: threading.Event, what: str, step: Step) -> Step:
    """Return the step, held until `event` is set; `what` is the reason told when it never is."""

    def held(request: Request) -> Sequence[Block]:
        hold(event, what)
        return step(request)

    return held


def setting(event: threading.Event, step: Step) -> Step:
    """Return the step, made to set `event` when the agent comes to it."""

    def marked(request: Request) -> Sequence[Block]:
        event.set()
        return step(request)

    return marked


# The cast


def cast(model: ScriptedModel, coordinator: Actor | None = None, **agents: Actor) -> None:
    """Fill all parts of a planning: the coordinator, and for each task its agent, honest where none is named."""
    model.plays("coordinator", lambda r: brief_of(r) is None and NAME in r.first, coordinator or Coordinator())
    for task_id in KEYS:
        model.plays(task_id, _is_for(task_id), agents.get(task_id, honest))


def _is_for(task_id: str) -> Callable[[Request], bool]:
    def cue(request: Request) -> bool:
        brief = brief_of(request)
        return brief is not None and brief.task_id == task_id

    return cue


def started(model: ScriptedModel) -> Mapping[str, int]:
    """Return how many agents the host really started for each task: conversations that began."""
    return {task_id: sum(r.turn == 0 for r in model.asked(task_id)) for task_id in KEYS}


def spawned(request: Request) -> Sequence[Sequence[str]]:
    """Return the agent types that a conversation started, message by message."""
    batches = [
        [b["input"]["subagent_type"] for b in m["content"] if b["type"] == "tool_use" and b["name"] == "Agent"]
        for m in request.messages
        if m["role"] == "assistant"
    ]
    return [batch for batch in batches if batch]
