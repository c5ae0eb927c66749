"""The twelve questions, each with a yes, a no and its evidence; and who transforms which code."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from milestone.domain.checks import Facts, twelve
from milestone.domain.languages import transformer_for
from tests.domain.jobs import ORDER

GOOD = Facts(
    phases=dict.fromkeys(ORDER, "completed"),
    transitions=ORDER,
    final_state=4,
    deliverables=("final_report.md",),
    merge="clean",
    messages=3,
    accepted=5,
    position=90,
    shared_position=90,
    percentage=100.0,
    replayed=100.0,
    operators=("infra-git-operator-1",),
)
WORSE: list[tuple[int, dict[str, Any], str]] = [
    (0, {"phases": {**dict.fromkeys(ORDER, "completed"), "execute": "in_progress"}}, "execute is in_progress"),
    (1, {"final_state": 0}, "the milestone has not ended"),
    (2, {"undocumented": ("spec-contracts",)}, "not written up: spec-contracts"),
    (2, {"deliverables": ()}, "no file yet"),
    (3, {"merge": "conflicts", "merge_detail": ("app/login.py",)}, "a dry run found conflicts: app/login.py"),
    (3, {"merge": "unknown"}, "no dry run has been made"),
    (4, {"unread": ("message-1",)}, "not received: message-1"),
    (5, {"transitions": ORDER[:3]}, "completed without validation: execute"),
    (6, {"unmerged": ("t-1",)}, "not on the branch: t-1"),
    (7, {"early": tuple(f"t-{n}" for n in range(7))}, "handed out too early: t-0, t-1, t-2, t-3, t-4 and 2 more"),
    (8, {"waiting": ("t-2",)}, "not started: t-2"),
    (9, {"shared_position": 89}, "it shows position 89 of 90"),
    (10, {"percentage": 99.9}, "the event log amounts to 100, but 99.9 is shown"),
    (11, {"operators": ("one", "two")}, "operators: one, two"),
]


def test_a_milestone_that_ended_well_answers_yes_twelve_times() -> None:
    answers = twelve(GOOD)
    assert len({answer.question for answer in answers}) == len(answers) == 12
    assert all(answer.met and answer.evidence for answer in answers)
    assert all(answer.question.endswith("?") for answer in answers)


@pytest.mark.parametrize(("number", "change", "evidence"), WORSE, ids=lambda value: str(value)[:30])
def test_what_is_not_so_is_answered_with_no_and_alone(number: int, change: dict[str, Any], evidence: str) -> None:
    """Planted and found: an answer that is always yes, evidence of another question."""
    answers = twelve(replace(GOOD, **change))
    assert [at for at, answer in enumerate(answers) if not answer.met] == [number]
    assert answers[number].evidence == evidence


def test_a_milestone_that_has_just_begun_is_not_done_and_not_broken() -> None:
    answers = twelve(Facts())
    assert [at for at, answer in enumerate(answers) if not answer.met] == [0, 1, 2, 3]
    assert all(answer.evidence for answer in answers)


@pytest.mark.parametrize(
    ("paths", "languages", "php"),
    [
        (["src/a.php", "src/b.PHTML", "app.js"], ["JavaScript"], True),
        (["src/a.php", "app.js", "app.ts"], ["PHP"], False),
        (["lib/x.inc", "README.md", "composer.json", "composer.lock"], [], True),
        (["src/**/*.php"], [], True),
        (["src/a.php", "app.js"], ["php 8.2", "JavaScript"], True),
        (["src/a.php", "app.js"], ["JavaScript", "PHP"], False),
        (["src/"], ["PHP8"], True),
        (["src/"], ["Phpython"], False),
        ([], [], False),
    ],
    ids=["most", "few", "neutral", "glob", "tie", "other tie", "folder", "name", "nothing"],
)
def test_the_transformer_follows_the_files_and_then_the_first_language(
    paths: list[str], languages: list[str], php: bool
) -> None:
    """Planted and found: one PHP file that decides for all."""
    assert transformer_for(paths, languages) == ("php-transformer" if php else "code-transformer")
