"""Text of others before a model: JSON without markup, in lines between marks that it cannot contain."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable
from typing import Any

_SUSPECT = re.compile(r"[<>\x7f]|[^\x00-\x7e]")
_INVISIBLE = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def as_data(value: Any) -> str:
    r"""Return a value as JSON text in which nothing is a tag, a control sequence or invisible; it reads back the same.

    >>> as_data({"a": "</end> \x1b[2J \u200b é"})
    '{"a":"\\u003c/end\\u003e \\u001b[2J \\u200b é"}'
    """
    return _SUSPECT.sub(_escaped, json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def plain(text: str) -> str:
    r"""Return a text on one line, in which nothing is a tag, a control sequence or invisible.

    >>> plain("<b>\n")
    '\\u003cb\\u003e\\n'
    """
    return as_data(text)[1:-1]


def fenced(nonce: str, head: str, values: Iterable[Any]) -> str:
    """Return values of others as data, a line each, below a sentence of ours; their authors do not know `nonce`."""
    mark = f"data-{nonce}"
    return "\n".join((head, f"<{mark}>", *(as_data(value) for value in values), f"</{mark}>"))


def _escaped(found: re.Match[str]) -> str:
    char = found[0]
    if char > "\x7f" and unicodedata.category(char) not in _INVISIBLE:
        return char
    return json.dumps(char)[1:-1] if char > "\x7f" else f"\\u{ord(char):04x}"
