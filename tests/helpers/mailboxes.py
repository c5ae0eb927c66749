"""What a model of messages knows of one recipient."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Mailbox:
    """What the model knows of one recipient: messages on their way, handed over, and proven to be in its context."""

    waiting: list[str] = field(default_factory=list[str])
    delivered: list[str] = field(default_factory=list[str])
    read: list[str] = field(default_factory=list[str])
    acked: list[str] = field(default_factory=list[str])
    this_run: list[str] = field(default_factory=list[str])

    def calls(self) -> None:
        """The recipient calls: it has before it what was handed over until now."""
        self.read += self.delivered
        self.delivered = []

    def receives(self) -> list[str]:
        """Return what is handed over to a call."""
        self.calls()
        self.delivered, self.waiting = self.waiting, []
        self.this_run += self.delivered
        return self.delivered

    def runs_anew(self) -> None:
        """Another run takes its place: what the one before was handed and did not read comes again, in order."""
        self.waiting = sorted(self.delivered + self.waiting, key=int)
        self.delivered, self.this_run = [], []
