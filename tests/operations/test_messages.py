"""What agents tell each other, and what is written down."""

from __future__ import annotations

import json
import re
from typing import Any

import yaml

from milestone.operations.overview import reminder
from tests.helpers.agents import Agents
from tests.helpers.following import until
from tests.helpers.mirrored import command


def test_a_message_reaches_its_agent_once(agents: Agents) -> None:
    sender, receiver = agents.register(), agents.register()
    sent = agents.send(sender, receiver, {"hello": "there"})
    assert sent["queued_for"] == [receiver]
    got = agents.receive(receiver)
    assert [(one["message_id"], one["from"], one["payload"]) for one in got] == [
        (sent["message_id"], sender, {"hello": "there"})
    ]
    assert agents.receive(receiver) == []
    assert agents.receive(sender) == []


def test_a_message_to_a_type_reaches_all_of_it_and_one_to_all_everybody_but_the_sender(agents: Agents) -> None:
    first, second, other = agents.register(), agents.register(), agents.register("infra-dependency-manager")
    assert agents.send(other, "research-orchestrator")["queued_for"] == sorted([first, second])
    everybody = agents.send(first, "*")["queued_for"]
    assert set(everybody) >= {second, other}
    assert first not in everybody


def test_the_messages_of_a_sender_come_in_the_order_they_were_sent(agents: Agents) -> None:
    sender, receiver = agents.register(), agents.register()
    for number in range(45):
        agents.send(sender, receiver, number)
    got: list[int] = []
    while messages := agents.receive(receiver):
        got += [message["payload"] for message in messages]
    assert got == list(range(45))


def test_a_type_that_has_no_agent_yet_gets_it_when_one_starts(agents: Agents) -> None:
    actions = {action["task_id"]: action for action in agents.actions()}
    sender = agents.register("infra-file-processor")
    assert agents.send(sender, "project-milestone-planner", "be brief")["count"] == 0
    for action in actions.values():
        agents.deliver(action)
    plan = agents.actions()[0]
    agents.start(plan)
    assert [message["payload"] for message in agents.receive(plan["agent_id"], token=plan["token"])] == ["be brief"]


def test_a_message_that_nobody_will_ever_read_is_refused(agents: Agents) -> None:
    sender, gone = agents.register(), agents.register()
    agents.call("update_agent_status", agent_id=gone, status="completed")
    told = agents.refusal("send_agent_message", from_agent=sender, to=gone, type="note", payload=1)
    assert "is completed and will not read it" in told
    told = agents.refusal("send_agent_message", from_agent=sender, to="nobody", type="note", payload=1)
    assert "no agent and no agent type 'nobody'" in told


def test_who_waits_for_a_message_gets_it_when_it_is_sent(agents: Agents) -> None:
    sender, receiver = agents.register(), agents.register()
    waiting = agents.begin("receive_agent_messages", agent_id=receiver, wait_seconds=30)
    agents.send(sender, receiver, "now")
    assert [message["payload"] for message in json.loads(waiting.result(20)[1])["messages"]] == ["now"]


def test_a_waiting_call_with_a_request_id_brings_the_message_too(agents: Agents) -> None:
    """Planted and found: an answer that says nothing yet, remembered for its request_id, ends the wait empty-handed."""
    sender, receiver = agents.register(), agents.register()
    given = {"agent_id": receiver, "request_id": f"wait-{receiver}"}
    waiting = agents.begin("receive_agent_messages", wait_seconds=30, **given)
    agents.register()
    agents.send(sender, "*", "now")
    text = waiting.result(20)[1]
    assert [message["payload"] for message in json.loads(text)["messages"]] == ["now"]
    assert agents.answer("receive_agent_messages", wait_seconds=30, **given) == (False, text)


def test_an_acknowledged_message_is_told_so_once(agents: Agents) -> None:
    sender, receiver = agents.register(), agents.register()
    name = agents.send(sender, receiver)["message_id"]
    agents.receive(receiver)
    assert agents.call("receive_agent_messages", agent_id=receiver, ack=[name, "msg-none"])["acked"] == [name]
    assert "acked" not in agents.call("receive_agent_messages", agent_id=receiver, ack=[name])
    row = next(row for row in agents.project.rows("message_receipts") if row["message_id"] == name)
    assert "" not in (row["read_at"], row["acked_at"])


def receipt(agents: Agents, message_id: str) -> dict[str, bool]:
    """Return what has become of a message: what is known of it, as separate facts."""
    row = next(row for row in agents.project.rows("message_receipts") if row["message_id"] == message_id)
    return {fact: bool(row[f"{fact}_at"]) for fact in ("delivered", "read", "acked")}


