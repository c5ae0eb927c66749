"""The plugin's small commands in the real Claude Code: a person pauses, looks, and keeps an eye on the status line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.helpers.following import until
from tests.helpers.projects import Project

from .actors import NAME, call, loading
from .claude import Host
from .conversation import Block, Request, text, tool
from .ledger import Ledger
from .scripted_model import ScriptedModel
from .terminal import interactive

PATIENCE = 60.0
LOOKED = ("get_milestone", "get_session_status")


@pytest.fixture
def project(repository: Path) -> Iterator[Project]:
    """The repository with a milestone whose planning has begun."""
    seen = Project(repository)
    seen.operate("initialize_agent_coordination", name=NAME)
    seen.operate("next_actions")
    yield seen
    seen.close()


def pause(request: Request) -> Sequence[Block]:
    """Do what the skill says: one call, then end the turn."""
    return [text("Paused.")] if request.of("steer_milestone") else [call("steer_milestone", action="pause")]


def look(request: Request) -> Sequence[Block]:
    """Do what the skill says: the milestone, its session, and the command that tells what waits."""
    if request.of("Bash"):
        return [text("That is all.")]
    if session := request.of("get_session_status"):
        wanted = session[0].json["milestone_id"]
        return [tool("Bash", command=f"milestone status {wanted} --json", description="What waits")]
    if found := request.of("get_milestone"):
        return [call("get_session_status", milestone_id=found[0].json["milestone_id"])]
    return [call("get_milestone")]


@pytest.mark.usefixtures("project")
def test_a_person_pauses_a_milestone(host: Host, model: ScriptedModel, ledger: Ledger) -> None:
    """The host asks nobody for leave, and the person's command is all that the model reads of it."""
    model.plays("pausing", lambda _: True, loading(["steer_milestone"], pause))
    run = host.prompt("/milestone:pause")
    assert (run.code, run.denied, run.answer) == (0, [], "Paused."), run.output[-3000:]
    assert "nothing new begins in any session or host" in model.asked("pausing")[0].first
    assert ledger.rows("SELECT steering FROM milestones") == [("paused",)]


def test_a_person_looks_and_the_command_is_found_in_the_hosts_shell(
    host: Host, model: ScriptedModel, project: Project
) -> None:
    """The plugin's own folder of programs is on the shell's path, and the skill allows this one command of it."""
    before = project.dump()
    model.plays("looking", lambda _: True, loading(LOOKED, look))
    run = host.prompt("/milestone:status")
    assert (run.code, run.denied, run.answer) == (0, [], "That is all."), run.output[-3000:]
    (shown,) = model.asked("looking")[-1].of("Bash")
    (board,) = json.loads(shown.text)["milestones"]
    assert (board["name"], board["waiting"]) == (NAME, [])
    same = {"milestones", "tasks", "claims", "agent_messages"}
    assert {table: project.dump()[table] for table in same} == {table: before[table] for table in same}


@pytest.mark.usefixtures("project")
def test_the_status_line_shows_the_milestone(host: Host) -> None:
    command = f'"{host.plugin}/bin/milestone" statusline'
    settings = {"statusLine": {"type": "command", "command": command}}
    with interactive(host, "--settings", json.dumps(settings)) as terminal:
        until(lambda: f"◆ {NAME} 0 % · planning" in terminal.shown(), PATIENCE)
