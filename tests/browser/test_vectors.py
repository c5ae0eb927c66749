"""Nothing that is stored runs: a hundred vectors in every text of every table, seen in every view by a real browser."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.browser.hostile import Poison
from tests.browser.serving import Dashboard
from tests.browser.vectors import VECTORS, mark
from tests.browser.visiting import Visit
from tests.helpers.execution import lean, task
from tests.helpers.projects import PROGRAM, Project
from tests.helpers.underway import Execution, InProcess

EVERY = {*range(len(VECTORS))}
THREES = list(zip(*[iter([*VECTORS, *VECTORS[:2]])] * 3, strict=True))  # each in one of three places
# What holds no text of anybody: ids that the product makes, states, times, numbers, and what nothing shows.
NOT_TEXT = {
    *("project_id", "milestone_id", "session_id", "checkpoint_id", "status", "mode", "scope", "phase", "steering"),
    *("at", "created_at", "updated_at", "registered_at", "seen_at", "ended_at", "started_at", "completed_at"),
    *("sent_at", "saved_at", "asked_at", "answered_at", "accepted_at", "expires_at", "handed_out_at", "parked_until"),
    *("delivered_at", "read_at", "acked_at", "from_at", "until_at", "era", "parked_era", "server", "token_digest"),
    *("host_session", "host_agent", "produces", "proof", "trees", "rolling", "arguments_digest", "key", "strategy"),
}
NO_TEXT = {"evidence.kind", "tasks.repository", "tasks.source"}
UNSEEN = {"journal", "thread_checkpoints", "thread_values", "thread_writes", "projects"}
# What stands on the page is made of these alone, and nothing of it can run or lead elsewhere.
FOREIGN = """() => {
  const found = [], picture = /[/]chart[/]|report[.]html$/.test(location.pathname);
  const elements = ["script", "iframe", "object", "embed", "base", "frame", "frameset", "template", "math", "textarea",
    "foreignObject", "animate", "set", "marquee", "video", "audio", ...(picture ? [] : ["style"])];
  const leading = ["src", "action", "formaction"], hidden = ["srcdoc", ...(picture ? [] : ["style"])];
  for (const one of document.querySelectorAll("*")) {
    const name = one.localName, ours = name === "script" && one.outerHTML === OURS;
    if ((elements.includes(name) && !ours) || (name === "meta" && one.httpEquiv)) found.push(one.outerHTML);
    for (const { name: key, value } of one.attributes) {
      const runs = /^\\s*(javascript|data:text)/i.test(value) && [...leading, "href", "xlink:href"].includes(key);
      const elsewhere = leading.includes(key) && !value.startsWith("/");
      if (key.startsWith("on") || hidden.includes(key) || runs || elsewhere) found.push(`${name} ${key}=${value}`);
    }
  }
  if ("__ran" in window) found.push("a vector ran");
  return found.concat(window.__violations.map((one) => "policy: " + one));
}""".replace("OURS", repr('<script type="module" src="/static/app.js"></script>'))


@dataclass(frozen=True)
class Hostile:
    """A project full of vectors."""

    execution: Execution
    milestones: list[str]
    written: set[tuple[str, str]]

    @property
    def project(self) -> Project:
        """Where it is."""
        return self.execution.project


@pytest.fixture(scope="module")
def hostile(new_repository: Callable[..., Project]) -> Hostile:
    """A project in which every text of every table is a vector."""
    project = new_repository(files=lean())
    execution = Execution.begin(InProcess(project), task("do-design", "design"), task("build", "execute"))
    poison = Poison(execution)
    return Hostile(execution, poison.spread(), poison.written)


@pytest.fixture(scope="module")
def dashboard(hostile: Hostile) -> Iterator[Dashboard]:
    """Its dashboard."""
    with Dashboard(hostile.project) as running:
        yield running


class Looking:
    """Looks at addresses: nothing foreign may stand there."""

    def __init__(self, window: Visit) -> None:
        self.window = window
        window.enter()
        window.expected = ("status of 400", "status of 404", "status of 409")

    def at(self, address: str) -> str:
        """Return what a page says."""
        answer = self.window.page.goto(self.window.dashboard.base + address if address.startswith("/") else address)
        plain = answer is not None and answer.headers.get("content-type", "").startswith("text/plain")
        foreign = [] if plain else self.window.evaluate(FOREIGN)
        assert (foreign, self.window.noise) == ([], []), address
        return self.window.evaluate("document.documentElement.textContent")

    def through(self, address: str, by: str) -> set[int]:
        """Return which vectors are seen on all pages of a list; `by` is what leads to its next page."""
        seen = marks(self.at(address))
        for _ in range(100):
            older = self.window.page.locator(f'a[rel=next][href*="{by}="]')
            if not older.count():
                return seen
            seen |= marks(self.at(older.first.get_attribute("href") or ""))
        raise AssertionError(address)


@pytest.fixture
def look(visit: Callable[..., Visit], dashboard: Dashboard) -> Looking:
    """A window in which is looked at what others wrote."""
    return Looking(visit(dashboard))


def marks(text: str) -> set[int]:
    """Return which vectors are to be seen in a text."""
    return {number for number in range(len(VECTORS)) if mark(number) in text}


def test_there_are_a_hundred_of_them_and_each_is_another() -> None:
    assert len(VECTORS) == len({*VECTORS}) == 100


def test_no_column_that_holds_text_was_forgotten(hostile: Hostile) -> None:
    """A column that a later version adds has to be decided about here."""
    with contextlib.closing(sqlite3.connect(hostile.project.database)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        known = {table: connection.execute(f"PRAGMA table_info({table})").fetchall() for table in tables}
    columns = {
        (table, row[1]) for table, rows in known.items() if table not in UNSEEN for row in rows if row[2] == "TEXT"
    }
    missed = {f"{table}.{name}" for table, name in columns - hostile.written}
    assert {one for one in missed if one.partition(".")[2] not in NOT_TEXT} == NO_TEXT


def test_no_vector_runs_where_milestones_are_named(hostile: Hostile, look: Looking) -> None:
    assert len(marks(look.at("/"))) >= 99
    for number, milestone_id in enumerate(hostile.milestones):
        assert number in marks(look.at(f"/m/{milestone_id}"))


def test_no_vector_runs_in_the_words_of_those_who_approved_and_rejected(hostile: Hostile, look: Looking) -> None:
    assert {n for one in hostile.milestones[:25] for n in marks(look.at(f"/m/{one}/approvals"))} >= EVERY


@pytest.mark.parametrize(
    "view", ["tasks", "messages", "events", "evidence", "evidence?runs=0", "checkpoints", "decisions"]
)
def test_no_vector_runs_in_any_list(hostile: Hostile, look: Looking, view: str) -> None:
    """Planted and found: a title that is put into the page as it is."""
    by = {"events": "before", "evidence?runs=0": "runs"}.get(view, "offset")
    assert look.through(f"/m/{hostile.execution.milestone_id}/{view}", by) == EVERY


def test_no_vector_runs_in_the_views_that_show_a_choice(hostile: Hostile, look: Looking) -> None:
    """Planted and found: templates that escape nothing."""
    base = f"/m/{hostile.execution.milestone_id}"
    assert len(marks(look.at(base))) > 10
    assert len(marks(look.at(f"{base}/agents"))) > 40
    assert look.at(f"{base}/progress")


def test_no_vector_runs_where_a_person_is_asked(hostile: Hostile, look: Looking) -> None:
    """Planted and found: a field that holds what the address says as it is."""
    for number, text in enumerate(VECTORS):
        action, given = ("waive", "retry", "skip", "keep")[number % 4], quote(text)
        said = look.at(f"/m/{hostile.execution.milestone_id}/do/{action}?task={given}&by={given}&reason={given}")
        assert number in marks(said)


def test_no_vector_runs_that_stands_in_an_address(hostile: Hostile, look: Looking) -> None:
    for three in THREES:
        one, two, last = (quote(text, safe="") for text in three)
        look.at(f"/m/{hostile.execution.milestone_id}/tasks?status={one}&offset={two}&said={last}")
        look.at(f"/m/{one}/do/{two}?{last}={last}")


def test_no_vector_runs_in_what_a_rollback_would_change(hostile: Hostile, look: Looking) -> None:
    base = f"/m/{hostile.execution.milestone_id}"
    wanted = hostile.execution.milestone_id
    found = hostile.project.operate("create_agent_checkpoint", scope_id=wanted, scope="milestone")
    look.at(f"{base}/checkpoints/{found['checkpoint_id']}")


@pytest.mark.parametrize("name", ["graph", "timeline", "burnup", "phases"])
def test_no_vector_runs_in_a_chart_that_is_opened_by_itself(hostile: Hostile, look: Looking, name: str) -> None:
    """A picture on the page cannot run anything; opened by itself it is a document like any other."""
    said = look.at(f"/m/{hostile.execution.milestone_id}/chart/{name}.svg")
    assert name not in ("graph", "timeline") or marks(said)


def test_no_vector_runs_in_the_report(hostile: Hostile, look: Looking, tmp_path: Path) -> None:
    milestone_id, target = hostile.execution.milestone_id, tmp_path / "report.html"
    command = [*PROGRAM, "report", milestone_id, "--output", str(target)]
    subprocess.run(command, env=hostile.project.environment, check=True, capture_output=True)
    look.window.allowed = target.as_uri()
    assert marks(look.at(target.as_uri())) == EVERY


def test_no_vector_runs_that_arrives_while_the_page_is_open(hostile: Hostile, look: Looking) -> None:
    """What comes later is put into the page by our own script: it has to keep text text."""
    look.at(f"/m/{hostile.execution.milestone_id}/events")
    look.window.live()
    for text in VECTORS:
        detail = {"why": text, text: [text]}
        hostile.execution.call("log_milestone_event", event="note", subject=text, detail=detail)
    hostile.execution.call("log_milestone_event", event="note", subject="the last of all")
    look.window.page.wait_for_selector("text=the last of all")
    assert (look.window.evaluate(FOREIGN), look.window.noise) == ([], [])
    assert len(marks(look.window.evaluate("document.body.textContent"))) >= 49
