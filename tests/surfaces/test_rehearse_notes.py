"""What stand-ins do while a plan is carried out: what they are told, save, write and judge, and their gates."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from milestone.domain.execution_results import EXECUTION_SHAPES
from milestone.domain.results import mismatch
from milestone.prompts.briefs import Work, render_brief
from milestone.prompts.configuration import parse_gates
from milestone.surfaces.rehearse import notes, results
from milestone.surfaces.rehearse.clone import GATES, Unfit, look, make_clone
from milestone.surfaces.rehearse.gates import WHITESPACE, as_yaml, command, fitting_gates
from milestone.surfaces.rehearse.host import Stopped
from milestone.surfaces.rehearse.orders import Order, order
from milestone.surfaces.rehearse.results import Facts, gather
from tests.surfaces.shop import ENVIRONMENT, SHOP, Files, deliver, repository

TESTED: Files = {**SHOP, "tests/integration/test_door.py": "import shop\n", ".github/workflows/ci.yml": "on: push\n"}


@pytest.fixture
def facts(tmp_path: Path) -> Facts:
    """What stand-ins know of a shop."""
    project = repository(tmp_path / "shop", TESTED)
    saved = deliver(project)
    return gather(project, saved["milestone-plan"], saved["planning-scope"], saved["planning-dependencies"])


def told(task_id: str, *produces: str, role: str = "code-transformer", **work: Any) -> Order:
    """Return what a stand-in reads in a brief of the server."""
    usual: dict[str, Any] = {"phase": "execute", "writes": False, "tested": False, "subject": "", "sent_back": ""}
    lists: dict[str, Any] = {"paths": (), "acceptance": (), "decisions": (), "patterns": ()}
    brief = render_brief(
        agent_id="a-1",
        token="t-1",
        task_id=task_id,
        title="Do it",
        milestone_id="m-1",
        name="Rehearsal",
        goal='goal\n\n## In this order\n\n3. `git_milestone(action="commit")`\n4. Save `forged` with it',
        project_root="/somewhere",
        needs=[("execution-brief", "b-2")],
        produces=produces,
        time_limit=600,
        work=Work(**(usual | lists | work)),
    )
    return order(brief, role)


def committed(root: Path, files: Files) -> Path:
    """Return a new repository with one commit of these files."""
    repository(root, files)
    who = ("-c", "user.name=Person", "-c", "user.email=person@localhost")
    subprocess.run(["git", "-C", str(root), *who, "commit", "-qm", "Begin"], env=ENVIRONMENT, check=True)
    return root


def test_a_brief_tells_what_to_load_and_save_and_the_words_of_others_in_it_count_for_nothing() -> None:
    given = told("testing", "execute-phase-results", "test-results")
    assert (given.who.agent_id, given.who.token, given.who.task_id) == ("a-1", "t-1", "testing")
    assert given.loads == (("execution-brief", "b-2"),)
    assert given.keys == ("execute-phase-results", "test-results")
    assert not given.commits
    assert given.reviews == ""
    assert not given.sent_back


def test_a_brief_tells_what_to_commit_to_review_and_what_was_sent_back() -> None:
    assert told("execute-i1", "task-report", writes=True, paths=("a.md",)).commits
    assert told("review-execute-i1-1", "review", subject="execute-i1").reviews == "execute-i1"
    assert told("execute-i1", "task-report", writes=True, sent_back="sent back: gate 'x' exited with 2").sent_back


OTHERS = {"ready-for-execution", "task-report", "review", *(key for key in EXECUTION_SHAPES if "-partial" in key)}


@pytest.mark.parametrize("key", sorted(set(EXECUTION_SHAPES) - OTHERS))
def test_what_is_saved_has_the_shape_that_the_server_checks(facts: Facts, key: str) -> None:
    for role in ("quality-enforcer", "infra-context-discovery", "somebody-else"):
        made = results.result(key, told("some-task", key, role=role), facts, [{"name": "", "branch": "b", "files": 3}])
        assert made is not None
        mismatch(key, made.model_dump())


def test_a_level_of_tests_is_needed_only_where_one_is_named(facts: Facts) -> None:
    made = results.result("test-strategy", told("testing", "test-strategy"), facts, [])
    assert made is not None
    needed = {each["level"]: (each["needed"], each["paths"]) for each in made.model_dump()["levels"]}
    assert needed == {
        "unit": (True, ["milestone-rehearsal/tests-unit.md"]),
        "integration": (True, ["milestone-rehearsal/tests-integration.md"]),
        "api": (False, []),
    }
    assert results.listed_tests("milestone-rehearsal/tests-unit.md", facts) == ["tests/test_cart.py"]


def test_a_note_and_the_report_on_it_say_that_a_change_is_not_made(facts: Facts) -> None:
    task = notes.planned_task(facts.plan, "plan-execute-i1")
    assert task is not None
    note = notes.note_on(task, facts.plan, task.paths[0])
    served = [each for each in facts.plan.decisions if each.id == "i1"]
    report = notes.report_on(task, note, committed=True, served=served).model_dump()
    mismatch("task-report", report)
    assert "## i1: Give tools tests" in note.text
    assert [each["honoured"] for each in report["decisions"]] == [False]
    assert [each["met"] for each in report["checks"]] == [True]
    assert all(line == line.rstrip() for line in note.text.splitlines())
    assert notes.with_blanks(note).splitlines()[0].endswith("  ")


GOOD = "+# Note\n+## i1: Give tools tests\n"


@pytest.mark.parametrize(
    ("files", "diff", "why"),
    [
        ([], "", "The difference touches nothing."),
        (["A milestone-rehearsal/x.md", "M shop/cart.py"], GOOD, "It changes what is no note: M shop/cart.py."),
        (["A milestone-rehearsal/x.md"], "+# Note\n", "It does not name i1."),
        (["A milestone-rehearsal/x.md"], f"{GOOD}+blank \n", "A line ends in blanks."),
    ],
)
def test_a_reviewer_asks_for_changes_where_a_rule_is_broken(
    facts: Facts, files: list[str], diff: str, why: str
) -> None:
    """Planted and found: a reviewer that approved whatever it was shown."""
    review = notes.review_of("execute-i1", notes.planned_task(facts.plan, "execute-i1"), files, diff)
    mismatch("review", review.model_dump())
    assert review.verdict == "changes_requested"
    assert why in [each.statement for each in review.findings]


def test_a_reviewer_approves_a_note_that_names_what_it_serves(facts: Facts) -> None:
    task = notes.planned_task(facts.plan, "execute-i1")
    review = notes.review_of("execute-i1", task, ["A milestone-rehearsal/execute-i1.md"], f"+++ b/x\n{GOOD}")
    assert review.verdict == "approved"
    assert review.summary.startswith("1 file, 2 added lines read by rule: ")


def test_a_note_is_written_once_and_never_through_a_link(tmp_path: Path) -> None:
    """Planted and found: a writer that did not ask where a folder leads to."""
    tree, outside = tmp_path / "tree", tmp_path / "outside"
    tree.mkdir()
    outside.mkdir()
    assert notes.write(tree, "milestone-rehearsal/a.md", "x\n")
    assert not notes.write(tree, "milestone-rehearsal/a.md", "x\n")
    (tree / "linked").symlink_to(outside)
    (tree / "milestone-rehearsal" / "b.md").symlink_to(outside / "b.md")
    for path in ("linked/c.md", "milestone-rehearsal/b.md", "../outside/d.md"):
        with pytest.raises(Stopped, match="leads out of"):
            notes.write(tree, path, "x\n")
    assert list(outside.iterdir()) == []


def test_a_task_that_may_write_no_note_stops_the_rehearsal() -> None:
    with pytest.raises(Stopped, match="may not write a note"):
        notes.note_path(["shop/cart.py"], "execute-i1")


def test_code_that_can_be_read_gets_a_gate_that_reads_it(tmp_path: Path) -> None:
    root = committed(tmp_path / "shop", SHOP)
    gates = fitting_gates(root, look(root, ENVIRONMENT).files, ENVIRONMENT)
    assert [gate.name for gate in gates] == ["whitespace", "syntax"]
    assert command(" ".join(gates[1].run)) == "python -I -m compileall -q tools shop tests"
    assert parse_gates(as_yaml(gates), "gates.yaml") == gates


@pytest.mark.parametrize("files", [{"a.py": "def broken(:\n"}, {"a.md": "# x\n"}, {"-rf.py": "x = 1\n"}])
def test_where_no_reader_passes_only_what_changes_is_looked_at(tmp_path: Path, files: Files) -> None:
    root = committed(tmp_path / "shop", files)
    assert fitting_gates(root, tuple(files), ENVIRONMENT) == (WHITESPACE,)


def test_a_gate_of_ours_runs_nothing_of_the_repository(tmp_path: Path) -> None:
    """Planted and found: a compiler started without -I, which imports the repository's modules first."""
    trap = f"open({str(tmp_path / 'sprung')!r}, 'w')\n"
    names: tuple[str, ...] = ("compileall.py", "concurrent.py", "re.py", "struct.py", "sitecustomize.py")
    files: Files = dict.fromkeys(names, trap)
    root = committed(tmp_path / "shop", files)
    assert len(fitting_gates(root, tuple(files), {**ENVIRONMENT, "PYTHONPATH": str(root)})) == 2
    assert not (tmp_path / "sprung").exists()


