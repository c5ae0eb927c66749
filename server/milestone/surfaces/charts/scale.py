"""Times on a chart: where a time lies, and which times are written below."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from milestone.surfaces.charts.paper import Paper

_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200)
_MINUTE, _DAY = 60, 86_400
_SHORTEST = 5.0


def seconds(at: str) -> float:
    """Return a time of the tables in seconds of Unix time."""
    return datetime.fromisoformat(at).timestamp()


@dataclass(frozen=True)
class Scale:
    """Times from `since` to `until` in seconds, between two places in pixels."""

    since: float
    until: float
    left: float
    right: float

    @classmethod
    def over(cls, times: list[float], left: float, right: float) -> Scale:
        """Return the scale that has room for all these times, and for five seconds at least."""
        since, until = min(times), max(times)
        return cls(since, max(until, since + _SHORTEST), left, right)

    def x(self, at: float) -> float:
        """Return where a time lies."""
        return self.left + (at - self.since) / (self.until - self.since) * (self.right - self.left)

    def ticks(self, most: int) -> list[tuple[float, str]]:
        """Return at most so many round times, each with its words."""
        span = self.until - self.since
        step = next((one for one in _STEPS if span / one <= most), 0)
        step = step or _DAY * next(one for one in (1, 2, 7, 14, 30, 91, 365, 10**6) if span / _DAY / one <= most)
        words = "%d %b" if step >= _DAY else "%H:%M" if step >= _MINUTE else "%H:%M:%S"
        first = -(-int(self.since) // step) * step
        times = range(first, int(self.until) + 1, step)
        return [(float(one), datetime.fromtimestamp(one, UTC).strftime(words)) for one in times if one >= self.since]

    def draw(self, paper: Paper, top: float, bottom: float) -> None:
        """Draw the times below and a faint line above each."""
        look, room = paper.look, 64 if paper.narrow else 90
        edge = 0.0
        for at, words in self.ticks(max(2, int((self.right - self.left) / room))):
            x = self.x(at)
            paper.line([(x, top), (x, bottom)], look.line, 0.8)
            if x - 26 > edge and x + 26 < paper.width:
                paper.text(x, bottom + 12, words, 11, colour=look.muted, anchor="center")
                edge = x + 26
        day = datetime.fromtimestamp(self.since, UTC)
        paper.text(self.left, bottom + 27, f"{day:%d %B %Y}, times in UTC", 11, colour=look.muted)
