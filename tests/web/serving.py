"""A dashboard that is served for a project, and a person's browser without the browser: forms, cookies, streams."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import urlencode, urlsplit

from tests.helpers.projects import PROGRAM, Project

PATIENCE = 30


@dataclass
class Answer:
    """What the server answered."""

    status: int
    headers: Mapping[str, str]
    text: str


@dataclass
class Dashboard:
    """A dashboard that runs. `link` opens it, and holds the token; `address` is what comes before a path."""

    link: str
    port: int
    process: subprocess.Popen[str] | None = None
    _cookie: str = field(default="", repr=False)

    @property
    def address(self) -> str:
        """The address without a path."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def cookie(self) -> str:
        """The cookie that the link is exchanged for."""
        if not self._cookie:
            parts = urlsplit(self.link)
            entered = self.ask("GET", f"{parts.path}?{parts.query}", {"Cookie": ""})
            assert entered.status == 303, entered
            self._cookie = entered.headers["set-cookie"].split(";")[0]
        return self._cookie

    def ask(self, method: str, path: str, headers: Mapping[str, str] | None = None, body: str = "") -> Answer:
        """Return the answer to a request with the cookie."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            given = {**(headers or {})}
            given.setdefault("Cookie", self.cookie if "Cookie" not in given else "")
            connection.request(method, path, body or None, given)
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, found, answer.read().decode())
        finally:
            connection.close()

    def get(self, path: str) -> str:
        """Return a page that must be there."""
        answer = self.ask("GET", path)
        assert answer.status == 200, answer
        return answer.text

    def submit(self, path: str, **fields: str) -> Answer:
        """Open a page with a form, fill it in, send it as a browser does, and return the answer."""
        return self.send(*self.filled(path, **fields))

    def filled(self, path: str, **fields: str) -> tuple[str, list[tuple[str, str]]]:
        """Return where the form of a page is sent to and what is sent, filled in with `fields`."""
        page = self.get(path)
        target = re.search(r'<form method="post" action="([^"]+)"', page)
        assert target, page
        hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page)
        return target[1], [*((name, unescape(value)) for name, value in hidden), *fields.items()]

    def send(self, target: str, fields: list[tuple[str, str]]) -> Answer:
        """Send a form as a browser does."""
        headers = {"Origin": self.address, "Content-Type": "application/x-www-form-urlencoded"}
        return self.ask("POST", target, headers, urlencode(fields))

    @contextlib.contextmanager
    def stream(self) -> Iterator[Iterator[tuple[str, str]]]:
        """Listen to the live updates; yields what comes, as event and data."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request("GET", "/live", headers={"Cookie": self.cookie})
            answer = connection.getresponse()
            assert answer.status == 200, answer.read()
            yield _events(answer)
        finally:
            connection.close()


def _events(answer: http.client.HTTPResponse) -> Iterator[tuple[str, str]]:
    event = data = ""
    while line := answer.readline():
        name, _, value = line.decode().rstrip("\r\n").partition(": ")
        if name == "event":
            event = value
        elif name == "data":
            data = value
        elif not name and event:
            yield event, data
            event = data = ""


@contextlib.contextmanager
def serving(project: Project, *arguments: str) -> Iterator[Dashboard]:
    """Serve a project's dashboard in a process of its own; it must end cleanly."""
    command = [*PROGRAM, "dashboard", "--json", *arguments]
    with subprocess.Popen(
        command, env=project.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            said = process.stdout.readline()
            assert said, process.stderr.read()
            told = json.loads(said)
            yield Dashboard(told["link"], told["port"], process)
        finally:
            process.terminate()
            rest = process.communicate(timeout=PATIENCE)
        assert (process.returncode, *rest) == (0, "", ""), rest
