"""Carrying a milestone out inside the real Claude Code: from a plan to a proven branch, through red gates and kills."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.helpers.execution import git as person
from tests.helpers.execution import task
from tests.helpers.following import until
from tests.host.actors import NAME, Coordinator, Unexpected, after, call, script, setting, stop, strict
from tests.host.claude import Host
from tests.host.conversation import Block, Request, tool
from tests.host.ledger import Ledger
from tests.host.scripted_model import ScriptedModel, hold

from .proofs import evidence, gate_runs, host_agent, must_have_completed, must_have_gated
from .stage import BROKEN_OFF, Stage, seed
from .workers import (
    attempts,
    brief_text,
    cast,
    commit,
    deliver,
    enter,
    folder,
    of_task,
    run_gates,
    started,
    usual,
    work,
    write,
)

PLAN = f'/milestone:plan "{NAME}"'
EXECUTE = f'/milestone:execute "{NAME}"'

WRONG = {
    "app/store.py": "def keep(token):\n    return []\n",
    "tests/test_store.py": (
        "import unittest\nfrom app.store import keep\n\n\nclass Store(unittest.TestCase):\n"
        "    def test_a_token_is_kept(self):\n        self.assertEqual(keep('a'), ['a'])\n"
    ),
}
FINDING = "test_a_token_is_kept"


def careless(request: Request) -> Sequence[Block]:
    """Commit code that does not do what its test says, without a trial."""
    return [*write(request, WRONG), commit(request), *deliver(request)]


def look_up(request: Request) -> Sequence[Block]:
    """Begin, and load the whole finding from where the brief says it is."""
    (key,) = re.findall(r"sent back: load_agent_state\(key='([^']+)'\)", brief_text(request))
    return [*enter(request), call("load_agent_state", key=key)]


def mend(request: Request) -> Sequence[Block]:
    """Do what the finding asks for, on top of what the attempt before has committed; try, commit, deliver."""
    found = next(r.text for r in request.of("load_agent_state") if r.arguments["key"].startswith("gates-"))
    if not all(FINDING in words for words in (found, brief_text(request))):
        raise Unexpected(f"no finding in: {found} and {brief_text(request)}")
    path = str(folder(request) / "app" / "store.py")
    edit = tool("Edit", file_path=path, old_string="return []", new_string="return [token]")
    return [tool("Read", file_path=path), edit, run_gates(request), commit(request), *deliver(request)]


@dataclass
class Doubter:
    """A coordinator's aside: tries to close the phase while a task's gates are red."""

    stage: Stage
    ledger: Ledger
    tips: list[str] = field(default_factory=list[str])
    refusal: str = ""

    def __call__(self, request: Request) -> Sequence[Block]:
        """Try once after red gates, and go on."""
        refused = [r for r in request.fresh if r.tool.endswith("transition_phase") and r.failed]
        if refused:
            self.refusal = refused[0].text
            return [call("next_actions")]
        if not any(r.json["result"] == "failed" for r in request.of("run_gates")) or self.tips:
            return ()
        self.tips.append(person(self.stage.folder, "rev-parse", self.stage.branch(self.ledger.milestone_id())))
        return [call("transition_phase", phase="execute")]


def test_a_plan_is_carried_out_and_red_gates_send_a_task_back(
    host: Host, model: ScriptedModel, stage: Stage, ledger: Ledger
) -> None:
    """With nothing but what the skills allow: a branch with one proven commit for each task, reviewed by others.

    Planted and found: gates count as passed though red, or though nothing ran; they run in the task's folder, or after
    the branch was moved; a trial proves a task; a phase is closed over an open task; no review is asked for, or the
    author's own kind makes it; attempts are not made one commit; agents work in the person's checkout; the branch is
    pushed, or checked out; the brief loses the finding; the skill lacks `run_gates`, or the edits.
    """
    before = stage.untouched()
    cast(model, Coordinator())
    assert host.prompt(PLAN).denied == []
    doubter = Doubter(stage, ledger)
    twice = attempts(script(enter, strict(careless), strict(stop)), script(look_up, strict(mend), strict(stop)))
    cast(model, Coordinator(mode="execution", aside=doubter), build_store=twice)
    run = host.prompt(EXECUTE)
    must_have_completed(run, stage, ledger, before)
    must_have_gated(stage, ledger)
    assert run.answer == f"execution of {ledger.milestone_id()}: completed"
    assert {task: count for task, count in started(model).items() if count != 1} == {"build-store": 2}
    _must_have_been_blocked(doubter, stage, ledger)
    _must_be_reviewed_by_others(model, ledger)


def _must_have_been_blocked(doubter: Doubter, stage: Stage, ledger: Ledger) -> None:
    """Check that red gates kept the phase open and the branch where it was, and who ran how often."""
    assert "build-store" in doubter.refusal
    commits = stage.commits(ledger.milestone_id())
    assert doubter.tips == [commits["specify-store"]["commit"]]
    red, trial, *green = stage.runs()
    assert [red.outcome, trial.outcome, *(run.outcome for run in green)] == ["failed", *["passed"] * 3]
    assert red.commit not in {made["commit"] for made in commits.values()}
    assert trial.folder.endswith("/build-store")
    assert {run.folder for run in (red, *green)}.isdisjoint({trial.folder, str(stage.folder)})
    kept = [(run.task_id, run.trial, run.status) for run in gate_runs(ledger)]
    assert kept == [
        ("build-store", False, "failed"),
        ("build-store", True, "passed"),
        ("build-store", False, "passed"),
        ("test-unit", False, "passed"),
    ]
    for one, shown in zip(stage.runs(), gate_runs(ledger), strict=True):
        assert one.nonce in shown.output


def _must_be_reviewed_by_others(model: ScriptedModel, ledger: Ledger) -> None:
    for task_id, added in (("build-store", "+    return [token]"), ("test-unit", "+        self.assertTrue(1)")):
        proof = evidence(ledger, task_id)
        (author, _), (reviewer, said) = proof["keys"], proof["review"]
        assert host_agent(ledger, author)
        assert host_agent(ledger, reviewer) not in ("", host_agent(ledger, author))
        assert said["verdict"] == "approved"
        assert added in of_task(model, said["task"])[-1].heard()


BUILDING = [task(f"build-{name}", "execute", paths=(f"app/build_{name}.py",)) for name in ("one", "two", "three")]
"""A plan with three tasks that have nothing to do with each other."""

BUILT = {
    **{one["id"]: (one["phase"], *one["paths"]) for one in BUILDING},
    "test-unit": ("execute", "tests/"),
}


def test_after_a_kill_in_the_middle_of_execution_the_same_command_goes_on_from_the_ledger(
    host: Host, model: ScriptedModel, stage: Stage, ledger: Ledger
) -> None:
    """One task is completed, one half written, and the gates of the third are running when host and server die.

    Planted and found: tasks, or gates, stay in the hands of a dead server; the next attempt's folder begins empty.
    """
    before = stage.untouched()
    seed(stage, BUILDING, until="task")
    never, one_done, half_way, go_on = (threading.Event() for _ in range(4))
    begun = script(
        enter,
        lambda r: write(r, usual("build-two")),
        setting(half_way, after(never, "the end of the killed run", stop)),
    )
    cast(
        model,
        review_build_one_1=script(enter, strict(work), strict(setting(one_done, stop))),
        build_two=begun,
        build_three=script(enter, after(go_on, "the gates of the first task", work), strict(stop)),
    )
    first = host.start(EXECUTE)
    for event in (one_done, half_way):
        hold(event, f"the state in which the host is killed: {first.said()}")
    with stage.holding_gates():
        go_on.set()
        until(lambda: [run.outcome for run in stage.runs()] == ["passed", BROKEN_OFF])
        first.kill()
    never.set()
    known = ledger.tasks()
    assert [known[task["id"]] for task in BUILDING] == ["completed", "claimed", "in_review"]
    cast(model)
    must_have_completed(host.prompt(EXECUTE), stage, ledger, before, BUILT)
    must_have_gated(stage, ledger)
    assert {name: count for name, count in started(model).items() if count != 1} == {"build-two": 2}
    second = next(r for r in reversed(of_task(model, "build-two")) if r.turn == 1)
    assert '"left_by_the_attempt_before":["app/build_two.py"]' in second.new
    assert Counter(run.task_id for run in gate_runs(ledger)) == {**dict.fromkeys(BUILT, 1), "build-three": 2}
    assert len(stage.runs()) == len(BUILT) + 1
