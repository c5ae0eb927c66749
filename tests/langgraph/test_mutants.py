"""The tests find planted bugs: a few each time, all of them by `python -m tests.langgraph.mutants`."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.helpers.worker import ROOT
from tests.langgraph.mutants import MUTANTS, TESTS, trial

SAMPLE = ("what a task wrote is replaced", "values that others name are removed", "branches have the same versions")


@pytest.mark.parametrize("mutant", MUTANTS, ids=[mutant.name for mutant in MUTANTS])
def test_a_planted_bug_is_one_replacement_that_still_fits(mutant: tuple[str, str, str, str]) -> None:
    _, file, old, new = mutant
    text = (ROOT / "server" / "milestone" / file).read_text("utf-8")
    assert (text.count(old), old == new) == (1, False)


def test_the_tests_fail_on_a_sample_of_planted_bugs_and_pass_without_them() -> None:
    sample = [mutant for mutant in MUTANTS if mutant.name in SAMPLE]
    with ThreadPoolExecutor(2) as pool:
        sound, *answers = pool.map(lambda mutant: trial(mutant, TESTS[1:3]), [None, *sample])
    assert sound == ""
    assert len(answers) == len(SAMPLE)
    assert all(answers), dict(zip(SAMPLE, answers, strict=True))
