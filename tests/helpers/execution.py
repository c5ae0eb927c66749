"""A small real repository, a plan for it, and agents that carry the plan out."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.helpers.projects import ROOT
from tests.helpers.samples import SAMPLES

Call = Callable[..., Any]

GATES = f"""gates:
  - name: tests
    run: [{sys.executable}, -B, -m, unittest, discover, -s, tests, -t, .]
    phases: [execute]
    seconds: 60
"""
FILES = {
    "app/__init__.py": "",
    "app/tokens.py": "def token(name):\n    return name\n",
    "app/old.py": "def old():\n    return None\n",
    "tests/__init__.py": "",
    "tests/test_app.py": (
        "import unittest\nfrom app.tokens import token\n\n\nclass Tokens(unittest.TestCase):\n"
        "    def test_a_token_is_a_text(self):\n        self.assertIsInstance(token('a'), str)\n"
    ),
    ".milestones/config/gates.yaml": GATES,
}


CHECK = """\
# Fails where the code says so; waits where a file names what to wait for, and says that it has begun.
if [ -f app/hold ]; then
    touch "$(cat app/hold).begun"
    while [ ! -e "$(cat app/hold)" ]; do sleep 0.05; done
fi
if grep -rn BROKEN app; then echo "the code is broken"; exit 1; fi
"""


def lean(**more: str) -> dict[str, str]:
    """Return the files of a repository whose gate is quick; its playbooks have hardly a task beside the plan's."""
    return {
        **{name: text for name, text in FILES.items() if not name.startswith("tests/")},
        "check.sh": CHECK,
        ".milestones/config/gates.yaml": "gates:\n  - name: check\n    run: [sh, check.sh]\n    seconds: 60\n",
        ".milestones/config/limits.yaml": "gate: {cpu_percent: 100}\nall_gates: {cpu_percent: 100}\n",
        ".milestones/config/planning.yaml": playbook_of("planning", "plan", needs=[]),
        ".milestones/config/execution.yaml": playbook_of("execution", "executor"),
        **more,
    }


def playbook_of(mode: str, only: str, **changed: Any) -> str:
    """Return the playbook of a mode with one task alone, perhaps changed."""
    playbook = yaml.safe_load((ROOT / "playbooks" / f"{mode}.yaml").read_text("utf-8"))
    playbook["tasks"] = [{**one, **changed} for one in playbook["tasks"] if one["id"] == only]
    return yaml.safe_dump(playbook, sort_keys=False)


def git(folder: Path, *arguments: str) -> str:
    """Return what git says in a folder; the identity is the test's own."""
    who = ("-c", "user.name=Person", "-c", "user.email=person@localhost", "-c", "init.defaultBranch=main")
    done = subprocess.run(["git", *who, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def make_repository(folder: Path, files: Mapping[str, str] | None = None) -> None:
    """Make a repository with one commit."""
    folder.mkdir(exist_ok=True)
    git(folder, "init", "-q")
    for name, content in (FILES if files is None else files).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, "utf-8")
    git(folder, "add", "-Af", ".")
    git(folder, "commit", "-qm", "Begin")


@contextlib.contextmanager
def committed(folder: Path, files: Mapping[str, str]) -> Iterator[None]:
    """Have files committed for a while; afterwards the repository is as it was."""
    for name, content in files.items():
        (folder / name).write_text(content, "utf-8")
    git(folder, "add", "-Af", *files)
    git(folder, "commit", "-qm", "For a while")
    try:
        yield
    finally:
        git(folder, "reset", "-q", "--hard", "HEAD~1")


def task(
    name: str, phase: str, needs: tuple[str, ...] = (), paths: tuple[str, ...] = (), **more: Any
) -> dict[str, Any]:
    """Return a task of a plan."""
    return {
        "id": name,
        "title": f"Carry out {name}",
        "phase": phase,
        "weight": 30,
        "depends_on": list(needs),
        "paths": list(paths),
        "evidence": ["python -m unittest exits 0"],
        "decisions": ["d-1"],
        **more,
    }


PLAN: dict[str, Any] = {
    **SAMPLES["milestone-plan"],
    "tasks": [
        task("decide-store", "design"),
        task("specify-store", "spec", ("decide-store",), ("docs/",)),
        task("build-store", "execute", ("specify-store",), ("app/", "tests/")),
    ],
    "dependencies": {"requires": [], "blocks": []},
}

_RESULTS = {
    "summary": "What this role found",
    "findings": [],
    "outcomes": ["settled"],
    "files": [],
    "handover": ["build on it"],
    "concerns": [],
}
REPORT = {"summary": "Done as asked", "changed": [], "checks": [], "decisions": [], "concerns": []}
VALUES: dict[str, Any] = {
    **SAMPLES,
    "milestone-plan": PLAN,
    "execution-brief": {"summary": "Carry it out", "phases": [], "concerns": []},
    "git-operations": {"summary": "Clean", "operations": [], "concerns": []},
    "cicd-status": {"summary": "No pipeline", "pipelines": [], "findings": [], "deployment": "none"},
    "quality-metrics": {"summary": "Nothing open", "violations": [], "concerns": []},
    "test-strategy": {
        "summary": "Unit tests suffice",
        "levels": [
            {"level": "unit", "needed": True, "reason": "one function", "paths": ["tests/"], "cases": ["a token"]},
            {"level": "integration", "needed": False, "reason": "nothing to join", "paths": [], "cases": []},
            {"level": "api", "needed": False, "reason": "no interface", "paths": [], "cases": []},
        ],
    },
    "test-results": {
        "summary": "All pass",
        "levels": [
            {
                "level": "unit",
                "run": 1,
                "passed": 1,
                "failed": 0,
                "skipped": 0,
                "console_clean": True,
                "coverage": None,
            }
        ],
        "gaps": [],
    },
    **{f"{phase}-phase-results": _RESULTS for phase in ("design", "spec", "task", "execute")},
    "task-report": REPORT,
}


def value(key: str, task_id: str) -> Any:
    """Return what an agent saves under a key for a task."""
    if key == "review":
        subject = task_id.removeprefix("review-").rpartition("-")[0]
        return {"task_id": subject, "verdict": "approved", "summary": "Does what it says", "findings": []}
    if key.endswith("-phase-results"):
        document = {"name": f"{task_id}.md", "title": task_id, "content": f"# {task_id}\n"}
        return {**VALUES[key], "files": [document]}
    return VALUES[key]


def write_change(folder: Path, task_id: str) -> None:
    """Make the change of a task in its worktree, as an agent with an editor would."""
    name = task_id.replace("-", "_")
    if task_id.startswith("spec"):
        target = folder / "docs" / f"{name}.md"
        text = f"# {task_id}\n"
    elif task_id.startswith("test-"):
        target = folder / "tests" / f"test_{name}.py"
        text = (
            "import unittest\n\n\nclass Case(unittest.TestCase):\n    def test_it(self):\n        self.assertTrue(1)\n"
        )
    else:
        target = folder / "app" / f"{name}.py"
        text = f"NAME = {task_id!r}\n"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, "utf-8")


