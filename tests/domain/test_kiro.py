"""Drift: decisions that the work does not honour are named, with task and place."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milestone.domain.kiro import Decision, Place, Work, drift
from tests.domain.jobs import steady

LOGIN, HASHES = Place("app/login.py", 12), Place("app/hashes.py")


def told(decision: Decision, *tasks: Work, exists: bool = True) -> list[str]:
    """Return the sentences of a report on one decision."""
    return [one.sentence for one in drift([decision], tasks, lambda _: exists)]


def test_a_keep_that_was_touched_is_named_with_the_task_and_the_place() -> None:
    """Planted and found: only tasks that cite the decision are looked at."""
    keep = Decision("d-1", "keep", "the login", (LOGIN, HASHES))
    other = Work("t-2", "claimed", (), ("app/login.py", "README.md"))
    assert told(keep, Work("t-1", "completed", ("d-1",), ("app/login_page.py",))) == []
    assert told(keep, other) == ["Keep d-1 (the login), but task t-2 touched app/login.py"]
    found = drift([keep], [other], lambda _: True)[0]
    assert (found.problem, found.task_id, found.place) == ("touched", "t-2", "app/login.py:12")


def test_a_keep_of_a_folder_means_everything_in_it() -> None:
    """Planted and found: paths compared by their first letters."""
    keep = Decision("d-1", "keep", "the app", (Place("./app/"),))
    assert told(keep, Work("t-1", "completed", (), ("app/login.py", "app", "apple.py", "lib/app/x.py"))) == [
        "Keep d-1 (the app), but task t-1 touched app/login.py, app"
    ]


def test_a_remove_that_is_still_there_is_named_until_it_is_gone() -> None:
    remove = Decision("d-2", "remove", "old hashes", (HASHES,))
    done = Work("t-1", "completed", ("d-2",), ("app/hashes.py",))
    assert told(remove, done) == ["Remove d-2 (old hashes), but app/hashes.py is still there"]
    assert told(remove, done, exists=False) == []


def test_a_remove_of_a_part_of_a_file_is_honoured_by_a_finished_task_that_touched_the_file() -> None:
    remove = Decision("d-2", "remove", "the md5 branch", (LOGIN,))
    untouched = ["Remove d-2 (the md5 branch), but no finished task that cites it has touched app/login.py"]
    assert told(remove, Work("t-1", "completed", ("d-2",), ("app/login.py",))) == []
    assert told(remove, Work("t-1", "claimed", ("d-2",), ("app/login.py",))) == untouched
    assert told(remove, Work("t-1", "completed", (), ("app/login.py",))) == untouched
    assert told(remove, exists=False) == []


@pytest.mark.parametrize("kind", ["improve", "originate", "remove"])
def test_what_was_to_be_done_is_named_until_a_task_that_cites_it_is_finished(kind: Any) -> None:
    """Planted and found: any task that cites the decision will do."""
    decision = Decision("d-3", kind, "a token store")
    name = f"{kind.capitalize()} d-3 (a token store), but no task"
    assert told(decision) == [f"{name} cites it"]
    waiting = (Work("t-1", "claimed", ("d-3",)), Work("t-2", "skipped", ("d-3",)), Work("t-3", "completed"))
    assert told(decision, *waiting) == [f"{name} that cites it is finished: t-1 is claimed, t-2 is skipped"]
    assert told(decision, *waiting, Work("t-4", "completed", ("d-3",))) == []


PATHS = st.sampled_from(("app", "app/a.py", "app/b/c.py", "lib", "lib/d.py"))
WORK = st.builds(
    Work,
    st.sampled_from(("t-1", "t-2", "t-3")),
    st.sampled_from(("completed", "claimed", "skipped")),
    st.lists(st.sampled_from(("d-0", "d-1", "d-2")), max_size=2).map(tuple),
    st.lists(PATHS, max_size=3, unique=True).map(tuple),
)
KINDS = st.lists(st.sampled_from(("keep", "improve", "remove", "originate")), max_size=3)


@given(
    kinds=KINDS, places=st.lists(PATHS, max_size=2, unique=True), tasks=st.lists(WORK, max_size=4), there=st.sets(PATHS)
)
@steady(150)
def test_a_decision_is_in_the_report_exactly_when_it_is_not_honoured(
    kinds: list[Any], places: list[str], tasks: list[Work], there: set[str]
) -> None:
    spots = tuple(map(Place, places))
    decisions = [Decision(f"d-{number}", kind, "it", spots) for number, kind in enumerate(kinds)]
    report = drift(decisions, tasks, there.__contains__)
    touched = {path for task in tasks for path in task.touched}
    for decision in decisions:
        done = any(task.status == "completed" and decision.decision_id in task.cites for task in tasks)
        honoured = done
        if decision.kind == "keep":
            honoured = not any(f"{path}/".startswith(f"{place}/") for path in touched for place in places)
        elif decision.kind == "remove" and places:
            honoured = not there & set(places)
        mine = [one for one in report if one.decision_id == decision.decision_id]
        assert (not mine) == honoured
        assert all(one.kind == decision.kind and decision.decision_id in one.sentence for one in mine)
