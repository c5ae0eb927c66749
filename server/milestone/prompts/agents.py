"""The prompts of agents and skills: their frontmatter, read and checked, and their text."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from milestone.prompts.strict_yaml import LIMIT, BadYaml, Fields, read

_MARK = "---"


class BadPrompt(ValueError):
    """A prompt file that cannot be used; the message names file, line and reason."""


@dataclass(frozen=True)
class Prompt:
    """An agent or a skill: what its frontmatter says, and the text for the model."""

    path: Path
    name: str
    description: str
    tools: tuple[str, ...]
    model: str
    skills: tuple[str, ...]
    argument_hint: str
    user_invocable: bool
    body: str


def read_agents(root: Path) -> tuple[Prompt, ...]:
    """Return the agents of the plugin in folder `root`, by file name.

    Raises:
        BadPrompt: a file cannot be used.
    """
    return tuple(read_prompt(path) for path in sorted((root / "agents").glob("*.md")))


def read_skills(root: Path) -> tuple[Prompt, ...]:
    """Return the skills of the plugin in folder `root`, by folder name.

    Raises:
        BadPrompt: a file cannot be used.
    """
    return tuple(read_prompt(path) for path in sorted((root / "skills").glob("*/SKILL.md")))


def read_prompt(path: Path) -> Prompt:
    """Return the prompt in a file that begins with frontmatter between two lines of `---`.

    Raises:
        BadPrompt: the file cannot be read, or its frontmatter is refused.
    """
    try:
        with path.open(encoding="utf-8") as file:
            return _prompt(path, file.read(LIMIT))
    except BadYaml as error:
        raise BadPrompt(str(error)) from None
    except (OSError, UnicodeDecodeError) as error:
        raise BadPrompt(f"{path}: {error}") from None


def _prompt(path: Path, text: str) -> Prompt:
    lines = text.splitlines()
    if lines[:1] != [_MARK] or _MARK not in lines[1:]:
        raise BadYaml(str(path), 1, f"the file must begin with frontmatter between two lines of {_MARK}")
    end = lines.index(_MARK, 1)
    fields = read("\n".join(lines[1:end]), str(path), first_line=2)
    if not isinstance(fields, Fields):
        raise BadYaml(str(path), 2, "the frontmatter must be a list of fields")
    return Prompt(
        path=path,
        name=_text(path, fields, "name"),
        description=_text(path, fields, "description"),
        tools=_list(path, fields, "tools") or _list(path, fields, "allowed-tools"),
        model=_text(path, fields, "model", default="inherit"),
        skills=_list(path, fields, "skills"),
        argument_hint=_text(path, fields, "argument-hint", default=""),
        user_invocable=fields.get("user-invocable", True) is not False,
        body="\n".join(lines[end + 1 :]).strip() + "\n",
    )


def _text(path: Path, fields: Fields, field: str, *, default: str | None = None) -> str:
    value = fields.get(field, default)
    if not isinstance(value, str):
        raise BadYaml(str(path), fields.lines.get(field, fields.line), f"{field} must be a text")
    return value


def _list(path: Path, fields: Fields, field: str) -> tuple[str, ...]:
    value = fields.get(field, "")
    items = cast("list[Any]", value) if isinstance(value, list) else str(value).split(",")
    names = tuple(str(item).strip() for item in items)
    if len(set(names)) < len(names):
        raise BadYaml(str(path), fields.lines.get(field, fields.line), f"{field} names something twice")
    return tuple(name for name in names if name)
