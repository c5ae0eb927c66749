"""Skills and roles for hosts other than Claude Code: the same texts, without what only its plugin has."""

from __future__ import annotations

import re
from collections.abc import Iterator

NAMESPACE = "mcp__plugin_milestone_milestone__"
COMMANDS = ("plan", "execute", "resume", "status")
"""The skills for people that are prompts too."""

_ITEM = re.compile(r"\s*(?:[-*] |\d+\. |\|)")
_ALONE = re.compile(r"#|```|---")
_SENTENCE = re.compile(r"(?<=[.!?]) (?=[A-Z`])")
_NO_SENTENCE = (
    "${CLAUDE_PLUGIN_ROOT}",
    "the tools take some seconds",
    "hosts put a prefix before",
    "When the monitor says",
)
_NO_BLOCK = ("`Workflow`", "In a workflow script")
_TOOLS = {
    "pause": 'steer_milestone(action="pause")',
    "stop": 'steer_milestone(action="stop")',
    "checkpoint": "create_agent_checkpoint",
    "rollback": "restore_agent_checkpoint",
}
_SHELL = re.compile(r"`milestone status [^`]*` in the shell")
_BOARD = "The resource `milestone://<id>`"
_COMMAND = re.compile(r"`?/milestone:([a-z-]+)(?: <[^>]*>)?`?")


def portable(body: str) -> str:
    """Return the body of a skill or a role as any host can follow it: tools without prefix, commands as prompts.

    >>> portable("Call `mcp__plugin_milestone_milestone__next_actions`. On a first start\\n"
    ...     "the tools take some seconds to appear. Then `/milestone:execute`.")
    'Call `next_actions`. Then the prompt `execute`.'
    """
    blocks = (_portable(block) for block in _blocks(body))
    text = "\n".join(block for block in blocks if block is not None)
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def _blocks(body: str) -> Iterator[str]:
    """Yield paragraphs and items, each on one line; headings, rules and what is fenced stay as they are."""
    block, fenced = "", False
    for line in body.splitlines():
        alone = fenced or not line.strip() or _ALONE.match(line) is not None
        if block and (alone or _ITEM.match(line)):
            yield block
            block = ""
        if alone:
            yield line
        else:
            block = f"{block} {line.strip()}" if block else line
        fenced ^= line.startswith("```")
    if block:
        yield block


def _portable(block: str) -> str | None:
    """Return a block without what only Claude Code has; nothing where nothing is left."""
    if any(mark in block for mark in _NO_BLOCK):
        return None
    kept = " ".join(one for one in _SENTENCE.split(block) if not any(mark in one for mark in _NO_SENTENCE))
    if block.strip() and not kept.strip(" -*.0123456789"):
        return None if kept != block else block
    kept = _SHELL.sub(_BOARD, kept.replace(NAMESPACE, ""))
    return _COMMAND.sub(_elsewhere, kept).replace("`milestone:", "`")


def _elsewhere(found: re.Match[str]) -> str:
    """Return what stands in another host for a command of the plugin: a prompt, a tool, or what is typed in a shell."""
    name = found[1]
    return f"the prompt `{name}`" if name in COMMANDS else f"`{_TOOLS.get(name, f'milestone {name}')}`"
