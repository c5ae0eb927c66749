"""A question to the person in the real Claude Code: an answer is carried out, and where nobody sits nothing hangs."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence

from .actors import call, cast, honest, must_have_worked, started, stop, told
from .claude import Host
from .conversation import Block, Request
from .ledger import Ledger
from .scripted_model import ScriptedModel
from .test_planning import COMMAND, ONCE

ANSWERED = "SELECT detail FROM events WHERE event = 'person_answered'"


def hopeless(request: Request) -> Sequence[Block]:
    """Report that the task cannot be done."""
    if not request.turn:
        brief = told(request)
        who = {"agent_id": brief.agent_id, "token": brief.token}
        return [call("report_failure", error="there is no code", kind="impossible", **who)]
    for result in request.fresh:
        must_have_worked(result)
    return stop(request)


def test_without_a_person_the_coordinator_gets_the_question_in_words(
    host: Host, model: ScriptedModel, ledger: Ledger
) -> None:
    """With `-p` the host says that it can ask, and answers for nobody at once."""
    # Planted bug that fails it: whatever the host answers counts as a yes.
    cast(model, scope=hopeless)
    begun = time.monotonic()
    run = host.prompt(COMMAND)
    assert run.code == 0, run.output[-3000:]
    assert time.monotonic() - begun < 100
    (action,) = model.asked("coordinator")[-1].of("next_actions")[-1].json["actions"]
    assert (action["kind"], action["tasks"]) == ("ask_human", ["scope"])
    assert ledger.tasks()["scope"] == "failed"
    assert ledger.rows(ANSWERED) == []
    assert started(model) == {**ONCE, "plan": 0, "record": 0}
    assert ledger.values()["error-info"]["kind"] == "impossible"


def test_what_a_person_answers_is_carried_out_in_the_same_turn(
    host: Host, model: ScriptedModel, ledger: Ledger
) -> None:
    """A hook of the person's own answers the form: try again. This time it can be done."""
    # Planted bug that fails it: the host's second call is answered with the question again.
    choice = {"hookEventName": "Elicitation", "action": "accept", "content": {"decision": "retry"}}
    command = f"echo '{json.dumps({'hookSpecificOutput': choice})}'"
    hooks = {"hooks": {"Elicitation": [{"hooks": [{"type": "command", "command": command}]}]}}
    cast(model, scope=lambda request: honest(request) if ledger.rows(ANSWERED) else hopeless(request))
    run = host.prompt(COMMAND, "--settings", json.dumps(hooks))
    assert (run.code, run.denied) == (0, []), run.output[-3000:]
    assert set(ledger.tasks().values()) == {"completed"}
    assert started(model) == {**ONCE, "scope": 2}
    ((answer,),) = ledger.rows(ANSWERED)
    assert json.loads(answer)["decision"] == "retry"
