"""The pages: each shows what is known, says what to do where nothing is, and writes nothing of others as markup."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest

from milestone.surfaces.web.rules import RULES
from tests.helpers.execution import task
from tests.helpers.projects import Project
from tests.helpers.underway import Execution, InProcess
from tests.web.serving import Dashboard, serving

ENGINES = ("sqlite", "postgres")
VIEWS = ("", "/tasks", "/agents", "/progress", "/messages", "/events", "/checkpoints", "/evidence", "/decisions")
ALL = (*VIEWS, "/approvals")
EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'`{{7*7}}\u202e\u200b\x1b[2J</textarea></pre>"
WORK = (
    task("design-it", "design", title=f"Design {EVIL}"),
    task("build-it", "execute", ("design-it",), ("app/",)),
    task("build-more", "execute", ("build-it",), ("docs/",)),
)


class Shown:
    """A project with a milestone under way, and its dashboard."""

    def __init__(self, project: Project, dashboard: Dashboard, execution: Execution) -> None:
        self.project, self.dashboard, self.execution = project, dashboard, execution
        self.path = f"/m/{execution.milestone_id}"

    def page(self, view: str = "") -> str:
        """Return a page of the milestone."""
        return self.dashboard.get(f"{self.path}{view}")


@pytest.fixture(scope="module", params=ENGINES)
def shown(request: pytest.FixtureRequest, new_repository: Callable[..., Project]) -> Iterator[Shown]:
    """A milestone in which something of everything has happened, with hostile text wherever text may stand."""
    project = new_repository(request.param)
    execution = Execution.begin(InProcess(project), *WORK)
    worker = execution.worker("design-it").begin()
    worker.save()
    worker.complete()
    execution.to("build-it")
    who: dict[str, Any] = {"from_agent": worker.agent_id, "token": worker.who["token"]}
    given: dict[str, Any] = {"scope": "milestone", "scope_id": execution.milestone_id, "label": f"now {EVIL}"}
    project.operate("create_agent_checkpoint", **given)
    project.operate("send_agent_message", to="*", type="note", payload={"text": EVIL, EVIL: 1}, **who)
    person: dict[str, Any] = {"by": f"Ada {EVIL}", "reason": f"late {EVIL}", "milestone_id": execution.milestone_id}
    project.operate("waive", task_id="build-more", **person)
    project.write("UPDATE milestones SET name = :name, description = :name", name=f"Cards {EVIL}")
    with serving(project, execution.milestone_id) as dashboard:
        yield Shown(project, dashboard, execution)


def words(page: str) -> str:
    """Return what a person reads of a page."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_the_link_leads_to_the_milestone_that_was_named_at_an_address_without_the_token(shown: Shown) -> None:
    path = shown.dashboard.link.removeprefix(shown.dashboard.address)
    entered = shown.dashboard.ask("GET", path, {"Cookie": ""})
    assert (entered.status, entered.headers["location"]) == (303, shown.path)
    assert re.fullmatch(r"milestone-\d+=[0-9a-f]{64}; HttpOnly; SameSite=Strict; Path=/", entered.headers["set-cookie"])


def test_a_wrong_token_opens_nothing_and_names_lead_nowhere_else(shown: Shown) -> None:
    assert shown.dashboard.ask("GET", f"/enter?token={'0' * 64}", {"Cookie": ""}).status == 401
    token = re.findall("token=([0-9a-f]+)", shown.dashboard.link)[0]
    for name in ("//evil.com", "../../x", "https://evil.com", "a/b", "a%0d%0aX:%20y"):
        entered = shown.dashboard.ask("GET", f"/enter?token={token}&milestone={name}", {"Cookie": ""})
        assert (entered.status, entered.headers["location"]) == (303, "/")


@pytest.mark.parametrize("view", ["/", *ALL])
def test_no_page_holds_the_token_the_cookie_or_markup_of_others(shown: Shown, view: str) -> None:
    """Planted and found: templates without escaping; text that is written without what is invisible spelled out."""
    page = shown.dashboard.get("/") if view == "/" else shown.page(view)
    token = re.findall("token=([0-9a-f]+)", shown.dashboard.link)[0]
    assert token not in page
    assert shown.dashboard.cookie.partition("=")[2] not in page
    assert "<script>" not in page
    assert "<img src=x" not in page
    assert not re.search("[\u202e\u200b\x1b]", page)
    assert "49" not in words(page).partition("Cards")[2][:60], "a template in a name is not carried out"
    assert re.findall("<script[^>]*>", page) == ['<script type="module" src="/static/app.js">']
    assert not re.search(r"<[^>]+ (style|on\w+)=", re.sub('"[^"]*"', '""', page)), "nothing that the policy forbids"
    assert "&lt;script&gt;alert(1)" in page


