"""The command that explains the recovery says what would be decided, for any task and for one that there is."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner

from milestone.domain.recovery import KINDS, Policy
from milestone.surfaces.explaining import Case, explain_recovery, simulate
from tests.helpers.projects import Project


def explain(project: Project, *arguments: str) -> str:
    """Return what the command prints."""
    found = CliRunner().invoke(explain_recovery, arguments, obj=project.application, catch_exceptions=False)
    assert found.exit_code == 0, found.output
    return found.output


def decisions(project: Project, *arguments: str) -> list[tuple[str, int, list[float]]]:
    """Return what the command tells machines: decision, number of the failure, shortest and longest wait."""
    rows: list[dict[str, Any]] = json.loads(explain(project, *arguments, "--json"))["decisions"]
    return [(row["decision"], row["failure"], row["seconds"]) for row in rows]


def test_without_a_task_every_kind_of_failure_is_told_to_its_end(new_project: Callable[..., Project]) -> None:
    project = new_project()
    assert decisions(project, "--kind", "error") == [("retry", 1, [2.5, 5]), ("retry", 2, [10, 20]), ("ask", 3, [])]
    shown = explain(project)
    assert all(f"\n{kind}" in shown for kind in KINDS)
    assert max(map(len, shown.splitlines())) <= 80
    assert not (project.folder / ".git" / "milestone").exists(), "it only explains"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--kind", "lost", "--failures", "2", "--no-critical"), [("degrade", 3, [])]),
        (("--kind", "lost", "--gone", "--failures", "1"), [("retry", 2, [0, 0]), ("ask", 3, [])]),
        (("--kind", "damaged", "--checkpoint", "checkpoint-1"), [("roll_back", 1, []), ("ask", 2, [])]),
        (("--kind", "usage_limit", "--reset", "7200"), [("park", 1, [7_200, 7_200])]),
        (("--kind", "usage_limit"), [("park", 1, [900, 900])]),
        (
            ("--kind", "gates", "--kind", "budget", "--failures", "1"),
            [("retry", 2, [0, 0]), ("ask", 3, []), ("ask", 2, [])],
        ),
    ],
)
def test_what_is_known_can_be_given(
    new_project: Callable[..., Project], arguments: tuple[str, ...], expected: list[Any]
) -> None:
    assert decisions(new_project(), *arguments) == expected


def test_of_a_task_its_failures_and_its_weight_count_and_the_limits_of_the_project(project: Project) -> None:
    begun = project.operate("initialize_agent_coordination", name="Goal")
    project.mirror.joinpath("config").mkdir(parents=True, exist_ok=True)
    project.mirror.joinpath("config", "limits.yaml").write_text("attempts: 2\nbackoff: {base_seconds: 60}\n")
    actions = project.operate("next_actions", milestone_id=begun["milestone_id"])["actions"]
    scope = next(one for one in actions if one["task_id"] == "scope")
    assert decisions(project, "scope", "--kind", "error") == [("retry", 1, [30, 60]), ("ask", 2, [])]
    project.operate("report_failure", agent_id=scope["agent_id"], token=scope["token"], error="it broke")
    assert decisions(project, "scope", "--kind", "error") == [("ask", 2, [])]
    assert "failed 1 times so far" in explain(project, "scope")


def test_the_simulation_ends_whatever_the_policy_is() -> None:
    for kind in KINDS:
        for attempts in (1, 3, 10):
            rows = simulate(kind, Case(checkpoint="c"), Policy(attempts=attempts, rollbacks=2))
            assert len(rows) <= attempts + 2
            assert all(row["why"] for row in rows)
