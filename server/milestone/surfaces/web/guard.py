"""The guard before every route: host, origin, token, method and body, in this order, before anything is looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import anyio

from milestone.surfaces.web.keys import Keys
from milestone.surfaces.web.rules import RULES, Rule, rule_of

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Mapping[bytes, bytes] = {
    b"content-security-policy": POLICY.encode(),
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cache-control": b"no-store",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
}
_FORM = "application/x-www-form-urlencoded"
_FIELDS = 64
_SECONDS = 10
_NO_KEY = (
    "This page opens with the link that `milestone dashboard` printed when it was started.\n"
    "Where that has ended, start it again:  milestone dashboard\n"
)
Form = Mapping[str, list[str]]


@dataclass(frozen=True)
class Turned:
    """Why a request is turned away."""

    status: int
    words: str
    allow: str = ""


class Headers:
    """The headers of a request; one that must not come twice counts as wrong when it does."""

    def __init__(self, scope: Scope) -> None:
        self._raw: list[tuple[bytes, bytes]] = scope["headers"]

    def all(self, name: str) -> list[str]:
        """Return every value of a header."""
        wanted = name.encode()
        return [value.decode("latin-1") for key, value in self._raw if key.lower() == wanted]


class Guard:
    """Lets a request through to the application, or turns it away; nothing goes by it."""

    def __init__(self, app: ASGIApp, keys: Keys, rules: tuple[Rule, ...] = RULES) -> None:
        self._app, self._keys, self._rules = app, keys, rules
        self._hosts = frozenset({f"127.0.0.1:{keys.port}", f"localhost:{keys.port}"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        guarded = _with_headers(send)
        headers = Headers(scope)
        rule = self._judge(scope, headers)
        body = b""
        if isinstance(rule, Rule):
            read = await _body(rule, headers, receive)
            rule, body = (read, b"") if isinstance(read, Turned) else (rule, read)
        if isinstance(rule, Rule) and rule.changes:
            form = self._form(scope["path"], body)
            rule = form if isinstance(form, Turned) else rule
            scope.setdefault("state", {})["form"] = form
        if isinstance(rule, Turned):
            await _turn_away(rule, guarded)
        else:
            await self._app(scope, _again(body, receive), guarded)

    def _judge(self, scope: Scope, headers: Headers) -> Rule | Turned:
        """Return the rule that lets a request through, judged by what comes before its body."""
        method, hosts = scope["method"], headers.all("host")
        if len(hosts) != 1 or hosts[0] not in self._hosts:
            return Turned(421, "This server answers to its own address only.")
        if not _own_origin(headers, hosts[0], needed=method not in ("GET", "HEAD")):
            return Turned(403, "This request comes from another page.")
        rule = rule_of(scope["path"], self._rules)
        if (rule is None or rule.token) and not self._keys.admits(headers.all("cookie")):
            return Turned(401, _NO_KEY)
        return Turned(404, "There is no such page.") if rule is None else _fitting(rule, method, headers)

    def _form(self, path: str, body: bytes) -> Form | Turned:
        """Return the fields of a form that was made here."""
        try:
            form = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=_FIELDS, errors="strict")
        except ValueError:
            return Turned(400, "This is no form.")
        marks = form.pop("mark", [])
        if len(marks) != 1 or not self._keys.is_form(path, marks[0]):
            return Turned(403, "This form was not made by this server, or by an earlier start of it: load it again.")
        return form


def _fitting(rule: Rule, method: str, headers: Headers) -> Rule | Turned:
    """Return the rule where method and kind of body are what it lets through."""
    if method not in rule.methods:
        return Turned(405, "This page does not know that method.", ", ".join(sorted(rule.methods)))
    kinds = [one.split(";")[0].strip().lower() for one in headers.all("content-type")]
    if method == "POST" and kinds != [_FORM]:
        return Turned(415, f"Only forms are taken here: {_FORM}")
    return rule


def _own_origin(headers: Headers, host: str, *, needed: bool) -> bool:
    """Return whether a request comes from a page of ours, or from a person's own hand."""
    origins, sites = headers.all("origin"), headers.all("sec-fetch-site")
    if origins != [f"http://{host}"] and (origins or needed):
        return False
    return not sites or (len(sites) == 1 and sites[0] in ("same-origin", "none"))


async def _body(rule: Rule, headers: Headers, receive: Receive) -> bytes | Turned:
    """Return the body of a request, read no further than the rule allows."""
    too_large = Turned(413, f"At most {rule.body} bytes are taken here.")
    length = headers.all("content-length")
    if length and (not length[0].isdecimal() or int(length[0][:12]) > rule.body):
        return too_large
    body = bytearray()
    with anyio.move_on_after(_SECONDS):
        while True:
            message = await receive()
            body += message.get("body", b"")
            if len(body) > rule.body:
                return too_large
            if message["type"] != "http.request" or not message.get("more_body", False):
                return bytes(body)
    return Turned(408, "The rest of the request did not come.")


def _again(body: bytes, receive: Receive) -> Receive:
    """Return a way to read a body that was read already; what follows it is read as it comes."""
    kept: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def read() -> Message:
        return kept.pop() if kept else await receive()

    return read


def _with_headers(send: Send) -> Send:
    """Return a way to answer that says in every answer what a browser may do with it."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            given = list(message.get("headers", []))
            own = {key.lower() for key, _ in given}
            message = {**message, "headers": given + [(key, value) for key, value in HEADERS.items() if key not in own]}
        await send(message)

    return sent


async def _turn_away(turned: Turned, send: Send) -> None:
    body = turned.words.encode() + (b"" if turned.words.endswith("\n") else b"\n")
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    headers += [(b"allow", turned.allow.encode())] if turned.allow else []
    await send({"type": "http.response.start", "status": turned.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
