"""What opens the page: the token of the first link, the cookie it is exchanged for, and the mark of each form."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field

from milestone.wiring import random_hex

_SIZE = 32


@dataclass
class Keys:
    """The keys of one server process; none outlives it, and none is written to a file."""

    port: int
    token: str = field(default_factory=lambda: random_hex(_SIZE))
    once: str = field(default_factory=lambda: random_hex(_SIZE))
    """Opens once: given to a browser as an argument, where other users of the machine may read it."""
    _session: str = field(default_factory=lambda: random_hex(_SIZE))
    _secret: str = field(default_factory=lambda: random_hex(_SIZE))

    @property
    def cookie(self) -> str:
        """The cookie's name; cookies do not know ports, so it does."""
        return f"milestone-{self.port}"

    @property
    def set_cookie(self) -> str:
        """The header that hands out the cookie."""
        return f"{self.cookie}={self._session}; HttpOnly; SameSite=Strict; Path=/"

    def opens(self, token: str) -> bool:
        """Return whether a token is that of the link; the one that opens once is used up by it."""
        if self.once and _same(token, self.once):
            self.once = ""
            return True
        return _same(token, self.token)

    def admits(self, cookies: list[str]) -> bool:
        """Return whether one of the cookies is ours; pages on other ports may have set others beside it."""
        found = False
        for one in cookies:
            for part in one.split(";"):
                name, _, value = part.strip().partition("=")
                if name == self.cookie:
                    found |= _same(value, self._session)
        return found

    def form(self, path: str) -> str:
        """Return the mark of the form that leads to a path."""
        return hmac.new(self._secret.encode(), path.encode(), "sha256").hexdigest()

    def is_form(self, path: str, mark: str) -> bool:
        """Return whether a form was made here, for this path."""
        return _same(mark, self.form(path))


def _same(given: str, known: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), known.encode())
