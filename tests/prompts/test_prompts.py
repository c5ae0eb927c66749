"""What must hold of every agent, skill, hook and manifest before anybody reads a word of them."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
import struct
import unicodedata
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from milestone import operations
from milestone.domain.results import SHAPES
from milestone.operations.registry import REGISTRY
from milestone.prompts.agents import BadPrompt, Prompt, read_agents, read_prompt, read_skills
from milestone.prompts.playbooks import read_playbook

ROOT = Path(__file__).resolve().parents[2]
PREFIX = "mcp__plugin_milestone_milestone__"
COORDINATOR = "project-milestone-coordinator"
BUILT_IN = {"Agent", "Read", "Glob", "Grep", "WebSearch", "WebFetch"}
WRITING = {"Write", "Edit", "NotebookEdit", "Bash"}
WORKERS_NEED = {"update_agent_status", "load_agent_state", "save_agent_state", "complete_task"}

AGENTS = {prompt.path.stem: prompt for prompt in read_agents(ROOT)}
SKILLS = {prompt.path.parent.name: prompt for prompt in read_skills(ROOT)}
PROMPTS = [*AGENTS.values(), *SKILLS.values()]
PLANNING = read_playbook(ROOT / "playbooks" / "planning.yaml")
PRODUCES = {task.agent_type: task.produces for task in PLANNING.tasks}
TEMPLATES = sorted((ROOT / "server" / "milestone" / "prompts").glob("*.md"))
TAKEN_BY_THE_DOOR = {"tool_use_id", "transcript_path"}  # joined and read before host_event is called
FENCE = re.compile(r"^```json\n(.*?)^```$", re.MULTILINE | re.DOTALL)

each_prompt = pytest.mark.parametrize("prompt", PROMPTS, ids=lambda prompt: prompt.name)
each_agent = pytest.mark.parametrize("agent", AGENTS.values(), ids=lambda agent: agent.name)
each_worker = pytest.mark.parametrize("agent", [AGENTS[name] for name in PRODUCES], ids=lambda agent: agent.name)


def listed_tools() -> set[str]:
    for module in pkgutil.iter_modules(operations.__path__):
        importlib.import_module(f"{operations.__name__}.{module.name}")
    return {name for name, operation in REGISTRY.items() if operation.listed}


def text_of(prompt: Prompt) -> str:
    return prompt.path.read_text(encoding="utf-8")


def ours(prompt: Prompt) -> set[str]:
    return {tool.removeprefix(PREFIX) for tool in prompt.tools if tool.startswith(PREFIX)}


def paragraphs(text: str) -> Iterator[str]:
    for block in re.split(r"\n\s*\n|\n(?=\d+\. |- |\| )", text):
        yield " ".join(block.split())


def test_the_agents_are_the_coordinator_and_those_of_the_playbook() -> None:
    assert set(AGENTS) == {COORDINATOR, *PRODUCES}
    assert set(SKILLS) == {"protocol", "plan", "status"}


@each_agent
def test_an_agent_is_named_as_its_file(agent: Prompt) -> None:
    assert agent.name == agent.path.stem


@pytest.mark.parametrize("folder", SKILLS)
def test_a_skill_is_named_as_its_folder(folder: str) -> None:
    assert SKILLS[folder].name == folder


@each_prompt
def test_a_description_fits_where_the_host_shows_it(prompt: Prompt) -> None:
    assert 40 <= len(prompt.description) <= 200
    assert prompt.description.isprintable()
    assert prompt.description[0].isupper()
    assert prompt.description.endswith(".")


@each_prompt
def test_a_prompt_is_short(prompt: Prompt) -> None:
    assert len(text_of(prompt).splitlines()) <= 60
    assert max(len(line) for line in prompt.body.splitlines()) <= 170


@each_prompt
def test_every_tool_that_a_prompt_may_use_exists(prompt: Prompt) -> None:
    assert ours(prompt) <= listed_tools()
    assert {tool for tool in prompt.tools if not tool.startswith(PREFIX)} <= BUILT_IN


@each_prompt
def test_every_tool_that_a_text_names_in_full_exists(prompt: Prompt) -> None:
    assert set(re.findall(PREFIX + r"(\w+)", prompt.body)) <= listed_tools()


@each_agent
def test_an_agent_calls_only_tools_that_it_has(agent: Prompt) -> None:
    named = {tool for tool in listed_tools() if re.search(rf"\b{tool}\b", agent.body)}
    assert named <= ours(agent)


@each_agent
def test_no_agent_can_write_files_or_run_programs(agent: Prompt) -> None:
    assert not WRITING & set(agent.tools)


@each_worker
def test_a_worker_has_what_the_protocol_asks_of_it(agent: Prompt) -> None:
    named = {tool for tool in listed_tools() if re.search(rf"\b{tool}\b", SKILLS["protocol"].body)}
    assert agent.skills == ("protocol",)
    assert WORKERS_NEED <= named <= ours(agent)
    assert "Agent" not in agent.tools


def test_the_coordinator_stands_alone_because_no_host_loads_skills_for_it_everywhere() -> None:
    coordinator = AGENTS[COORDINATOR]
    assert coordinator.skills == ()
    assert "Agent" in coordinator.tools
    assert not {"save_agent_state", "complete_task"} & ours(coordinator)


@each_agent
def test_an_agent_names_a_model(agent: Prompt) -> None:
    assert agent.model in {"haiku", "sonnet", "opus"}


def test_the_skills_that_agents_load_exist_and_are_theirs_alone() -> None:
    loaded = {skill for agent in AGENTS.values() for skill in agent.skills}
    assert loaded <= set(SKILLS)
    assert not any(SKILLS[skill].user_invocable for skill in loaded)


def test_the_skill_plan_allows_all_that_the_coordinator_and_its_agents_use() -> None:
    used = {tool for agent in AGENTS.values() for tool in agent.tools}
    assert set(SKILLS["plan"].tools) == used


@pytest.mark.parametrize("name", ["plan", "status"])
def test_a_skill_for_people_takes_what_they_typed(name: str) -> None:
    assert SKILLS[name].user_invocable
    assert SKILLS[name].body.count("$ARGUMENTS") == 1
    assert SKILLS[name].argument_hint


@pytest.mark.parametrize("name", ["plan", "status"])
def test_a_skill_for_people_names_our_tools_in_full(name: str) -> None:
    body = SKILLS[name].body.replace(PREFIX, "")
    full = re.findall(PREFIX + r"\w+", SKILLS[name].body)
    named = [tool for tool in listed_tools() for _ in re.findall(rf"\b{tool}\b", body)]
    assert Counter(tool.removeprefix(PREFIX) for tool in full) == Counter(named)


@each_worker
def test_a_worker_shows_one_example_that_the_server_would_accept(agent: Prompt) -> None:
    examples = FENCE.findall(agent.body)
    assert len(examples) == 1
    key = re.findall(r"^Key `([a-z-]+)`", agent.body, re.MULTILINE)
    assert len(key) == 1
    TypeAdapter(SHAPES[key[0]]).validate_python(json.loads(examples[0]))


@each_worker
def test_a_worker_delivers_what_the_playbook_waits_for(agent: Prompt) -> None:
    delivered = re.findall(r"\b[Kk]ey `([a-z-]+)`", agent.body)
    assert tuple(delivered) == PRODUCES[agent.name]
    assert set(delivered) <= set(SHAPES)


@each_worker
def test_a_worker_is_told_the_keys_it_is_given(agent: Prompt) -> None:
    (task,) = [task for task in PLANNING.tasks if task.agent_type == agent.name]
    given, _, _ = agent.body.partition("## Job")
    assert set(re.findall(r"`([a-z-]+)`", given)) == set(task.needs)


@each_worker
def test_a_worker_is_told_its_job_in_steps_how_to_report_and_when_to_stop(agent: Prompt) -> None:
    _, _, job = agent.body.partition("## Job\n")
    steps, _, deliver = job.partition("## Deliver\n")
    numbers = [int(number) for number in re.findall(r"^(\d+)\. ", steps, re.MULTILINE)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 5
    assert re.search(r"^Report ", deliver, re.MULTILINE)
    assert re.search(r"\bStop when ", deliver)


def test_no_paragraph_is_written_twice() -> None:
    texts = [prompt.body for prompt in PROMPTS] + [path.read_text(encoding="utf-8") for path in TEMPLATES]
    seen = Counter(paragraph for text in texts for paragraph in paragraphs(FENCE.sub("", text)))
    assert [paragraph for paragraph, times in seen.items() if times > 1 and len(paragraph) > 60] == []


@each_prompt
def test_no_hole_is_left_open(prompt: Prompt) -> None:
    text = text_of(prompt).replace("${CLAUDE_PLUGIN_ROOT}", "").replace("$ARGUMENTS", "")
    assert re.findall(r"\$\{?\w+\}?|\{\{|\}\}(?![,\]}\n])|<<|>>|\b(?:TODO|TBD|FIXME|XXX)\b", FENCE.sub("", text)) == []


@pytest.mark.parametrize(
    "path",
    [
        *(prompt.path for prompt in PROMPTS),
        *TEMPLATES,
        *sorted((ROOT / "playbooks").glob("*")),
        ROOT / "hooks" / "hooks.json",
        ROOT / "plugin.json",
    ],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_nothing_invisible_stands_in_what_models_read(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert [
        f"U+{ord(c):04X}" for c in text if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Co", "Cs", "Zl", "Zp")
    ] == []


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


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no frontmatter\n", "line 1: the file must begin with frontmatter"),
        (
            "---\nname: a\ndescription: b\nname: c\n---\n",
            "line 4: name stands here for the second time, first in line 2",
        ),
        ("---\ndescription: b\n---\n", "line 2: name must be a text"),
        ("---\nname: a\ndescription: b\ntools: Read, Read\n---\n", "line 4: tools names something twice"),
    ],
)
def test_a_prompt_that_cannot_be_used_is_refused_with_the_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "agent.md"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadPrompt, match=re.escape(f"agent.md, {said}")):
        read_prompt(path)