@pytest.mark.parametrize(
    ("view", "told"),
    [
        ("", ("Phases", "Front of the work", "Waits for you", "Newest events", "build-it", "design", "% proven")),
        ("/tasks", ("design-it", "build-it", "build-more", "Carry out build-it", "claimed", "Waive")),
        ("/agents", ("At work now", "Who ran when", "build-it", "completed")),
        ("/progress", ("How much was proven by when", "Phases", "Waived")),
        ("/messages", ("note", "all")),
        ("/events", ("task completed", "task waived", "phase completed")),
        ("/checkpoints", ("now ", "See what would change", "milestone")),
        ("/evidence", ("Evidence", "design-it", "waiver")),
        ("/decisions", ("Drift", "d-1")),
        ("/approvals", ("No phase needs an approval", "approvals: [design, execute]")),
    ],
)
def test_a_page_shows_what_is_known(shown: Shown, view: str, told: tuple[str, ...]) -> None:
    page = words(shown.page(view))
    assert [one for one in told if one not in page] == []


def test_every_page_is_built_so_that_a_screen_reader_finds_its_way(shown: Shown) -> None:
    for view in ALL:
        page = shown.page(view)
        levels = [int(level) for level in re.findall(r"<h([1-6])", page)]
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(after - before <= 1 for before, after in pairwise(levels)), (view, levels)
        assert '<a class="skip" href="#main">' in page
        assert page.count("<main ") == 1
        assert page.count("<table>") == page.count("<caption")
        assert not re.search(r"<th(?![^>]*scope=)[ >]", page)
        ids = re.findall(r'\sid="([^"]+)"', page)
        assert len(ids) == len(set(ids))


def test_tasks_are_filtered_by_their_state(shown: Shown) -> None:
    page = words(shown.page("/tasks?status=completed"))
    assert "design-it" in page
    assert "build-it claimed" not in page
    assert "No task is failed" in words(shown.page("/tasks?status=failed"))
    assert "build-it" in shown.page("/tasks?status=nonsense&offset=x")


def test_a_dry_run_of_a_rollback_is_shown_and_changes_nothing(shown: Shown) -> None:
    (newest, *_) = re.findall(rf'href="({shown.path}/checkpoints/checkpoint-[0-9a-f]+)"', shown.page("/checkpoints"))
    before = shown.project.dump()
    page = words(shown.dashboard.get(newest))
    assert "This is a dry run: nothing has been changed." in page
    assert "waivers" in page.lower()
    assert shown.project.dump() == before


@pytest.mark.parametrize("path", ["/m/none", "/m/none/tasks", "/m/none/do/pause", "/static/none.js"])
def test_what_is_not_there_is_said_in_words(shown: Shown, path: str) -> None:
    assert shown.dashboard.ask("GET", path).status == 404
    for missing in ("/checkpoints/checkpoint-0", "/do/explode", "/chart/none.svg"):
        answer = shown.dashboard.ask("GET", shown.path + missing)
        assert (answer.status, "That is not possible" in answer.text) == (404, True)


def test_a_project_without_a_milestone_teaches_how_to_begin_and_makes_no_database(
    new_project: Callable[..., Project],
) -> None:
    project = new_project()
    with serving(project) as dashboard:
        page = dashboard.get("/")
        assert "No milestone yet" in page
        assert "/milestone:plan" in page
        assert "milestone rehearse" in page
        assert dashboard.ask("GET", "/m/any").status == 404
        assert not project.database.exists()
        project.operate("initialize_agent_coordination", milestone_id="first", name="First")
        assert 'href="/m/first"' in dashboard.get("/")
        for view in ALL:
            assert "yet" in dashboard.get(f"/m/first{view}") or view in ("", "/tasks", "/events", "/approvals")


def test_own_files_are_served_and_are_all_that_a_page_loads(shown: Shown) -> None:
    for name, kind in (("style.css", "text/css"), ("app.js", "text/javascript")):
        answer = shown.dashboard.ask("GET", f"/static/{name}")
        assert (answer.status, answer.headers["content-type"].split(";")[0]) == (200, kind)
        assert not re.search(r"https?://|@import|url\(", answer.text)
    loaded = [
        one for view in ALL for one in re.findall(r'(?:src|srcset|href)="((?:https?:)?//[^"]*)"', shown.page(view))
    ]
    assert loaded == []
    assert {rule.path for rule in RULES} >= {"/live", "/static/{name}"}
