"""The plugin's monitor in the interactive host: it wakes an idle conversation that is needed, and no other."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.following import until
from tests.helpers.projects import Project

from .actors import NAME, call, loading
from .claude import Host
from .conversation import Block, Request, text
from .scripted_model import ScriptedModel
from .terminal import Terminal, interactive

USED = ("initialize_agent_coordination", "next_actions")
GREETING = "Begin, please"
ALLOWED = ("--settings", json.dumps({"permissions": {"allow": ["mcp__plugin_milestone_milestone"]}}))
PATIENCE = 60.0
PROMPT = "\u276f"


def lead(request: Request) -> Sequence[Block]:
    """Begin when the person says so, ask what to do, and end the turn; ask again when the monitor wakes it."""
    done = [result for result in request.fresh if result.tool != "ToolSearch"]
    if done and done[-1].tool.endswith("initialize_agent_coordination"):
        return [call("next_actions")]
    if done:
        return [text("I stand by.")]
    if "<event>" in request.new:
        return [call("next_actions")]
    if GREETING in request.new or request.fresh:
        return [call("initialize_agent_coordination", name=NAME)]
    return [text("Nothing to do.")]


@pytest.fixture
def eager(host: Host, clone: Path) -> Host:
    """The host with a plugin whose monitor takes a conversation for idle after a second, not after twenty."""
    file = clone / "monitors" / "monitors.json"
    (given,) = json.loads(file.read_text("utf-8"))
    assert given["command"].endswith('/bin/milestone" monitor')
    file.write_text(json.dumps([{**given, "command": given["command"] + " 1"}]), "utf-8")
    return replace(host, plugin=clone)


@pytest.fixture
def project(repository: Path) -> Iterator[Project]:
    """The same project seen by another process."""
    seen = Project(repository)
    yield seen
    seen.close()


@pytest.fixture
def terminal(eager: Host, model: ScriptedModel) -> Iterator[Terminal]:
    """A conversation that has begun to coordinate a milestone, and has ended its turn."""
    model.plays("lead", lambda _: True, loading(USED, lead))
    with interactive(eager, *ALLOWED) as shown:
        until(lambda: PROMPT in shown.shown(), PATIENCE)
        shown.type(GREETING)
        until(lambda: answers(model), PATIENCE)
        yield shown


def answers(model: ScriptedModel) -> list[dict[str, Any]]:
    """Return what `next_actions` has answered so far."""
    asked = model.asked("lead")
    return [result.json for result in asked[-1].of("next_actions")] if asked else []


def wakes(model: ScriptedModel) -> list[str]:
    """Return the lines of the monitor that woke the conversation, in order."""
    return [
        request.new.partition("<event>")[2].partition("</event>")[0]
        for request in model.asked("lead")
        if "<event>" in request.new and not request.fresh
    ]


def send(project: Project, sender: str, payload: str) -> None:
    """Send the coordinator a message, as an agent in another process would."""
    to = "project-milestone-coordinator"
    project.operate("send_agent_message", from_agent=sender, to=to, type="note", payload=payload)


def test_an_idle_conversation_is_woken_by_a_message_and_acts_once(
    terminal: Terminal, model: ScriptedModel, project: Project
) -> None:
    """Two messages one after the other wake it twice; what happens in between, and concerns nobody, does not."""
    sender = project.operate("register_agent", agent_type="research-orchestrator")["agent_id"]
    send(project, sender, "the first")
    until(lambda: len(answers(model)) == 2, PATIENCE)
    project.operate("log_milestone_event", event="noted", subject="nothing")
    project.operate("update_agent_status", agent_id=sender, status="active", detail="reading")
    send(project, sender, "the second")
    until(lambda: len(answers(model)) == 3, PATIENCE)
    told = [[message["payload"] for message in answer.get("messages", [])] for answer in answers(model)]
    assert told == [[], ["the first"], ["the second"]], terminal.shown()
    assert len(wakes(model)) == 2
    milestone_id = answers(model)[0]["milestone_id"]
    for line in wakes(model):
        assert line.startswith(f"Milestone {milestone_id}: a message waits. Call mcp__plugin_milestone_milestone__next")


def test_the_monitor_ends_with_a_host_that_was_killed(terminal: Terminal) -> None:
    """Its parent is a shell that outlives the host, so it goes by the host's own process."""
    (monitor,) = until(lambda: monitors(terminal.process.pid), PATIENCE)
    terminal.kill()
    until(lambda: not Path("/proc", monitor).exists(), PATIENCE)


def monitors(host: int) -> list[str]:
    """Return the processes of the monitor that this host has started."""
    found: list[str] = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                words = (folder / "cmdline").read_bytes().split(b"\0")
                ours = f"CLAUDE_PID={host}".encode() in (folder / "environ").read_bytes().split(b"\0")
            except OSError:
                continue
            if ours and b"monitor" in words and words[0].endswith(b"python"):
                found.append(folder.name)
    return found
