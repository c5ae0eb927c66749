"""Scripted parties of an execution by the plugin's workflow script: who starts it, who does its rounds, who proves."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.host.actors import NAME, SERVER, Unexpected, begin, brief_of, call, script, stop, strict, told
from tests.host.claude import Ended, Host
from tests.host.conversation import Block, Request, text, tool
from tests.host.scripted_model import Actor, ScriptedModel

from .workers import cast, take, work

WORKFLOW = "milestone:execute-workflow"
COMMAND = f"/{WORKFLOW} {NAME}"
ALLOWED = ("--allowedTools", f"Workflow,{SERVER.removesuffix('__')}")
"""What a person has to grant: the tool that starts workflows, and our server. No Edit and no Write."""

SLOTS = {"CLAUDE_CODE_WORKFLOW_MAX_CONCURRENT_AGENTS": "8"}
"""The host would derive the number of agents at once from the machine's processors."""

_HARNESS = "[Workflow harness"
"""How the host begins the first message of every agent of a script; the prompt follows, each line indented."""


@dataclass
class Dispatcher:
    """Does the rounds as the script asks: what next_actions answers, in the shape the script wants."""

    rounds: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def __call__(self, request: Request) -> Sequence[Block]:
        """Return the next message of a round."""
        if any(r.failed for r in request.fresh):
            return self._answer({"milestone_id": "", "kind": "refused", "why": request.fresh[-1].text})
        if not request.of("initialize_agent_coordination") and "initialize_agent_coordination" in request.first:
            return [call("initialize_agent_coordination", name=NAME, mode="execution")]
        asked = request.of("next_actions")
        if not asked:
            return [call("next_actions", milestone_id=_milestone(request), wait_seconds=_patience(request))]
        actions = asked[-1].json["actions"]
        phases = [a["phase"] for a in actions if a["kind"] == "transition"]
        if phases and not request.of("transition_phase"):
            return [call("transition_phase", phase=phase, milestone_id=_milestone(request)) for phase in phases]
        kind = actions[0]["kind"]
        return self._answer(
            {
                "milestone_id": asked[-1].json["milestone_id"],
                "kind": kind if kind in ("wait", "ask_human", "done") else "go",
                "why": actions[0]["why"],
                "tasks": actions[0].get("tasks", []),
                "spawns": [
                    {name: a[name] for name in ("task_id", "agent_type", "description", "agent_id", "token")}
                    for a in actions
                    if a["kind"] == "spawn"
                ],
                "gates": [a["task_id"] for a in actions if a["kind"] == "run_gates"],
                "phases": phases,
            }
        )

    def _answer(self, values: dict[str, Any]) -> Sequence[Block]:
        self.rounds.append({"tasks": [], "spawns": [], "gates": [], "phases": [], **values})
        return [tool("StructuredOutput", **self.rounds[-1])]


def _milestone(request: Request) -> str:
    """Return the id that the script, or the server, names."""
    begun = request.of("initialize_agent_coordination")
    if begun:
        return begun[0].json["milestone_id"]
    named = re.search(r'The milestone is "([^"]+)"', request.first)
    if named is None:
        raise Unexpected(f"no milestone in: {request.first[-2000:]}")
    return named[1]


def _patience(request: Request) -> int:
    """Return for how long the script wants to wait; no test waits as long as a person would."""
    asked = re.search(r"wait_seconds=(\d+)", request.first)
    return min(int(asked[1]), 20) if asked else 0


def prover(request: Request) -> Sequence[Block]:
    """Run the gates that the script names."""
    found = re.search(r'run_gates\(task_id="([^"]+)", milestone_id="([^"]+)"\)', request.first)
    if found is None:
        raise Unexpected(f"no gates in: {request.first[-1000:]}")
    if not request.turn:
        return [call("run_gates", task_id=found[1], milestone_id=found[2])]
    (answer,) = request.of("run_gates")
    return [tool("StructuredOutput", ran=not answer.failed, said=answer.text[:200])]


@dataclass
class Starter:
    """The main conversation: starts the workflow, and keeps what it is told of its end."""

    result: Any = None

    def __call__(self, request: Request) -> Sequence[Block]:
        """Return the next message."""
        if not request.turn:
            return [tool("Workflow", name=WORKFLOW, args={"milestone": NAME})]
        ended = re.search(r"<result>(.*?)</result>", request.new, re.DOTALL)
        if ended:
            self.result = json.loads(ended[1])
        return [text("Ended." if ended else "Started.")]


def enter(request: Request) -> Sequence[Block]:
    """Report for work, and load the brief that the server has kept: a script hands over ids alone."""
    return [*begin(request), call("load_agent_state", key="brief", agent_id=told(request).agent_id)]


worker = script(enter, strict(take), strict(work), strict(stop))
"""An honest agent of a script."""


def cast_script(model: ScriptedModel, **agents: Actor) -> tuple[Starter, Dispatcher]:
    """Fill all parts of an execution by the script; agents by task with `_` for `-`, honest where none is named."""
    starter, dispatcher = Starter(), Dispatcher()
    cast(model, starter, worker, **agents)
    model.plays("prover", _of_script("Prove one task"), prover)
    model.plays("dispatcher", _of_script("One round of a milestone's execution"), dispatcher)
    return starter, dispatcher


def _of_script(words: str) -> Callable[[Request], bool]:
    return lambda r: _HARNESS in r.first and words in r.first and brief_of(r) is None


def carry_out(host: Host, model: ScriptedModel, **agents: Actor) -> tuple[Ended, Starter, Dispatcher]:
    """Run the workflow to its end, and return what became of it."""
    starter, dispatcher = cast_script(model, **agents)
    return host.prompt(COMMAND, *ALLOWED), starter, dispatcher
