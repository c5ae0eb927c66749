"""Which patterns go into a brief."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milestone.domain.patterns import CATEGORIES, REUSE, Pattern, rank, saving_problem
from tests.domain.jobs import steady

ASKED = "Write the token store and its tests"


def pattern(category: Any, text: str = "", **given: Any) -> Pattern:
    """Return a fresh pattern that nobody has used."""
    usual: dict[str, Any] = {
        "name": "one",
        "use_when": "",
        "uses": 0,
        "successes": 0,
        "age_seconds": 0,
        "ttl_seconds": 9,
    }
    return Pattern(**{"pattern_id": f"{category}-1", "category": category, "text": text, **usual, **given})


def fits(one: Pattern, phase: str = "execute") -> bool:
    """Return whether a pattern would go into the brief."""
    return rank([one], ASKED, phase) == [one]


def test_every_category_has_its_policy_and_a_template_states_its_condition() -> None:
    assert set(REUSE) == set(CATEGORIES)
    assert saving_problem("architectural", "") == saving_problem("code_template", "in tests") == ""
    assert "use_when" in saving_problem("code_template", "  ")
    assert "architectural, task_structure" in saving_problem("idea", "")


def test_what_has_expired_never_fits() -> None:
    """Planted and found: a pattern that lives a second longer than its time."""
    assert fits(pattern("architectural", age_seconds=8.9))
    assert not fits(pattern("architectural", age_seconds=9))
    assert not fits(pattern("architectural", ttl_seconds=0))


@pytest.mark.parametrize(
    ("one", "there"),
    [
        (pattern("architectural", "layers"), True),
        (pattern("task_structure", "layers"), False),
        (pattern("task_structure", "a store in layers"), True),
        (pattern("code_template", ASKED), False),
        (pattern("code_template", ASKED, use_when="in a page"), False),
        (pattern("code_template", "layers", use_when="for tokens"), True),
        (pattern("specification", "a token store"), False),
        (pattern("specification", "a token store and how it tests"), True),
    ],
    ids=["architecture", "structure apart", "structure", "no condition", "other case", "template", "weak", "strong"],
)
def test_each_category_fits_by_its_policy(one: Pattern, there: bool) -> None:
    assert fits(one) is there


def test_the_best_come_first_and_no_more_than_asked_for() -> None:
    """Planted and found: success that is not looked at, words that are not looked at."""
    wordy = pattern("task_structure", "token store", pattern_id="wordy")
    helpful = pattern("task_structure", "token", pattern_id="helpful", uses=8, successes=8)
    failing = pattern("task_structure", "token store", pattern_id="failing", uses=8)
    plain = pattern("architectural", "layers", pattern_id="plain")
    order = [one.pattern_id for one in rank([failing, plain, wordy, helpful], ASKED, "execute", limit=4)]
    assert order == ["wordy", "helpful", "failing", "plain"]
    assert len(rank([failing, plain, wordy, helpful], ASKED, "execute")) == 3
    assert rank([plain], ASKED, "design", limit=0) == []


def test_at_equal_terms_the_category_of_the_phase_comes_first_and_then_the_younger() -> None:
    structure = pattern("task_structure", "a store")
    template = pattern("code_template", "a store", use_when="a store")
    assert rank([template, structure], ASKED, "task")[0] == structure
    old, young = pattern("architectural", age_seconds=5, pattern_id="a"), pattern("architectural", pattern_id="b")
    assert rank([old, young], ASKED, "design") == [young, old]


WORDS = st.lists(st.sampled_from(("token", "store", "test", "page", "the", "layers")), max_size=4).map(" ".join)
PATTERNS = st.builds(
    Pattern,
    pattern_id=st.text(max_size=3),
    category=st.sampled_from(CATEGORIES),
    name=WORDS,
    text=WORDS,
    use_when=WORDS,
    uses=st.integers(0, 9),
    successes=st.integers(0, 9),
    age_seconds=st.floats(0, 20),
    ttl_seconds=st.floats(0, 20),
)


@given(
    found=st.lists(PATTERNS, max_size=6), text=WORDS, phase=st.sampled_from(("", "design", "execute")), data=st.data()
)
@steady(100)
def test_the_ranking_depends_on_the_patterns_and_not_on_their_order(
    found: list[Pattern], text: str, phase: str, data: Any
) -> None:
    chosen = rank(found, text, phase)
    assert len(chosen) <= 3
    assert all(one in found and one.age_seconds < one.ttl_seconds for one in chosen)
    assert not [one for one in chosen if one.category == "code_template" and not one.use_when.strip()]
    shuffled = data.draw(st.permutations(found))
    if len({one.pattern_id for one in found}) == len(found):
        assert rank(shuffled, text, phase) == chosen
