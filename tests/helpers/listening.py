"""A host on the raw wire that also hears what the server says unasked, and may name itself."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from tests.helpers.projects import Project
from tests.helpers.wire import PATIENCE, Wire

UPDATED = "notifications/resources/updated"
AGREED = "notifications/subscriptions/acknowledged"
STREAM = "io.modelcontextprotocol/subscriptionId"


class Listener(Wire):
    """A connection whose notifications are kept in the order in which they came."""

    def __init__(self, project: Project, era: str = "modern") -> None:
        self.notes: list[dict[str, Any]] = []
        super().__init__(project, era)

    def _take(self) -> None:
        line = self._lines.get(timeout=PATIENCE)
        if not line:
            raise ConnectionError(f"the server has ended with {self.process.wait(PATIENCE)}")
        message = json.loads(line)
        if "method" in message:
            self.notes.append(message)
        else:
            self._answers[message["id"]] = message

    def hear(self, method: str) -> dict[str, Any]:
        """Return what the next notification of a kind says, and forget it with all before it."""
        while not any(one["method"] == method for one in self.notes):
            self._take()
        while (note := self.notes.pop(0))["method"] != method:
            continue
        return note["params"]

    def follow(self, *uris: str) -> int:
        """Subscribe to resources as the era does, and return the id of what keeps them followed."""
        if self.era == "legacy":
            for uri in uris:
                assert self.request("resources/subscribe", {"uri": uri})["result"] == {}
            return 0
        number = self.begin("subscriptions/listen", {"notifications": {"resourceSubscriptions": list(uris)}})
        agreed = self.hear(AGREED)
        assert agreed["_meta"][STREAM] == number
        assert agreed["notifications"]["resourceSubscriptions"] == list(uris)
        return number

    def leave(self, number: int, *uris: str) -> None:
        """Follow them no longer."""
        if self.era == "legacy":
            for uri in uris:
                assert self.request("resources/unsubscribe", {"uri": uri})["result"] == {}
        else:
            cancelled = {"requestId": number}
            self.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": cancelled})

    def updates(self, until: Callable[[list[str]], bool]) -> list[str]:
        """Return the addresses that were told as updated, once they are as wanted."""
        heard: list[str] = []
        end = time.monotonic() + PATIENCE
        while not until(heard):
            assert time.monotonic() < end, heard
            heard.append(self.hear(UPDATED)["uri"])
        return heard

    def read(self, uri: str) -> Any:
        """Return what a resource holds."""
        answer = self.request("resources/read", {"uri": uri})
        (content,) = answer["result"]["contents"]
        assert (content["uri"], content["mimeType"]) == (uri, "application/json")
        return json.loads(content["text"])
