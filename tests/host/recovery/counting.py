"""Counts work that was done and then done again, from what the model was asked and has answered."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tests.helpers.execution import git
from tests.host.conversation import Request
from tests.host.execution.stage import Stage
from tests.host.ledger import Ledger

from .parties import COORDINATOR, Moment, Take


@dataclass(frozen=True)
class Done:
    """What was done when the host was killed, as database and Git say it: tasks, commits, gates, phases.

    `finished` tasks are accepted, or have all that is asked for; `agents` had been handed out.
    """

    finished: frozenset[str]
    committed: frozenset[str]
    gated: frozenset[str]
    phases: frozenset[str]
    agents: frozenset[str]

    def again(self, moment: Moment) -> str:
        """Return what a message of a later session would do again; empty where it does nothing again."""
        if moment.who == COORDINATOR:
            gates = [task for task in self.gated if moment.calls("run_gates", task_id=task)]
            phases = [phase for phase in self.phases if moment.calls("transition_phase", phase=phase)]
            return ", ".join([*(f"gates of {task}" for task in gates), *(f"end of {phase}" for phase in phases)])
        if moment.who in self.finished:
            return f"{moment.who} by {moment.agent_id}"
        writes = moment.calls("Write") or moment.calls("git_milestone", action="commit")
        return f"commit of {moment.who} by {moment.agent_id}" if writes and moment.who in self.committed else ""


def done(stage: Stage, ledger: Ledger) -> Done:
    """Return what is done by now."""
    committed = set(git(stage.folder, "log", "--all", "--format=%(trailers:key=Task,valueonly)").split())
    tasks = ledger.rows("SELECT task_id FROM tasks WHERE status IN ('completed', 'skipped', 'in_review')")
    return Done(
        finished=frozenset(task for (task,) in tasks) | _delivered(ledger, committed),
        committed=frozenset(committed),
        gated=_names(ledger, "SELECT task_id FROM gate_runs WHERE status = 'passed' AND trial = 0"),
        phases=_names(ledger, "SELECT phase FROM phases WHERE status = 'completed'"),
        agents=_names(ledger, "SELECT agent_id FROM claims"),
    )


def done_again(before: Done, later: Sequence[Take]) -> Sequence[str]:
    """Return what later sessions did again of all that was done before."""
    said = (moment for take in later for moment in take.said if moment.agent_id not in before.agents)
    return [f"done again: {again}" for again in dict.fromkeys(before.again(moment) for moment in said) if again]


def done_twice(log: Sequence[Request], takes: Sequence[Take]) -> Sequence[str]:
    """Return what succeeded more than once in a whole run, and who was started beside a live agent of the same task."""
    completed: Counter[str] = Counter()
    committed: Counter[str] = Counter()
    for result in (result for request in log for result in request.fresh if not result.failed):
        name = result.tool.split("__")[-1]
        if name == "complete_task":
            completed[result.arguments["task_id"]] += 1
        elif name == "git_milestone" and result.arguments["action"] == "commit":
            committed[result.json["task_id"]] += 1
    started = (Counter(m.who for m in take.said if m.who != COORDINATOR and not m.request.turn) for take in takes)
    return [
        *(f"completed {count} times: {task}" for task, count in completed.items() if count > 1),
        *(f"committed {count} times: {task}" for task, count in committed.items() if count > 1),
        *(
            f"started {count} times in one session: {task}"
            for one in started
            for task, count in one.items()
            if count > 1
        ),
    ]


def _delivered(ledger: Ledger, committed: set[str]) -> set[str]:
    """Return the tasks whose holder has saved all keys, and committed where that is owed."""
    saved: dict[str, set[str]] = {}
    for agent_id, key in ledger.rows("SELECT agent_id, key FROM agent_state"):
        saved.setdefault(agent_id, set()).add(key)
    query = (
        "SELECT c.task_id, c.agent_id, t.produces, t.proof FROM claims c JOIN tasks t ON t.task_id = c.task_id "
        "WHERE t.status = 'claimed' AND c.ended_at = ''"
    )
    return {
        task
        for task, agent_id, keys, proof in ledger.rows(query)
        if set(json.loads(keys)) <= saved.get(agent_id, set())
        and ("commit" not in json.loads(proof) or task in committed)
    }


def _names(ledger: Ledger, query: str) -> frozenset[str]:
    return frozenset(str(name) for (name,) in ledger.rows(query))
