"""`milestone rehearse`, started as a person starts it: the real program, the real server, real repositories."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.surfaces.machine import ROOT, Machine, contents, new_machine, plan, said

HEAD = "Rehearsal of a milestone, without a model"


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """An empty machine."""
    return new_machine(tmp_path)


@dataclass(frozen=True)
class Played:
    """A repository without a commit that was rehearsed: with --keep, then without, then with --keep again."""

    root: Path
    kept: subprocess.CompletedProcess[str]
    copied: subprocess.CompletedProcess[str]
    again: subprocess.CompletedProcess[str]
    changed: bool
    left_over: list[Path]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """Three rehearsals, and whether the second changed a file or a folder."""
    machine = new_machine(tmp_path_factory.mktemp("played"))
    root = machine.repository()
    keep = (str(root), "--keep", "--plan-only", "--name", "Kept")
    kept = machine.rehearse(*keep)
    left_over = list(machine.temporary.iterdir())
    before = contents(root)
    copied = machine.rehearse(str(root), "--name", "Played")
    changed = contents(root) != before
    return Played(root, kept, copied, machine.rehearse(*keep), changed, left_over)


def test_a_rehearsal_plans_a_milestone(played: Played) -> None:
    assert played.copied.returncode == 0, played.copied.stderr
    document = plan(played.copied.stdout)
    assert document["metadata"]["name"] == "Played"
    assert {task["phase"] for task in document["tasks"]} == {"design", "spec", "task", "execute"}
    assert document["scope"]["included"]
    assert document["risks"]
    files = Path(said(played.copied.stdout, "deliverables"))
    assert sorted(file.name for file in files.iterdir()) == ["decision_record.md", "risks.md", "task_graph.md"]


def test_it_finds_what_is_there(played: Played) -> None:
    assert said(played.copied.stdout, "decisions") == "1 keep, 2 improve, 0 remove, 2 originate"
    assert "requests is declared as >=2.30 (pyproject.toml:3)" in " ".join(played.copied.stdout.split())


def test_it_leaves_the_repository_and_its_coordination_data_as_they_were(played: Played) -> None:
    assert not played.changed


def test_it_works_in_a_copy_of_the_coordination_data(played: Played) -> None:
    folder = Path(said(played.copied.stdout, "plan")).parent
    assert "a copy of the project's own" in played.copied.stdout
    assert sorted(yaml.safe_load(file.read_text())["metadata"]["name"] for file in folder.iterdir())[-1] == "Played"


def test_with_keep_the_plan_lies_in_the_repository(played: Played) -> None:
    assert played.kept.returncode == 0, played.kept.stderr
    path = Path(said(played.kept.stdout, "plan"))
    assert path.parent == played.root / ".milestones" / "active"
    assert plan(played.kept.stdout)["metadata"]["name"] == "Kept"
    assert (played.root / ".git" / "milestone" / "milestone.db").is_file()


def test_it_shows_who_started_saved_and_finished_in_the_order_it_happened(played: Played) -> None:
    steps = [line.split()[1:4] for line in played.copied.stdout.splitlines() if line[6:9] == "s  "]
    assert [step[:2] for step in steps[2:5]] == [[who, "started"] for who in ("scope", "research", "dependencies")]
    order = [steps.index(["scope", "saved", "planning-scope"]), steps.index(["planner", "started", "as"])]
    order += [steps.index(["documenter", "started", "as"]), steps.index(["documenter", "saved", "planning-complete"])]
    assert order == sorted(order)


def test_it_says_at_both_ends_that_no_model_was_used(played: Played) -> None:
    lines = played.copied.stdout.splitlines()
    assert lines[0] == HEAD
    assert "No model was used" in " ".join(lines[-4:])


def test_its_output_is_plain_text_of_eighty_columns(played: Played) -> None:
    assert "\x1b" not in played.copied.stdout
    # A path is never broken: somebody will copy it.
    long = [line for line in played.copied.stdout.splitlines() if len(line) > 80 and "/" not in line]
    assert long == []
    assert played.copied.stderr == ""


def test_a_finished_rehearsal_that_was_kept_is_not_played_again(played: Played) -> None:
    assert played.again.returncode == 0, played.again.stderr
    assert said(played.kept.stdout, "milestone") == said(played.again.stdout, "milestone")
    assert "started" in played.kept.stdout.partition("server")[2].partition("started")[2]
    assert "started" not in played.again.stdout.partition("server")[2].partition("started")[2]


def test_with_keep_nothing_is_left_among_temporary_files(played: Played) -> None:
    assert played.left_over == []


def test_where_there_is_no_commit_it_says_so_and_ends_after_the_planning(played: Played) -> None:
    assert "Not carried out: execution starts from a commit" in played.copied.stdout
    assert "Not carried out" not in played.kept.stdout


def test_an_empty_folder_without_git_and_with_an_odd_name_is_planned_too(machine: Machine) -> None:
    root = Path(os.fsdecode(os.fsencode(machine.home) + b"/a b\n\xff"))
    root.mkdir()
    done = machine.rehearse(str(root))
    assert done.returncode == 0, done.stderr
    assert plan(done.stdout)["metadata"]["name"] == "Rehearsal of a b\\n\\xff"
    assert "Not carried out: execution needs Git" in done.stdout
    assert list(root.iterdir()) == []


def test_asked_for_json_it_answers_with_one_line_and_tells_the_rest_aside(machine: Machine) -> None:
    done = machine.rehearse(str(machine.repository()), "--plan-only", "--name", "Played", "--json")
    assert (done.returncode, done.stdout.count("\n")) == (0, 1), done.stderr
    told = json.loads(done.stdout)
    assert (told["status"], told["percentage"]) == ("planned", 0)
    assert yaml.safe_load(Path(told["plan"]).read_text("utf-8"))["metadata"]["milestone_id"] == told["milestone_id"]
    assert HEAD in done.stderr


def test_a_name_the_server_refuses_ends_in_one_line(machine: Machine) -> None:
    done = machine.rehearse(str(machine.repository()), "--name", "x" * 500)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("rehearse: The server refused initialize_agent_coordination: ")


def test_a_role_that_no_stand_in_plays_ends_in_one_line(machine: Machine) -> None:
    root = machine.repository()
    playbook = (
        (ROOT / "playbooks" / "planning.yaml").read_text("utf-8").replace("research-orchestrator", "code-transformer")
    )
    (root / ".milestones" / "config").mkdir(parents=True)
    (root / ".milestones" / "config" / "planning.yaml").write_text(playbook)
    done = machine.rehearse(str(root), "--keep")
    assert done.returncode == 1
    assert done.stderr.splitlines()[0].startswith("rehearse: The playbook names the role code-transformer")
    assert done.stderr.count("\n") == 1


def test_a_server_that_cannot_store_anything_ends_in_one_line(machine: Machine) -> None:
    root = machine.repository()
    (root / ".git" / "milestone").mkdir()
    (root / ".git" / "milestone" / "milestone.db").write_bytes(b"this is no database at all, whatever its name may say")
    done = machine.rehearse(str(root))
    assert done.returncode == 1
    assert done.stderr.startswith("rehearse: ")
    assert "milestone.db cannot be copied" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("path", ["nowhere", "shop/README.md"])
def test_a_path_that_is_no_folder_is_refused(machine: Machine, path: str) -> None:
    machine.repository()
    done = machine.rehearse(path)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_an_interrupt_ends_it_and_its_server(machine: Machine) -> None:
    root = machine.repository()
    for number in range(1_500):
        (root / "tools" / f"m{number}.py").write_text("x = 1\n" * 50)
    with machine.started(str(root)) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        lines = iter(process.stdout.readline, "")
        data = next(line for line in lines if line.startswith("  data "))[15:].strip()
        assert next(line for line in lines if "scope        started" in line)
        os.kill(process.pid, signal.SIGINT)
        assert process.wait(timeout=20) == 130
        assert process.stderr.read() == "rehearse: Interrupted; the server is stopped.\n"
    beacons = list(Path(data, "servers").iterdir())
    # A server holds a lock on a file of its own for as long as it lives.
    assert beacons
    for beacon in beacons:
        with beacon.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
