"""What counts as an identifier, and how text from outside is made safe to store."""

from __future__ import annotations

import re
from typing import Any, cast

AGENT_ID = r"^[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*$"
MILESTONE_ID = r"^[a-z0-9][a-z0-9-]*$"
KEY = r"^[a-z0-9][a-z0-9_-]*(\.[a-z0-9_-]+)*$"
MILESTONE_LIMIT = 63
ID_LIMIT = 128
VALUE_LIMIT = 1_048_576
DEPTH = 100

# NUL is stored by SQLite and refused by PostgreSQL; a lone surrogate can be stored by neither.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_REPLACEMENT = "�"


def scrub(value: Any, *, depth: int = DEPTH) -> tuple[Any, int]:
    """Return `value` with characters no database can hold replaced by U+FFFD, and how many there were.

    >>> scrub({"a": ["x\\x00y"]}) == ({"a": ["x\\ufffdy"]}, 1)
    True

    Raises:
        RecursionError: it is nested more than `depth` deep; whoever reads it back may have less room than who wrote it.
    """
    if isinstance(value, str):
        return _UNSTORABLE.subn(_REPLACEMENT, value)
    if depth < 0 and isinstance(value, list | dict):
        raise RecursionError
    if isinstance(value, list):
        items = [scrub(item, depth=depth - 1) for item in cast("list[Any]", value)]
        return [item for item, _ in items], sum(count for _, count in items)
    if isinstance(value, dict):
        pairs = [(scrub(key), scrub(item, depth=depth - 1)) for key, item in cast("dict[str, Any]", value).items()]
        return {key: item for (key, _), (item, _) in pairs}, sum(k + v for (_, k), (_, v) in pairs)
    return value, 0


def slug(name: str) -> str:
    """Return the part of a name that may stand in an id.

    >>> slug("Add OAuth login!")
    'add-oauth-login'
    """
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40].strip("-")


def tokens(text: str) -> int:
    """Return about how many tokens a model pays for `text`: its bytes divided by four."""
    return (len(text.encode("utf-8", "replace")) + 3) // 4


def clip(text: str, limit: int) -> str:
    """Return `text`, cut to `limit` characters with a mark where it was cut."""
    return text if len(text) <= limit else text[: limit - 1] + "…"
