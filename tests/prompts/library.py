"""The agents, skills and playbooks of the plugin, read once for the tests that look at them."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from milestone import operations
from milestone.domain.results import SHAPES
from milestone.operations.registry import REGISTRY
from milestone.prompts.agents import Prompt, read_agents, read_skills
from milestone.prompts.playbooks import read_playbook

ROOT = Path(__file__).resolve().parents[2]
PREFIX = "mcp__plugin_milestone_milestone__"
COORDINATOR = "project-milestone-coordinator"
TRANSFORMERS = ("php-transformer", "code-transformer")

AGENTS = {prompt.path.stem: prompt for prompt in read_agents(ROOT)}
SKILLS = {prompt.path.parent.name: prompt for prompt in read_skills(ROOT)}
PROMPTS = [*AGENTS.values(), *SKILLS.values()]
TEMPLATES = sorted((ROOT / "server" / "milestone" / "prompts").glob("*.md"))

PLAYBOOKS = [ROOT / "playbooks" / f"{mode}.yaml" for mode in ("planning", "execution")]
PLANNING, EXECUTION = (read_playbook(path) for path in PLAYBOOKS)
FOLLOW_UPS: Mapping[
    str, tuple[str, str]
] = {  # what the server adds: the agent, the key it is given and the key it saves
    "quality-enforcer": ("", "review"),
    "cicd-failure-fixer": ("cicd-status", "task-report"),
}
JUDGES = (
    "pattern-cache",
    "phase-transition",
    "progress-tracking",
    "recovery",
    "state-synchronization",
    "state-transition",
)

FENCE = re.compile(r"^```json\n(.*?)^```$", re.MULTILINE | re.DOTALL)
OWN_KEY = re.compile(r"^Key `([a-z-]+)`(.*?)(?=^Key `|^#|\Z)", re.MULTILINE | re.DOTALL)


def played(agent_type: str) -> tuple[str, ...]:
    """Return the agents that an agent type of a playbook stands for."""
    return TRANSFORMERS if agent_type == "transformer" else (agent_type,)


def in_planning() -> dict[str, tuple[str, ...]]:
    """Return the agents of planning with the keys each one saves."""
    return {task.agent_type: task.produces for task in PLANNING.tasks}


def in_execution() -> dict[str, set[str]]:
    """Return the agents of execution with the keys each one may be asked for."""
    keys: dict[str, set[str]] = {}
    for task in EXECUTION.tasks:
        for name in played(task.agent_type):
            keys.setdefault(name, set()).update(task.produces)
    for how in EXECUTION.plan_tasks.values():
        for name in played(how.agent_type):
            keys.setdefault(name, set()).add("task-report")
    for name, (_, key) in FOLLOW_UPS.items():
        keys.setdefault(name, set()).add(key)
    return keys


def listed_tools() -> set[str]:
    """Return the names of the tools that a model may call."""
    for module in pkgutil.iter_modules(operations.__path__):
        importlib.import_module(f"{operations.__name__}.{module.name}")
    return {name for name, operation in REGISTRY.items() if operation.listed}


def text_of(prompt: Prompt) -> str:
    """Return the whole file of a prompt."""
    return prompt.path.read_text(encoding="utf-8")


def ours(prompt: Prompt) -> set[str]:
    """Return which of our tools a prompt may use."""
    return {tool.removeprefix(PREFIX) for tool in prompt.tools if tool.startswith(PREFIX)}


def tools_in(text: str) -> set[str]:
    """Return which of our tools a text names."""
    return {tool for tool in listed_tools() if re.search(rf"\b{tool}\b", text)}


def examples(prompt: Prompt) -> Iterator[tuple[str, str]]:
    """Yield the examples of a prompt as JSON text, each with the key it stands for."""
    for key, text in OWN_KEY.findall(prompt.body):
        for example in FENCE.findall(text):
            yield key, example


def keys_named(text: str) -> set[str]:
    """Return the state keys with a shape that a text names."""
    return set(re.findall(r"`([a-z-]+)`", text)) & set(SHAPES)


WORKERS = {name: AGENTS[name] for name in sorted({*in_planning(), *in_execution()})}

each_prompt = pytest.mark.parametrize("prompt", PROMPTS, ids=lambda prompt: prompt.name)
each_agent = pytest.mark.parametrize("agent", AGENTS.values(), ids=lambda agent: agent.name)
each_worker = pytest.mark.parametrize("agent", WORKERS.values(), ids=lambda agent: agent.name)
each_judge = pytest.mark.parametrize("agent", [AGENTS[name] for name in JUDGES], ids=lambda agent: agent.name)
