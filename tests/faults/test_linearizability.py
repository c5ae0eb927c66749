"""The judge of histories itself: it agrees with trying every order, and knows the classic cases."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.faults.linearizability import VERSIONED, Operation, linearizable

LOAD = ("load",)


def save(expected: int, value: int = 0) -> tuple[str, int, int]:
    """Return a save that compares."""
    return ("save", expected, value)


HISTORIES = {
    "one after the other": ([[(0, 1, save(0, 7), 1), (2, 3, LOAD, (1, 7))]], True),
    "an answer from before what had ended": ([[(0, 1, save(0, 7), 1)], [(2, 3, LOAD, (0, None))]], False),
    "an answer from before what was under way": ([[(0, 3, save(0, 7), 1)], [(1, 2, LOAD, (0, None))]], True),
    "seen and then unseen": (
        [[(0, 9, save(0, 7), 1)], [(1, 2, LOAD, (1, 7)), (3, 4, LOAD, (0, None))]],
        False,
    ),
    "both succeed on one version": ([[(0, 9, save(0, 1), 1)], [(0, 9, save(0, 2), 1)]], False),
    "one is refused": ([[(0, 9, save(0, 1), 1)], [(0, 9, save(0, 2), None)]], True),
    "refused though nothing had changed": ([[(0, 1, save(0, 1), None)]], False),
}


@pytest.mark.parametrize(("told", "expected"), HISTORIES.values(), ids=HISTORIES)
def test_the_classic_cases_are_judged_right(
    told: list[list[tuple[int, int, tuple[object, ...], object]]],
    expected: bool,
) -> None:
    """Planted and found: a judge that lets an operation go before one that had ended, and one that gives up where the
    first way leads nowhere.
    """
    assert linearizable([[Operation(*one) for one in history] for history in told], VERSIONED) is expected


@st.composite
def short_histories(draw: st.DrawFn) -> list[list[Operation]]:
    """Up to three processes with up to two operations each, which overlap as chance wants."""
    histories: list[list[Operation]] = []
    for _ in range(draw(st.integers(1, 3))):
        times = sorted(draw(st.lists(st.integers(0, 12), min_size=4, max_size=4)))
        histories.append([])
        for n in range(draw(st.integers(0, 2))):
            load = draw(st.booleans())
            told = (draw(st.integers(0, 2)), draw(st.sampled_from([None, 1]))) if load else None
            asked = LOAD if load else save(draw(st.integers(0, 2)), 1)
            answer = told if load else draw(st.sampled_from([None, 1, 2]))
            histories[-1].append(Operation(times[2 * n], times[2 * n + 1], asked, answer))
    return histories


@given(short_histories())
def test_it_finds_what_trying_every_order_finds(histories: list[list[Operation]]) -> None:
    assert linearizable(histories, VERSIONED) is _any_order(histories)


def _any_order(histories: list[list[Operation]]) -> bool:
    operations = [(number, place, one) for number, history in enumerate(histories) for place, one in enumerate(history)]
    return any(_explains(list(order)) for order in permutations(operations))


def _explains(order: list[tuple[int, int, Operation]]) -> bool:
    state: tuple[int, object] | None = VERSIONED.first
    for index, (number, place, one) in enumerate(order):
        later = order[index + 1 :]
        if any(other.ended < one.began or (n == number and p < place) for n, p, other in later):
            return False
        state = VERSIONED.step(state, one)
        if state is None:
            return False
    return True
