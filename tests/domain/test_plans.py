"""Whether a plan can be carried out: every problem at once, each with its place, whatever it is that was handed in."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milestone.domain.milestones import new_sections
from milestone.domain.plans import cycle, readiness
from tests.domain.jobs import steady

Break = Callable[[dict[str, Any]], None]


def decision(name: str, kind: str) -> dict[str, Any]:
    """Return a decision of a good plan."""
    return {"id": name, "kind": kind, "what": "the store", "reason": "it is old", "source": "scope", "places": []}


def task(name: str, phase: str, needs: list[str], cites: list[str]) -> dict[str, Any]:
    """Return a task of a good plan."""
    given: dict[str, Any] = {"id": name, "title": f"Do {name}", "phase": phase, "weight": 10, "depends_on": needs}
    return given | {"paths": ["app/", "tests/*.py"], "evidence": ["it runs"], "decisions": cites, "status": "pending"}


def plan() -> dict[str, Any]:
    """Return the sections of a milestone whose plan is good."""
    return new_sections() | {
        "summary": "Tokens first",
        "objectives": {"primary": "People log in", "secondary": [], "success_criteria": ["a test logs in"]},
        "scope": {"included": ["login"], "excluded": [], "constraints": []},
        "decisions": [decision("d-1", "keep"), decision("d-2", "remove")],
        "tasks": [task("t-1", "design", [], ["d-2"]), task("t-2", "execute", ["t-1"], [])],
        "estimates": {"design": 1, "spec": 2.5, "task": 1.5, "execute": 8.0},
        "dependencies": {"requires": ["accounts"], "blocks": ["anything"]},
    }


def at(path: str, value: Any) -> Break:
    """Return what puts a value at a place, or takes the place out."""

    def change(broken: Any) -> None:
        *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
        for part in way:
            broken = broken[part]
        if value is KeyError:
            del broken[last]
        else:
            broken[last] = value

    return change


BROKEN: dict[str, tuple[Break, str]] = {
    "no summary": (at("summary", ""), "summary must be a text"),
    "no risks": (at("risks", KeyError), "risks is missing; give a list"),
    "no criteria": (at("objectives.success_criteria", []), "objectives.success_criteria must be a list of texts"),
    "empty scope": (at("scope", {}), "scope.included is missing; give a list of texts"),
    "no decisions": (at("decisions", []), "decisions must be a list of at least one"),
    "no tasks": (at("tasks", None), "tasks must be a list of at least one"),
    "text as task": (at("tasks.0", "do it"), "tasks[0] must be a mapping of its fields"),
    "no estimate": (at("estimates.spec", KeyError), "estimates.spec must be a number of hours above 0"),
    "no hours": (at("estimates.spec", 0), "estimates.spec must be a number of hours above 0"),
    "endless hours": (at("estimates.spec", float("inf")), "estimates.spec must be a number of hours above 0"),
    "no number": (at("estimates.spec", float("nan")), "estimates.spec must be a number of hours above 0"),
    "beyond floats": (
        at("estimates.spec", 10**5_000),
        "estimates.spec must be a number of hours above 0, at most 100,000",
    ),
    "no estimates": (at("estimates", KeyError), "estimates is missing; give a mapping of each phase to its hours"),
    "unknown task": (at("tasks.1.depends_on", ["t-9"]), "tasks[1] (t-2).depends_on names 't-9', which is no task"),
    "circle": (at("tasks.0.depends_on", ["t-1"]), "tasks wait for each other in a circle: 't-1' -> 't-1'"),
    "later phase": (
        at("tasks.1", task("t-2", "design", ["t-3"], [])),
        "tasks[1] (t-2).depends_on names 't-3' of the later phase spec, so it could not start in its own",
    ),
    "unknown decision": (
        at("tasks.0.decisions", ["d-9"]),
        "tasks[0] (t-1).decisions names 'd-9', which is no decision",
    ),
    "unserved": (at("tasks.0.decisions", []), "decisions[1] (d-2): no task serves this remove decision; cite 'd-2'"),
    "absolute": (at("tasks.0.paths", ["/etc/passwd"]), "tasks[0] (t-1).paths holds '/etc/passwd'"),
    "upwards": (at("tasks.0.paths", ["app/../../x"]), "tasks[0] (t-1).paths holds 'app/../../x'"),
    "up": (at("tasks.0.paths", [".."]), "tasks[0] (t-1).paths holds '..'"),
    "drive": (at("tasks.0.paths", ["C:\\x"]), "tasks[0] (t-1).paths holds 'C:"),
    "same task": (at("tasks.1.id", "t-1"), "the tasks tasks[0], tasks[1] share the id 't-1'; rename all but one"),
    "same decision": (at("decisions.0.id", "d-2"), "the decisions decisions[0], decisions[1] share the id 'd-2'"),
    "folder as id": (at("tasks.0.id", "../x"), "tasks[0].id must be a name of small letters"),
    "lock as id": (at("tasks.0.id", "t.lock"), "tasks[0].id must be a name of small letters"),
    "phase": (at("tasks.0.phase", "later"), "tasks[0] (t-1).phase must be one of design, spec, task, execute"),
    "weight": (at("tasks.0.weight", True), "tasks[0] (t-1).weight must be a whole number from 1 to 100"),
    "kind": (
        at("decisions.0.kind", ["keep"]),
        "decisions[0] (d-1).kind must be one of keep, improve, remove, originate",
    ),
    "unknown milestone": (at("dependencies.requires", ["oauth"]), "dependencies.requires names 'oauth', which is no"),
    "itself": (at("dependencies.requires", ["login"]), "dependencies.requires names this milestone itself; remove it"),
    "no list": (at("dependencies.requires", "accounts"), "dependencies.requires must be a list of milestone ids"),
}


def problems(broken: Any) -> list[str]:
    """Return what is wrong with a plan of the milestone login."""
    return readiness(broken, {"accounts", "login"}, "login")


def test_a_good_plan_is_ready() -> None:
    assert problems(plan()) == []


@pytest.mark.parametrize("name", BROKEN, ids=str)
def test_what_is_broken_is_named_with_its_place(name: str) -> None:
    """Planted and found: phases that are not compared, `..` in the middle of a path, hours that never end."""
    broken = plan() | {"tasks": [*plan()["tasks"], task("t-3", "spec", [], ["d-2"])]}
    if name == "unserved":
        broken["tasks"].pop()
    change, told = BROKEN[name]
    change(broken)
    assert [problem for problem in problems(broken) if problem.startswith(told)]


def test_everything_that_is_broken_is_told_at_once() -> None:
    """Planted and found: a check that stops at its first problem."""
    broken = plan()
    chosen = ("no summary", "no hours", "unknown task", "unserved", "absolute", "phase", "unknown milestone")
    for name in chosen:
        BROKEN[name][0](broken)
    found = problems(broken)
    assert len(found) == len(chosen)
    for name in chosen:
        assert [problem for problem in found if problem.startswith(BROKEN[name][1])]


def test_a_milestone_that_nobody_planned_is_told_what_a_plan_has() -> None:
    found = " ".join(problems(new_sections()))
    for word in ("summary", "objectives.primary", "scope.included", "decisions", "tasks", *("design", "execute")):
        assert word in found


NAMES = st.sampled_from(("t-1", "t-2", "d-1", "design", "id", "tasks", "depends_on", "", "\ud800", "../x", "estimates"))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | NAMES | st.text(max_size=4) | st.just(10**400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


NASTY = (None, True, 0, -1, 10**400, float("nan"), "", "\ud800", [], {}, [[]], [{}], [None, "t-1"], {"t-1": 1}, "t-2")


def places(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to every place in a value."""
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield (*way, key)
        yield from places(value[key], (*way, key))


