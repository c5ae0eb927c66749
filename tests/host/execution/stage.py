"""The stage of an execution: a repository whose gate leaves its own traces, and a person who works in it meanwhile."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import sys
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.helpers.execution import FILES, VALUES, git, make_repository, obey, play
from tests.helpers.projects import Project
from tests.host.actors import NAME

PASSED, FAILED, BROKEN_OFF = "passed", "failed", "broken off"

GATE = '''"""Runs the tests, as the project's gate; writes down that it ran, where nobody else writes."""

import fcntl
import os
import subprocess
import sys
import unittest
from pathlib import Path



def git(*words):
    return subprocess.run(["git", *words], capture_output=True, text=True, check=True).stdout.strip()


traces = Path(git("config", "gate.traces"))
nonce = os.urandom(8).hex()
commit = git("rev-parse", "HEAD")


def trace(word):
    with (traces / "runs").open("a") as file:
        file.write(f"{nonce} {commit} {Path.cwd()} {word}\\n")


trace("began")
with (traces / "hold").open() as hold:
    fcntl.flock(hold, fcntl.LOCK_SH)
print("gate run", nonce)
said = unittest.main(None, argv=["gate", "discover", "-s", "tests", "-t", "."], exit=False).result
trace("passed" if said.wasSuccessful() else "failed")
sys.exit(not said.wasSuccessful())
'''
GATES = f"""gates:
  - name: tests
    run: [{sys.executable}, -B, tools/gate.py]
    phases: [execute]
    seconds: 60
"""


@dataclass(frozen=True)
class Run:
    """One run of the gate command, as it wrote it down itself."""

    nonce: str
    commit: str
    folder: str
    outcome: str


@dataclass(frozen=True)
class Stage:
    """The repository of a person, the gate's traces, and the remote that nothing may reach."""

    folder: Path
    traces: Path
    remote: Path

    def set_up(self, more: Mapping[str, str] | None = None) -> None:
        """Make the repository with its remote, and leave work of the person in all states that Git knows.

        `more` are files beside the usual ones.
        """
        self.folder.mkdir()
        self.traces.mkdir()
        (self.traces / "hold").touch()
        own = {"tools/gate.py": GATE, ".milestones/config/gates.yaml": GATES}
        make_repository(self.folder, {**FILES, **own, **(more or {})})
        git(self.folder, "init", "-q", "--bare", str(self.remote))
        git(self.folder, "config", "gate.traces", str(self.traces))
        git(self.folder, "remote", "add", "origin", str(self.remote))
        git(self.folder, "push", "-q", "origin", "main")
        (self.folder / "app" / "old.py").write_text("def old():\n    return 'half done'\n")
        (self.folder / "notes.txt").write_text("mine\n")
        (self.folder / "staged.txt").write_text("mine, too\n")
        git(self.folder, "add", "staged.txt")

    def runs(self) -> Sequence[Run]:
        """Return every run of the gate in the order in which they began."""
        path = self.traces / "runs"
        outcomes: dict[tuple[str, str, str], str] = {}
        for line in path.read_text().splitlines() if path.exists() else ():
            nonce, commit, folder, word = line.split(" ")
            outcomes[nonce, commit, folder] = BROKEN_OFF if word == "began" else word
        return [Run(*run, outcome) for run, outcome in outcomes.items()]

    @contextlib.contextmanager
    def holding_gates(self) -> Generator[None, None, None]:
        """Let gates begin, and keep them from going on."""
        with (self.traces / "hold").open() as hold:
            fcntl.flock(hold, fcntl.LOCK_EX)
            yield

    def untouched(self) -> Mapping[str, Any]:
        """Return all that is the person's: branch, commit, index, files, stash, and what the remote has."""
        files = {
            str(path.relative_to(self.folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file() and path.relative_to(self.folder).parts[0] not in (".git", ".milestones")
        }
        asked = (
            ("symbolic-ref", "HEAD"),
            ("rev-parse", "HEAD", "main"),
            ("ls-files", "--stage"),
            ("diff",),
            ("stash", "list"),
            ("ls-remote", "origin"),
        )
        return {"files": files, **{" ".join(words): git(self.folder, *words) for words in asked}}

    def branch(self, milestone_id: str) -> str:
        """Return the name of the milestone's branch."""
        return f"feature/{milestone_id}"

    def commits(self, milestone_id: str) -> Mapping[str, Mapping[str, Any]]:
        """Return the commits of the milestone's branch by task: id, subject, trailers, and the files they touch."""
        found: dict[str, Mapping[str, Any]] = {}
        trailers = "%x00".join(
            f"%(trailers:key={key},valueonly,separator=%x2C)" for key in ("Milestone", "Phase", "Task")
        )
        log = git(
            self.folder, "log", "--reverse", f"--format=%H%x00%s%x00{trailers}", f"main..{self.branch(milestone_id)}"
        )
        for line in log.splitlines():
            commit, subject, milestone, phase, task = line.split("\0")
            assert task not in found, f"two commits of {task}"
            touched = git(self.folder, "diff-tree", "--no-commit-id", "--name-only", "-r", commit).splitlines()
            trailer = (milestone, phase, task)
            found[task] = {"commit": commit, "subject": subject, "trailers": trailer, "touched": touched}
        return found


def seed(stage: Stage, plan: Sequence[Mapping[str, Any]], until: str = "") -> str:
    """Plan a milestone without a host, carry it out up to the transition of a phase, and return its id."""
    project = Project(stage.folder)
    said = {"milestone-plan": {**VALUES["milestone-plan"], "tasks": list(plan)}}
    try:
        milestone_id = project.operate("initialize_agent_coordination", name=NAME)["milestone_id"]
        play(project.operate, milestone_id, said=said)
        if until:
            project.operate("initialize_agent_coordination", milestone_id=milestone_id, mode="execution")
            _carry_out(project, milestone_id, until)
        return milestone_id
    finally:
        project.close()


def _carry_out(project: Project, milestone_id: str, until: str) -> None:
    """Do all that is named but the transition of a phase; nothing is left in anybody's hands."""
    while todo := [
        action
        for action in project.operate("next_actions", milestone_id=milestone_id)["actions"]
        if action.get("phase") != until
    ]:
        for action in todo:
            obey(project.operate, action, milestone_id)