def test_queued_delivered_read_and_acknowledged_are_four_facts(agents: Agents) -> None:
    """Planted and found: what is handed over counts as read at once."""
    sender, receiver = agents.register(), agents.register()
    name = agents.send(sender, receiver)["message_id"]
    assert receipt(agents, name) == {"delivered": False, "read": False, "acked": False}
    agents.receive(receiver)
    assert receipt(agents, name) == {"delivered": True, "read": False, "acked": False}
    agents.call("update_agent_status", agent_id=receiver, status="active")
    assert receipt(agents, name) == {"delivered": True, "read": True, "acked": False}
    agents.receive(receiver, ack=[name])
    assert receipt(agents, name) == {"delivered": True, "read": True, "acked": True}


def test_what_nobody_has_received_for_a_while_shows_in_the_status(agents: Agents) -> None:
    """Planted and found: a status that counts what agents have not read, and one that counts agents that have ended."""
    agents.actions()  # now there are tasks, and types that come later
    sender, slow, gone = agents.register(), agents.register(), agents.register()
    for receiver in (slow, slow, gone):
        agents.send(sender, receiver)
    agents.send(sender, "project-milestone-planner")
    agents.call("update_agent_status", agent_id=gone, status="completed")

    def shown(later: float) -> dict[str, Any]:
        return agents.project.operate("get_session_status", later=later, milestone_id=agents.milestone_id)[
            "undelivered"
        ]

    assert shown(250) == {}
    late = shown(400)
    assert (late["count"], set(late["recipients"])) == (3, {slow, "project-milestone-planner"})
    assert 399 <= late["oldest_seconds"] <= 460
    agents.receive(slow)
    assert shown(400)["recipients"] == ["project-milestone-planner"]


def test_the_status_for_people_says_so_in_a_line(agents: Agents) -> None:
    agents.actions()
    agents.send(agents.register(), "project-milestone-planner")
    told = command(agents.project, "status", agents.milestone_id).output
    assert re.search(r"messages 1 not received, the oldest for \d s: project-milestone-planner\n", told), told


def test_a_new_host_session_is_told_how_many_messages_wait_for_the_coordinator(agents: Agents) -> None:
    agents.call("update_milestone", milestone_id=agents.milestone_id, name="newest")
    agents.send(agents.register(), "project-milestone-coordinator")
    before = agents.project.dump()["message_receipts"]
    assert "messages: 1 for the coordinator; next_actions hands them over" in agents.project.read(reminder)
    assert agents.project.dump()["message_receipts"] == before


def test_an_answer_names_what_it_answers(agents: Agents) -> None:
    sender, receiver = agents.register(), agents.register()
    question = agents.send(sender, receiver, "?")["message_id"]
    agents.send(receiver, sender, "!", reply_to=question)
    assert agents.receive(sender)[0]["reply_to"] == question
    told = agents.refusal(
        "send_agent_message", from_agent=sender, to=receiver, type="note", payload=1, reply_to="msg-never"
    )
    assert "no message 'msg-never' to reply to" in told


def test_an_event_is_written_to_the_log_for_people_and_lines_are_only_ever_added(agents: Agents) -> None:
    log = agents.project.mirror / "logs" / f"events-{agents.milestone_id}.jsonl"
    agents.call(
        "log_milestone_event", milestone_id=agents.milestone_id, event="decided", subject="tea", detail={"why": "warm"}
    )
    first = until(lambda: log.read_text() if log.exists() and "decided" in log.read_text() else "")
    entry = next(json.loads(line) for line in first.splitlines() if '"decided"' in line)
    assert (entry["subject"], entry["detail"]) == ("tea", {"why": "warm"})
    agents.call("log_milestone_event", milestone_id=agents.milestone_id, event="again")
    second = until(lambda: log.read_text() if '"again"' in log.read_text() else "")
    assert second.startswith(first)
    positions = [json.loads(line)["position"] for line in second.splitlines()]
    assert positions == sorted(set(positions))
    rows = [row for row in agents.project.rows("events") if row["milestone_id"] == agents.milestone_id]
    assert positions == sorted(row["position"] for row in rows)


def test_the_milestone_file_says_what_was_changed(agents: Agents) -> None:
    risks = [{"risk": "rain", "likelihood": "high", "impact": "low", "mitigation": "a roof"}]
    agents.call(
        "update_milestone", milestone_id=agents.milestone_id, duration="3 days", risks=risks, team={"owner": "Ann"}
    )
    path = agents.project.mirror / "active" / f"{agents.milestone_id}.yaml"
    until(lambda: path.exists() and "a roof" in path.read_text())
    shown = yaml.safe_load(path.read_text())
    assert (shown["metadata"]["duration"], shown["risks"], shown["team"]) == ("3 days", risks, {"owner": "Ann"})
    assert "Nothing to change was given" in agents.refusal("update_milestone", milestone_id=agents.milestone_id)
