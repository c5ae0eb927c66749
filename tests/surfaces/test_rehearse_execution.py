"""A whole rehearsal, started as a person starts it: a plan carried out by the real server, with real gates and Git."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.surfaces.machine import CONFLICTED, PROGRAM, Machine, contents, new_machine, plan, said, steps

FILES = {**CONFLICTED, ".gitignore": ".milestones/\n"}
GATES = ".milestones/config/gates.yaml"
# Blocks for as long as somebody may want to interrupt it there; then it writes down what it was run on.
GATE = """
import os, pathlib, sys, time
place = pathlib.Path(sys.argv[1])
if (place / "blocks").exists():
    (place / "blocks").write_text(str(os.getpid()))
    time.sleep(600)
with (place / "runs").open("a") as runs:
    runs.write(f"{os.getcwd()} {sorted(os.listdir('milestone-rehearsal'))}\\n")
"""


def gated(*run: object) -> Mapping[str, str]:
    """Return the files of a repository with a gate of its own."""
    gate = {"name": "tests", "run": [str(part) for part in run], "seconds": 700}
    return {**FILES, "gate.py": GATE, GATES: json.dumps({"gates": [gate]})}


def tasks_on(machine: Machine, root: Path, commits: str) -> list[str]:
    """Return the task that each of some commits names in its trailers."""
    return machine.git(root, "log", "--format=%(trailers:key=Task,valueonly,separator=)", commits).split()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """An empty machine."""
    return new_machine(tmp_path)


@dataclass(frozen=True)
class Carried:
    """A repository without gates, a rehearsal on it, and whether that changed anything in the repository."""

    machine: Machine
    root: Path
    done: subprocess.CompletedProcess[str]
    changed: bool

    @property
    def clone(self) -> Path:
        """The clone that was worked on."""
        return Path(said(self.done.stdout, "works on"))

    @property
    def branch(self) -> str:
        """The milestone's branch."""
        return said(self.done.stdout, "branch").partition(",")[0]


@pytest.fixture(scope="module")
def carried(tmp_path_factory: pytest.TempPathFactory) -> Carried:
    """One rehearsal from beginning to end."""
    machine = new_machine(tmp_path_factory.mktemp("carried"))
    root = machine.repository(FILES, commit=True)
    before = contents(root)
    done = machine.rehearse(str(root), "--name", "Played")
    return Carried(machine, root, done, contents(root) != before)


def test_a_milestone_is_carried_out_to_the_end(carried: Carried) -> None:
    assert carried.done.returncode == 0, carried.done.stderr
    assert carried.done.stderr == ""
    assert said(carried.done.stdout, "progress") == "100 % proven (design 100, spec 100, task 100, execute 100)"
    assert plan(carried.done.stdout)["metadata"]["status"] == "completed"
    assert "/completed/" in said(carried.done.stdout, "plan")


def test_every_task_that_was_completed_has_evidence(carried: Carried) -> None:
    found = re.fullmatch(
        r"(\d+) completed, (\d+) skipped; (\d+) pieces of evidence prove (\d+) of them",
        said(carried.done.stdout, "tasks"),
    )
    assert found
    assert found[1] == found[4]
    report = Path(said(carried.done.stdout, "report")).read_text("utf-8")
    assert report.count(" | completed | ") == int(found[1])
    assert "whitespace exit 0" in report


def test_the_repository_stays_as_it_is(carried: Carried) -> None:
    """Planted and found: a server that was started on the repository in place of its clone."""
    assert not carried.changed
    assert carried.clone.parent.parent == carried.machine.temporary


def test_phases_are_completed_in_order_with_their_weight(carried: Carried) -> None:
    completed = [what for who, what in steps(carried.done.stdout) if who == "phase"]
    assert completed == [
        f"completed {phase}: {share} % of the milestone is proven"
        for phase, share in (("design", 15), ("spec", 40), ("task", 60), ("execute", 100))
    ]


def test_a_gate_refuses_what_is_wrong_on_purpose_and_passes_it_once_it_is_mended(carried: Carried) -> None:
    done = [f"{who} {what}" for who, what in steps(carried.done.stdout)]
    order = [
        next(number for number, line in enumerate(done) if re.match(wanted, line))
        for wanted in (
            r"transformer committed milestone-rehearsal/execute-i1\.md",
            r"gates refused execute-i1",
            r"coordinator starts .*execute-i1 again",
            r"transformer mended milestone-rehearsal/execute-i1\.md",
            r"gates passed execute-i1",
            r"quality approved execute-i1",
        )
    ]
    assert order == sorted(order)
    assert "milestone-rehearsal/execute-i1.md:1: trailing whitespace." in carried.done.stdout
    assert said(carried.done.stdout, "gates").endswith("1 refused on purpose")


def test_it_says_which_commands_run_and_where_they_come_from(carried: Carried) -> None:
    shown = [what for who, what in steps(carried.done.stdout) if who == "gates" and what.startswith("will run")]
    assert shown == [
        "will run whitespace: git diff --check HEAD~1 HEAD",
        "will run syntax: python -I -m compileall -q shop tests",
    ]
    assert "Put into the clone by this rehearsal" in carried.done.stdout


