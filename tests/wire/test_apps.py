"""The page for hosts that render MCP Apps: it shows what a real server says, as text alone, and reaches nobody."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Frame, expect

from milestone.operations.registry import REGISTRY
from milestone.surfaces.apps import EXTENSION, PAGE, html
from tests.browser.vectors import VECTORS
from tests.helpers.apps import App, contents, result
from tests.helpers.chromium import running_chromium
from tests.helpers.listening import Listener
from tests.helpers.projects import Project

SIZED = "ui/notifications/size-changed"
EVIL = "<img src=x onerror=__ran=1>"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The machine's own Chromium. It ends with this file, for it keeps a loop running."""
    with running_chromium() as running:
        yield running


@pytest.fixture(scope="module")
def begin(new_project: Callable[..., Project]) -> Iterator[Callable[[str], Listener]]:
    """Starts real servers whose project has a milestone in planning; its name is meant to run."""
    begun: dict[str, Listener] = {}

    def start(era: str) -> Listener:
        if era not in begun:
            begun[era] = Listener(new_project(), era)
            begun[era].call("initialize_agent_coordination", milestone_id="goal", name=EVIL, description=EVIL)
            begun[era].call("next_actions", milestone_id="goal")
        return begun[era]

    yield start
    for one in begun.values():
        one.close()


@pytest.fixture
def server(begin: Callable[[str], Listener]) -> Listener:
    """The server behind the page."""
    return begin("modern")


@pytest.fixture
def show(browser: Browser, server: Listener) -> Iterator[Callable[..., App]]:
    """Shows the page in a host; at the end no page may have run, fetched or broken anything."""
    shown: list[App] = []

    def open_one(**how: Any) -> App:
        shown.append(App(browser, server, **how))
        return shown[-1]

    yield open_one
    for one in shown:
        one.close()


def lines(frame: Frame, part: str) -> list[str]:
    """Return the lines of a part of the page."""
    return frame.locator(f"#{part} li").all_inner_texts()


@pytest.mark.parametrize("era", ["modern", "legacy"])
def test_one_tool_names_the_page_and_hosts_without_apps_see_nothing_else_than_before(
    begin: Callable[[str], Listener], era: str
) -> None:
    server = begin(era)
    tools = server.request("tools/list", {})["result"]["tools"]
    assert {one["name"]: one["_meta"] for one in tools if "_meta" in one} == {
        "get_milestone": {"ui": {"resourceUri": PAGE}}
    }
    listed = {one.name: (one.description, one.schema) for one in REGISTRY.values() if one.listed}
    assert {one["name"]: (one["description"], one["inputSchema"]) for one in tools} == listed
    assert PAGE not in json.dumps(server.request("resources/list", {}))
    answer, text = server.answer(server.begin_call("get_milestone", milestone_id="goal"))
    assert not answer
    assert "ui://" not in text


def test_the_extension_is_told_where_the_protocol_knows_extensions(server: Listener) -> None:
    assert EXTENSION in server.request("server/discover", {})["result"]["capabilities"]["extensions"]


def test_the_page_is_one_file_that_names_no_address_and_reads_no_markup() -> None:
    text = html()
    assert len(text.encode()) < 20_000
    assert not re.search(r"https?:|//[a-z]|\bsrc=|\bhref=|url\(|@import", text)
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b|Function\(|srcdoc|\.on[a-z]+ =", text
    )
    assert text.count("<script>") == 1


def test_it_shows_what_the_server_says(show: Callable[..., App], server: Listener) -> None:
    app = show()
    expect(app.frame.locator("h1")).to_have_text(EVIL)
    expect(app.frame.locator("#phases li")).to_have_count(4)
    board = server.read("milestone://goal")
    weights = [f"weighs {one['weight']} %" for one in board["progress"]["phases"]]
    assert all(weight in line for weight, line in zip(weights, lines(app.frame, "phases"), strict=True))
    assert len(lines(app.frame, "front")) == len(board["tasks"]["front"])
    assert all(
        one["task_id"] in line for one, line in zip(board["tasks"]["front"], lines(app.frame, "front"), strict=True)
    )
    assert [one for one in app.asked() if one != SIZED][:2] == ["ui/initialize", "ui/notifications/initialized"]
    assert [one for one in app.asked() if not one.startswith("ui/")] == ["tools/call", "resources/read"]


