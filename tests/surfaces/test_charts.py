"""Charts: the same picture of the same facts, safe to show, told by shape as well as by colour."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from itertools import combinations
from typing import Any, NamedTuple
from xml.etree import ElementTree as ET

import pytest

from milestone.surfaces import charts
from milestone.surfaces.charts import paper
from tests.helpers import pictures
from tests.helpers.projects import ROOT

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "<script>alert(1)</script>\x1b[2J\u202e $x_1$ --> ]]> \"'&\ud800 漢字 \x00"
VIEWS: dict[str, tuple[Callable[..., str], dict[str, Any]]] = {
    "phases": (charts.phases, pictures.progress()),
    "burnup": (charts.burnup, pictures.burnup()),
    "timeline": (charts.timeline, pictures.timeline()),
    "graph": (charts.graph, pictures.graph()),
}
LONG = "a-name-that-is-longer-than-any-that-fits-{}"
CROWDED: list[tuple[str, dict[str, Any]]] = [
    ("burnup", pictures.burnup(hours=[1.4, 1.5])),
    ("burnup", pictures.burnup(1, hours=[400.0, 900.0])),
    ("burnup", pictures.burnup(200, hours=[])),
    ("timeline", pictures.timeline(40, LONG, LONG)),
    ("timeline", pictures.timeline(1)),
    ("graph", pictures.graph(8, 12, LONG, LONG)),
    ("graph", pictures.graph(40, 3)),
    ("phases", pictures.progress("rejected")),
]
EMPTY: dict[str, dict[str, Any]] = {
    "phases": {**pictures.progress(), "phases": []},
    "burnup": pictures.burnup(0),
    "timeline": {"from": "", "to": "", "rows": [], "parked": [], "left_out": 0},
    "graph": {"nodes": [], "edges": [], "left_out": 0},
}
every = pytest.mark.parametrize("name", list(VIEWS))
narrow_or_not = pytest.mark.parametrize("narrow", [False, True], ids=["wide", "narrow"])


class Said(NamedTuple):
    """A text of a chart and the box it stands in."""

    text: str
    left: float
    top: float
    right: float
    bottom: float


def texts(chart: str) -> list[Said]:
    """Return what is written on a chart, and where."""
    found: list[Said] = []
    for one in ET.fromstring(chart).iter(f"{SVG}text"):  # noqa: S314 - our own drawing
        style = one.get("style", "")
        size = float(re.search(r"font-size: ([\d.]+)px", style)[1])  # type: ignore[index]
        width = paper.wide(one.text or "", size, bold="font-weight: 700" in style)
        place = re.match(r"translate\(([\d.]+) ([\d.]+)\)", one.get("transform", ""))
        x, y = (float(place[1]), float(place[2])) if place else (float(one.get("x", 0)), float(one.get("y", 0)))
        anchor = re.search(r"text-anchor: (\w+)", style)
        left = x - {"end": width, "middle": width / 2}.get(anchor[1] if anchor else "", 0.0)
        found.append(Said(one.text or "", left, y - 0.72 * size, left + width, y + 0.1 * size))
    return found


@every
@narrow_or_not
def test_the_same_facts_give_the_same_picture(name: str, narrow: bool) -> None:
    draw, view = VIEWS[name]
    first = draw(view, narrow=narrow)
    assert first == draw(view, narrow=narrow)
    assert first != draw(view, narrow=narrow, dark=True)


@every
@narrow_or_not
def test_a_chart_is_a_picture_with_a_name_a_description_and_a_fixed_ratio(name: str, narrow: bool) -> None:
    draw, view = VIEWS[name]
    drawn = ET.fromstring(draw(view, narrow=narrow))  # noqa: S314 - our own drawing
    assert drawn.get("role") == "img"
    known = {one.get("id"): one for one in drawn if one.tag in (f"{SVG}title", f"{SVG}desc")}
    assert [known[name].text for name in (drawn.get("aria-labelledby") or "").split()] == [
        one.text for one in known.values()
    ]
    assert all(one.text for one in known.values())
    width, height = (charts.NARROW if narrow else charts.SIZES)[name]
    assert drawn.get("viewBox") == f"0 0 {width} {height}"
    assert (drawn.get("width"), drawn.get("height")) == (str(width), str(height))


@pytest.mark.parametrize(("name", "view"), [*((name, view) for name, (_, view) in VIEWS.items()), *CROWDED])
@narrow_or_not
def test_nothing_is_written_over_the_edge_or_over_something_else(name: str, view: dict[str, Any], narrow: bool) -> None:
    """Planted and found: names that are not cut; the two ends of the range at one place."""
    draw, _ = VIEWS[name]
    width, height = (charts.NARROW if narrow else charts.SIZES)[name]
    said = texts(draw(view, narrow=narrow))
    assert said
    assert [one for one in said if one.left < 0 or one.right > width or one.top < 0 or one.bottom > height] == []
    over = [
        (one.text, other.text)
        for one, other in combinations(said, 2)
        if one.left < other.right and other.left < one.right and one.top < other.bottom and other.top < one.bottom
    ]
    assert over == []


@pytest.mark.parametrize("columns", [1, 3, 8, 40])
@pytest.mark.parametrize("rows", [1, 12, 30])
@narrow_or_not
def test_a_graph_of_any_shape_stays_on_its_paper(columns: int, rows: int, narrow: bool) -> None:
    view = pictures.graph(columns, rows, "a-task-with-a-name-that-is-long-{}")
    width, height = (charts.NARROW if narrow else charts.SIZES)["graph"]
    said = texts(charts.graph(view, narrow=narrow))
    assert [one for one in said if one.left < 0 or one.right > width or one.top < 0 or one.bottom > height] == []


@pytest.mark.parametrize(("name", "view"), [("timeline", pictures.timeline(60)), ("graph", pictures.graph(3, 50))])
@narrow_or_not
def test_a_whole_chart_names_every_task(name: str, view: dict[str, Any], narrow: bool) -> None:
    draw, _ = VIEWS[name]
    part, whole = (
        {word for one in texts(draw(view, narrow=narrow, whole=all_of_it)) for word in one.text.split()}
        for all_of_it in (False, True)
    )
    wanted = {one["task_id"] for one in view.get("rows") or view["nodes"]}
    assert wanted <= whole
    assert not wanted <= part


@every
@narrow_or_not
def test_where_there_is_nothing_a_chart_says_so(name: str, narrow: bool) -> None:
    draw, _ = VIEWS[name]
    drawn = draw(EMPTY[name], narrow=narrow)
    assert texts(drawn) or "<desc" in drawn


@narrow_or_not
def test_what_agents_wrote_is_text_and_nothing_else(narrow: bool) -> None:
    """Planted and found: a description that is not escaped; dollars as formulas; control characters."""
    for drawn in (
        charts.timeline(pictures.timeline(5, HOSTILE + "{}", HOSTILE), narrow=narrow),
        charts.graph(pictures.graph(2, 2, HOSTILE + "{}", HOSTILE), narrow=narrow),
        charts.burnup({**pictures.burnup(), "velocity": HOSTILE, "eta": HOSTILE}, narrow=narrow),
    ):
        parsed = ET.fromstring(drawn)  # noqa: S314 - our own drawing
        assert {one.tag.removeprefix(SVG) for one in parsed.iter()} <= {
            *("svg", "title", "desc", "g", "path", "text", "defs", "use", "clipPath", "rect"),
        }
        assert not re.search("[\x00-\x08\x0b-\x1f\u202e\ud800]", drawn)
        assert "<script" not in drawn
        assert [name for one in parsed.iter() for name in list(one.keys()) if name.startswith("on")] == []
        assert re.findall(r'(?:href|src)="(?!#)', drawn) == []


@pytest.mark.parametrize("view", [pictures.graph(2, 4)])
def test_each_state_has_a_shape_of_its_own(view: dict[str, Any]) -> None:
    """Planted and found: a state whose mark is another's in another colour."""
    marks = {state: shape for state, shape in paper._SHAPES.items()}  # noqa: SLF001, C416
    assert set(marks) == set(pictures.STATES) == set(paper.WORDS)
    assert len(set(marks.values())) == len(marks)
    said = " ".join(one.text for one in texts(charts.graph(view)))
    assert all(paper.WORDS[state] in said for state in pictures.STATES), "and the legend says which is which"


