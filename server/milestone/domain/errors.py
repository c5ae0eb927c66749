"""The errors meant for whoever calls an operation; anything else is a crash and is only logged."""

from __future__ import annotations


class Refusal(Exception):
    """A call that cannot be carried out, and how to mend it.

    The message says what is wrong, what is allowed and what to call now.
    """

    def __init__(self, wrong: str, *, allowed: str = "", remedy: str = "") -> None:
        self.wrong, self.allowed, self.remedy = wrong, allowed, remedy
        parts = (wrong, f"Allowed: {allowed}" if allowed else "", remedy)
        super().__init__(" ".join(_sentence(part) for part in parts if part))


class Missing(Refusal):
    """What the call names does not exist."""


class Conflict(Refusal):
    """Somebody else changed it, or holds it, since it was read."""


class NotYours(Refusal):
    """The caller may not act as the agent it names."""


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else text + "."
