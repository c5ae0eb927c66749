"""Every route against every host, origin, token, method and body: whatever is not exactly right is turned away."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator
from itertools import product
from typing import Any
from urllib.parse import urlencode

import pytest

from milestone.surfaces.web.app import routes
from milestone.surfaces.web.guard import HEADERS, Guard
from milestone.surfaces.web.keys import Keys
from milestone.surfaces.web.rules import FORM, RULES, Rule
from tests.helpers.projects import Project
from tests.web.serving import Dashboard, serving

PORT = 4711
HERE = f"127.0.0.1:{PORT}"
HOSTS = {
    (HERE,): True,
    (f"localhost:{PORT}",): True,
    (): False,
    ("",): False,
    (HERE, HERE): False,
    (HERE, "evil.com"): False,
    ("evil.com",): False,
    (f"evil.com:{PORT}",): False,
    (f"127.0.0.1.evil.com:{PORT}",): False,
    ("localhost:evil",): False,
    ("127.0.0.1:80@evil.com",): False,
    ("127.0.0.1",): False,
    ("localhost",): False,
    ("127.0.0.1:4712",): False,
    (f"127.0.0.1:0{PORT}",): False,
    (f"127.0.0.1:{PORT}.",): False,
    (f"[::1]:{PORT}",): False,
    (f"0.0.0.0:{PORT}",): False,
    (f"LOCALHOST:{PORT} ",): False,
}
OWN = "own"  # stands for the origin of the host that is asked
ORIGINS = (
    *((OWN,), (), ("null",), ("http://evil.com",), ("http://localhost:3000",), ("https://" + HERE,), ("file://",)),
    *(("chrome-extension://abc",), (f"http://{HERE}/",), (OWN, "http://evil.com")),
)
SITES = ((), ("same-origin",), ("cross-site",), ("same-site",))
TOKENS = ("right", "none", "wrong", "of another port")
METHODS = ("GET", "POST", "OPTIONS", "HEAD", "DELETE")
KEYS = Keys(PORT)
FILLED = {"milestone_id": "m-1", "checkpoint_id": "checkpoint-1", "name": "graph", "action": "pause"}
ADDRESSES = [rule.path.format(**FILLED) for rule in RULES]
FORMED = "application/x-www-form-urlencoded"


def cookies(token: str) -> list[str]:
    """Return the cookie headers that stand for a token."""
    name, _, value = KEYS.set_cookie.split(";")[0].partition("=")
    value_of = {"right": f"other=1; {name}={value}", "empty": f"{name}=", "wrong": f"{name}={'0' * 64}"}
    return {"none": [], "of another port": [f"milestone-1={value}"]}.get(token) or (
        [value_of[token]] if token in value_of else []
    )


async def asked(guard: Guard, method: str, path: str, headers: list[tuple[str, str]], chunks: list[bytes]) -> Any:
    """Return the status of a request that is put before the guard, its headers, and how much of its body was read."""
    left = list(chunks)
    sent: list[Any] = []

    async def receive() -> Any:
        chunk = left.pop(0) if left else b""
        return {"type": "http.request", "body": chunk, "more_body": bool(left)}

    async def send(message: Any) -> None:
        sent.append(message)

    raw = [(name.encode(), value.encode()) for name, value in headers]
    scope = {"type": "http", "method": method, "path": path, "query_string": b"", "headers": raw}
    await guard(scope, receive, send)
    return sent[0]["status"], dict(sent[0]["headers"]), len(chunks) - len(left)


async def behind(_scope: Any, _receive: Any, send: Any) -> None:
    """Stand for what lies behind the guard."""
    await send({"type": "http.response.start", "status": 299, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def expected(rule: Rule, host: bool, origin: tuple[str, ...], site: tuple[str, ...], token: str, method: str) -> int:
    """Return what must come of a request without a body, written down apart from the guard."""
    if not host:
        return 421
    if origin not in ((), (OWN,)) or (origin == () and method not in ("GET", "HEAD")):
        return 403
    if site not in ((), ("same-origin",), ("none",)):
        return 403
    if rule.path != "/enter" and token != "right":
        return 401
    if method != ("POST" if rule.path.endswith("/confirmed") else "GET"):
        return 405
    return 415 if method == "POST" else 299


def cells() -> Iterator[tuple[Rule, str, Any, Any, Any, str, str]]:
    """Yield every cell of the matrix."""
    for rule, path in zip(RULES, ADDRESSES, strict=True):
        yield from ((rule, path, *cell) for cell in product(HOSTS, ORIGINS, SITES, TOKENS, METHODS))


@pytest.mark.anyio
async def test_every_cell_of_routes_hosts_origins_tokens_and_methods_is_answered_as_it_must_be() -> None:
    """Planted and found: no look at the host, its port, the origin, Sec-Fetch-Site, the method, the token."""
    guard, wrong, count = Guard(behind, KEYS), [], 0
    for rule, path, hosts, origins, sites, token, method in cells():
        host = hosts[0] if hosts else HERE
        headers = [("host", one) for one in hosts]
        headers += [("origin", f"http://{host}" if one == OWN else one) for one in origins]
        headers += [*(("sec-fetch-site", one) for one in sites), *(("cookie", one) for one in cookies(token))]
        status, _, _ = await asked(guard, method, path, headers, [])
        count += 1
        if status != expected(rule, HOSTS[hosts], origins, sites, token, method):
            wrong.append((path, hosts, origins, sites, token, method, status))
    assert (wrong[:5], count) == ([], len(RULES) * len(HOSTS) * len(ORIGINS) * len(SITES) * len(TOKENS) * len(METHODS))


GOOD = [("host", HERE), ("origin", f"http://{HERE}"), ("cookie", cookies("right")[0])]
KINDS = ([FORMED], [f"{FORMED}; charset=utf-8"], [], ["text/plain"], ["application/json"], ["multipart/form-data"])


@pytest.mark.anyio
@pytest.mark.parametrize(("rule", "path"), list(zip(RULES, ADDRESSES, strict=True)), ids=ADDRESSES)
async def test_a_body_that_is_too_large_is_turned_away_whether_or_not_it_says_so(rule: Rule, path: str) -> None:
    """Planted and found: a length that is not looked at; a body that is read to its end."""
    guard, method = Guard(behind, KEYS), next(iter(rule.methods))
    large = [b"x" * 1024] * (rule.body // 1024 + 3)
    headers = [*GOOD, ("content-type", FORMED)]
    for said in ([("content-length", str(1024 * len(large)))], [("content-length", "9" * 30)], []):
        status, _, read = await asked(guard, method, path, [*headers, *said], large)
        assert status == 413
        assert read == 0 if said else read * 1024 <= rule.body + 1024, "no more is read than must be"


@pytest.mark.anyio
@pytest.mark.parametrize("path", ADDRESSES)
async def test_who_has_no_token_is_turned_away_before_the_body_is_read(path: str) -> None:
    guard = Guard(behind, KEYS)
    status, _, read = await asked(guard, "POST", path, [*GOOD[:2], ("content-type", FORMED)], [b"x"] * 9)
    assert (status, read) == (405 if path == "/enter" else 401, 0)


@pytest.mark.anyio
@pytest.mark.parametrize(("rule", "path"), [one for one in zip(RULES, ADDRESSES, strict=True) if one[0].changes])
async def test_what_changes_something_takes_a_form_of_this_server_for_this_address_alone(rule: Rule, path: str) -> None:
    """Planted and found: no look at the form's mark; a mark that is good for every address."""
    assert rule.methods == {"POST"}
    guard = Guard(behind, KEYS)

    async def posted(kinds: list[str], **fields: Any) -> int:
        headers = [*GOOD, *(("content-type", kind) for kind in kinds)]
        return (await asked(guard, "POST", path, headers, [urlencode(fields, doseq=True).encode()]))[0]

    own, other = KEYS.form(path), KEYS.form(path.replace("pause", "stop"))
    assert [await posted(kinds, mark=own) for kinds in KINDS] == [299, 299, 415, 415, 415, 415]
    assert await posted([FORMED, FORMED], mark=own) == 415
    marks = ("", other, Keys(PORT).form(path), "é", [own, own])
    assert [await posted(KINDS[0], mark=mark) for mark in marks] == [403] * 5
    assert await posted(KINDS[0]) == 403
    assert await posted(KINDS[0], **{f"f{number}": "1" for number in range(70)}, mark=own) == 400