def test_what_waits_for_a_person_stands_first(show: Callable[..., App]) -> None:
    board = {
        "milestone_id": "goal",
        "name": "Login",
        "status": "active",
        "held_back": "paused by a person",
        "progress": {
            "percentage": 40,
            "phases": [
                {"phase": "design", "weight": 15, "status": "in_progress", "percentage": 50, "approval": "waiting"}
            ],
            "tasks_completed": 2,
            "tasks_total": 5,
            "eta": "2 to 3 h",
        },
        "tasks": {
            "front": [{"task_id": "t-1", "title": "A seam", "status": "in_review", "agent_id": "w-1", "why": "gates"}]
        },
        "waiting": [
            {
                "kind": "approval",
                "phase": "design",
                "tasks": [],
                "why": "a person approves it",
                "commands": ["milestone approve design --by NAME"],
            }
        ],
    }
    app = show(**{"tools/call": result({"milestone_id": "goal", "progress": {}}), "resources/read": contents(board)})
    expect(app.frame.locator("#where")).to_have_text("active · 40 % · 2 of 5 tasks · 2 to 3 h")
    assert lines(app.frame, "waits") == [
        "paused by a person",
        "approval · design a person approves it · milestone approve design --by NAME",
    ]
    said = "design weighs 15 % · in progress · approval waiting50 %"
    assert app.frame.locator("#phases li").text_content() == said
    assert lines(app.frame, "front") == ["t-1 A seam · in review · w-1 · gates"]
    assert app.frame.locator("#phases progress").evaluate("(bar) => bar.value") == 50


def test_without_resources_it_shows_what_the_tool_said(show: Callable[..., App]) -> None:
    answer = {
        "milestone_id": "goal",
        "name": "Login",
        "status": "active",
        "progress": {
            "percentage": 12.4,
            "by_phase": {"design": 100, "spec": 7},
            "tasks_completed": 1,
            "tasks_total": 9,
            "eta": "insufficient data (1)",
        },
        "phases": {"design": "completed", "spec": "in_progress"},
        "playbook": [{"task_id": "t-2", "status": "claimed", "agent_id": "w-2"}],
        "missing": ["t-2 (claimed) lacks gates"],
        "waits_for": "milestone 'x' has to be completed first",
    }
    app = show(serverResources=None, **{"tools/call": result(answer)})
    expect(app.frame.locator("#missing li")).to_have_text(["t-2 (claimed) lacks gates"])
    assert lines(app.frame, "waits") == ["milestone 'x' has to be completed first"]
    assert lines(app.frame, "front") == ["t-2 claimed · w-2"]
    assert "resources/read" not in app.asked()


def test_a_host_that_lets_it_call_nothing_hands_it_the_result(show: Callable[..., App], server: Listener) -> None:
    denied = {"error": {"code": -32000, "message": "Not allowed"}}
    app = show(serverTools=None, serverResources=None, **{"tools/call": denied})
    expect(app.frame.locator("#said")).to_have_text("Not allowed")
    app.tell("ui/notifications/tool-input", {"arguments": {"milestone_id": "goal"}})
    app.tell(
        "ui/notifications/tool-result",
        server.request("tools/call", {"name": "get_milestone", "arguments": {}})["result"],
    )
    expect(app.frame.locator("h1")).to_have_text(EVIL)
    expect(app.frame.locator("#said")).to_be_hidden()


def test_it_looks_again_when_asked_with_the_keyboard_at_the_same_milestone(show: Callable[..., App]) -> None:
    app = show()
    expect(app.frame.locator("#phases li")).to_have_count(4)
    app.frame.locator("#again").focus()
    app.page.keyboard.press("Enter")
    app.page.wait_for_function("window.heard.filter((one) => one.method === 'tools/call').length === 2")
    calls = [one["params"] for one in app.page.evaluate("window.heard") if one.get("method") == "tools/call"]
    assert calls == [
        {"name": "get_milestone", "arguments": {}},
        {"name": "get_milestone", "arguments": {"milestone_id": "goal"}},
    ]


def test_it_follows_the_theme_of_its_host(show: Callable[..., App]) -> None:
    """Planted and found: a theme that is read at the beginning and never again."""
    colour = "getComputedStyle(document.documentElement).backgroundColor"
    app = show(hostContext={"theme": "dark"})
    expect(app.frame.locator("#phases li")).to_have_count(4)
    dark = app.frame.evaluate(colour)
    app.tell("ui/notifications/host-context-changed", {"theme": "light"})
    app.frame.wait_for_function("document.documentElement.dataset.theme === 'light'")
    assert (dark, app.frame.evaluate(colour)) == ("rgb(27, 27, 29)", "rgb(255, 255, 255)")
    variables = {
        "--color-background-primary": "rgb(1, 2, 3)",
        "--color-text-primary": "url(http://evil.localhost/x)",
        "background-image": "url(http://evil.localhost/y)",
    }
    app.tell("ui/notifications/host-context-changed", {"styles": {"variables": variables}})
    app.frame.wait_for_function(f"{colour} === 'rgb(1, 2, 3)'")
    assert app.frame.evaluate("getComputedStyle(document.body).color") == "rgb(28, 28, 28)"


