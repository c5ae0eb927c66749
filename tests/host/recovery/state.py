"""The final state of a milestone as it can be compared: all that must be the same whatever happened on the way."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import yaml

from tests.helpers.execution import git
from tests.host.execution.stage import Stage
from tests.host.ledger import Ledger

_DIFFER = (
    (r"\b\d{4}-\d\d-\d\dT[\d:.]+Z", "(time)"),
    (r"milestone-\d{8}-\d{6}(-\w+)?", "(milestone)"),
    (r"(review-[a-z-]+)-\d+", r"\1-(attempt)"),
    (r"(by [a-z-]+)-[0-9a-f]{6}", r"\1"),
    (r"\b[0-9a-f]{12}([0-9a-f]{28})?\b", "(commit)"),
    (r" in \d+\.\d s", ""),
    (r"Velocity: .*", ""),
    (r"-\d{10}\.yaml", ".yaml"),
)
"""What is new in each run: ids, times, commits; and the attempt after which a review is named."""
_OF_TIME = ("velocity", "eta")


def final_state(stage: Stage, ledger: Ledger) -> Mapping[str, Any]:
    """Return what a milestone ended with: tasks, proof, values, phases, progress, branch, and the files for people."""
    branch = stage.branch(ledger.milestone_id())
    folder = stage.folder / ".milestones"
    found = {
        "status": ledger.rows("SELECT status FROM milestones"),
        "tasks": ledger.rows("SELECT task_id, status FROM tasks"),
        "evidence": ledger.rows("SELECT task_id, kind FROM evidence"),
        "phases": ledger.rows("SELECT phase, status FROM phases"),
        "progress": ledger.values().get("milestone-progress"),
        "commits": git(stage.folder, "log", "--format=%s %b%x00", f"main..{branch}").split("\0"),
        "branches": git(stage.folder, "for-each-ref", "--format=%(refname)", "refs/heads").splitlines(),
        "worktrees": len(git(stage.folder, "worktree", "list").splitlines()),
        "plan": [yaml.safe_load(path.read_text("utf-8")) for path in (folder / "completed").glob("*.yaml")],
        "deliverables": [(path.name, path.read_text("utf-8").splitlines()) for path in _files(folder, "deliverables")],
        "files": [str(path.relative_to(folder)) for name in _MIRRORED for path in _files(folder, name)],
        "held": ledger.rows("SELECT task_id FROM claims WHERE ended_at = ''"),
        "open": ledger.rows("SELECT mode FROM sessions WHERE status = 'open'"),
        "running": ledger.rows("SELECT task_id FROM gate_runs WHERE status = 'running'"),
    }
    exact = {"tree": git(stage.folder, "ls-tree", "-r", branch).splitlines(), "values": accepted(ledger)}
    return {**{name: _plain(value) for name, value in found.items()}, **exact}


_MIRRORED = ("active", "completed", "sessions", "worktrees")


def differences(state: Mapping[str, Any], expected: Mapping[str, Any]) -> Sequence[str]:
    """Return what differs from the expected state, one sentence each."""
    differ = [name for name in expected if state[name] != expected[name]]
    return [f"{name}: {'; '.join(_lines(state[name], expected[name]))}" for name in differ]


def _lines(now: Any, expected: Any) -> Sequence[str]:
    """Return the lines of two values that only one of them has; `-` those that are missing, `+` those too many."""
    before, after = (json.dumps(value, indent=1, sort_keys=True).splitlines() for value in (expected, now))
    return [line for line in difflib.ndiff(before, after) if line[0] in "-+"][:20]


def accepted(ledger: Ledger) -> Sequence[tuple[str, str, Any]]:
    """Return the values that prove the tasks: task, key and value."""
    found: list[tuple[str, str, Any]] = []
    rows = ledger.rows("SELECT task_id, agent_id, detail FROM evidence WHERE kind = 'keys' ORDER BY task_id")
    for task_id, agent_id, detail in rows:
        for key, version in json.loads(detail).items():
            query = "SELECT value FROM agent_state WHERE agent_id = ? AND key = ? AND version = ?"
            ((value,),) = ledger.rows(query, agent_id, key, version)
            found.append((_word(task_id), key, json.loads(value)))
    return found


def _files(folder: Path, name: str) -> Sequence[Path]:
    return [path for path in sorted((folder / name).rglob("*")) if path.is_file()]


def _plain(value: Any) -> Any:
    """Return a value without what is new in each run, lists sorted: agents that work side by side end in any order."""
    match value:
        case str():
            return _word(value)
        case dict():
            known = cast("dict[str, Any]", value)
            return {_word(name): _plain(one) for name, one in known.items() if name not in _OF_TIME}
        case float() if value.is_integer():
            return int(value)
        case list() | tuple():
            return sorted((_plain(one) for one in cast("Sequence[Any]", value)), key=json.dumps)
        case _:
            return value


def _word(text: str) -> str:
    for differs, same in _DIFFER:
        text = re.sub(differs, same, text)
    return text.strip()
