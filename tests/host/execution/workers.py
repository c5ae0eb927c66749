"""Scripted agents of an execution: each does what its brief says, with the host's own tools for files."""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.helpers.execution import keys_of, value, write_change
from tests.host.actors import (
    NAME,
    Coordinator,
    Unexpected,
    begin,
    brief_of,
    call,
    complete,
    script,
    stop,
    strict,
    told,
)
from tests.host.conversation import Block, Request, tool
from tests.host.scripted_model import Actor, ScriptedModel

AGENT = "agent"
"""The part that every agent with a brief plays; which task it has, its brief says."""

Files = Mapping[str, str]
"""What a task writes: contents by path within its folder."""

_BRIEF = re.compile(r"^# Brief: .*?^6\. [^\n]*", re.DOTALL | re.MULTILINE)
_LOADS = re.compile(r'`load_agent_state\(key="([^"]+)", agent_id="([^"]+)"\)`')
_FOLDER = 'git_milestone(action="worktree"'
_REVIEW = re.compile(r'git_milestone\(action="diff", task_id="([^"]+)"\)')


def brief_text(request: Request) -> str:
    """Return the brief: the first message, or what a workflow's agent has loaded."""
    kept = [r for r in request.of("load_agent_state") if r.arguments["key"] == "brief"]
    found = _BRIEF.search(kept[0].json["value"] if kept else request.first)
    if found is None:
        raise Unexpected(f"no brief in: {request.first[:2000]}")
    return found[0]


def owes_commit(request: Request) -> bool:
    """Return whether the brief asks for a commit."""
    return "a commit with anything else is refused" in brief_text(request)


def enter(request: Request) -> Sequence[Block]:
    """Report for work, read what others found out, and take a folder."""
    return [*begin(request), *take(request)]


def take(request: Request) -> Sequence[Block]:
    """Read what the brief names, and take a folder where it offers one."""
    brief = brief_text(request)
    loads = [call("load_agent_state", key=key, agent_id=author) for key, author in _LOADS.findall(brief)]
    return [*loads, *([git(request, "worktree")] if _FOLDER in brief else [])]


def git(request: Request, action: str, **more: Any) -> Block:
    """Return a call of git_milestone in the agent's own name."""
    brief = told(request)
    return call("git_milestone", action=action, agent_id=brief.agent_id, token=brief.token, **more)


def folder(request: Request) -> Path:
    """Return the folder that the server gave to the agent."""
    (answer,) = (r for r in request.of("git_milestone") if r.arguments["action"] == "worktree")
    return Path(answer.json["path"])


def write(request: Request, files: Files) -> Sequence[Block]:
    """Write files in the agent's folder; the host wants to have read a file that is there."""
    blocks: list[Block] = []
    for name, content in files.items():
        path = folder(request) / name
        blocks += [tool("Read", file_path=str(path))] if path.exists() else []
        blocks.append(tool("Write", file_path=str(path), content=content))
    return blocks


def commit(request: Request) -> Block:
    """Commit what was written."""
    return git(request, "commit", kind="feat", summary=f"carry out {told(request).task_id}")


def run_gates(request: Request) -> Block:
    """Try the project's gates in the agent's folder."""
    brief = told(request)
    return call("run_gates", task_id=brief.task_id, agent_id=brief.agent_id, token=brief.token)


def deliver(request: Request) -> Sequence[Block]:
    """Save every key that the brief asks for, and complete the task."""
    brief = told(request)
    saves = [
        call("save_agent_state", agent_id=brief.agent_id, token=brief.token, key=key, value=value(key, brief.task_id))
        for key in keys_of(brief_text(request))
    ]
    return [*saves, *complete(request)]


def usual(task_id: str) -> Files:
    """Return the files that a task usually writes."""
    with tempfile.TemporaryDirectory() as place:
        write_change(Path(place), task_id)
        return {str(p.relative_to(place)): p.read_text("utf-8") for p in Path(place).rglob("*") if p.is_file()}


def work(request: Request) -> Sequence[Block]:
    """Do the task: change and commit where a commit is owed, look at the change where a review is, and deliver."""
    looked_at = [call("git_milestone", action="diff", task_id=name) for name in _REVIEW.findall(brief_text(request))]
    changed = [*write(request, usual(told(request).task_id)), commit(request)] if owes_commit(request) else []
    return [*looked_at, *changed, *deliver(request)]


worker = script(enter, strict(work), strict(stop))
"""An honest agent."""


def attempts(*actors: Actor) -> Actor:
    """Return an actor that plays one agent after the other: the first agent of a task, the next one, and so on."""
    agents: list[str] = []

    def act(request: Request) -> Sequence[Block]:
        agent_id = told(request).agent_id
        if agent_id not in agents:
            agents.append(agent_id)
        number = agents.index(agent_id)
        if number >= len(actors):
            raise Unexpected(f"attempt {number + 1} of {told(request).task_id}")
        return actors[number](request)

    return act


def cast(model: ScriptedModel, coordinator: Actor | None = None, default: Actor = worker, **agents: Actor) -> None:
    """Fill all parts: the coordinator, and the agents, by task with `_` for `-`; honest where none is named."""
    named = {name.replace("_", "-"): actor for name, actor in agents.items()}
    lead = coordinator or Coordinator(mode="execution")
    model.plays("coordinator", lambda r: brief_of(r) is None and NAME in r.first, lead)
    model.plays(AGENT, lambda r: brief_of(r) is not None, lambda r: named.get(told(r).task_id, default)(r))


def started(model: ScriptedModel) -> Mapping[str, int]:
    """Return how many agents the host really started for each task: conversations that began."""
    return Counter(told(r).task_id for r in model.asked(AGENT) if r.turn == 0)


def of_task(model: ScriptedModel, task_id: str) -> Sequence[Request]:
    """Return what the agents of a task asked the model, in order."""
    return [r for r in model.asked(AGENT) if told(r).task_id == task_id]


def when(event: Callable[[], object], step: Callable[[Request], Sequence[Block]]) -> Actor:
    """Return the step, made to call `event` first."""

    def marked(request: Request) -> Sequence[Block]:
        event()
        return step(request)

    return marked
