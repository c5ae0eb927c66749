"""What a person can be asked: about tasks that cannot go on and about phases, with the answers and how to give them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

APPROVAL: Mapping[str, str] = {"approve": "Approve it", "reject": "Reject it, and say why"}
FAILED: Mapping[str, str] = {"retry": "Try again", "skip": "Go on without it", "stop": "Stop the milestone"}
HELD: Mapping[str, Mapping[str, str]] = {
    "salvage": {"keep": "Keep the files", "discard": "Put them away", "stop": FAILED["stop"]},
    "budget": {"retry": "Give it the same budget once more", "stop": FAILED["stop"]},
}


def can_skip(task: Mapping[str, Any]) -> bool:
    """Return whether a milestone can go on without a task; what a plan rests on has to be found out."""
    return bool(task["mode"] != "planning" or not task["critical"])


def choices(*failed: Mapping[str, Any]) -> dict[str, str]:
    """Return what can be answered about tasks that failed."""
    return {key: words for key, words in FAILED.items() if key != "skip" or all(can_skip(one) for one in failed)}


def of_phase(milestone_id: str, phase: str) -> list[str]:
    """Return what a person types to answer whether a phase is approved."""
    where = f"--phase {phase} --milestone-id {milestone_id} --by NAME"
    return [f"milestone approve {where}", f"milestone reject {where} --reason WHY"]


def of_task(milestone_id: str, task_id: str, answers: Mapping[str, str]) -> list[str]:
    """Return what a person types to answer about a task.

    >>> of_task("m", "build", {"retry": "Try again"})
    ['milestone answer --tasks \\'["build"]\\' --decision retry --milestone-id m --by NAME']
    """
    where = f"--milestone-id {milestone_id} --by NAME"
    return [f"milestone answer --tasks '{json.dumps([task_id])}' --decision {name} {where}" for name in answers]
