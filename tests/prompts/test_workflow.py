"""The workflow script: what it says of itself, the names it uses, and how its loop runs on a host made of answers."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from milestone.operations.catalogue import REGISTRY
from milestone.prompts.agents import read_agents

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "workflows" / "execute.js"
AGENTS = {agent.name: agent for agent in read_agents(ROOT)}
PREFIX = "mcp__plugin_milestone_milestone__"
COORDINATOR = "milestone:project-milestone-coordinator"
NODE = Path(sys.executable).parent / "node"
SECONDS = 20

HOST = """
const fs = require('fs'), vm = require('vm')
const { source, args, rounds, gates, works, types } = JSON.parse(fs.readFileSync(0, 'utf8'))
const started = [], ended = [], said = [], due = []
let clock = 0, over = false
const takes = (ticks, name) => new Promise((resolve) => due.push({ at: clock + ticks, name, resolve }))
async function agent(prompt, options) {
  started.push({ prompt, ...options, clock })
  if (!types.includes(options.agentType)) throw new Error(`agent type '${options.agentType}' not found`)
  if (options.phase === 'Work') {
    const id = /^agent_id: (.*)$/m.exec(prompt)[1]
    return takes(works[id] ?? 1, id)
  }
  if (options.phase === 'Gates') {
    const answer = (gates[options.label] ?? []).shift() ?? { ran: true }
    await takes(answer.ticks ?? 1, options.label)
    return answer.dies ? null : { said: 'as they are', ...answer }
  }
  await takes(1, 'round')
  const round = rounds.shift()
  if (round === undefined) throw new Error('no further round is expected')
  if (round === 'throw') throw new Error('ended without StructuredOutput')
  return round && { milestone_id: 'm-1', kind: 'go', why: '', tasks: [], spawns: [], gates: [], phases: [], ...round }
}
async function pass() {
  while (!over) {
    await new Promise(setImmediate)
    const next = due.sort((one, other) => one.at - other.at).shift()
    if (next) {
      clock = next.at
      ended.push(next.name)
      next.resolve('')
    }
  }
}
const body = `(async () => {${source.replace('export const meta', 'const meta')}\\n})()`
vm.runInNewContext(body, { agent, args, log: (line) => said.push(line) })
  .then((result) => console.log(JSON.stringify({ result, started, ended, said })))
  .catch((problem) => { console.error(problem); process.exitCode = 1 })
  .finally(() => { over = true })
pass()
"""
"""The host's side of a script, on a clock of its own: a round takes one tick, other agents as long as they are told."""


