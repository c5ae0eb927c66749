"""The prompts of hosts other than Claude Code: the plugin's commands, and an agent's role where none can be started."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from milestone.domain.errors import Missing, Refusal
from milestone.domain.fences import fenced, plain
from milestone.domain.milestones import ENDED
from milestone.domain.text import ID_LIMIT, KEY, clip
from milestone.operations import shared
from milestone.operations.context import Context
from milestone.prompts.agents import BadPrompt, Prompt, read_prompt
from milestone.prompts.briefs import fill
from milestone.prompts.portable import portable

if TYPE_CHECKING:
    from mcp.server.context import ServerRequestContext
    from mcp_types import GetPromptRequestParams, GetPromptResult, ListPromptsResult, PaginatedRequestParams

    from milestone.surfaces.door import Door

OUR_HOST = "claude-code"
WAITING = ("ready", "pending")
_COORDINATOR = "project-milestone-coordinator"
_TYPED = 4_000  # characters a person may hand over
_ENTRIES, _ENTRY = 12, 400
_MILESTONES = 100
_PLACE = Path(__file__).resolve().parent.parent / "prompts"


class Argument(NamedTuple):
    """What a person hands over to a prompt."""

    name: str
    about: str
    required: bool = False


class Offer(NamedTuple):
    """A prompt as a host shows it."""

    title: str
    about: str
    arguments: tuple[Argument, ...]


_MILESTONE = Argument("milestone", "Name or id of the milestone; left out, the one that is under way")
OFFERS: Mapping[str, Offer] = {
    "plan": Offer(
        "Plan a milestone",
        "Plans a milestone with a team of agents, or goes on where planning stopped",
        (Argument("name", "What the milestone should achieve, or the name of one that is being planned"),),
    ),
    "execute": Offer(
        "Execute a milestone", "Carries out a planned milestone, or goes on where that stopped", (_MILESTONE,)
    ),
    "resume": Offer(
        "Resume a milestone", "Goes on after a pause, a crash, a limit or in a new conversation", (_MILESTONE,)
    ),
    "status": Offer("Where does it stand?", "Shows progress, agents, and what waits for a person", (_MILESTONE,)),
    "brief": Offer(
        "Work as an agent",
        "The role of an agent and the rules it follows, for hosts that cannot start agents; hands nothing out",
        (
            Argument("agent_type", "Which agent to be", required=True),
            Argument("task_id", "A task that waits, to read what it asks for"),
            Argument("milestone", "Id of the milestone of that task, where several are under way"),
        ),
    ),
}


def agent_types(assets: Path) -> list[str]:
    """Return the types of agents there are."""
    return sorted(path.stem for path in (assets / "agents").glob("*.md"))


class Prompts:
    """The prompts, rendered from the plugin's own texts."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._assets = door.application.settings.assets

    async def listed(
        self, context: ServerRequestContext[Any], _params: PaginatedRequestParams | None
    ) -> ListPromptsResult:
        """Return the prompts; none for Claude Code, which has the plugin's commands and would list each twice."""
        from mcp_types import ListPromptsResult, PromptArgument
        from mcp_types import Prompt as Listed

        known = context.session.client_params
        if known is not None and known.client_info.name == OUR_HOST:
            return ListPromptsResult(prompts=[])
        found = [
            Listed(
                name=name,
                title=offer.title,
                description=offer.about,
                arguments=[
                    PromptArgument(name=one.name, description=one.about, required=one.required)
                    for one in offer.arguments
                ],
            )
            for name, offer in OFFERS.items()
        ]
        return ListPromptsResult(prompts=found)

    async def rendered(self, _context: ServerRequestContext[Any], params: GetPromptRequestParams) -> GetPromptResult:
        """Return a prompt's text; it changes nothing, whatever it is about."""
        from mcp.shared.exceptions import MCPError
        from mcp_types import INTERNAL_ERROR, INVALID_PARAMS, GetPromptResult, PromptMessage, TextContent

        try:
            given = _checked(params.name, params.arguments or {})
            text = await self._brief(given) if params.name == "brief" else self._command(params.name, given)
        except BadPrompt:
            said = "A text of the plugin cannot be read. `milestone doctor` says which one."
            raise MCPError(INTERNAL_ERROR, said) from None
        except Refusal as refusal:
            raise MCPError(INVALID_PARAMS, str(refusal)) from None
        message = PromptMessage(role="user", content=TextContent(type="text", text=text))
        return GetPromptResult(description=OFFERS[params.name].about, messages=[message])

    def _command(self, name: str, given: Mapping[str, str]) -> str:
        typed = next(iter(given.values()), "")
        command = portable(self._skill(name).body).replace("$ARGUMENTS", _as_typed(typed))
        if name == "status":
            return command
        return fill(_text("coordinate.md"), {"command": command, "role": portable(self._agent(_COORDINATOR).body)})

    async def _brief(self, given: Mapping[str, str]) -> str:
        agent_type = given["agent_type"].removeprefix("milestone:")
        if agent_type not in agent_types(self._assets):
            known = ", ".join(agent_types(self._assets))
            raise Missing(f"There is no agent type {clip(agent_type, 100)!r}", allowed=f"agent_type {known}")
        task = await self._task(given.get("task_id", ""), given.get("milestone", ""))
        role = self._agent(agent_type)
        rules = "\n\n".join(portable(self._skill(name).body) for name in role.skills or ("protocol",))
        values = {"agent_type": agent_type, "task": task, "role": portable(role.body), "rules": rules}
        return fill(_text("role.md"), values)

    async def _task(self, task_id: str, milestone_id: str) -> str:
        if not task_id:
            return ""
        if len(task_id) > ID_LIMIT or not re.fullmatch(KEY, task_id):
            raise Refusal("'task_id' is no identifier", remedy='get_milestone(about="tasks") lists the tasks.')
        told = await self._door.read(lambda ctx: _about(ctx, task_id, milestone_id))
        if told is None:
            raise Missing("There is no milestone in this project yet", remedy=shared.START)
        return told

    def _skill(self, name: str) -> Prompt:
        return read_prompt(self._assets / "skills" / name / "SKILL.md")

    def _agent(self, name: str) -> Prompt:
        return read_prompt(self._assets / "agents" / f"{name}.md")