def carry_out(
    call: Call,
    action: Mapping[str, Any],
    change: Callable[[Path, str], None] = write_change,
    said: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Do what the brief of a spawn action says, over any door; `said` are values that differ from the usual ones."""
    who = {"agent_id": action["agent_id"], "token": action["token"]}
    call("update_agent_status", status="active", **who)
    if "a commit with anything else is refused" in action["brief"]:
        tree = call("git_milestone", action="worktree", **who)
        change(Path(tree["path"]), action["task_id"])
        call("git_milestone", action="commit", summary=f"carry out {action['task_id']}", **who)
    for key in keys_of(action["brief"]):
        given = (said or {}).get(key) or value(key, action["task_id"])
        call("save_agent_state", key=key, value=given, **who)
    return call("complete_task", task_id=action["task_id"], **who)


def keys_of(brief: str) -> list[str]:
    """Return the keys that a brief asks for."""
    line = next(line for line in brief.splitlines() if line.startswith("4. Save "))
    return line.partition(" with ")[0].split("`")[1::2]


def play(call: Call, milestone_id: str, until: str = "", **options: Any) -> list[dict[str, Any]]:
    """Carry out everything that next_actions names until it is done, and return all its actions in order.

    `until` ends it before the task, the kind or the phase of that name is carried out.
    """
    seen: list[dict[str, Any]] = []
    while True:
        actions = call("next_actions", milestone_id=milestone_id)["actions"]
        for action in actions:
            if until and until in (action["kind"], action.get("task_id"), action.get("phase")):
                return [*seen, action]
        seen += actions
        if actions[0]["kind"] in ("done", "ask_human", "wait"):
            return seen
        for action in actions:
            obey(call, action, milestone_id, **options)


def obey(call: Call, action: Mapping[str, Any], milestone_id: str, **options: Any) -> Any:
    """Carry out one action."""
    if action["kind"] == "spawn":
        return carry_out(call, action, **options)
    if action["kind"] == "run_gates":
        return call("run_gates", task_id=action["task_id"], milestone_id=milestone_id)
    return call("transition_phase", phase=action["phase"], milestone_id=milestone_id)


def begin_execution(call: Call, name: str = "Goal", **options: Any) -> str:
    """Plan a milestone, begin to carry it out, and return its id."""
    milestone_id = call("initialize_agent_coordination", name=name)["milestone_id"]
    assert play(call, milestone_id, **options)[-1]["kind"] == "done"
    call("initialize_agent_coordination", milestone_id=milestone_id, mode="execution")
    return milestone_id