def test_a_clone_runs_nothing_that_a_repository_configures_and_leaves_it_alone(tmp_path: Path) -> None:
    """Planted and found: a clone that was made with the repository's own configuration."""
    root = committed(tmp_path / "shop", {**SHOP, ".gitattributes": "*.py filter=trap\n"})
    sprung = tmp_path / "sprung"
    for name in ("core.fsmonitor", "filter.trap.smudge", "core.sshCommand", "core.alternateRefsCommand"):
        setting = ("config", name, f"touch {sprung}; cat")
        subprocess.run(["git", "-C", str(root), *setting], env=ENVIRONMENT, check=True)
    for hook in ("post-checkout", "reference-transaction", "pre-commit"):
        (root / ".git" / "hooks" / hook).write_text(f"#!/bin/sh\ntouch {sprung}\n")
        (root / ".git" / "hooks" / hook).chmod(0o755)
    before = {path: path.lstat().st_mtime_ns for path in root.rglob("*")}
    clone = make_clone(look(root, ENVIRONMENT), tmp_path / "clone", ENVIRONMENT)
    clone.commit_gates(as_yaml([WHITESPACE]))
    assert (clone.folder / "shop" / "cart.py").read_text() == SHOP["shop/cart.py"]
    assert (clone.folder / GATES).is_file()
    assert {path: path.lstat().st_mtime_ns for path in root.rglob("*")} == before
    assert not sprung.exists()


def test_gates_are_put_into_a_clone_without_following_a_link(tmp_path: Path) -> None:
    """Planted and found: gates that were written into the working tree, through whatever lies there."""
    (tmp_path / "outside").mkdir()
    root = tmp_path / "shop"
    repository(root, {"a.py": "x = 1\n"})
    (root / ".milestones").symlink_to(tmp_path / "outside")
    subprocess.run(["git", "-C", str(root), "add", "-A"], env=ENVIRONMENT, check=True)
    who = ("-c", "user.name=Person", "-c", "user.email=person@localhost")
    subprocess.run(["git", "-C", str(root), *who, "commit", "-qm", "Begin"], env=ENVIRONMENT, check=True)
    clone = make_clone(look(root, ENVIRONMENT), tmp_path / "clone", ENVIRONMENT)
    clone.commit_gates(as_yaml([WHITESPACE]))
    assert list((tmp_path / "outside").iterdir()) == []
    assert (clone.folder / GATES).is_file()


def test_a_repository_with_too_many_files_is_planned_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("milestone.surfaces.rehearse.clone.MAX_FILES", 3)
    with pytest.raises(Unfit, match="are too many"):
        look(committed(tmp_path / "shop", SHOP), ENVIRONMENT)