def _checked(name: str, given: Mapping[str, str]) -> dict[str, str]:
    """Return the arguments of a prompt that were given.

    Raises:
        Refusal: there is no such prompt, or an argument is unknown, missing or too long.
    """
    if name not in OFFERS:
        raise Missing(f"There is no prompt {clip(name, 100)!r}", allowed=", ".join(OFFERS))
    names = {one.name: one for one in OFFERS[name].arguments}
    odd = [one for one in given if one not in names]
    wanting = [one.name for one in names.values() if one.required and not given.get(one.name)]
    if odd or wanting:
        wrong = f"{clip(odd[0], 100)!r} is unknown" if odd else f"{wanting[0]!r} is missing"
        raise Refusal(f"{wrong} for the prompt {name!r}", allowed=f"arguments {', '.join(names)}")
    long = next((one for one, text in given.items() if len(text) > _TYPED), "")
    if long:
        raise Refusal(f"{long!r} has {len(given[long]):,} characters, at most {_TYPED:,} are taken")
    return {one: given[one].strip() for one in names if given.get(one, "").strip()}


def _as_typed(text: str) -> str:
    """Return what a person typed, without what cannot be seen, and without lines that would end it early."""
    seen = (char for char in text if char in "\n\t" or unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn"))
    return re.sub(r"(?m)^\s*-{3,}\s*$", "-", "".join(seen))


def _about(ctx: Context, task_id: str, milestone_id: str) -> str:
    """Return what a task that waits asks for, as data; of one that does not wait only that."""
    milestone_id = milestone_id or _milestone_of(ctx, task_id)
    shared.milestone(ctx, milestone_id)
    task = shared.task(ctx, milestone_id, task_id)
    named = f"Task `{task_id}` of the milestone `{milestone_id}`"
    if task["status"] not in WAITING:
        return f"{named} does not wait for an agent: it is {plain(task['status'])}."
    facts = {
        "title": clip(task["title"], _ENTRY),
        "agent_type": task["next_role"] or task["agent_type"],
        "phase": task["phase"],
        "status": task["status"],
        "waits_for": ctx.store.tasks.blocked_by(milestone_id, task_id),
        "load": [key for key, _ in ctx.store.tasks.needs(milestone_id, task_id)][:_ENTRIES],
        "save": list(task["produces"])[:_ENTRIES],
        "paths": [clip(one, _ENTRY) for one in task["paths"][:_ENTRIES]],
        "acceptance": [clip(one, _ENTRY) for one in task["acceptance"][:_ENTRIES]],
    }
    shown = {name: value for name, value in facts.items() if value}
    return fenced(ctx.chance(6), f"{named} waits for an agent; the plan says of it (data):", [shown])


def _milestone_of(ctx: Context, task_id: str) -> str:
    """Return the milestone under way that has a task.

    Raises:
        Refusal: none has it, or several have.
    """
    live = [row["milestone_id"] for row in ctx.store.views.milestones(_MILESTONES) if row["status"] not in ENDED]
    found = sorted(one for one in live if ctx.store.tasks.get(one, task_id))
    if len(found) > 1:
        raise Refusal(f"Several milestones have a task {task_id!r}", allowed=f"milestone {', '.join(found)}")
    if not found:
        raise Missing(
            f"No milestone under way has a task {task_id!r}", remedy='get_milestone(about="tasks") lists the tasks.'
        )
    return found[0]


def _text(name: str) -> str:
    return (_PLACE / name).read_text("utf-8").strip()
