"""Messages next to a model: whatever is sent, handed over, lost, taken up again and acknowledged, both agree."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from milestone.domain.errors import Refusal
from milestone.domain.identity import Caller
from milestone.domain.leases import lease
from milestone.domain.milestones import stamp
from milestone.operations.catalogue import REGISTRY
from milestone.operations.context import Context, digest
from milestone.operations.shared import SEEN_EVERY
from milestone.store.engine import Transaction, run
from tests.helpers.mailboxes import Mailbox
from tests.helpers.projects import Project

RESEARCHER = "research-orchestrator"
TYPES = {"scope": "infra-context-discovery", "research": RESEARCHER}
LEAD = "coordinator"
NAMES = (LEAD, *TYPES)
WHO = st.sampled_from(NAMES)
LONG = 1_000_000
SECONDS = st.sampled_from((0, 3, 40))


class MessagesMachine(RuleBasedStateMachine):
    """A coordinator and two tasks whose agents come and go; time is the model's own."""

    project: ClassVar[Project]

    @initialize()
    def begin(self) -> None:
        """Start a milestone whose coordinator and agents the host knows."""
        self.later, self.count, self.milestone_id = 0.0, 0, f"m-{uuid.uuid4().hex[:8]}"
        self.ids, self.senders = dict[str, str](), dict[str, str]()
        self.for_type: list[str] = []
        self.over, self.dead = set[str](), list[tuple[Caller, str, str]]()
        self.boxes = {name: Mailbox() for name in NAMES}
        self.callers = {LEAD: self.stranger()}
        begun = self.call("initialize_agent_coordination", LEAD, milestone_id=self.milestone_id)
        self.agents, self.session = {LEAD: begun["agent_id"]}, begun["session_id"]
        self.write(self.lay_out)
        for name in TYPES:
            self.start(name, stray=False)

    def stranger(self) -> Caller:
        """Return a main conversation that nobody has seen before."""
        return Caller(f"session-{uuid.uuid4().hex[:12]}")

    def lay_out(self, ctx: Context) -> None:
        """Write two tasks of which no time ever runs out."""
        more = {"title": "", "phase": "", "weight": 0, "produces": ("k",), "critical": 1, "time_limit": LONG}
        for ordinal, (name, kind) in enumerate(TYPES.items()):
            ctx.store.tasks.add(self.milestone_id, ordinal, task_id=name, mode="planning", agent_type=kind, **more)

    def context(self, transaction: Transaction, caller: Caller) -> Context:
        """Return the context of a call at the model's time."""
        context = self.project.application.context(transaction, caller, set())
        clock = context.clock.after(self.later)
        return replace(context, now=self.now(), measure=lambda: clock, alive=lambda _: True)

    def now(self) -> datetime:
        """Return the model's time."""
        return datetime.now(UTC) + timedelta(seconds=self.later)

    def write(self, work: Callable[[Context], Any]) -> Any:
        """Return what is done in a transaction of its own."""
        return run(self.project.engine, lambda tx: work(self.context(tx, Caller())), write=True)

    def carry_out(self, tool: str, caller: Caller, given: dict[str, Any]) -> Any:
        """Return the answer of an operation as the door gives it: first by reading alone, where that is enough."""
        operation, engine = REGISTRY[tool], self.project.engine
        arguments = {name: value for name, value in operation.check(given).items() if name != "request_id"}
        if idle := operation.idle:
            quick = run(engine, lambda tx: idle(self.context(tx, caller), arguments), write=False)
            if quick is not None:
                return quick
        return run(engine, lambda tx: operation.function(self.context(tx, caller), **arguments), write=True)

    def call(self, tool: str, who: str, /, **given: Any) -> Any:
        """Return the answer to a call by one of the three."""
        return self.carry_out(tool, self.callers[who], given)

    def event(self, event: str, caller: Caller, /, **given: Any) -> list[dict[str, Any]]:
        """Tell of something in the host; returns the messages that its answer shows."""
        where = {"session_id": caller.host_session, "agent_id": caller.host_agent, "agent_type": caller.host_type}
        answer = self.carry_out("host_event", Caller(), {"event": event, **where, **given})
        lines = answer.get("hookSpecificOutput", {}).get("additionalContext", "").splitlines()
        assert not lines or lines[1].removeprefix("<") == lines[-1].removeprefix("</")
        return [json.loads(line) for line in lines[2:-1]]

    def start(self, name: str, *, stray: bool) -> None:
        """Start the next attempt of a task; perhaps another agent of its type, which has no brief, starts before it."""
        token, agent_id = uuid.uuid4().hex, f"{name}-{uuid.uuid4().hex[:8]}"
        self.write(lambda ctx: self.hand_out(ctx, name, agent_id, token))
        before, box = self.boxes[name], Mailbox()
        box.waiting = sorted(
            {*before.delivered, *before.waiting, *(self.for_type if name == "research" else ())}, key=int
        )
        if name == "research":
            self.for_type = []
        self.boxes[name], self.agents[name] = box, agent_id
        self.over.discard(name)
        host, kind = self.callers[LEAD].host_session, f"milestone:{TYPES[name]}"
        if stray:
            self.got(name, self.event("SubagentStart", Caller(host, f"s{token[:8]}", kind)))
            box.runs_anew()
        self.callers[name] = caller = Caller(host, f"a{token[:8]}", kind)
        shown = self.event("SubagentStart", caller)
        if not stray:
            self.got(name, shown)
        told = {"tool_name": "Agent", "prompt": f"token: {token}", "child_agent_id": caller.host_agent}
        self.hook(LEAD, **told)

    def hand_out(self, ctx: Context, name: str, agent_id: str, token: str) -> None:
        """Claim a task for a new agent, as next_actions does."""
        given = {"status": "waiting", "token_digest": digest(token)}
        before = ctx.store.tasks.last_claim(self.milestone_id, name)
        ctx.store.agents.add(agent_id, TYPES[name], self.milestone_id, self.session, ctx.at, **given)
        ctx.store.messages.queue_waiting(self.milestone_id, TYPES[name], agent_id)
        held = lease(ctx.clock, LONG)
        ctx.store.tasks.claim(self.milestone_id, name, agent_id, "", ctx.at, lease=held, deadline=held)
        if before:
            ctx.store.messages.inherit(before["agent_id"], agent_id)

    def hook(self, who: str, **given: Any) -> None:
        """Tell of a tool call of one of the three that has ended."""
        row = self.project.read(lambda store: store.agents.get(self.agents[who]))
        noted = row.seen_at >= stamp(self.now() - SEEN_EVERY)
        quiet = noted and not self.boxes[who].waiting and "prompt" not in given
        messages = self.event("PostToolUse", self.callers[who], **given)
        if quiet:
            assert not messages
        else:
            self.got(who, messages)

    def got(self, who: str, messages: list[dict[str, Any]]) -> None:
        """Compare what was handed over with the model: each once in this run, in order, with the sender's attempt."""
        box = self.boxes[who]
        already = set(box.this_run)
        shown = [message["payload"] for message in messages]
        assert shown == box.receives()
        assert shown == sorted(shown, key=int)
        assert not already & set(shown)
        lost = {agent_id for _, agent_id, _ in self.dead}
        for message in messages:
            self.ids[message["payload"]] = message["message_id"]
            assert message["from"] == self.senders[message["payload"]]
            assert message.get("attempt_over", False) == (message["from"] in lost)

    @rule(who=WHO, to=st.sampled_from((*NAMES, "type", "*")), seconds=SECONDS)
    def send(self, who: str, to: str, seconds: int) -> None:
        """Somebody writes to one, to a type, or to all; who was lost neither sends nor is sent to."""
        self.later += seconds
        recipient = {"type": RESEARCHER, "*": "*"}.get(to) or self.agents[to]
        given = {"from_agent": self.agents[who], "to": recipient, "type": "note", "payload": str(self.count)}
        if who in self.over or to in self.over or to == who:
            with pytest.raises(Refusal):
                self.call("send_agent_message", who, **given)
            return
        meant = [name for name in NAMES if to in (name, "*") or (to == "type" and name == "research")]
        meant = [name for name in meant if name != who and name not in self.over]
        assert self.call("send_agent_message", who, **given)["count"] == len(meant)
        self.boxes[who].calls()
        self.senders[str(self.count)] = self.agents[who]
        for name in meant:
            self.boxes[name].waiting.append(str(self.count))
        if to == "type" and not meant:
            self.for_type.append(str(self.count))
        self.count += 1

    @rule(which=st.integers(0, 3))
    def the_dead_say_that_they_are_done(self, which: int) -> None:
        """Nothing of a lost attempt is taken in, and who holds its task now is named."""
        if which >= len(self.dead):
            return
        caller, agent_id, name = self.dead[which]
        given = {"from_agent": agent_id, "to": self.agents[LEAD], "type": "done", "payload": "done"}
        with pytest.raises(Refusal, match="was retired" if agent_id == self.agents[name] else self.agents[name]):
            self.carry_out("send_agent_message", caller, given)

    @rule(who=WHO, seconds=SECONDS)
    def finish_a_tool_call(self, who: str, seconds: int) -> None:
        """The host tells that a tool call has ended: the way messages come mid-turn."""
        self.later += seconds
        if who not in self.over:
            self.hook(who, tool_name="Read")

    @rule(who=WHO, ack=st.booleans())
    def pull(self, who: str, ack: bool) -> None:
        """Somebody asks for its messages, and may acknowledge what it was handed."""
        if who in self.over:
            return
        box = self.boxes[who]
        known = [one for one in (*box.delivered, *box.read) if one not in box.acked][:2] if ack else []
        row = self.project.read(lambda store: store.agents.get(self.agents[who]))
        quiet = not known and not box.waiting and row.seen_at >= stamp(self.now() - SEEN_EVERY)
        given = {"agent_id": self.agents[who], "ack": [self.ids[one] for one in known]}
        answer = self.call("receive_agent_messages", who, **given)
        assert answer.get("acked", []) == [self.ids[one] for one in known]
        box.acked += known
        if quiet:
            assert not answer["messages"]
        else:
            self.got(who, answer["messages"])

    @rule()
    def ask_for_the_next_actions(self) -> None:
        """The coordinator is handed its messages along with what to do."""
        self.got(LEAD, self.call("next_actions", LEAD, milestone_id=self.milestone_id).get("messages", []))

    @rule(handed=st.booleans())
    def take_the_coordination_up_elsewhere(self, handed: bool) -> None:
        """The host dies, perhaps with messages in its hands that no model has seen, and another session goes on."""
        if handed:
            self.hook(LEAD, tool_name="Read")
        self.later += 400
        self.callers[LEAD] = self.stranger()
        self.boxes[LEAD].runs_anew()
        self.ask_for_the_next_actions()

    @rule(name=st.sampled_from(tuple(TYPES)))
    def lose(self, name: str) -> None:
        """An agent is lost."""
        if name not in self.over:
            self.write(lambda ctx: self.end(ctx, name))
            self.over.add(name)
            self.dead.append((self.callers[name], self.agents[name], name))

    def end(self, ctx: Context, name: str) -> None:
        """End an attempt as a lost one."""
        ctx.store.tasks.end_claim(self.agents[name], "lost", ctx.at)
        ctx.store.agents.set(self.agents[name], "retired", ctx.at, "lost")
        ctx.store.tasks.set(self.milestone_id, name, "failed", "lost")

    @rule(name=st.sampled_from(tuple(TYPES)), stray=st.booleans())
    def try_again(self, name: str, stray: bool) -> None:
        """The next attempt of a lost one begins, and gets what was on its way."""
        if name in self.over:
            self.start(name, stray=stray)

    @invariant()
    def both_count_the_same(self) -> None:
        """The tables count what the model counts."""
        if not hasattr(self, "session"):
            return
        receipts = self.project.rows("message_receipts")
        for name in NAMES:
            if name not in self.over:
                rows = [row for row in receipts if row["agent_id"] == self.agents[name]]
                box = self.boxes[name]
                assert sum(not row["delivered_at"] for row in rows) == len(box.waiting)
                unread = sum(bool(row["delivered_at"]) and not row["read_at"] for row in rows)
                assert unread == len([one for one in box.delivered if one not in box.acked])
                assert sum(bool(row["acked_at"]) for row in rows) == len(box.acked)


@pytest.mark.parametrize(("engine", "examples"), [("sqlite", 25), ("postgres", 4)])
def test_each_message_comes_once_to_each_run_in_order_and_none_is_lost(
    engine: str, examples: int, new_project: Callable[..., Project]
) -> None:
    """Planted and found, each alone: a new run that is told nothing again, or told also what was read; a next attempt
    that inherits nothing, or only what was not handed over; messages in another order; handing over that is not noted;
    messages that count as read before they were handed over, at that moment, or never by other calls; what a stranger
    was handed at its start not coming again, and what the agent itself was handed coming again; senders whose attempt
    is over not marked, and all of them marked; a second acknowledgement; a type's messages that nobody inherits;
    messages that next_actions takes and does not show.
    """
    MessagesMachine.project = new_project(engine)
    run_state_machine_as_test(
        MessagesMachine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=25,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
