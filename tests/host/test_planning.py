"""Planning a milestone inside the real Claude Code: from one command to the plan, through kills and new sessions."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import replace

import pytest

from .actors import DELIVER, NAME, Coordinator, after, begin, cast, script, setting, spawned, started, stop
from .claude import Ended, Host
from .conversation import Block, Request, text, tool
from .deliveries import KEYS, TYPES, VALUES
from .ledger import Ledger
from .scripted_model import ScriptedModel, hold

COMMAND = f'/milestone:plan "{NAME}"'
ONCE = dict.fromkeys(KEYS, 1)
TOGETHER = ("scope", "research", "dependencies")

ALLOW = json.dumps({"permissions": {"allow": ["mcp__plugin_milestone_milestone"]}})
"""The one settings rule of the README."""

CONTEXT_LIMIT = 600
"""Tokens that a new session may be given, counted as bytes / 4."""


def must_have_planned(run: Ended, ledger: Ledger) -> None:
    """Check in the database that every task was done, and that no permission was wanting."""
    assert (run.code, run.denied) == (0, []), run.output[-3000:] + run.errors[-2000:]
    assert ledger.tasks() == dict.fromkeys(KEYS, "completed")
    delivered = {key: value for key, value in ledger.values().items() if key != "recovery-log"}
    assert delivered == VALUES


def _must_be_left_for_people(ledger: Ledger) -> None:
    plan = ledger.plan()
    assert plan["metadata"]["name"] == NAME
    for section in ("objectives", "scope", "risks"):
        assert plan[section] == VALUES["milestone-plan"][section]
    assert [task["id"] for task in plan["tasks"]] == ["t-callback"]
    (document,) = VALUES["planning-documentation"]["files"]
    assert document["content"].strip() in ledger.deliverables()[document["name"]]


def _must_be_signed_by_its_authors(ledger: Ledger) -> None:
    assert ledger.authors() == {key: TYPES[task] for task, keys in KEYS.items() for key in keys}
    assert sorted(kind for kind, _ in ledger.agents()) == sorted(["project-milestone-coordinator", *TYPES.values()])
    assert {status for kind, status in ledger.agents() if kind in TYPES.values()} == {"completed"}


def test_one_command_plans_a_milestone(host: Host, model: ScriptedModel, ledger: Ledger) -> None:
    """No `--allowedTools`: what the skill allows must be enough, for the agents in the background too."""
    # Planted bugs that fail it: the playbook's `needs` are dropped (the planner starts with the first three);
    # `next_actions` hands out one task at a time; the mirror is not written after the last change.
    cast(model)
    run = host.prompt(COMMAND)
    must_have_planned(run, ledger)
    assert run.answer == f"planning of {ledger.milestone_id()}: planning"
    assert started(model) == ONCE
    assert [sorted(batch) for batch in spawned(model.asked("coordinator")[-1])] == [
        sorted(f"milestone:{TYPES[task]}" for task in batch) for batch in (TOGETHER, ("plan",), ("record",))
    ]
    _must_be_left_for_people(ledger)
    _must_be_signed_by_its_authors(ledger)


def test_after_a_kill_in_the_middle_the_same_command_starts_only_what_was_not_done(
    host: Host, model: ScriptedModel, ledger: Ledger
) -> None:
    """One agent has finished and two are at work when the host and its server die."""
    # Planted bugs that fail it: a claim outlives its server's process (the second run waits for the dead); finished
    # work is forgotten (scope starts twice); the second run creates a second milestone of the same name.
    never, done = threading.Event(), threading.Event()
    at_work = {"research": threading.Event(), "dependencies": threading.Event()}
    silent = after(never, "the end of the killed run", stop)
    busy = {task: script(begin, setting(seen, silent)) for task, seen in at_work.items()}
    cast(model, scope=script(begin, *DELIVER[:-1], setting(done, stop)), **busy)
    first = host.start(COMMAND)
    for event in (done, *at_work.values()):
        hold(event, f"the state in which the host is killed: {first.said()}")
    first.kill()
    never.set()
    assert ledger.tasks()["scope"] == "completed"
    cast(model)
    must_have_planned(host.prompt(COMMAND), ledger)
    assert started(model) == {**ONCE, "research": 2, "dependencies": 2}
    assert set(ledger.agents()) >= {(TYPES[task], "completed") for task in KEYS}


def test_tasks_handed_out_but_never_started_are_handed_out_again(
    host: Host, model: ScriptedModel, ledger: Ledger
) -> None:
    """The host dies between the coordinator's question and the start of the agents."""
    # Planted bug that fails it: a claim that nobody started is kept for a dead server process.
    never, handed_out = threading.Event(), threading.Event()

    def aside(request: Request) -> Sequence[Block]:
        if request.of("next_actions"):
            handed_out.set()
            hold(never, "the end of the killed run")
        return ()

    cast(model, Coordinator(aside=aside))
    first = host.start(COMMAND)
    hold(handed_out, f"the first actions: {first.said()}")
    first.kill()
    never.set()
    cast(model)
    must_have_planned(host.prompt(COMMAND), ledger)
    assert started(model) == ONCE


