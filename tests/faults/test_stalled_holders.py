"""Agents whose server stands still beyond their lease: what they sent before it wakes up changes nothing."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

from tests.faults.amounts import of
from tests.helpers.agents import PRODUCTS
from tests.helpers.projects import Project
from tests.helpers.samples import SAMPLES
from tests.helpers.wire import Wire

STALE = 200
UNTOUCHED = ("agent_state", "agent_messages", "evidence", "tasks", "claims", "agent_registry", "message_receipts")


def stop(wire: Wire) -> None:
    """Let a server stand still, and wait until it does."""
    wire.process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, wire.process.pid, os.WSTOPPED)


def spawned(project: Project, milestone_id: str, later: float) -> dict[str, dict[str, Any]]:
    """Return what is handed out some seconds from now, by task."""
    actions = project.operate("next_actions", later=later, milestone_id=milestone_id)["actions"]
    return {action["task_id"]: action for action in actions if action["kind"] == "spawn"}


def writes(action: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return everything by which an agent could change something, as its brief says."""
    key, who = PRODUCTS[action["task_id"]][0], {"agent_id": action["agent_id"], "token": action["token"]}
    message = {"from_agent": action["agent_id"], "token": action["token"], "to": "*", "type": "done", "payload": 1}
    return [
        ("save_agent_state", {"key": key, "value": SAMPLES[key], **who}),
        ("complete_task", {"task_id": action["task_id"], **who}),
        ("send_agent_message", message),
        ("update_agent_status", {"status": "active", **who}),
        ("receive_agent_messages", {**who}),
        ("git_milestone", {"action": "worktree", **who}),
        ("report_failure", {"error": "I woke up", **who}),
    ]


def stale_writes(project: Project, wire: Wire, name: str) -> tuple[list[str], list[str]]:
    """Let three holders of a server stall beyond their leases; return what each was told, and what it has to say."""
    milestone_id = project.operate("initialize_agent_coordination", name=name)["milestone_id"]
    held = spawned(project, milestone_id, 0)
    assert sorted(held) == ["dependencies", "research", "scope"]
    for action in held.values():
        who = {"agent_id": action["agent_id"], "token": action["token"]}
        wire.call("update_agent_status", status="active", **who)
    stop(wire)
    calls = [(action, wire.begin_call(tool, **given)) for action in held.values() for tool, given in writes(action)]
    spawned(project, milestone_id, 1_801)
    now = spawned(project, milestone_id, 1_900)
    assert sorted(now) == sorted(held)
    before = {table: project.rows(table) for table in UNTOUCHED}
    wire.process.send_signal(signal.SIGCONT)
    told = [wire.answer(call) for _, call in calls]
    assert {table: project.rows(table) for table in UNTOUCHED} == before
    assert all(refused for refused, _ in told), [text for refused, text in told if not refused]
    holders = [f"{now[action['task_id']]['agent_id']!r} (attempt 2) holds it now" for action, _ in calls]
    return [text for _, text in told], holders


def test_what_stalled_holders_had_sent_is_refused_and_they_are_told_who_holds_their_task(
    project: Project, connect: Callable[..., Wire]
) -> None:
    """Planted and found: a `writer` without its fence, alone, and with agents let through whose claim has ended."""
    wire = connect(project)
    told, expected = [], []
    while len(told) < of(STALE):
        texts, holders = stale_writes(project, wire, f"Round {len(told)}")
        told, expected = told + texts, expected + holders
    assert [text for text, holder in zip(told, expected, strict=True) if holder not in text] == []