def test_what_a_form_changes_is_only_behind_rules_that_say_so() -> None:
    assert [rule.path for rule in RULES if rule.changes] == [rule.path for rule in RULES if rule.methods != {"GET"}]
    assert [rule.path for rule in RULES if not rule.token] == ["/enter"]
    assert {rule.body for rule in RULES} == {0, FORM}


def without_rule(paths: list[str]) -> list[str]:
    """Return the routes that have no rule."""
    return [path for path in paths if path not in {rule.path for rule in RULES}]


def test_every_route_has_a_rule_and_every_rule_a_route() -> None:
    """Planted and found: a route beside the table."""
    paths = [route.path for route in routes()]
    assert (without_rule(paths), sorted(paths)) == ([], sorted(rule.path for rule in RULES))
    assert without_rule([*paths, "/debug"]) == ["/debug"]
    assert [route.endpoint.__name__ for route in routes()] == [rule.endpoint for rule in RULES]


@pytest.mark.anyio
async def test_a_header_that_comes_twice_or_almost_fits_does_not_fit() -> None:
    guard = Guard(behind, KEYS)
    near = [("origin", one) for one in ("", f"http://{HERE}.evil.com", "http://127.0.0.1", f"http://localhost:{PORT}")]
    near += [("sec-fetch-site", one) for one in ("", "Same-Origin", "none,cross-site")]
    for fault in (near[:1], near[1:2], near[2:3], near[3:4], *([one] for one in near[4:]), GOOD[1:2] * 2):
        assert (await asked(guard, "GET", "/", [GOOD[0], GOOD[2], *fault], []))[0] == 403
    twice = [("sec-fetch-site", "none")] * 2
    assert (await asked(guard, "GET", "/", [GOOD[0], GOOD[2], *twice], []))[0] == 403