def test_a_new_session_is_told_where_things_stand(host: Host, model: ScriptedModel, ledger: Ledger) -> None:
    """Milestone, phase and what to type, in few tokens; nothing where the hooks are switched off."""
    # Planted bugs that fail it: the hook prints the whole milestone (too long); it ignores MILESTONE_HOOKS.
    cast(model, lambda r: Coordinator()(r) if not r.of("initialize_agent_coordination") else [text("Later.")])
    assert host.prompt(COMMAND).code == 0
    model.plays("newcomer", lambda r: "What now?" in r.first, lambda _: [text("I see.")])
    assert host.prompt("What now?").code == 0
    assert replace(host, extra={"MILESTONE_HOOKS": "off"}).prompt("What now?").code == 0
    with_hooks, without = (r.heard().splitlines() for r in model.asked("newcomer"))
    told = "\n".join(line for line in with_hooks if line not in without)
    assert all(words in told for words in (ledger.milestone_id(), "planning", "/milestone:plan"))
    assert len(told.encode()) / 4 <= CONTEXT_LIMIT
    assert not any(ledger.milestone_id() in line for line in without)


@pytest.mark.parametrize(
    ("settings", "switches"),
    [("{}", {}), (ALLOW, {"MILESTONE_HOOKS": "off"})],
    ids=["allowed by the hook", "allowed by the settings rule"],
)
def test_the_coordinator_plans_as_the_main_agent(
    host: Host, model: ScriptedModel, ledger: Ledger, settings: str, switches: dict[str, str]
) -> None:
    """`claude --agent`, where no skill has allowed anything: the plugin's hook is enough, or the README's rule."""
    # Planted bugs that fail it: the coordinator's `tools` lack Agent or one of the three tools of the loop; the hook
    # that answers permission questions about our tools is not there.
    cast(model)
    agent = ("--agent", "milestone:project-milestone-coordinator", "--settings", settings)
    must_have_planned(replace(host, extra=switches).prompt(f'Plan "{NAME}".', *agent), ledger)
    assert started(model) == ONCE


def test_the_coordinator_plans_as_a_sub_agent(host: Host, model: ScriptedModel, ledger: Ledger) -> None:
    """The main conversation hands the whole planning to the coordinator's agent type."""
    # Planted bug that fails it: the stop hook takes the coordinator for a worker without results and sends it back.
    cast(model)
    ask = tool(
        "Agent", subagent_type="milestone:project-milestone-coordinator", description="Plan", prompt=f'Plan "{NAME}".'
    )
    model.plays("person", lambda r: "Somebody plan" in r.first, lambda r: [text("Handed over.") if r.turn else ask])
    must_have_planned(host.prompt("Somebody plan it.", "--settings", ALLOW), ledger)
    assert started(model) == ONCE


def test_without_hooks_the_skill_and_the_tokens_are_enough(host: Host, model: ScriptedModel, ledger: Ledger) -> None:
    """The hooks are a comfort: the skill allows all that is needed, and agents that show their tokens are believed."""
    # Planted bugs that fail it: `allowed-tools` of the skill loses one tool; a caller that no hook has announced is
    # refused although it shows its token.
    cast(model)
    must_have_planned(replace(host, extra={"MILESTONE_HOOKS": "off"}).prompt(COMMAND), ledger)
    assert started(model) == ONCE
