"""Briefs: what an agent is told when it is started, rendered from `brief.md`."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Template

LIMIT = 2_400  # bytes, about 600 tokens
NAME_LIMIT = 160
GOAL_AT_LEAST = 200

_ENTRY_LIMIT = 320
_ENTRY_AT_LEAST = 40
_LOADS = 5

_CUT = " […] (cut here; get_milestone has all of it)"
_TAG = re.compile(r"<(?=[/!?A-Za-z])")
_JOINERS = "\u200c\u200d"  # part of words in Persian and of many emoji


class BadTemplate(ValueError):
    """A template whose holes and the values for them are not the same."""


@dataclass(frozen=True)
class Work:
    """What a task of an execution is about. `writes`: it owes a commit; `tested`: gates judge it; `subject`: the task
    that a review is about; `sent_back`: why the attempt before did not count; `left`: what it left behind; `patterns`:
    names with their category.
    """

    phase: str
    writes: bool
    tested: bool
    subject: str
    paths: Sequence[str]
    acceptance: Sequence[str]
    decisions: Sequence[str]
    sent_back: str
    patterns: Sequence[tuple[str, str]]
    left: str = ""


def render_brief(
    *,
    agent_id: str,
    token: str,
    task_id: str,
    title: str,
    milestone_id: str,
    name: str,
    goal: str,
    project_root: str,
    needs: Sequence[tuple[str, str]],
    produces: Sequence[str],
    time_limit: int,
    work: Work | None = None,
) -> str:
    """Return the prompt for the agent of one task; `needs` are keys with their authors, `time_limit` is in seconds.

    Name and goal come from people, what a plan and a reviewer wrote from agents: both stand between marks that their
    text cannot contain, and are cut so that the whole takes at most 600 tokens. `work` is there in execution.
    """
    values = {
        "agent_id": agent_id,
        "token": token,
        "task_id": task_id,
        "title": _cut(_visible(title, breaks=""), NAME_LIMIT),
        "milestone_id": milestone_id,
        "project_root": _visible(project_root, breaks=""),
        "time_limit": _duration(time_limit),
        "load": _load(needs),
        "save": _save(produces),
        "job": _job(work),
        "checked": "what you saved and committed" if work and work.writes else "what you saved",
        "work": "",
    }
    head = f"name: {_cut(_visible(name, breaks=''), NAME_LIMIT)}\ngoal: "
    text = head + _visible(goal).strip()
    without = len(fill(_template(), {**values, "fence": _fence(""), "user_text": ""}).encode())
    least = len(head.encode()) + GOAL_AT_LEAST
    values["work"] = _about(work, LIMIT - without - min(least, len(text.encode())))
    room = max(LIMIT - without - len(values["work"].encode()), least)
    text = _cut(text, room)
    return fill(_template(), {**values, "fence": _fence(text), "user_text": text})


def _job(work: Work | None) -> str:
    if work is None:
        return "Do the work of your role."
    where = '`git_milestone(action="worktree", agent_id, token)` gives you the folder to work in'
    if not work.writes:
        return f"{where}: the milestone's branch as it stands, to read. Do the work of your role."
    test = f"try `run_gates(task_id, agent_id, token)`, {_COMMIT}" if work.tested else _COMMIT
    return f"{where}. Do the work of your role there, {test}."


_COMMIT = '`git_milestone(action="commit", summary, kind, agent_id, token)`'


def _about(work: Work | None, room: int) -> str:
    """Return the part of a brief that says what a task of an execution is about; the longest entries are cut first."""
    if work is None:
        return ""
    framed = ""
    limit = _ENTRY_LIMIT
    while limit >= _ENTRY_AT_LEAST:
        text = "\n".join(_entries(work, limit))
        mark = _fence(text)
        framed = f"\nWhat this task is about, as the plan and others have it (data):\n\n<{mark}>\n{text}\n</{mark}>\n"
        if len(framed.encode()) <= room:
            break
        limit = limit * 3 // 4
    return framed


def _entries(work: Work, limit: int) -> Iterator[str]:
    several = limit // 40
    yield f"phase: {work.phase or 'all of them'}"
    if work.subject:
        yield f'review: task {work.subject}; `git_milestone(action="diff", task_id="{work.subject}")` shows its change'
    if work.writes:
        yield f"you may change: {_list(work.paths, several, limit)}; a commit with anything else is refused"
    if work.acceptance:
        yield f"done when: {_list(work.acceptance, several, limit)}"
    if work.decisions:
        yield f"serves: {_list(work.decisions, several, limit)}"
    if work.sent_back:
        yield _ends(_visible(work.sent_back, breaks=""), 2 * limit)
    if work.left:
        yield _ends(_visible(work.left, breaks=""), 2 * limit)
    if work.patterns:
        named = (f"{name} ({category})" for name, category in work.patterns)
        yield f"worth reusing (find_patterns shows them): {_list(tuple(named), 3, limit)}"


def _ends(text: str, limit: int) -> str:
    """Return a text without its middle: what was judged stands at its beginning, what was wrong at its end."""
    if len(text) <= limit:
        return text
    return f"{text[: limit // 4]} […] {text[-(limit - limit // 4) :]}"


def _list(items: Sequence[str], several: int, limit: int) -> str:
    more = f"; and {len(items) - several} more in get_milestone" if len(items) > several else ""
    return "; ".join(_cut(_visible(item, breaks=""), limit) for item in items[:several]) + more


def fill(template: str, values: Mapping[str, str]) -> str:
    """Return a template with its `${holes}` filled; values are never looked into for holes.

    >>> fill("${a} and $$5", {"a": "${b}"})
    '${b} and $5'

    Raises:
        BadTemplate: a hole has no value, a value has no hole, or a `$` stands alone.
    """
    holes = Template(template)
    if not holes.is_valid():
        raise BadTemplate("a $ stands alone in the template: write $$ for the character")
    names = set(holes.get_identifiers())
    if names != set(values):
        raise BadTemplate(
            f"holes without value: {sorted(names - set(values))}; values without hole: {sorted(set(values) - names)}"
        )
    return holes.substitute(values)


@cache
def _template() -> str:
    return Path(__file__).with_name("brief.md").read_text(encoding="utf-8")


def _load(needs: Sequence[tuple[str, str]]) -> str:
    needs = [(key, author) for key, author in needs if author]
    if not needs:
        return "You are given no results of others: this task starts from the project itself."
    calls = ", ".join(f'`load_agent_state(key="{key}", agent_id="{author}")`' for key, author in needs[:_LOADS])
    more = f", and {len(needs) - _LOADS} more under these keys" if len(needs) > _LOADS else ""
    return f"Load what others found out: {calls}{more}."


def _save(produces: Sequence[str]) -> str:
    keys = ", then ".join(f"`{key}`" for key in produces)
    return f"Save {keys} with `save_agent_state(agent_id, key, value, token)`; your role shows the shape."


def _duration(seconds: int) -> str:
    return f"{seconds // 60} minutes" if seconds % 60 == 0 and seconds >= 120 else f"{seconds} s"  # noqa: PLR2004


def _visible(text: str, *, breaks: str = "\n\t") -> str:
    """Return `text` as a person sees it: without control characters and invisible or direction-changing marks.

    What looks like a tag gets another bracket, so that it ends nothing and opens nothing.
    """
    kept = (
        " " if char in "\r\n\t\u2028\u2029" and char not in breaks else char
        for char in text.replace("\r\n", "\n")
        if char in breaks
        or char in _JOINERS
        or char.isspace()
        or unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn")
    )
    return _TAG.sub("\u2039", "".join(kept).strip())


def _cut(text: str, limit: int) -> str:
    data = text.encode()
    if len(data) <= limit:
        return text
    return data[: limit - len(_CUT.encode())].decode(errors="ignore").rstrip() + _CUT


def _fence(text: str) -> str:
    """Return a mark that does not occur in `text`."""
    salt = 0
    while (mark := "words-" + hashlib.sha256(f"{salt}{text}".encode()).hexdigest()[:12]) in text:
        salt += 1
    return mark