def run_node(program: str, text: str = "") -> str:
    done = subprocess.run(
        [NODE, "-e", program], input=text, capture_output=True, text=True, check=False, timeout=SECONDS
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def play(
    *rounds: Any,
    args: Any = None,
    works: Mapping[str, int] | None = None,
    gates: Mapping[str, Sequence[Any]] | None = None,
) -> dict[str, Any]:
    """Run the script; `works` says how many ticks an agent takes, `gates` what the gates' agents answer, and when."""
    types = [f"milestone:{name}" for name in AGENTS]
    given = {"source": SCRIPT.read_text("utf-8"), "args": args, "rounds": rounds, "types": types}
    return json.loads(run_node(HOST, json.dumps({**given, "works": works or {}, "gates": gates or {}})))


def spawn(agent_id: str, task: str = "", agent_type: str = "milestone:code-transformer") -> dict[str, str]:
    names = {"task_id": task or f"task-{agent_id}", "agent_type": agent_type, "description": "Do it"}
    return {**names, "agent_id": agent_id, "token": f"token-{agent_id}"}


def begun(played: Mapping[str, Any], phase: str) -> list[str]:
    return [one["label"] for one in played["started"] if one["phase"] == phase]


def rounds_of(played: Mapping[str, Any]) -> list[str]:
    return [one["prompt"] for one in played["started"] if one["phase"] == "Rounds"]


DONE = {"kind": "done", "why": "all 2 tasks have ended"}
WAIT = {"kind": "wait", "tasks": ["a"]}


def code() -> str:
    """Return the script without comments and with its texts emptied, so that words in them are not taken for code."""
    bare = re.sub(r"^\s*//.*$|(?<=[\s,;{])// .*$", "", SCRIPT.read_text("utf-8"), flags=re.MULTILINE)
    return re.sub(r"'(?:[^'\\\n]|\\.)*'", "''", bare)


def meta() -> dict[str, Any]:
    """Return what the script says of itself, read where no name has a meaning."""
    literal = SCRIPT.read_text("utf-8").split("export const meta = ", 1)[1].split("\n}\n", 1)[0] + "\n}"
    program = (
        "const s = require('fs').readFileSync(0, 'utf8'); console.log(JSON.stringify(require('vm').runInNewContext(s)))"
    )
    return json.loads(run_node(program, f"({literal})"))


# What it is


def test_the_script_begins_with_a_literal_that_describes_it() -> None:
    """Planted and found: a description joined with `+`; a title from a constant."""
    assert set(meta()) == {"name", "description", "whenToUse", "phases"}
    head = code().split("export const meta = ", 1)[1].split("\n}\n", 1)[0]
    assert re.findall(r"[`+()]|\.\.\.|\$", head) == []
    assert 40 <= len(meta()["description"]) <= 200


def test_no_skill_has_the_name_of_the_workflow() -> None:
    """The host gives the slash command to the workflow, and the skill is gone. Planted and found: `name: 'execute'`."""
    assert meta()["name"] not in {folder.name for folder in (ROOT / "skills").iterdir()}


def test_its_agents_are_shown_under_the_phases_it_announces() -> None:
    assert {phase["title"] for phase in meta()["phases"]} == set(
        re.findall(r"phase: '(\w+)'", SCRIPT.read_text("utf-8"))
    )


def test_it_is_short_and_has_no_clock_no_chance_and_no_module() -> None:
    """A host that resumes a script plays its agents' answers again, so it must ask the same questions."""
    forbidden = r"\b(?:Date|Math\.random|require|import|setTimeout|setInterval|performance|process|fetch|eval|crypto)\b"
    assert re.findall(forbidden, code()) == []
    assert len(SCRIPT.read_text("utf-8").splitlines()) < 120


def test_the_agent_types_it_names_exist() -> None:
    named = set(re.findall(r"milestone:([a-z-]+)", SCRIPT.read_text("utf-8")))
    assert named
    assert named <= set(AGENTS)


def test_its_prompts_name_tools_and_arguments_that_exist() -> None:
    """Planted and found: `next_action(…)`; `wait=120` in place of `wait_seconds`."""
    shown = re.findall(
        r"\b([a-z]+(?:_[a-z]+)+)\(([^()]*)\)", re.sub(r"\$\{q\([^)]*\)\}", "x", SCRIPT.read_text("utf-8"))
    )
    assert {"initialize_agent_coordination", "next_actions", "run_gates"} <= {tool for tool, _ in shown}
    for tool, inside in shown:
        assert REGISTRY[tool].listed
        names = {part.split("=")[0].strip() for part in re.sub(r'"[^"]*"|\$\{[^}]*\}', "", inside).split(",")}
        assert names <= set(REGISTRY[tool].arguments.model_fields), tool


def test_the_coordinator_may_call_what_the_script_asks_of_it() -> None:
    """Planted and found: the coordinator's file without `transition_phase`."""
    asked = {"initialize_agent_coordination", "next_actions", "transition_phase", "run_gates"}
    assert {PREFIX + tool for tool in asked} <= set(AGENTS["project-milestone-coordinator"].tools)


# What it does


def test_each_spawn_becomes_an_agent_of_its_type_with_its_own_ids() -> None:
    played = play({"spawns": [spawn("x-1"), spawn("y-2", agent_type="milestone:quality-enforcer")]}, DONE)
    first, second = (one for one in played["started"] if one["phase"] == "Work")
    assert (first["agentType"], second["agentType"]) == ("milestone:code-transformer", "milestone:quality-enforcer")
    assert first["prompt"].splitlines()[:4] == [
        "agent_id: x-1",
        "token: token-x-1",
        "task_id: task-x-1",
        "milestone_id: m-1",
    ]
    assert "schema" not in first  # with one, the host would not send it back when it stops without its results
    assert played["result"] | {"next": ""} == {
        "milestone_id": "m-1",
        "kind": "done",
        "why": DONE["why"],
        "tasks": [],
        "next": "",
    }


def test_the_first_round_names_the_milestone_as_it_was_given_and_later_ones_its_id() -> None:
    for args in ("Add OAuth", {"milestone": "Add OAuth"}):
        first, second = rounds_of(play(WAIT, DONE, args=args))
        assert 'initialize_agent_coordination(milestone_id="Add OAuth", mode="execution")' in first
        assert "wait_seconds=0" in first
        assert '"m-1"' in second
        assert "wait_seconds=100" in second
        assert "initialize" not in second
    assert 'initialize_agent_coordination(mode="execution")' in rounds_of(play(DONE))[0]


def test_rounds_go_on_while_agents_work_and_start_what_has_become_ready() -> None:
    """Planted and found: all agents of a round are awaited before the next round."""
    played = play(
        {"spawns": [spawn("slow"), spawn("quick")]}, {"spawns": [spawn("next")]}, WAIT, DONE, works={"slow": 4}
    )
    assert begun(played, "Work") == ["task-slow", "task-quick", "task-next"]
    assert played["ended"].index("next") < played["ended"].index("slow")


def test_it_does_not_end_before_all_its_agents_have() -> None:
    """A script that returns takes its agents down. Planted and found: it returns at `done`."""
    played = play({"spawns": [spawn("last")]}, DONE, works={"last": 5})
    assert played["ended"][-1] == "last"


def test_what_is_named_again_is_under_way_already_and_the_next_question_waits_until_something_ends() -> None:
    """Planted and found: the script asks again at once, and for ever; gates named twice run twice."""
    again = {"spawns": [spawn("x")], "gates": ["t"]}
    played = play(again, again, again, DONE, works={"x": 10}, gates={"gates of t": [{"ticks": 20, "ran": True}]})
    assert (begun(played, "Work")[:1], begun(played, "Gates")) == (["task-x"], ["gates of t"])
    assert [one["clock"] for one in played["started"] if one["phase"] == "Rounds"][:3] == [0, 1, 11]


def test_of_a_task_handed_out_again_and_again_only_the_newest_spawn_waits() -> None:
    """A small host starts agents late; the server has then given the task to another. Planted and found: all start."""
    rounds = [{"spawns": [spawn(name, "t")]} for name in ("a-1", "a-2", "a-3", "a-4")]
    played = play(*rounds, *[WAIT] * 9, DONE, works={"a-1": 9, "a-2": 9})
    tried = [re.search(r"agent_id: (\S+)", one["prompt"]) for one in played["started"] if one["phase"] == "Work"]
    assert [found[1] for found in tried if found] == ["a-1", "a-2", "a-4"]


def test_gates_run_beside_the_rounds_in_an_agent_of_their_own() -> None:
    """Planted and found: the round waits for the gates, and what it was handed goes stale."""
    played = play(
        {"gates": ["t"], "spawns": [spawn("x")]},
        {"spawns": [spawn("y")]},
        WAIT,
        DONE,
        gates={"gates of t": [{"ticks": 3, "ran": True}]},
    )
    gate = next(one for one in played["started"] if one["phase"] == "Gates")
    assert gate["agentType"] == COORDINATOR
    assert 'run_gates(task_id="t", milestone_id="m-1")' in gate["prompt"]
    assert played["ended"].index("y") < played["ended"].index("gates of t")


def test_a_phase_that_was_completed_leads_to_the_next_question_at_once() -> None:
    played = play({"spawns": [spawn("x")]}, {"phases": ["design"]}, DONE, works={"x": 9})
    assert [one["clock"] for one in played["started"] if one["phase"] == "Rounds"] == [0, 1, 2]


@pytest.mark.parametrize("kind", ["ask_human", "refused"])
def test_a_question_or_a_refusal_ends_it_with_its_words(kind: str) -> None:
    result = play({"kind": kind, "why": "failed: t", "tasks": ["t"]})["result"]
    assert (result["kind"], result["why"], result["tasks"]) == (kind, "failed: t", ["t"])


def test_a_wait_for_another_milestone_ends_it_and_a_wait_for_others_agents_does_not() -> None:
    """Planted and found: the script asks every two minutes until the other milestone is done."""
    assert play({"kind": "wait", "why": "needs m-0"})["result"]["why"] == "needs m-0"
    assert play(WAIT, WAIT, DONE)["result"]["kind"] == "done"


@pytest.mark.parametrize("nothing", [None, "throw", {}], ids=["it dies", "it says nothing", "nothing to do"])
def test_an_empty_round_is_asked_for_again_and_three_in_a_row_end_it(nothing: Any) -> None:
    assert play(nothing, nothing, DONE)["result"]["kind"] == "done"
    assert play(nothing, nothing, WAIT, nothing, DONE)["result"]["kind"] == "done"
    played = play({"spawns": [spawn("x")]}, nothing, nothing, nothing, nothing, works={"x": 9})
    assert played["result"]["kind"] == "broken"
    assert "x" in played["ended"]


def test_gates_that_cannot_be_run_three_times_in_a_row_end_it_and_red_ones_do_not() -> None:
    """Planted and found: a gates' agent that is denied its tool is started without end."""
    named, refused = {"gates": ["t"]}, {"ran": False, "said": "No gate is configured"}
    result = play(*[named] * 6, gates={"gates of t": [refused, {"dies": True}, refused]})["result"]
    assert result["kind"] == "broken"
    assert "No gate is configured" in result["why"]
    red = {"ran": True, "said": "red"}
    assert play(*[named] * 4, DONE, gates={"gates of t": [red] * 4})["result"]["kind"] == "done"


def test_an_agent_type_that_the_host_does_not_know_ends_it_once_the_others_have_ended() -> None:
    played = play({"spawns": [spawn("x"), spawn("y", agent_type="milestone:nobody")]}, WAIT, works={"x": 9})
    assert played["result"]["kind"] == "broken"
    assert "milestone:nobody" in played["result"]["why"]
    assert played["ended"][-1] == "x"
