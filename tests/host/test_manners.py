"""Agents that misbehave inside the real Claude Code: server and hooks hold, whatever an agent does or forgets."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from .actors import (
    DELIVER,
    Coordinator,
    Unexpected,
    after,
    begin,
    call,
    cast,
    forgetful,
    forgets_twice,
    loading,
    script,
    setting,
    started,
    told,
)
from .claude import Host
from .conversation import Block, Request
from .deliveries import KEYS, VALUES
from .ledger import Ledger
from .scripted_model import ScriptedModel, hold
from .test_planning import COMMAND, ONCE, must_have_planned


def test_an_agent_that_forgets_its_results_is_sent_back_and_one_that_forgets_twice_fails(
    host: Host, model: ScriptedModel, ledger: Ledger
) -> None:
    """Both stop with nothing saved; each is told once which key is missing."""
    # Planted bugs that fail it: the stop hook lets everyone go; it sends back for ever; it sends back an agent that has
    # delivered (the honest one is asked once more); the second stop leaves the task claimed (the coordinator waits on).
    cast(model, scope=forgetful, research=forgets_twice)
    run = host.prompt(COMMAND)
    assert (run.code, run.denied) == (0, [])
    for task in ("scope", "research"):
        sent_back = next(r for r in model.asked(task) if r.turn == 2)
        assert KEYS[task][0] in sent_back.new
    assert len(model.asked("research")) == 9, "three attempts, each sent back once"
    assert len(model.asked("dependencies")) == 1 + len(DELIVER)
    assert ledger.tasks() == {
        "scope": "completed",
        "research": "failed",
        "dependencies": "completed",
        "plan": ledger.tasks()["plan"],
        "record": ledger.tasks()["record"],
    }
    assert "completed" not in (ledger.tasks()["plan"], ledger.tasks()["record"])
    assert dict(ledger.agents())["research-orchestrator"] == "failed"
    assert started(model) == {**ONCE, "research": 3, "plan": 0, "record": 0}


def test_a_message_reaches_a_running_agent_with_its_next_tool_result_once(
    host: Host, model: ScriptedModel, ledger: Ledger
) -> None:
    """The agent never asks for its messages; the coordinator's one appears by itself."""
    # Planted bugs that fail it: the hook after a tool call does not look for messages; it does not note what it has
    # delivered (the words come again with each result); it delivers to the wrong agent.
    words, sent, at_work = "Prefer the flow with PKCE, says the owner.", threading.Event(), threading.Event()

    def aside(request: Request) -> Sequence[Block]:
        if request.of("send_agent_message"):
            sent.set()
        if sent.is_set() or not request.of("Agent"):
            return ()
        hold(at_work, "the agent that is to get the message")
        sender = request.of("initialize_agent_coordination")[0].json["agent_id"]
        to = told(model.asked("research")[0]).agent_id
        return [call("send_agent_message", from_agent=sender, to=to, type="note", payload={"text": words})]

    coordinator = loading(["send_agent_message"], Coordinator(aside=aside))
    reader = script(begin, setting(at_work, after(sent, "the message", DELIVER[0])), *DELIVER[1:])
    cast(model, coordinator, research=reader)
    must_have_planned(host.prompt(COMMAND), ledger)
    requests = model.asked("research")
    assert [r.new.count(words) for r in requests] == [0, 0, 1, 0]
    assert requests[-1].heard().count(words) == 1
    assert not any(words in r.heard() for task in KEYS if task != "research" for r in model.asked(task))


class Impostor:
    """Tries all it can in another agent's name before it does its own work; keeps what it was answered."""

    def __init__(self, model: ScriptedModel, ledger: Ledger, ready: Sequence[threading.Event]) -> None:
        self.model, self.ledger, self.ready = model, ledger, ready
        self.tried = threading.Event()
        self.before: Any = None
        self.after: Any = None

    def attack(self, request: Request) -> Sequence[Block]:
        """Claim the victim's identity, without its token and with it, in the first calls of all."""
        for event in self.ready:
            hold(event, "the agent that is to be robbed")
        victim = told(self.model.asked("scope")[0])
        self.before = self.ledger.of_agent(victim.agent_id)
        forged = {**VALUES["planning-scope"], "summary": "forged"}
        theirs = {"agent_id": victim.agent_id, "token": victim.token}
        return [
            *(
                call("save_agent_state", agent_id=victim.agent_id, token=token, key="planning-scope", value=forged)
                for token in ("", victim.token, told(request).token)
            ),
            call("update_agent_status", status="failed", **theirs),
            call("complete_task", task_id=victim.task_id, **theirs),
        ]

    def repent(self, request: Request) -> Sequence[Block]:
        """Look at the answers, let the victim go on, and begin with the own work."""
        victim = told(self.model.asked("scope")[0])
        self.after = self.ledger.of_agent(victim.agent_id)
        self.tried.set()
        got_through = [r for r in request.results if not r.failed]
        if got_through or len(request.results) != 5:
            raise Unexpected(f"attempts that were not refused: {got_through} of {len(request.results)}")
        return begin(request)


def test_an_agent_that_claims_another_ones_id_does_not_get_it(host: Host, model: ScriptedModel, ledger: Ledger) -> None:
    """Not even with the other's token, and not even before the other has made its first call."""
    # Planted bugs that fail it: the server believes `agent_id`; it believes the token in a call of a host agent that is
    # bound to another agent; agents are bound at their first call only, not when the host reports their start.
    robbed, launched = threading.Event(), threading.Event()

    def aside(request: Request) -> Sequence[Block]:
        if request.of("Agent"):
            launched.set()
        return ()

    impostor = Impostor(model, ledger, [robbed, launched])
    victim = script(setting(robbed, after(impostor.tried, "the impostor's attempts", begin)), *DELIVER)
    cast(model, Coordinator(aside=aside), scope=victim, research=script(impostor.attack, impostor.repent, *DELIVER))
    must_have_planned(host.prompt(COMMAND), ledger)
    assert impostor.before == impostor.after
