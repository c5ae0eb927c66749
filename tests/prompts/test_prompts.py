"""What must hold of every agent and skill before anybody reads a word of them."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from milestone.operations.registry import REGISTRY
from milestone.prompts.agents import BadPrompt, Prompt, read_prompt
from tests.prompts.library import (
    AGENTS,
    FENCE,
    PREFIX,
    PROMPTS,
    ROOT,
    SKILLS,
    TEMPLATES,
    each_agent,
    each_prompt,
    listed_tools,
    ours,
    text_of,
)

BUILT_IN = {"Agent", "Workflow", "Read", "Glob", "Grep", "Edit", "Write", "WebSearch", "WebFetch", "Bash"}
TEXTS = [*(prompt.path for prompt in PROMPTS), *TEMPLATES]
READ_BY_MODELS = [*TEXTS, *sorted((ROOT / "playbooks").glob("*")), ROOT / "hooks" / "hooks.json", ROOT / "plugin.json"]


def paragraphs(text: str) -> Iterator[str]:
    for block in re.split(r"\n\s*\n|\n(?=\d+\. |- |\| )", text):
        yield " ".join(block.split())


def sentences(text: str) -> Iterator[str]:
    for paragraph in paragraphs(text):
        yield from re.split(r"(?<=[.:;?]) ", paragraph)


def calls(text: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield each call of a tool of ours that a text shows, with its arguments; of texts also the value."""
    for tool, inside in re.findall(r"\b([a-z]+(?:_[a-z]+)+)\(([^()]*)\)", text):
        if tool in listed_tools():
            plain = re.sub(r"\{[^}]*\}|\[[^\]]*\]", "", inside.replace("\n", " "))
            parts = [part.partition("=") for part in plain.split(",") if part.strip()]
            yield tool, {name.strip(): value.strip().strip('"') if '"' in value else "" for name, _, value in parts}


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
    assert {tool.partition("(")[0] for tool in prompt.tools if not tool.startswith(PREFIX)} <= BUILT_IN


@each_prompt
def test_every_tool_that_a_text_names_in_full_exists(prompt: Prompt) -> None:
    assert set(re.findall(PREFIX + r"(\w+)", prompt.body)) <= listed_tools()


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_call_that_a_text_shows_has_arguments_that_the_tool_takes(path: Path) -> None:
    """Planted and found: `complete_task(task, …)` in a skill, `wait=120` and `about="proof"` in the coordinator."""
    wrong: list[str] = []
    for tool, given in calls(path.read_text(encoding="utf-8")):
        known = REGISTRY[tool].schema["properties"]
        wrong += [f"{tool}({name})" for name in given if name not in known]
        allowed = {name: known[name].get("enum") for name in given if name in known}
        wrong += [
            f"{name}={given[name]}" for name, values in allowed.items() if values and given[name] not in ("", *values)
        ]
    assert wrong == []


def test_no_paragraph_is_written_twice() -> None:
    seen = Counter(paragraph for path in TEXTS for paragraph in paragraphs(FENCE.sub("", path.read_text("utf-8"))))
    assert [paragraph for paragraph, times in seen.items() if times > 1 and len(paragraph) > 60] == []


def test_no_sentence_is_written_twice() -> None:
    """Planted and found: a sentence of the unit tests' agent copied into a paragraph of the interface tests' agent."""
    seen = Counter(sentence for prompt in PROMPTS for sentence in sentences(FENCE.sub("", prompt.body)))
    assert [one for one, times in seen.items() if times > 1 and len(re.sub("`[^`]*`", "", one)) > 60] == []


@each_prompt
def test_no_hole_is_left_open(prompt: Prompt) -> None:
    text = text_of(prompt).replace("${CLAUDE_PLUGIN_ROOT}", "").replace("$ARGUMENTS", "")
    assert re.findall(r"\$\{?\w+\}?|\{\{|\}\}(?![,\]}\n])|<<|>>|\b(?:TODO|TBD|FIXME|XXX)\b", FENCE.sub("", text)) == []


@pytest.mark.parametrize("path", READ_BY_MODELS, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_invisible_stands_in_what_models_read(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert [
        f"U+{ord(c):04X}" for c in text if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Co", "Cs", "Zl", "Zp")
    ] == []


def test_the_skills_that_agents_load_exist_and_are_theirs_alone() -> None:
    loaded = {skill for agent in AGENTS.values() for skill in agent.skills}
    assert loaded == {name for name, skill in SKILLS.items() if not skill.user_invocable}


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
