"""What a host's transcripts say of an agent: the prompt it was started with, and what it has used."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Any, cast

_HEAD = 256 << 10
_AT_ONCE = 4 << 20
_TRANSCRIPTS = 100
_COUNTED = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens")


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


@dataclass
class _Read:
    """How far a transcript was read, and what it said until there; `last` is the message that was counted last."""

    offset: int = 0
    turns: int = 0
    tokens: int = 0
    last: str = ""
    rest: bytes = b""


class Meter:
    """Counts what agents use, reading each transcript once; keeps the newest hundred."""

    def __init__(self) -> None:
        self._read: dict[str, _Read] = {}

    def used(self, path: str) -> tuple[int, int]:
        """Return turns and tokens of a transcript so far; nothing of one that cannot be read."""
        known = self._read.pop(path, None) or _Read()
        self._read[path] = known
        while len(self._read) > _TRANSCRIPTS:
            del self._read[next(iter(self._read))]
        for line in _more(path, known):
            _count(known, line)
        return known.turns, known.tokens


def of_agent(transcript: str, agent_id: str) -> str:
    """Return where the host keeps the transcript of a sub-agent, given that of its session."""
    return f"{transcript.removesuffix('.jsonl')}/subagents/agent-{agent_id}.jsonl"


def _more(path: str, known: _Read) -> list[bytes]:
    """Return the whole lines that were written since; at most some megabytes at a time."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError):
        return []
    try:
        data = os.pread(descriptor, _AT_ONCE, known.offset)
    except OSError:
        return []
    finally:
        os.close(descriptor)
    known.offset += len(data)
    *lines, known.rest = (known.rest + data).split(b"\n")
    known.rest = known.rest[:_AT_ONCE]
    return lines


def _count(known: _Read, line: bytes) -> None:
    """Add a line that is an answer of the model; one answer may take several lines."""
    if b'"usage"' not in line:
        return
    try:
        entry: Any = json.loads(line)
        message: dict[str, Any] = entry["message"] if entry.get("type") == "assistant" else {}
        usage: dict[str, Any] = message.get("usage") or {}
        tokens = sum(int(usage.get(name) or 0) for name in _COUNTED)
    except (ValueError, KeyError, TypeError, AttributeError):
        return
    if usage and message.get("id") != known.last:
        known.last = str(message.get("id"))
        known.turns += 1
        known.tokens += tokens


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
