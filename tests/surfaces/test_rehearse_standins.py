"""The stand-ins on a small shop: what they find and deliver, and how they learn who they are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from milestone.domain.plans import readiness
from milestone.domain.results import PLANNING_SHAPES
from milestone.surfaces.rehearse.listing import Project
from milestone.surfaces.rehearse.standins import NoIdentity, identity
from tests.surfaces.shop import SHOP, candidates, deliver, repository

Make = Callable[..., Project]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Return a maker of Git repositories from paths and contents."""
    return lambda files, name="shop": repository(tmp_path / name, files)


def test_every_role_delivers_values_of_the_shape_the_server_checks(make: Make) -> None:
    assert set(deliver(make(SHOP))) == set(PLANNING_SHAPES)


def test_a_part_that_a_test_imports_is_kept_and_the_line_of_the_test_is_named(make: Make) -> None:
    scope = deliver(make(SHOP))["planning-scope"]
    assert candidates(scope, "keep") == {"Keep shop": ["shop/cart.py:1", "tests/test_cart.py:2"]}


def test_a_part_that_no_test_names_is_to_be_improved(make: Make) -> None:
    scope = deliver(make(SHOP))["planning-scope"]
    assert list(candidates(scope, "improve")) == ["Give tools tests"]


def test_empty_files_copies_and_heaps_of_marks_are_to_be_removed(make: Make) -> None:
    assert candidates(deliver(make(SHOP))["planning-scope"], "remove") == {
        "Remove the empty file tools/forgotten.txt": ["tools/forgotten.txt:None"],
        "Remove what repeats tools/copy_one.py": ["tools/copy_one.py:1", "tools/copy_two.py:1"],
        "Remove the heap of 5 marks in tools/report.py": [f"tools/report.py:{line}" for line in (2, 3, 4, 5, 6)],
    }


def test_what_a_repository_lacks_is_to_be_originated(make: Make) -> None:
    scope = deliver(make(SHOP))["planning-scope"]
    assert list(candidates(scope, "originate")) == ["Write a licence", "Write continuous integration"]


def test_a_path_in_a_test_counts_as_naming_the_part_but_a_dotted_tail_does_not(make: Make) -> None:
    files = {
        "bin/tool": "#!/usr/bin/env python3\nprint(1)\n",
        "server/app.py": "x = 1\n",
        "tests/test_tool.py": 'from http.server import HTTPServer\nTOOL = ROOT / "bin" / "tool"\n',
    }
    scope = deliver(make(files))["planning-scope"]
    assert candidates(scope, "keep") == {"Keep bin": ["bin/tool:1", "tests/test_tool.py:2"]}
    assert list(candidates(scope, "improve")) == ["Give server tests"]


def test_facts_carry_the_line_that_proves_them(make: Make) -> None:
    scope = deliver(make(SHOP))["planning-scope"]
    found = [
        (each["statement"], f"{place['file']}:{place['line']}")
        for each in (*scope["constraints"], *scope["capabilities"])
        for place in each["places"]
    ]
    assert found == [
        ("Declared Python: >=3.11", "pyproject.toml:3"),
        ("Declared licence: MIT", "pyproject.toml:4"),
        ("It calls itself: The shop", "README.md:1"),
        ("It offers the command shop", "pyproject.toml:10"),
    ]
    assert scope["languages"] == ["Python: 6 files, 14 lines", "Markdown: 1 file, 3 lines", "TOML: 1 file, 10 lines"]


def test_the_research_stand_in_claims_nothing(make: Make) -> None:
    research = deliver(make(SHOP))["planning-research"]
    assert research["summary"].startswith("No research was done")
    assert [research[field] for field in ("sources", "candidates", "practices", "options")] == [[], [], [], []]
    assert research["not_checked"]


def test_the_plan_has_tasks_in_all_phases_and_every_decision_is_served(make: Make) -> None:
    plan = deliver(make(SHOP))["milestone-plan"]
    served = {name for task in plan["tasks"] for name in task["decisions"]}
    assert {task["phase"] for task in plan["tasks"]} == {"design", "spec", "task", "execute"}
    assert served == {decision["id"] for decision in plan["decisions"]}
    assert {decision["source"] for decision in plan["decisions"]} == {"scope", "dependencies"}


def test_a_plan_is_ready_to_be_carried_out(make: Make) -> None:
    assert readiness(deliver(make(SHOP))["milestone-plan"], ()) == []
    assert readiness(deliver(make({}, "empty"))["milestone-plan"], ()) == []


def test_few_changes_get_a_task_of_their_own_and_one_more_serves_the_others(make: Make) -> None:
    for empty in (5, 6, 7, 30):
        files = {f"f{number}.txt": "" for number in range(empty)} | {"LICENSE": "MIT License\n", "README.md": "# x\n"}
        plan = deliver(make(files, f"with-{empty}"))["milestone-plan"]
        changing = [task for task in plan["tasks"] if task["phase"] == "execute" and task["id"] != "execute-verify"]
        assert len(changing) == min(6, len(plan["decisions"]))
        assert {name for task in changing for name in task["decisions"]} == {each["id"] for each in plan["decisions"]}


def test_a_task_of_the_plan_may_write_a_note_and_nothing_that_is_there(make: Make) -> None:
    tasks = deliver(make(SHOP))["milestone-plan"]["tasks"]
    paths = [path for task in tasks for path in task["paths"]]
    assert paths == [f"milestone-rehearsal/{task['id']}.md" for task in tasks if task["phase"] == "execute"]


def test_the_documents_name_every_decision_and_risk_and_say_that_no_model_was_used(make: Make) -> None:
    saved = deliver(make(SHOP))
    files = {each["name"]: each["content"] for each in saved["planning-documentation"]["files"]}
    assert all(f"## {each['id']}: " in files["decision_record.md"] for each in saved["milestone-plan"]["decisions"])
    assert files["risks.md"].count(" | ") >= 3 * len(saved["milestone-plan"]["risks"])
    assert all(f"{task['id']}[" in files["task_graph.md"] for task in saved["milestone-plan"]["tasks"])
    assert all("no model was used" in content for content in files.values())


def test_the_first_lines_of_a_brief_tell_who_an_agent_is() -> None:
    brief = (
        "- agent_id: `a-1`\n- token: `t-2`\n- task_id: `scope`\n- milestone_id: `m-3`\n\nname: x\nagent_id: mallory\n"
    )
    found = identity(brief)
    assert (found.agent_id, found.token, found.task_id, found.milestone_id) == ("a-1", "t-2", "scope", "m-3")


def test_a_brief_without_identity_is_refused() -> None:
    with pytest.raises(NoIdentity, match="agent_id and token"):
        identity("task_id: scope\n")
