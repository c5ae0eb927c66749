"""The execution as a workflow inside the real Claude Code: an agent of the script does the rounds, ours do the work."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace

from tests.helpers.execution import PLAN
from tests.host.actors import SERVER, after, script, setting, stop, strict, told
from tests.host.claude import Host
from tests.host.conversation import Block, Request
from tests.host.ledger import Ledger
from tests.host.scripted_model import ScriptedModel, hold

from .proofs import must_have_completed, must_have_gated
from .script import ALLOWED, COMMAND, SLOTS, carry_out, cast_script, enter
from .stage import Stage, seed
from .workers import AGENT, of_task, started, take, work


def almost(request: Request) -> Sequence[Block]:
    """Do all of the work, and leave out only to say so."""
    return [block for block in work(request) if block["name"] != f"{SERVER}complete_task"]


def test_the_script_carries_a_plan_out_and_after_a_kill_a_new_start_goes_on_from_the_ledger(
    host: Host, model: ScriptedModel, stage: Stage, ledger: Ledger
) -> None:
    """Nobody has granted Edit or Write: the hook lets agents of a script write in their own folders.

    When the host dies, one task is completed, one has all its proof and was not said to be done, one has only begun.

    Planted and found: the hook does not ask about edits; a task with all its proof is done again; briefs are kept with
    their tokens; the script gives its workers a schema, so that none is sent back; its agent types lack the plugin.
    """
    before = stage.untouched()
    seed(stage, PLAN["tasks"])
    host = replace(host, extra=SLOTS)
    never, done, unsaid, begun = (threading.Event() for _ in range(4))
    last = after(never, "the end of the killed run", stop)
    cast_script(
        model,
        spec_contracts=script(enter, strict(take), strict(work), strict(setting(done, last))),
        specify_store=script(enter, strict(take), strict(almost), strict(setting(unsaid, last))),
        spec_examples=script(enter, strict(take), strict(setting(begun, last))),
    )
    first = host.start(COMMAND, *ALLOWED)
    for event in (done, unsaid, begun):
        hold(event, f"the state in which the host is killed: {first.said()}")
    first.kill()
    never.set()
    known = ledger.tasks()
    assert [known[name] for name in ("spec-contracts", "specify-store", "spec-examples")] == [
        "completed",
        "claimed",
        "claimed",
    ]
    forgetful = script(enter, strict(take), stop, strict(work), strict(stop))
    run, starter, _ = carry_out(host, model, task_files=forgetful)
    must_have_completed(run, stage, ledger, before)
    must_have_gated(stage, ledger)
    assert starter.result["kind"] == "done"
    twice = {name for name, count in started(model).items() if count == 2}
    assert "spec-examples" in twice
    assert not twice & {"specify-store", *(name for name, status in known.items() if status == "completed")}
    assert "task-phase-results" in of_task(model, "task-files")[3].new
    _must_know_only_themselves(model)


def _must_know_only_themselves(model: ScriptedModel) -> None:
    """Check that agents of a script have their type's tools, and that no brief in the ledger shows a token."""
    for request in (r for r in model.asked(AGENT) if r.turn == 1):
        (brief,) = request.of("load_agent_state")
        assert told(request).task_id in brief.text
        assert told(request).token not in brief.text
        assert f"{SERVER}complete_task" in request.tools
        assert "Workflow" not in request.tools