def test_the_branch_has_one_commit_for_each_task_that_wrote_and_it_holds_notes_alone(carried: Carried) -> None:
    git, tasks = carried.machine.git, tasks_on(carried.machine, carried.clone, f"rehearsal..{carried.branch}")
    assert sorted(tasks) == ["execute-i1", "execute-i2", "execute-o1", "execute-o2", "execute-verify", "test-unit"]
    files = git(carried.clone, "diff", "--name-only", f"rehearsal...{carried.branch}").splitlines()
    assert len(files) == len(tasks)
    assert all(name.startswith("milestone-rehearsal/") for name in files)
    head = git(carried.root, "rev-parse", "HEAD")
    assert git(carried.clone, "diff", "--name-only", head, "rehearsal").splitlines() == [GATES]


def test_its_output_is_plain_text_of_eighty_columns_and_its_end_fits_a_screen(carried: Carried) -> None:
    lines = carried.done.stdout.splitlines()
    assert "\x1b" not in carried.done.stdout
    # A path is never broken: somebody will copy it.
    assert [line for line in lines if len(line) > 80 and "/" not in line] == []
    short = carried.done.stdout.replace(str(carried.machine.temporary), "/some")
    end = "Planned and carried out" + short.partition("\nPlanned and carried out")[2]
    assert sum(1 + max(0, len(line) - 1) // 80 for line in end.splitlines()) < 24


def test_a_rehearsal_that_is_kept_goes_on_after_an_interrupt_and_ends_on_a_branch_of_the_repository(
    machine: Machine,
) -> None:
    """Planted and found: a rehearsal on a clone that goes on with what was begun in the repository itself."""
    place = machine.home / "place"
    place.mkdir()
    os.mkfifo(place / "blocks")
    root = machine.repository(gated(sys.executable, "gate.py", place), commit=True)
    keep = (str(root), "--keep", "--name", "Kept")
    gate = interrupted_at_its_gate(machine, place / "blocks", *keep)
    with pytest.raises(ProcessLookupError):
        os.kill(gate, 0)
    aside = machine.rehearse(str(root), "--name", "Kept")
    assert (aside.returncode, aside.stderr.count("\n")) == (1, 1)
    assert "is being carried out already" in aside.stderr

    (root / "README.md").write_text("# Not committed\n")
    index = (root / ".git" / "index").read_bytes()
    head = machine.git(root, "rev-parse", "main")
    done = machine.rehearse(*keep)
    assert done.returncode == 0, done.stderr
    assert "continues to carry out" in done.stdout
    assert said(done.stdout, "progress").startswith("100 % proven")
    runs = (place / "runs").read_text().splitlines()
    assert f"{len(runs)} runs: {len(runs)} passed" == said(done.stdout, "gates")
    assert all("/@gates " in run and ".md" in run for run in runs)
    assert machine.git(root, "rev-parse", "main", "HEAD").split() == [head, head]
    assert (root / ".git" / "index").read_bytes() == index
    written = tasks_on(machine, root, f"main..{said(done.stdout, 'branch').partition(',')[0]}")
    assert len(written) == len(set(written)) == len(runs)


def interrupted_at_its_gate(machine: Machine, blocks: Path, *arguments: str) -> int:
    """Interrupt a rehearsal while its first gate runs, and return the process id that the gate had."""
    pipe = os.open(blocks, os.O_RDONLY | os.O_NONBLOCK)
    with machine.started(*arguments) as process:
        assert process.stderr is not None
        assert select.select([pipe], [], [], 120)[0]
        os.kill(process.pid, signal.SIGINT)
        assert process.wait(timeout=30) == 130
        assert process.stderr.read() == "rehearse: Interrupted; the server is stopped.\n"
    gate = int(os.read(pipe, 100))
    os.close(pipe)
    blocks.unlink()
    return gate


def test_a_gate_of_the_repository_that_refuses_ends_it_in_one_line_below_what_the_gate_said(machine: Machine) -> None:
    root = machine.repository(gated(sys.executable, "-c", "print('no numpy here'); raise SystemExit(3)"), commit=True)
    done = machine.rehearse(str(root))
    assert done.returncode == 1
    assert re.fullmatch(
        r"rehearse: The gates refuse execute-\w+, and a stand-in, .* cannot mend that\.( \(server log: \S+\))?\n",
        done.stderr,
    )
    assert "tests exit 3 in" in done.stdout
    assert "no numpy here" in done.stdout
    assert "on purpose" not in done.stdout


def test_a_milestone_that_is_no_rehearsal_is_left_alone(machine: Machine) -> None:
    """Planted and found: a rehearsal that carried out whatever milestone had its name."""
    root = machine.repository(FILES, commit=True)
    subprocess.run(
        [*PROGRAM[:-1], "initialize-agent-coordination", "--name", "Real", "--json"],
        env=machine.environment,
        cwd=root,
        capture_output=True,
        check=True,
    )
    done = machine.rehearse(str(root), "--keep", "--name", "Real")
    assert done.returncode == 1
    assert "is no rehearsal, so it is left alone" in done.stderr
