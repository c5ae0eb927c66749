"""Plain text for terminals: good without colour, at 80 columns and when piped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

_EMPTY = """No milestone is under way in this project.

In Claude Code type:  /milestone:plan "what should be reached"
Without a model try:  milestone rehearse .
"""
_SHOWN = 12
_MARKS = {
    "done": ("green", "done"),
    "in_flight": ("yellow", "at work"),
    "in_review": ("cyan", "review"),
    "failed": ("red", "failed"),
    "blocked": ("magenta", "you"),
    "left": ("", "to do"),
}


def status_screen(milestones: Sequence[Mapping[str, Any]]) -> str:
    """Return one screen on the milestones that have not ended."""
    return "\n\n".join(_milestone(known) for known in milestones) if milestones else _EMPTY.rstrip()


def _milestone(known: Mapping[str, Any]) -> str:
    lines = [click.style(known["name"][:78], bold=True), f"  {known['milestone_id']}  {known['status']}"]
    lines += _progress(known.get("progress"))
    for field, (colour, word) in _MARKS.items():
        mark = click.style(f"{word:8}", fg=colour or None)
        shown = known[field][-_SHOWN:] if field == "done" else known[field][:_SHOWN]
        lines += [f"  {mark}{_task(task)[:68]}" for task in shown]
        if len(known[field]) > _SHOWN:
            lines.append(f"  {mark}and {len(known[field]) - _SHOWN} more")
    if known["planned_tasks"]:
        lines.append(f"  The plan has {known['planned_tasks']} tasks: .milestones/active/{known['milestone_id']}.yaml")
    lines += [f"  {known['held_back']}"[:78]] if known["held_back"] else []
    lines += _spend(known["spend"])
    lines += _undelivered(known["undelivered"])
    agents = ", ".join(f"{count} {status}" for status, count in known["agents"].items())
    return "\n".join([*lines, f"  Agents: {agents or 'none'}"])


def _spend(spend: Mapping[str, Any]) -> list[str]:
    if not spend:
        return []
    tokens = f", {spend['tokens']:,} tokens" if spend["tokens"] else ""
    most = ", ".join(f"{task} {amount['turns']}" for task, amount in spend["most"].items())
    lines = [f"  Spent: {spend['turns']:,} turns, {spend['minutes']:,.0f} min{tokens}", f"  Most turns: {most}"]
    return [line[:78] for line in lines]


def _undelivered(late: Mapping[str, Any]) -> list[str]:
    if not late:
        return []
    words = f"{late['count']} for {', '.join(late['recipients'])}"
    return [f"  Messages not received: {words}, the oldest for {late['oldest_seconds'] // 60} min"[:78]]


def _progress(progress: Mapping[str, Any] | None) -> list[str]:
    """Return how far an execution is: a bar for each phase, pace and range, and what people waived."""
    if progress is None:
        return []
    bars = [f"  {phase:8}{'#' * int(share // 10):.<10} {share:5.1f} %" for phase, share in progress["by_phase"].items()]
    waived = [f"  waived  {one['task_id']} by {one['by']}: {one['reason']}"[:78] for one in progress["waived"]]
    whole = f"  {progress['overall']:g} % proven, {progress['tasks_completed']} of {progress['tasks_total']} tasks"
    return [whole, *bars, f"  pace    {progress['velocity']}", f"  left    {progress['eta']}", *waived]


def _task(task: Any) -> str:
    if isinstance(task, str):
        return task
    extra = task.get("agent_id") or task.get("why") or ""
    return f"{task['task_id']}  {extra}"
