"""What a host's transcript says of an agent: the prompt it was started with."""

from __future__ import annotations

import json
import os
from typing import Any, cast

_HEAD = 256 << 10


def first_prompt(path: str) -> str:
    """Return the text of the first message in a transcript; empty where it cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError):
        return ""
    try:
        head = os.read(descriptor, _HEAD)
    except OSError:
        return ""
    finally:
        os.close(descriptor)
    for line in head.splitlines():
        text = _text(line)
        if text:
            return text
    return ""


def _text(line: bytes) -> str:
    try:
        entry: Any = json.loads(line)
        content: Any = entry["message"]["content"] if entry.get("type") == "user" else ""
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""
    if isinstance(content, str):
        return content
    parts = cast("list[Any]", content) if isinstance(content, list) else []
    return "\n".join(str(cast("dict[str, Any]", part).get("text", "")) for part in parts if isinstance(part, dict))