def test_every_text_stands_out_from_its_ground() -> None:
    for look in (paper.LIGHT, paper.DARK):
        for colour in (look.text, look.muted, *(strong for strong, _ in look.states.values())):
            assert contrast(colour, look.ground) >= 4.5, colour
        for _, faint in look.states.values():
            assert contrast(look.text, faint) >= 4.5, faint
            assert contrast(look.muted, faint) >= 4.5, faint


def contrast(one: str, other: str) -> float:
    """Return how far two colours are apart, as WCAG counts it."""

    def light(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    brighter, darker = sorted((light(one), light(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


@every
def test_a_themed_chart_has_no_colour_of_its_own(name: str) -> None:
    draw, view = VIEWS[name]
    bare = re.sub(r"var\(--chart-[0-9a-f]{6}, #[0-9a-f]{6}\)", "", charts.themed(draw(view)))
    assert re.findall(r"#[0-9a-f]{6}\b", bare) == []
    wanted = set(re.findall(r"--chart-[0-9a-f]{6}", charts.themed(draw(view))))
    assert wanted <= set(re.findall(r"--chart-[0-9a-f]{6}(?=:)", charts.theme()))


def test_asking_whether_charts_are_there_loads_no_library() -> None:
    """Planted and found: a palette that is imported with the package."""
    look = "import sys; from milestone.surfaces import charts; charts.available(); print('matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", look], cwd=ROOT / "server", capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