def test_it_answers_its_host_and_nobody_else(show: Callable[..., App]) -> None:
    """Planted and found: messages taken from whatever window."""
    app = show()
    expect(app.frame.locator("h1")).to_have_text(EVIL)
    for number, method in enumerate(("ping", "ui/resource-teardown", "ui/nothing"), 1_000):
        app.tell(method, {}, id=number)
    assert [app.replied(number).get("result") for number in (1_000, 1_001, 1_002)] == [{}, {}, None]
    assert app.replied(1_002)["error"]["code"] == -32601
    (stranger,) = [frame for frame in app.page.frames if frame.url == "about:srcdoc"]
    fake = {
        "jsonrpc": "2.0",
        "method": "ui/notifications/tool-result",
        "params": result({"milestone_id": "x", "name": "Fake", "progress": {}}),
    }
    stranger.evaluate("(message) => parent.frames[0].postMessage(message, '*')", fake)
    app.tell("ping", {}, id=2_000)  # what came before it has been looked at
    app.replied(2_000)
    expect(app.frame.locator("h1")).to_have_text(EVIL)
    assert SIZED in app.asked()


def test_text_of_agents_never_runs(show: Callable[..., App]) -> None:
    """Planted and found: `innerHTML` for one line of the list."""
    everywhere = [dict.fromkeys(("task_id", "title", "status", "agent_id", "why"), one) for one in VECTORS]
    asked = [dict.fromkeys(("kind", "phase", "why"), one) | {"tasks": [one], "commands": [one]} for one in VECTORS]
    phases = [dict.fromkeys(("phase", "weight", "status", "percentage", "approval"), one) for one in VECTORS]
    board = {"milestone_id": "goal", "progress": {"phases": phases}, "tasks": {"front": everywhere}, "waiting": asked}
    app = show(**{"resources/read": contents(board)}, hostContext={"theme": VECTORS[0]})
    expect(app.frame.locator("#front li")).to_have_count(len(VECTORS))
    assert app.frame.locator("#front li").all_text_contents() == [f"{one} {' · '.join([one] * 4)}" for one in VECTORS]
    app.how["resources/read"] = {"error": {"code": -1, "message": VECTORS[0]}}
    for one in VECTORS:
        told = {"milestone_id": "goal", "name": one, "status": one, "missing": [one], "warning": one, "waits_for": one}
        rest = {"progress": {"by_phase": {one: 1}, "eta": one}, "phases": {one: one}, "playbook": [{"task_id": one}]}
        app.tell("ui/notifications/tool-result", result(told | rest))
    app.tell("ping", {}, id=1)  # what came before it has been shown
    assert app.replied(1)["result"] == {}
    assert app.frame.locator("h1").text_content() == VECTORS[-1]
    app.tell("ui/notifications/tool-result", {"isError": True, "content": [{"type": "text", "text": VECTORS[0]}]})
    expect(app.frame.locator("#said")).to_be_visible()
    script = "[...new Set([...document.body.querySelectorAll('*')].map((one) => one.tagName))].sort().join()"
    assert app.frame.evaluate(script) == "BUTTON,DIV,H1,H2,HEADER,LI,MAIN,P,PROGRESS,SCRIPT,SECTION,SPAN,UL"


SHAPES: list[Any] = [
    *(None, 7, [], {}, {"content": 7}, {"content": [None]}, {"content": [{"type": "text", "text": "{"}]}),
    *(result(None), result([1]), result({"milestone_id": ["x"]}), result({"milestone_id": "goal", "progress": []})),
    result({"milestone_id": "goal", "progress": {"by_phase": [1], "percentage": "x"}, "playbook": {"x": 1}}),
    result({"milestone_id": "goal", "progress": {"by_phase": {"a": None}}, "missing": [None, {}, []], "warning": {}}),
]


def test_an_answer_of_another_shape_breaks_nothing(show: Callable[..., App]) -> None:
    app = show(**{"resources/read": {"contents": [{"text": "["}]}})
    app.page.wait_for_function("window.heard.some((one) => one.method === 'resources/read')")
    for number, answer in enumerate(SHAPES):
        app.tell("ui/notifications/tool-result", answer)
        app.tell("ping", {}, id=f"after {number}")
        assert app.replied(f"after {number}")["result"] == {}
    expect(app.frame.locator("#again")).to_be_enabled()
