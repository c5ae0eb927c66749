"""What befalls a planning from outside, inside the real Claude Code: lost agents, a hasty coordinator, broken data."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence

from .actors import NAME, Coordinator, brief_of, call, cast, hasty, honest, started, told
from .claude import Host
from .conversation import Block, Request, text
from .ledger import Ledger
from .scripted_model import Outage, ScriptedModel
from .test_planning import COMMAND, ONCE, must_have_planned


def test_an_agent_that_the_host_loses_is_replaced(host: Host, model: ScriptedModel, ledger: Ledger) -> None:
    """The model's service fails for one agent in the middle of its work; no stop is ever reported for it."""
    # Planted bugs that fail it: the host's event for a failed end is not taken in (the coordinator waits for the lost
    # agent); the lost agent's task counts as failed at once.
    lost: list[str] = []

    def unlucky(request: Request) -> Sequence[Block]:
        lost[:] = lost or [told(request).agent_id]
        if request.turn and lost == [told(request).agent_id]:
            raise Outage
        return honest(request)

    cast(model, dependencies=unlucky)
    must_have_planned(host.prompt(COMMAND), ledger)
    assert started(model) == {**ONCE, "dependencies": 2}


def test_a_coordinator_that_ends_its_turn_early_goes_on_when_its_agents_end(
    host: Host, model: ScriptedModel, ledger: Ledger
) -> None:
    """It says something and stops while its agents work; what the skill allowed ends with its turn."""
    # Planted bug that fails it: agents are bound to the turn that started them, and are given up when it ends.
    woken = threading.Event()
    cast(model, hasty(Coordinator(), woken))
    must_have_planned(host.prompt(COMMAND), ledger)
    assert woken.is_set()
    assert started(model) == ONCE


def test_a_persons_deny_rule_wins(host: Host, model: ScriptedModel, ledger: Ledger) -> None:
    """The plugin answers permission questions about its own tools; a person's no is no question."""
    # Planted bug that fails it: the hook allows calls before the host has looked at the rules.
    deny = {"permissions": {"deny": ["mcp__plugin_milestone_milestone__initialize_agent_coordination"]}}
    model.plays(
        "caller",
        lambda r: brief_of(r) is None,
        lambda r: [text("Bye.") if r.turn else call("initialize_agent_coordination", name=NAME)],
    )
    assert host.prompt("Hello.", "--settings", json.dumps(deny)).code == 0
    (answer,) = model.asked("caller")[-1].results
    assert answer.failed
    assert not (ledger.project / ".git" / "milestone" / "milestone.db").exists()


def test_a_project_whose_data_cannot_be_read_is_still_a_project_to_talk_in(
    host: Host, model: ScriptedModel, ledger: Ledger
) -> None:
    """The place of the database is taken by a file: the hooks must not keep the person from working."""
    # Planted bug that fails it: the hook lets its error out, or waits for what never comes.
    (ledger.project / ".git" / "milestone").write_text("not a folder")
    model.plays("person", lambda r: "Hello." in r.first, lambda _: [text("Hello.")])
    begun = time.monotonic()
    run = host.prompt("Hello.")
    assert (run.code, run.answer) == (0, "Hello.")
    assert time.monotonic() - begun < 20
    assert "hook error" not in run.output.lower()
