"""The report: one page that needs nothing else, in which whatever agents wrote is text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from milestone.surfaces import charts, report
from tests.helpers.commands import milestone, refused, told
from tests.helpers.execution import play, task
from tests.helpers.projects import Project
from tests.helpers.underway import Execution, InProcess

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\u202e"
PLAN = (task("decide", "design", title=f"Decide {HOSTILE}"), task("build", "execute", paths=("app/",)))
VOID = ("meta", "br", "img", "link", "input", "use", "path", "rect")


class Page(HTMLParser):
    """What a page is made of; it fails on tags that are not closed in their order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.fixture(scope="module")
def done(new_repository: Callable[..., Project]) -> Execution:
    """A milestone that was carried out; its agents wrote what would run if it were not escaped."""
    execution = Execution.begin(InProcess(new_repository()), *PLAN)
    worker = execution.worker("decide")
    given = {"from_agent": worker.agent_id, "to": "*", "type": "info", "payload": {"text": f"Look: {HOSTILE}"}}
    execution.agents.call("send_agent_message", **given, token=worker.who["token"])
    worker.begin()
    worker.save(value={"summary": HOSTILE, "changed": [], "checks": [], "decisions": [], "concerns": []})
    worker.complete()
    execution.project.operate(
        "waive", task_id="build", by=f"Ada {HOSTILE}", reason=HOSTILE, milestone_id=execution.milestone_id
    )
    play(execution.agents.call, execution.milestone_id)
    return execution


@pytest.fixture(params=["charts", "tables"])
def page(request: pytest.FixtureRequest, done: Execution, monkeypatch: pytest.MonkeyPatch) -> Page:
    """The report with charts and, where the extra is missing, with tables."""
    monkeypatch.setattr(charts, "available", lambda: request.param == "charts")
    return Page(report.page(report.told(done.project.application)))


def test_a_page_runs_nothing_and_asks_nobody_for_anything(page: Page) -> None:
    """Planted and found: a picture from elsewhere; a title that is marked as safe."""
    assert not set(page.tags) & {"script", "img", "iframe", "object", "embed", "link", "form", "base", "foreignobject"}
    assert [name for name, _ in page.attributes if name.startswith("on")] == []
    addresses = [value for name, value in page.attributes if name in ("href", "src", "xlink:href", "action")]
    assert [one for one in addresses if not one.startswith("#")] == []
    styles = [value for name, value in page.attributes if name == "style"] + [
        one for one in page.words if "{" in one and "}" in one
    ]
    assert [one for one in styles if re.search(r"@import|url\((?!#)", one)] == []


def test_what_agents_wrote_stands_there_as_they_wrote_it(page: Page) -> None:
    words = "".join(page.words)
    assert words.count("<script>alert(1)</script>") >= 3
    assert "\u202e" not in words
    assert "\\u202e" in words, "what nobody sees is spelled out"


def test_no_two_parts_of_a_page_have_one_name(page: Page) -> None:
    names = [value for name, value in page.attributes if name == "id"]
    assert len(names) == len(set(names))
    wanted = {value[1:] for name, value in page.attributes if name in ("href", "xlink:href") and value}
    wanted |= set(re.findall(r"url\(#([^)]*)\)", " ".join(value for _, value in page.attributes)))
    assert wanted <= set(names)


def test_a_page_tells_of_everything_that_counts(page: Page) -> None:
    words = " ".join("".join(page.words).split())
    for wanted in ("Phases", "Burn-up", "Who was at work when", "Tasks", "Decisions", "What proves it", "Messages"):
        assert wanted in words
    assert "was waived by Ada" in words
    assert "task-report (version 1 by" in words
    assert "d-1 originate" in words
    assert "Look: <script>" in words
    assert ("svg" in page.tags) != ("Time (UTC)" in words), "charts, or tables in their place"


def test_the_newest_milestone_is_written_into_a_file_named_after_it(
    done: Execution, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = milestone(done.project, "report")
    file = tmp_path / f"report-{done.milestone_id}.html"
    assert (said.returncode, said.stdout) == (0, f"Written to {file.name}\n")
    assert file.read_text("utf-8").startswith("<!doctype html>")
    other = tmp_path / "other.html"
    assert milestone(done.project, "report", done.milestone_id, "--output", str(other)).returncode == 0
    assert Page(other.read_text("utf-8")).tags.count("h1") == 1


def test_a_page_can_be_piped_and_its_facts_be_had_as_json(done: Execution) -> None:
    piped = milestone(done.project, "report", "--output", "-")
    assert piped.stdout.startswith("<!doctype html>")
    facts = told(done.project, "report")
    assert facts["milestone"]["milestone_id"] == done.milestone_id
    assert facts["board"]["progress"]["percentage"] == 100.0
    assert [one["task_id"] for one in facts["board"]["waived"]] == ["build"]


def test_where_there_is_nothing_to_report_one_line_says_so(done: Execution, project: Project) -> None:
    assert "no milestone yet" in refused(project, "report")
    assert not project.database.exists()
    assert "There is no milestone 'other'" in refused(done.project, "report", "other")
    assert "No such file or directory" in refused(done.project, "report", "--output", "/nowhere/there/report.html")


def test_a_milestone_that_is_being_planned_has_a_report(new_project: Callable[..., Project]) -> None:
    project = new_project()
    project.operate("initialize_agent_coordination", name="Goal")
    facts: dict[str, Any] = report.told(project.application)
    assert json.loads(json.dumps(facts)) == facts
    assert "Nothing is proven yet" in report.page(facts)
