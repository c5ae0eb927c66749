"""What an execution left behind, read from outside: what proves each task, what the gates said, what people find."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.host.actors import NAME
from tests.host.claude import Ended
from tests.host.ledger import Ledger

from .stage import Stage

SKIPPED = ("test-integration", "test-api")
"""What the strategy of tests does not want."""

PLANNED = {
    "specify-store": ("spec", "docs/"),
    "build-store": ("execute", "app/", "tests/"),
    "test-unit": ("execute", "tests/"),
}
"""The tasks that owe a commit: phase and declared paths."""


@dataclass(frozen=True)
class GateRun:
    """A run of the gates as the server has kept it."""

    task_id: str
    trial: bool
    status: str
    commit: str
    output: str


def gate_runs(ledger: Ledger) -> Sequence[GateRun]:
    """Return every run of the gates, in order."""
    query = (
        "SELECT task_id, trial, status, commit_id, results FROM gate_runs WHERE milestone_id = ? ORDER BY started_at"
    )
    return [
        GateRun(task, bool(trial), status, commit, "\n".join(one["output"] for one in json.loads(results or "[]")))
        for task, trial, status, commit, results in ledger.rows(query, ledger.milestone_id())
    ]


def evidence(ledger: Ledger, task_id: str) -> Mapping[str, tuple[str, Any]]:
    """Return what proves a task, by kind: whose it is and what it says."""
    query = "SELECT kind, agent_id, detail FROM evidence WHERE milestone_id = ? AND task_id = ?"
    rows = ledger.rows(query, ledger.milestone_id(), task_id)
    return {kind: (agent_id, json.loads(detail)) for kind, agent_id, detail in rows}


def host_agent(ledger: Ledger, agent_id: str) -> str:
    """Return which agent of the host an agent of ours is."""
    ((found,),) = ledger.rows("SELECT host_agent FROM agent_registry WHERE agent_id = ?", agent_id)
    return str(found)


def must_have_completed(
    run: Ended,
    stage: Stage,
    ledger: Ledger,
    before: Mapping[str, Any],
    planned: Mapping[str, Sequence[str]] = PLANNED,
    refused: Sequence[Path] = (),
) -> None:
    """Check that all is done and proven, that the branch holds it, and that what is the person's is as it was.

    `refused` are the files that nobody was allowed to write, in order; no other permission was wanting.
    """
    denied = [one["tool_input"].get("file_path", one["tool_name"]) for one in run.denied]
    expected = [os.path.normpath(path) for path in refused]
    assert (run.code, denied) == (0, expected), f"{denied} {run.output[-3000:]} {run.errors[-2000:]}"
    not_completed = {name: status for name, status in ledger.tasks().items() if status != "completed"}
    assert not_completed == dict.fromkeys(SKIPPED, "skipped"), not_completed
    _must_be_on_the_branch(stage, ledger.milestone_id(), planned)
    after = stage.untouched()
    assert {what: (before[what], after[what]) for what in after if after[what] != before[what]} == {}
    _must_be_left_for_people(stage, ledger, planned)
    values = ledger.values()
    assert values["milestone-progress"]["overall"] == 100
    assert values["ready-for-execution"] is True
    assert "execution-state" in values


def _must_be_on_the_branch(stage: Stage, milestone_id: str, planned: Mapping[str, Sequence[str]]) -> None:
    commits = stage.commits(milestone_id)
    assert set(commits) == set(planned)
    for task_id, (phase, *declared) in planned.items():
        made = commits[task_id]
        assert made["trailers"] == (milestone_id, phase, task_id)
        assert re.fullmatch(rf"[a-z]+\({phase}\): \S.*", made["subject"])
        assert made["touched"]
        assert [path for path in made["touched"] if not path.startswith(tuple(declared))] == []


def _must_be_left_for_people(stage: Stage, ledger: Ledger, planned: Mapping[str, Sequence[str]]) -> None:
    milestone_id = ledger.milestone_id()
    folder = stage.folder / ".milestones"
    assert [path.name for path in (folder / "active").iterdir()] == []
    plan = yaml.safe_load((folder / "completed" / f"{milestone_id}.yaml").read_text())
    assert (plan["metadata"]["name"], plan["metadata"]["status"]) == (NAME, "completed")
    assert plan["progress"]["overall"] == 100
    report = ledger.deliverables()["final_report.md"]
    rows = {line.split("`")[1]: line for line in report.splitlines() if line.startswith("| `")}
    executed = {task for task in ledger.tasks() if task not in ("scope", "research", "dependencies", "plan", "record")}
    assert set(rows) == executed
    assert [line for line in rows.values() if not line.rpartition("|")[0].rpartition("|")[2].strip()] == []
    for task_id, made in stage.commits(milestone_id).items():
        assert f"commit {made['commit'][:12]}" in rows[task_id]
        proofs = ("gates: tests exit 0", "review by quality-enforcer-") if planned[task_id][0] == "execute" else ()
        assert [proof for proof in proofs if proof not in rows[task_id]] == []


def must_have_gated(stage: Stage, ledger: Ledger) -> None:
    """Check that what proves a task is a run of the gate command, on just the commit that is on the branch now."""
    runs = {run.nonce: run for run in stage.runs()}
    commits = stage.commits(ledger.milestone_id())
    for task_id, made in commits.items():
        proving = [
            one for one in gate_runs(ledger) if one.task_id == task_id and not one.trial and one.status == "passed"
        ]
        if "gates" not in evidence(ledger, task_id):
            assert not proving
            continue
        (kept,) = proving
        (nonce,) = (nonce for nonce in runs if nonce in kept.output)
        assert (runs[nonce].commit, runs[nonce].outcome, kept.commit) == (made["commit"], "passed", made["commit"])
