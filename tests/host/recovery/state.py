"""The final state of a milestone as it can be compared: all that must be the same whatever happened on the way."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

import yaml

from tests.helpers.execution import git
from tests.host.execution.stage import Stage
from tests.host.ledger import Ledger

_DIFFER = (
    (r"\b\d{4}-\d\d-\d\dT[\d:.]+Z", "(time)"),
    (r"milestone-\d{8}-\d{6}(-\w+)?", "(milestone)"),
    (r"\b[0-9a-f]{12,40}\b", "(commit)"),
    (r"(by [a-z-]+)-[0-9a-f]{6}", r"\1"),
    (r" in \d+\.\d s", ""),
    (r"(?m)^(\s*)Velocity: .*$", r"\1"),
    (r"-\d{10}\.yaml", ".yaml"),
)
"""What is new in each run: ids, commits, times."""


def final_state(stage: Stage, ledger: Ledger) -> Mapping[str, Any]:
    """Return what a milestone ended with: tasks, proof, values, phases, progress, branch, and the files for people."""
    milestone_id = ledger.milestone_id()
    branch = stage.branch(milestone_id)
    plan = yaml.safe_load(_plain(next((stage.folder / ".milestones" / "completed").glob("*.yaml")).read_text("utf-8")))
    return {
        "status": ledger.rows("SELECT status FROM milestones"),
        "tasks": ledger.tasks(),
        "evidence": _evidence(ledger),
        "values": accepted(ledger),
        "phases": ledger.rows("SELECT phase, status FROM phases ORDER BY ordinal"),
        "progress": _timeless(ledger.values()["milestone-progress"]),
        "tree": git(stage.folder, "ls-tree", "-r", branch).splitlines(),
        "commits": _commits(stage, branch),
        "branches": _plain(git(stage.folder, "for-each-ref", "--format=%(refname)", "refs/heads")),
        "worktrees": len(git(stage.folder, "worktree", "list").splitlines()),
        "files": {_plain(path): _plain(text) for path, text in _files(stage).items()},
        "plan": _unordered({**plan, "progress": _timeless(plan["progress"])}),
        "held": ledger.rows("SELECT task_id FROM claims WHERE ended_at = ''"),
        "open": ledger.rows("SELECT mode FROM sessions WHERE status = 'open'"),
        "running": ledger.rows("SELECT task_id FROM gate_runs WHERE status = 'running'"),
    }


def differences(state: Mapping[str, Any], expected: Mapping[str, Any]) -> Sequence[str]:
    """Return what differs from the expected state, one sentence each."""
    differ = [name for name in expected if state[name] != expected[name]]
    return [f"{name}: {'; '.join(_lines(state[name], expected[name]))}" for name in differ]


def _lines(now: Any, expected: Any) -> Sequence[str]:
    """Return the lines of two values that only one of them has; `-` those that are missing, `+` those too many."""
    before, after = (json.dumps(value, indent=1, sort_keys=True).splitlines() for value in (expected, now))
    return [line for line in difflib.ndiff(before, after) if line[0] in "-+"][:20]


def _commits(stage: Stage, branch: str) -> Sequence[str]:
    said = _plain(git(stage.folder, "log", "--format=%s %b%x00", f"main..{branch}"))
    return sorted(" ".join(one.split()) for one in said.split("\0") if one.strip())


def _unordered(value: Any) -> Any:
    """Return a value in which the order of lists says nothing: agents that work side by side end in any order."""
    if isinstance(value, dict):
        return {name: _unordered(one) for name, one in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return sorted((_unordered(one) for one in cast("list[Any]", value)), key=json.dumps)
    return value


def _timeless(progress: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: value for name, value in progress.items() if name not in ("velocity", "eta")}


def accepted(ledger: Ledger) -> Mapping[str, Any]:
    """Return the values that prove the tasks, by task and key."""
    found: dict[str, Any] = {}
    for task_id, agent_id, detail in ledger.rows("SELECT task_id, agent_id, detail FROM evidence WHERE kind = 'keys'"):
        for key, version in json.loads(detail).items():
            query = "SELECT value FROM agent_state WHERE agent_id = ? AND key = ? AND version = ?"
            ((value,),) = ledger.rows(query, agent_id, key, version)
            found[f"{task_id}: {key}"] = json.loads(value)
    return found


def _evidence(ledger: Ledger) -> Mapping[str, Sequence[str]]:
    found: dict[str, list[str]] = {}
    for task_id, kind in ledger.rows("SELECT task_id, kind FROM evidence ORDER BY task_id, kind"):
        found.setdefault(task_id, []).append(kind)
    return found


def _files(stage: Stage) -> Mapping[str, str]:
    folder = stage.folder / ".milestones"
    shown = ("deliverables", "completed", "active", "sessions", "worktrees")
    paths = [path for name in shown for path in sorted((folder / name).rglob("*")) if path.is_file()]
    return {
        str(path.relative_to(folder)): path.read_text("utf-8") if "deliverables" in path.parts else "" for path in paths
    }


def _plain(text: str) -> str:
    for differs, same in _DIFFER:
        text = re.sub(differs, same, text)
    return "\n".join(sorted(text.splitlines())) if text.startswith("# Add OAuth login: final report") else text
