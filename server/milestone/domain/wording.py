"""What an event of the log says in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from milestone.domain.text import clip

_LONG = 160
_WORDS: Mapping[str, str] = {
    "agent_registered": "{subject} registered",
    "agent_sent_back": "{subject} was sent back to its task",
    "agent_started": "{subject} began",
    "agent_started_by_host": "The host started {subject}",
    "agent_status": "{subject} is {status}",
    "checkpoint_captured": "Files were kept with {subject}",
    "checkpoint_created": "Checkpoint {label} was made",
    "checkpoint_restored": "Rolled back to {subject}",
    "claim_ended": "The hold on {subject} ended",
    "committed": "{subject} was committed",
    "coordinator_changed": "Another session coordinates",
    "edit_imported": "An edit of {subject} was taken over",
    "execution_refused": "Execution was refused",
    "execution_started": "Execution began",
    "gates_accepted": "{actor} accepted the gates",
    "gates_ended": "Gates of {subject}: {status}",
    "gates_started": "Gates of {subject} began",
    "message_sent": "{actor} wrote to {subject}",
    "milestone_completed": "The milestone is completed",
    "milestone_file_created": "The milestone file was made",
    "milestone_parked": "Parked: {why}",
    "milestone_steered": "A person chose {subject}",
    "milestone_structure_created": "The milestone was made",
    "milestone_unparked": "The usage limit is over",
    "milestone_updated": "The milestone was changed",
    "pattern_saved": "{actor} saved a pattern",
    "person_answered": "{actor} answered {decision} about {subject}",
    "phase_approval_asked": "A person is asked to approve {subject}",
    "phase_approval_lapsed": "{subject} has work again and needs a new approval",
    "phase_approved": "{actor} approved {subject}",
    "phase_completed": "Phase {subject} is completed",
    "phase_rejected": "{actor} rejected {subject}: {reason}",
    "phase_rolled_back": "Phase {subject} was rolled back",
    "phase_started": "Phase {subject} began",
    "plan_accepted": "The plan of {actor} was accepted",
    "playbook_started": "The {subject} playbook began",
    "recovery_decided": "Decided about {subject}: {decision}",
    "session_completed": "A session was completed",
    "session_started": "A {mode} session began",
    "state_saved": "{actor} saved {subject}",
    "strategy_changed": "The strategy is {strategy}",
    "strategy_picked": "The strategy {subject} was picked",
    "task_added": "{subject} was added",
    "task_blocked": "{subject} waits for a person: {why}",
    "task_claimed": "{subject} was handed to {actor}",
    "task_completed": "{subject} is completed",
    "task_given_back": "{subject} was given back: {why}",
    "task_in_review": "{subject} was handed in",
    "task_retried": "{subject} is tried again",
    "task_rolled_back": "{subject} was rolled back",
    "task_sent_back": "{subject} was sent back: {why}",
    "task_skipped": "{subject} was skipped: {why}",
    "task_unblocked": "{subject} goes on: {decision}",
    "task_waived": "{actor} waived {subject}: {reason}",
    "worktree_given": "{subject} got a folder",
}


def told(event: str, subject: str, actor: str, detail: Any) -> str:
    """Return one line on an event; an event of an agent's own says its name, who wrote it and about what.

    >>> told("task_waived", "build", "Ada", {"reason": "late"}), told("note", "build", "coder-1", None)
    ('Ada waived build: late', 'note: build (coder-1)')
    """
    known: Mapping[str, Any] = cast("Mapping[str, Any]", detail) if isinstance(detail, Mapping) else {}
    words = _WORDS.get(event)
    if words is None:
        about = f": {subject}" if subject else ""
        return clip(f"{event.replace('_', ' ')}{about}" + (f" ({actor})" if actor else ""), _LONG)
    said = words.format_map(_Known(subject=subject, actor=actor or "Somebody", **_texts(known)))
    return clip(said.removesuffix(": "), _LONG)


class _Known(dict[str, str]):
    """What is known of an event; what is not is left out."""

    def __missing__(self, key: str) -> str:
        return self["subject"] if key == "label" else ""


def _texts(detail: Mapping[str, Any]) -> dict[str, str]:
    words = ("why", "reason", "status", "decision", "mode", "strategy", "label")
    return {name: " ".join(str(detail[name]).split()) for name in words if detail.get(name)}