@pytest.mark.anyio
async def test_a_route_without_a_rule_is_not_reached() -> None:
    for path in ("/debug", "/m/m-1/tasks/", "/m/../etc", "/static/../app.py", "//", "/m/m-1/do/pause/confirmed/x", ""):
        assert (await asked(Guard(behind, KEYS), "GET", path, GOOD, []))[0] == 404


@pytest.mark.anyio
async def test_every_answer_says_what_a_browser_may_do_with_it_and_none_lets_other_pages_read() -> None:
    guard = Guard(behind, KEYS)
    for path, headers in product(ADDRESSES, ([], GOOD[:1], GOOD)):
        _, said, _ = await asked(guard, "GET", path, headers, [])
        assert HEADERS.items() <= said.items()
        assert not [name for name in said if name.startswith(b"access-control")]


@pytest.fixture(scope="module")
def dashboard(new_project: Any) -> Iterator[Dashboard]:
    """A dashboard of a project without a milestone."""
    project: Project = new_project()
    with serving(project) as served:
        yield served


def raw(port: int, text: str) -> tuple[int, str]:
    """Return status and whole answer to a request as it is written here."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(text.replace("\n", "\r\n").encode())
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        return answer.status, f"{answer.headers}{answer.read().decode()}"


@pytest.mark.parametrize("path", ADDRESSES)
def test_over_the_wire_each_single_fault_is_turned_away(dashboard: Dashboard, path: str) -> None:
    port, key = dashboard.port, dashboard.cookie
    host, origin, cookie = f"Host: 127.0.0.1:{port}\n", f"Origin: http://127.0.0.1:{port}\n", f"Cookie: {key}\n"
    method = "POST" if path.endswith("/confirmed") else "GET"
    end = "Connection: close\n\n"

    def status(headers: str, how: str = method, body: str = "") -> int:
        return raw(port, f"{how} {path} HTTP/1.1\n{headers}{end}{body}")[0]

    faults = [f"Host: evil.com\n{origin}{cookie}", f"Host: localhost:evil\n{origin}{cookie}", f"Host: \n{cookie}"]
    faults += [f"Host: 127.0.0.1:80@evil.com\n{origin}{cookie}", f"Host: 127.0.0.1.evil.com:{port}\n{origin}{cookie}"]
    assert [status(one) for one in faults] == [421] * 5
    assert status(host + host + origin + cookie) == 400, "the server beneath refuses two hosts"
    assert [status(f"{host}Origin: {one}\n{cookie}") for one in ("http://evil.com", "null", "file://")] == [403] * 3
    assert status(f"{host}{origin}Sec-Fetch-Site: cross-site\n{cookie}") == 403
    assert status(host + origin) == 401
    assert [status(host + origin + cookie, how) for how in ("OPTIONS", "DELETE", "PUT")] == [405] * 3
    large = f"{host}{origin}{cookie}Content-Type: {FORMED}\nContent-Length: 999999\n"
    assert status(large) == 413
    chunk = "8001\n" + "x" * 0x8001 + "\n0\n\n"
    assert status(f"{host}{origin}{cookie}Content-Type: {FORMED}\nTransfer-Encoding: chunked\n", body=chunk) == 413


def test_the_address_of_another_server_in_the_request_line_leads_nowhere(dashboard: Dashboard) -> None:
    good = f"Host: 127.0.0.1:{dashboard.port}\nCookie: {dashboard.cookie}\nConnection: close\n\n"
    assert raw(dashboard.port, f"GET http://evil.com/ HTTP/1.1\n{good}")[0] == 404


def test_a_websocket_is_not_opened(dashboard: Dashboard) -> None:
    upgrade = "Connection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Version: 13\nSec-WebSocket-Key: AAAA\n\n"
    head = f"GET /live HTTP/1.1\nHost: 127.0.0.1:{dashboard.port}\n"
    assert raw(dashboard.port, head + upgrade)[0] == 401
