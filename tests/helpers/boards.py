"""A board with something of everything on it, and text that nobody wants in a terminal."""

from __future__ import annotations

import copy
from typing import Any

NASTY = (
    *("\x1b[2J", "\x1b]0;title\x07", "\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "\x1bP1$r\x1b\\", "\x1b[31mred"),
    *(
        "\x9b2J",
        "\x9d0;t\x9c",
        "\x07bell",
        "\x08\x08over",
        "line\rback",
        "two\nlines",
        "tab\there",
        "\x7fdel",
        "\x0e\x0f",
    ),
    *("\u202egnp.exe", "\u2066iso\u2069", "a\u200bb", "a\u200db", "\ufeffbom", "\u2028sep", "\u2029par", "\u00adsoft"),
    *("\U000e0041\U000e0042tags", "\u115fhangul\u3164", "\u2800braille", "e" + "\u0301" * 60, "\ufe0fvs\U000e0100"),
    *(
        "\ue000private",
        "\U000f0000plane",
        "\u0378nothing",
        "漢字" * 40,
        "👩\u200d💻" * 20,
        "[bold]markup[/bold] :smile:",
    ),
)

_SEEN = "2026-11-23T07:52:34.227Z"
BOARD: dict[str, Any] = {
    "milestone_id": "add-oauth-login",
    "name": "Add OAuth login",
    "description": "",
    "status": "active",
    "mode": "execution",
    "session_id": "s",
    "steering": "paused",
    "held_back": "paused by a person; /milestone:resume goes on",
    "position": 88,
    "updated_at": _SEEN,
    "progress": {
        "percentage": 31.2,
        "phases": [
            {"phase": "design", "weight": 15, "status": "completed", "percentage": 100.0, "tasks": {"completed": 2},
             "approval": "approved"},
            {"phase": "spec", "weight": 25, "status": "in_progress", "percentage": 64.8,
             "tasks": {"completed": 3, "claimed": 1, "failed": 1, "ready": 2}, "approval": "waiting"},
            {"phase": "task", "weight": 20, "status": "pending", "percentage": 0.0, "tasks": {"pending": 4},
             "approval": ""},
            {"phase": "execute", "weight": 40, "status": "pending", "percentage": 0.0, "tasks": {"pending": 9},
             "approval": "needed"},
        ],
        "tasks_completed": 5,
        "tasks_total": 22,
        "velocity": "12.5 percent per active hour (n=6)",
        "eta": "4.7 to 5.3 h of work (P50 to P90, n=6)",
        "eta_hours": [4.7, 5.3],
    },
    "tasks": {
        "counts": {"completed": 5, "claimed": 1, "failed": 1, "ready": 2, "pending": 13},
        "front": [
            {"task_id": f"task-{number}", "title": f"Do the {number}th thing", "phase": "spec", "status": status,
             "agent_type": "doc-api-documenter", "agent_id": "a-1", "why": "it fell over" if status == "failed" else ""}
            for number, status in enumerate(("in_review", "claimed", "failed", "blocked", *("ready",) * 16))
        ],
    },
    "agents": [
        {"agent_id": f"a-{number}", "agent_type": "doc-api-documenter", "status": "active", "task_id": f"task-{number}",
         "age_seconds": 700, "silent_seconds": 90, "lease_seconds": lease, "turns": 41, "tokens": 123_456}
        for number, lease in enumerate((1_700, 30, -130, None))
    ],
    "agent_counts": {"active": 4, "completed": 7},
    "messages": {"queued": 3, "oldest_seconds": 360, "late": True, "recipients": ["project-milestone-planner"]},
    "gates": {"running": ["task-1"], "last": [{"task_id": "task-0", "outcome": "failed", "at": _SEEN}], "none": False},
    "spend": {"turns": 1_200, "minutes": 34.0, "tokens": 1_250_000, "most": {"task-1": {"turns": 41}}},
    "waiting": [
        {"kind": "approval", "phase": "spec", "tasks": [], "why": "every task has ended", "since": _SEEN,
         "choices": {"approve": "Approve it", "reject": "Reject it"},
         "commands": ["milestone approve --phase spec --milestone-id add-oauth-login --by NAME",
                      "milestone reject --phase spec --milestone-id add-oauth-login --by NAME --reason WHY"]},
        {"kind": "failed", "phase": "spec", "tasks": ["task-2"], "why": "it fell over", "since": _SEEN,
         "choices": {"retry": "Try again", "skip": "Go on without it", "stop": "Stop the milestone"},
         "commands": [
             f"milestone answer --tasks '[\"task-2\"]' --decision {word} --milestone-id add-oauth-login --by NAME"
             for word in ("retry", "skip", "stop")]},
    ],
    "log": [
        {"position": 88 - number, "at": _SEEN, "event": "note", "subject": "", "actor": "",
         "text": f"event {88 - number}"}
        for number in range(8)
    ],
    "waived": [{"task_id": "task-9", "by": "Ada", "reason": "no time for it"}],
}  # fmt: skip


def board(**changed: Any) -> dict[str, Any]:
    """Return a board of its own, perhaps with other values."""
    return {**copy.deepcopy(BOARD), **changed}


def spoilt(value: Any, text: str) -> Any:
    """Return a value in which every text of others is `text`; what the program itself writes stays."""
    if isinstance(value, dict):
        kept = ("status", "mode", "steering", "approval", "kind", "commands", "since", "updated_at", "outcome")
        return {key: one if key in kept else spoilt(one, text) for key, one in value.items()}
    if isinstance(value, list):
        return [spoilt(one, text) for one in value]
    return text if isinstance(value, str) else value
