"""What agents save in execution has the shape of its key, and what contradicts itself is refused with the reason."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from milestone.domain.errors import Refusal
from milestone.domain.results import SHAPES, mismatch
from tests.prompts.library import AGENTS, SKILLS, examples

GOOD: dict[str, Any] = {
    key: json.loads(text)
    for prompt in (*AGENTS.values(), *SKILLS.values())
    for key, text in examples(prompt)
    if key in SHAPES
}
LEVEL = {"level": "unit", "run": 3, "passed": 2, "failed": 0, "skipped": 1, "console_clean": True, "coverage": None}


def changed(key: str, path: str, value: Any) -> Any:
    """Return the example of a key with something else at a path."""
    whole = copy.deepcopy(GOOD[key])
    *before, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    place = whole
    for part in before:
        place = place[part]
    place[last] = value
    return whole


@pytest.mark.parametrize("key", sorted(GOOD))
def test_every_field_of_a_shape_is_checked_and_no_other_is_taken(key: str) -> None:
    mismatch(key, GOOD[key])
    with pytest.raises(Refusal, match=r"value\.more: Extra inputs are not permitted"):
        mismatch(key, {**GOOD[key], "more": 1})
    for field in GOOD[key]:
        with pytest.raises(Refusal, match=rf"value\.{field}"):
            mismatch(key, {**GOOD[key], field: 7})


@pytest.mark.parametrize("phase", ["design", "spec", "task", "execute"])
def test_the_results_of_all_phases_have_one_shape(phase: str) -> None:
    for kind in ("phase-results", "partial"):
        assert SHAPES[f"{phase}-{kind}"] is SHAPES[f"design-{kind}"]


@pytest.mark.parametrize(
    ("key", "path", "value", "said"),
    [
        ("execution-brief", "phases.1.phase", "design", "the phase design stands there twice"),
        ("execution-brief", "phases.1.phase", "later", "phases.1.phase"),
        ("design-phase-results", "files.0.name", "../a.md", "files.0.name"),
        ("design-phase-results", "findings.0.places.0.line", 0, "findings.0.places.0.line"),
        ("design-partial", "ready", [], "value.ready"),
        ("task-report", "checks.0.met", "yes", "checks.0.met"),
        ("task-report", "decisions.0.id", "Not An Id", "decisions.0.id"),
        ("review", "verdict", "fine", "value.verdict"),
        ("review", "findings", [], "changes_requested needs at least one finding"),
        ("review", "findings.0.severity", "fatal", "findings.0.severity"),
        ("test-strategy", "levels.2.level", "unit", "the level unit stands there twice; the level api is missing"),
        ("test-strategy", "levels", [], "the level unit is missing; the level integration is missing"),
        ("test-strategy", "levels.0.paths", [], "the level unit is needed, so it has paths and cases"),
        ("test-strategy", "levels.0.cases", [], "the level unit is needed, so it has paths and cases"),
        ("test-results", "levels.0.passed", 212, "unit: 212 run, but 212 passed, 0 failed, 1 skipped"),
        ("test-results", "levels.1.level", "unit", "the level unit stands there twice"),
        ("test-results", "levels.0.coverage", 100.5, "levels.0.coverage"),
        ("test-results", "levels.0.failed", -1, "levels.0.failed"),
        ("quality-metrics", "violations.0.kind", "taste", "violations.0.kind"),
        ("quality-metrics", "violations.0.open", 0.5, "violations.0.open"),
        ("cicd-status", "findings.1.id", "base-image", "the finding base-image stands there twice"),
        ("cicd-status", "findings.0.id", "a..b", "findings.0.id"),
        ("cicd-status", "pipelines.0.status", "green", "pipelines.0.status"),
        ("git-operations", "operations.0.reference", "", "operations.0.reference"),
        ("milestone-plan", "tasks.0.agent_type", "", "tasks.0.agent_type"),
        ("milestone-plan", "tasks.0.repository", "../other", "tasks.0.repository"),
    ],
)
def test_a_value_that_contradicts_itself_is_refused_with_the_reason(key: str, path: str, value: Any, said: str) -> None:
    """Planted and found: each check between fields left out, `!=` turned into `>` in the sum of the results."""
    with pytest.raises(Refusal) as refused:
        mismatch(key, changed(key, path, value))
    assert said in str(refused.value)


@pytest.mark.parametrize("key", ["design-phase-results", "task-report"])
def test_two_files_of_one_value_do_not_hide_each_other(key: str) -> None:
    file = {"name": "a.md", "title": "A", "content": "a"}
    with pytest.raises(Refusal, match=r"the file a\.md stands there twice"):
        mismatch(key, {**GOOD[key], "files": [file, file]})


def test_a_decision_is_answered_once_in_a_report() -> None:
    decision = GOOD["task-report"]["decisions"][0]
    with pytest.raises(Refusal, match="the decision o-provider stands there twice"):
        mismatch("task-report", {**GOOD["task-report"], "decisions": [decision, decision]})


def test_a_review_that_approves_needs_no_finding() -> None:
    mismatch("review", {**GOOD["review"], "verdict": "approved", "findings": []})


def test_a_level_that_is_not_needed_has_only_its_reason() -> None:
    levels = [
        {"level": level, "needed": False, "reason": "nothing changes", "paths": [], "cases": []}
        for level in ("api", "unit", "integration")
    ]
    mismatch("test-strategy", {"summary": "No tests", "levels": levels})


def test_coverage_that_was_not_measured_is_null_and_not_left_out() -> None:
    mismatch("test-results", {"summary": "s", "levels": [LEVEL], "gaps": []})
    without = {name: value for name, value in LEVEL.items() if name != "coverage"}
    with pytest.raises(Refusal, match=r"levels\.0\.coverage: Field required"):
        mismatch("test-results", {"summary": "s", "levels": [without], "gaps": []})


def test_a_task_of_a_plan_may_name_its_agent_and_its_repository() -> None:
    mismatch("milestone-plan", changed("milestone-plan", "tasks.0.agent_type", "doc-module-generator"))
    mismatch("milestone-plan", changed("milestone-plan", "tasks.0.repository", "web"))


def test_execution_is_ready_or_nothing_is_said() -> None:
    mismatch("ready-for-execution", value=True)
    with pytest.raises(Refusal):
        mismatch("ready-for-execution", value=False)
