"""What a person writes into a milestone's file: taken in where it may be edited, refused with its line elsewhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from milestone.prompts.strict_yaml import read
from milestone.workspace.mirror import LIMIT
from tests.conftest import ENGINES
from tests.helpers.execution import task
from tests.helpers.mirrored import Mirrored
from tests.helpers.projects import Project

RISK = {"risk": "it rains", "likelihood": "low", "impact": "high", "mitigation": "a roof"}


@pytest.fixture(params=ENGINES)
def plan(request: pytest.FixtureRequest, new_project: Callable[..., Project]) -> Mirrored:
    """A milestone that is planned."""
    return Mirrored.planned(new_project(request.param))


def _everything(document: dict[str, Any]) -> None:
    document["metadata"] |= {"name": "Log in", "description": "Let people in", "duration": "3 weeks"}
    document["objectives"] |= {"primary": "People log in", "secondary": []}
    document["scope"]["excluded"].append("passwords — for now")
    document["risks"] = [RISK]
    document["team"] = {"owner": "Ada", "contributors": ["Bo"], "room": 4}
    document["tasks"][0] |= {"title": "Decide it", "weight": 12, "evidence": ["a record"]}
    document["tasks"][1]["agent_type"] = "code-transformer"
    document["tasks"].append({**task("test", "execute", ("build",), paths=("tests/",))})
    del document["tasks"][2]


def test_what_a_person_may_edit_is_taken_in_told_and_kept(plan: Mirrored) -> None:
    text = plan.edit(_everything)
    plan.write()
    sections = plan.sections()
    assert [plan.row()[name] for name in ("name", "description", "duration")] == ["Log in", "Let people in", "3 weeks"]
    assert sections["objectives"]["primary"] == "People log in"
    assert sections["scope"]["excluded"][-1] == "passwords — for now"
    assert sections["risks"] == [RISK]
    assert sections["team"] == {"owner": "Ada", "contributors": ["Bo"], "room": 4}
    assert [one["id"] for one in sections["tasks"]] == ["decide", "build", "test"]
    assert [sections["tasks"][0][name] for name in ("title", "weight", "evidence")] == ["Decide it", 12, ["a record"]]
    assert sections["tasks"][1]["agent_type"] == "code-transformer"
    assert sections["tasks"][2]["status"] == "pending"
    [told] = plan.events("edit_imported")
    assert told["subject"] == f"active/{plan.milestone_id}.yaml"
    assert {"metadata.name", "risks", "team.room", "tasks.decide.title", "tasks.test", "tasks.ship"} <= {
        *told["changed"]
    }
    assert told["conflicts"] == []
    assert plan.kept == [text]
    assert plan.shown()["metadata"]["name"] == "Log in"
    plan.project.operate("update_milestone", milestone_id=plan.milestone_id, duration="4 weeks")
    plan.write()
    assert len(plan.events("edit_imported")) == 1
    assert plan.kept == [text]


def test_a_plan_that_was_edited_is_the_plan_that_is_carried_out(
    new_repository: Callable[..., Project],
) -> None:
    edited = Mirrored.planned(new_repository())
    edited.edit(lambda document: document["tasks"][1].update(title="Build it well", paths=["app/", "docs/"]))
    edited.write()
    edited.execute()
    built = edited.task("build")
    assert (built["title"], built["paths"]) == ("Build it well", ("app/", "docs/"))


@pytest.mark.parametrize(
    ("old", "new", "said", "at"),
    [
        ("percentage: 0\n", "percentage: 99\n", "progress is computed and cannot be edited", "percentage: 99"),
        ("status: planning", "status: completed", "metadata.status is computed", "status: completed"),
        ("weight: 40\n", "weight: 70\n", "kiro_configuration is computed", "weight: 70"),
        ("id: decide\n", "id: choose\n", "task build: depends_on names decide", "depends_on:\n  - decide"),
        ("  phase: design\n", "  phase: lunch\n", "phase: Input should be 'design', 'spec'", "phase: lunch"),
        ("  weight: 30\n", "  weight: heavy\n", "weight: Input should be a valid integer", "weight: heavy"),
        ("  weight: 30\n", "  weight: 30\n  hue: red\n", "hue: Extra inputs are not permitted", "hue: red"),
        ("  - docs/\n", "  - ../docs/\n", "'../docs/' leads out of the repository", "- ../docs/"),
        ("depends_on: []\n", "depends_on: [ship]\n", "the tasks wait for each other in a circle", "depends_on: [ship]"),
        (
            "  - d-1\n  status: pending\n",
            "  - d-1\n  status: done\n",
            "tasks.decide.status is computed",
            "status: done",
        ),
        ("  primary: ", "  primary: ''\n  was: ", "objectives.primary: String should have at least 1", "primary: ''"),
        ("duration: 2 weeks", "duration: ''", "metadata.duration must not be empty", "duration: ''"),
        ("duration: 2 weeks", "duration: 14", "duration: Input should be a valid string", "duration: 14"),
        ("likelihood: low", "likelihood: never", "risks.0.likelihood: Input should be 'low'", "likelihood: never"),
        ("requires: []\n", "requires: none\n", "dependencies.requires: Input should be a valid list", "requires: none"),
        ("requires: []\n", "requires: [{own}]\n", "A milestone cannot require itself", "requires: [{own}]"),
        ("risks:\n", "notes: mine\nrisks:\n", "there is no section notes", "notes: mine"),
        ("team:\n", "team: us\nteams:\n", "team must be a mapping of its fields", "team: us"),
        ("owner: current_user\n", 'owner: "\\0"\n', "team.owner holds a character that cannot be stored", 'owner: "'),
    ],
)
@pytest.mark.parametrize("engine", ENGINES)
def test_an_edit_that_does_not_fit_is_refused_with_its_line_and_changes_nothing(
    shared_plan: Callable[[str], Mirrored], engine: str, old: str, new: str, said: str, at: str
) -> None:
    plan = shared_plan(engine)
    before, was = plan.project.dump(), plan.path.read_text("utf-8")
    text = plan.replace(old, new.replace("{own}", plan.milestone_id))
    try:
        done = plan.command("import", plan.milestone_id)
        assert plan.path.read_text("utf-8") == text
    finally:
        plan.path.write_text(was, "utf-8")
    assert done.return_value == 1
    line = text.count("\n", 0, text.index(at.replace("{own}", plan.milestone_id))) + 1
    told = [one for one in done.stdout.splitlines() if said in one]
    assert [one.startswith(f"refused: active/{plan.milestone_id}.yaml, line {line}: ") for one in told] == [True]
    assert plan.project.dump() == before


@pytest.fixture(scope="module")
def shared_plan(new_project: Callable[..., Project]) -> Callable[[str], Mirrored]:
    """A planned milestone for each engine that tests leave as it is."""
    made: dict[str, Mirrored] = {}
    return lambda engine: (
        made.setdefault(engine, Mirrored.planned(new_project(engine))) if engine not in made else made[engine]
    )


def test_what_is_computed_is_named_with_all_its_lines(plan: Mirrored) -> None:
    plan.edit(lambda document: document["progress"].update(percentage=80, tasks_total=4, overall=80))
    lines = plan.path.read_text("utf-8").splitlines()
    first, last = (
        next(n for n, line in enumerate(lines, 1) if name in line) for name in ("percentage: 80", "overall: 80")
    )
    done = plan.command("import", plan.milestone_id, "--json")
    assert json.loads(done.stdout)["edits"][0]["problems"] == [
        f"active/{plan.milestone_id}.yaml, lines {first}-{last}: progress is computed and cannot be edited"
    ]


def test_a_server_puts_an_edit_that_does_not_fit_aside_and_tells_the_line(plan: Mirrored) -> None:
    before = plan.sections()
    text = plan.replace("  weight: 30\n", "  weight: heavy\n")
    line = text.count("\n", 0, text.index("heavy")) + 1
    plan.write()
    [told] = plan.events("edit_refused")
    assert told["line"] == line
    assert f"line {line}: weight: Input should be a valid integer" in told["problems"][0]
    assert (plan.project.mirror / told["subject"]).read_text("utf-8") == text
    assert "weight: 30" in plan.path.read_text("utf-8")
    assert plan.sections() == before


def test_fields_that_a_person_and_the_server_change_at_the_same_time_both_count(plan: Mirrored) -> None:
    """Planted and found: an import that takes the whole file for what the person wants."""
    plan.project.operate("update_milestone", milestone_id=plan.milestone_id, duration="5 weeks", team={"owner": "Cy"})
    plan.edit(lambda document: document["objectives"].update(primary="Something else"))
    plan.write()
    assert plan.row()["duration"] == "5 weeks"
    assert plan.sections()["team"] == {"owner": "Cy"}
    assert plan.sections()["objectives"]["primary"] == "Something else"
    assert plan.events("edit_imported")[0]["changed"] == ["objectives.primary"]
    assert plan.shown()["metadata"]["duration"] == "5 weeks"


def test_a_file_that_was_opened_before_the_server_wrote_it_anew_is_compared_with_what_was_opened(
    plan: Mirrored,
) -> None:
    """Planted and found: a comparison with what was written last."""
    opened = plan.path.read_text("utf-8")
    for weeks in range(3, 6):
        given = {"duration": f"{weeks} weeks", "risks": [RISK] * weeks}
        plan.project.operate("update_milestone", milestone_id=plan.milestone_id, **given)
        plan.write()
    plan.path.write_text(opened.replace("owner: current_user", "owner: Ada"), "utf-8")
    plan.write()
    assert plan.sections()["team"]["owner"] == "Ada"
    assert (plan.row()["duration"], len(plan.sections()["risks"])) == ("5 weeks", 5)
    assert plan.events("edit_imported")[0]["changed"] == ["team.owner"]
    plan.path.write_text(opened, "utf-8")  # saved again without a change: no edit
    plan.project.operate("update_milestone", milestone_id=plan.milestone_id, duration="6 weeks")
    plan.write()
    assert len(plan.events("edit_imported")) == 1
    assert plan.shown()["metadata"]["duration"] == "6 weeks"


def test_where_both_changed_the_same_field_the_database_stays_and_the_text_is_kept_and_told(plan: Mirrored) -> None:
    plan.project.operate("update_milestone", milestone_id=plan.milestone_id, duration="5 weeks")
    text = plan.edit(lambda document: document["metadata"].update(duration="1 day", name="Other"))
    plan.write()
    assert (plan.row()["duration"], plan.row()["name"]) == ("5 weeks", "Other")
    [told] = plan.events("edit_imported")
    line = text.count("\n", 0, text.index("duration: 1 day")) + 1
    assert (told["changed"], told["conflicts"]) == (["metadata.name"], [f"metadata.duration (line {line})"])
    assert (plan.project.mirror / told["kept"]).read_text("utf-8") == text


def test_a_dry_run_shows_what_would_change_and_changes_nothing(plan: Mirrored) -> None:
    before, text = plan.project.dump(), plan.edit(lambda document: document["team"].update(owner="Ada"))
    shown = json.loads(plan.command("import", "--dry-run", "--json").stdout)
    assert shown["dry_run"] is True
    assert [(one["path"], one["changed"]) for one in shown["edits"]] == [
        (f"active/{plan.milestone_id}.yaml", ["team.owner"])
    ]
    assert (plan.project.dump(), plan.path.read_text("utf-8"), plan.kept) == (before, text, [])
    done = plan.command("import", plan.milestone_id)
    assert done.return_value == 0
    assert f"took in team.owner\n  what you wrote is kept in edits/{plan.milestone_id}-" in done.stdout
    assert plan.shown()["team"]["owner"] == "Ada"
    assert plan.command("import").stdout == "No file was edited.\n"


def test_other_words_for_the_same_change_nothing_and_are_kept(plan: Mirrored) -> None:
    before = plan.sections()
    document = plan.shown()
    text = json.dumps({name: document[name] for name in reversed(document)})  # another order, and no head
    plan.path.write_text(text, "utf-8")
    plan.write()
    assert plan.sections() == before
    assert plan.kept == [text]
    assert len(plan.events("edit_put_aside")) == 1


def test_a_file_that_was_deleted_is_written_anew(plan: Mirrored) -> None:
    text = plan.path.read_text("utf-8")
    plan.path.unlink()
    plan.write()
    assert plan.path.read_text("utf-8") == text


def test_what_has_ended_cannot_be_edited(plan: Mirrored) -> None:
    plan.project.operate("update_milestone", milestone_id=plan.milestone_id, status="cancelled")
    plan.write()
    plan.edit(lambda document: document["team"].update(owner="Ada"))
    assert "the milestone is cancelled, and what has ended stays so" in plan.command("import", plan.milestone_id).stdout


WORDS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(JSON)
def test_what_is_written_is_read_as_it_was(value: Any) -> None:
    """Else what nobody edited would look as if somebody had."""
    text = yaml.dump(value, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=120)
    assert json.dumps(read(text, "m.yaml", limit=LIMIT)) == json.dumps(value)
