"""What proves a task: which kinds it still owes, and each proof in words."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from milestone.domain.text import clip

_LINE = 160


def owed(proof: Iterable[str], there: Collection[str]) -> tuple[str, ...]:
    """Return which kinds of proof a task still lacks beside its keys; a waiver stands for all of them.

    >>> owed(["commit", "gates"], ["keys", "commit"]), owed(["commit"], ["waiver"])
    (('gates',), ())
    """
    return () if "waiver" in there else tuple(kind for kind in ("keys", *proof) if kind not in there)


def described(proof: Mapping[str, Any]) -> str:
    """Return one proof in words.

    >>> described({"kind": "keys", "agent_id": "a-1", "detail": {"task-report": 2}})
    'task-report (version 2 by a-1)'
    """
    detail: Mapping[str, Any] = proof["detail"]
    tell = _WORDS.get(proof["kind"])
    return tell(proof["agent_id"], detail) if tell else str(proof["kind"])


def _gates(_: str, detail: Mapping[str, Any]) -> str:
    ran = (f"{one['gate']} exit {one['exit_code']} in {one['seconds']:.1f} s" for one in detail["gates"])
    return f"gates: {', '.join(ran)}"


_WORDS: Mapping[str, Callable[[str, Mapping[str, Any]], str]] = {
    "keys": lambda who, detail: ", ".join(f"{key} (version {version} by {who})" for key, version in detail.items()),
    "commit": lambda _, detail: f"commit {detail['commit'][:12]} on {detail['branch']}",
    "gates": _gates,
    "review": lambda _, detail: f"review by {detail['by']}: {detail['verdict']}",
    "files": lambda _, detail: f"files {', '.join(detail['names'])}",
    "waiver": lambda _, detail: f"waived by {detail['by']}: {clip(detail['reason'], _LINE)}",
}