def put(broken: Any, way: tuple[Any, ...], value: Any) -> None:
    """Put a value at a place."""
    for key in way[:-1]:
        broken = broken[key]
    broken[way[-1]] = value


def looked_at(broken: Any) -> None:
    """Check that a broken plan is judged, not changed, and not ready without what the execution relies on."""
    found = problems(broken)
    assert all(isinstance(problem, str) and len(problem) < 1_000 for problem in found)
    if not found:
        assert all(hours > 0 for hours in broken["estimates"].values())
        ids = [one["id"] for one in broken["tasks"]]
        assert len(set(ids)) == len(ids)
        assert {need for one in broken["tasks"] for need in one["depends_on"]} <= set(ids)
        assert {name for one in broken["tasks"] for name in one["decisions"]} <= {d["id"] for d in broken["decisions"]}
        assert all(isinstance(path, str) for one in broken["tasks"] for path in one["paths"])


@pytest.mark.parametrize("way", list(places(plan())), ids=lambda way: ".".join(map(str, way)))
def test_whatever_stands_at_a_place_of_a_plan_it_is_judged(way: tuple[Any, ...]) -> None:
    """Planted and found: an unhashable name that is looked up, a list that is taken for a mapping."""
    for value in NASTY:
        broken = plan()
        put(broken, way, value)
        before = copy.deepcopy(broken)
        looked_at(broken)
        assert repr(broken) == repr(before)


@given(st.data())
@steady(150)
def test_whatever_stands_in_several_places_of_a_plan_it_is_judged(data: st.DataObject) -> None:
    broken: Any = plan()
    for _ in range(data.draw(st.integers(1, 4))):
        put(broken, data.draw(st.sampled_from(list(places(broken)))), data.draw(JSON))
    looked_at(broken)


@given(JSON)
@steady(100)
def test_what_is_no_plan_at_all_is_refused(value: Any) -> None:
    assert problems(value)


@given(st.dictionaries(st.integers(0, 6), st.lists(st.integers(0, 7), max_size=3)))
@steady(200)
def test_a_circle_is_found_where_there_is_one(graph: dict[int, list[int]]) -> None:
    """Planted and found: a walk that takes every second visit for a circle."""
    needs = {str(node): tuple(map(str, wanted)) for node, wanted in graph.items()}
    loop = cycle(needs)
    try:
        TopologicalSorter(needs).prepare()
    except CycleError:
        assert loop[0] == loop[-1]
        assert all(after in needs[before] for before, after in pairwise(loop))
    else:
        assert loop == ()


def test_a_chain_of_ten_thousand_tasks_is_walked_in_no_time() -> None:
    assert cycle({str(number): (str(number + 1),) for number in range(10_000)}) == ()
