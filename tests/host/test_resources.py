"""The resources inside the real Claude Code: it lists and reads them, and has no command of ours a second time."""

from __future__ import annotations

from collections.abc import Sequence

from .claude import Host
from .conversation import Block, Request, text, tool
from .scripted_model import ScriptedModel

LIST, READ = "ListMcpResourcesTool", "ReadMcpResourceTool"


def _look(request: Request) -> Sequence[Block]:
    """Load the host's tools, list the resources, read the list of milestones, and end."""
    return (
        [tool("ToolSearch", query=f"select:{LIST},{READ}")],
        [tool(LIST)],
        [tool(READ, server="plugin:milestone:milestone", uri="milestone://milestones")],
        [text("That is all.")],
    )[request.turn]


def test_the_host_lists_and_reads_the_resources(host: Host, model: ScriptedModel) -> None:
    model.plays("person", lambda _: True, _look)
    run = host.prompt("Look at the resources.", "--allowedTools", f"{LIST},{READ}")
    assert (run.code, run.denied) == (0, []), run.output[-2000:] + run.errors[-2000:]
    last = model.asked("person")[-1]
    (listed,), (read,) = last.of(LIST), last.of(READ)
    assert [one["uri"] for one in listed.json] == ["milestone://milestones"]
    assert read.json["contents"][0]["text"] == "[]"


def test_the_prompts_are_no_commands_beside_those_of_the_plugin(host: Host, model: ScriptedModel) -> None:
    """Planted and found: prompts that are listed to Claude Code, which makes commands of them."""
    model.plays("person", lambda _: True, lambda _: [text("There is no such command.")])
    run = host.prompt("/mcp__plugin_milestone_milestone__status goal")
    assert run.code == 0, run.output[-2000:] + run.errors[-2000:]
    (asked,) = model.asked("person")
    assert "Where does it stand?" not in asked.new
    assert "no command with that name is available" in asked.new
