"""The manifests and hooks that hosts read name our server, our files and our arguments as they are."""

from __future__ import annotations

import json
import struct
from collections import Counter
from collections.abc import Iterator

from milestone.operations.registry import REGISTRY
from tests.prompts.library import PREFIX, ROOT, listed_tools

TAKEN_BY_THE_DOOR = {"tool_use_id", "transcript_path"}  # joined and read before host_event is called


def test_the_manifest_that_hosts_read_is_a_copy_of_ours() -> None:
    assert (ROOT / ".claude-plugin" / "plugin.json").read_bytes() == (ROOT / "plugin.json").read_bytes()


def test_the_manifest_starts_the_server_under_the_name_that_the_tools_carry() -> None:
    manifest = json.loads((ROOT / "plugin.json").read_text(encoding="utf-8"))
    assert f"mcp__plugin_{manifest['name']}_{next(iter(manifest['mcpServers']))}__" == PREFIX
    assert manifest["mcpServers"]["milestone"] == {"command": "${CLAUDE_PLUGIN_ROOT}/bin/milestone", "args": ["mcp"]}


def test_the_marketplace_offers_this_folder() -> None:
    marketplace = json.loads((ROOT / ".claude-plugin" / "marketplace.json").read_text(encoding="utf-8"))
    assert marketplace["name"] == "milestone"
    assert [(plugin["name"], plugin["source"]) for plugin in marketplace["plugins"]] == [("milestone", "./")]


def test_the_icon_is_a_square_that_the_directory_takes() -> None:
    data = (ROOT / ".claude-plugin" / "icon.png").read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", data[16:24])
    assert 512 <= width == height <= 2048


def hooks() -> Iterator[tuple[str, str, dict[str, object]]]:
    document = json.loads((ROOT / "hooks" / "hooks.json").read_text(encoding="utf-8"))
    for event, groups in document["hooks"].items():
        for group in groups:
            for hook in group["hooks"]:
                yield event, group.get("matcher", ""), hook


def test_every_hook_gives_up_within_a_few_seconds() -> None:
    assert all(1 <= int(str(hook["timeout"])) <= 5 for _, _, hook in hooks())


def test_a_hook_calls_our_server_by_the_name_that_works_with_arguments_that_it_takes() -> None:
    assert "host_event" not in listed_tools()
    known = set(REGISTRY["host_event"].arguments.model_fields) | TAKEN_BY_THE_DOOR
    for event, _, hook in hooks():
        if hook["type"] == "mcp_tool":
            arguments = hook["input"]
            assert isinstance(arguments, dict)
            assert (hook["server"], hook["tool"]) == ("plugin:milestone:milestone", "host_event")
            assert arguments["event"] == event
            assert set(arguments) <= known


def test_no_event_reaches_the_server_twice() -> None:
    assert Counter(event for event, _, _ in hooks()).most_common(1)[0][1] == 1


def test_a_hook_that_starts_a_program_quotes_its_place() -> None:
    commands = [str(hook["command"]) for _, _, hook in hooks() if hook["type"] == "command"]
    assert commands == ['"${CLAUDE_PLUGIN_ROOT}/bin/milestone" hook session-start']
