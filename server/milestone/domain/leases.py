"""Leases: how long somebody holds something, on a clock that never jumps; renewed by every sign of life."""

from __future__ import annotations

from dataclasses import dataclass

START_SECONDS = 60
"""Within how many seconds an agent has to begin what was handed out to it."""


@dataclass(frozen=True)
class Clock:
    """A reading of a clock that only goes forward: milliseconds since `era` began (a boot, or a database's own)."""

    era: str
    ms: int

    def after(self, seconds: float) -> Clock:
        """Return the reading some seconds from this one."""
        return Clock(self.era, self.ms + round(seconds * 1000))


@dataclass(frozen=True)
class Lease:
    """A hold that ends at `until` milliseconds of an era; 0 is a hold that never began."""

    era: str = ""
    until: int = 0

    def expired(self, now: Clock) -> bool:
        """Return whether it is over. Another era has begun since: then its holder is gone with the old one.

        >>> Lease("boot-1", 5_000).expired(Clock("boot-1", 5_000)), Lease("boot-1", 5_000).expired(Clock("boot-2", 1))
        (True, True)
        """
        return self.era != now.era or now.ms >= self.until

    def seconds_left(self, now: Clock) -> float:
        """Return how many seconds it still holds; 0 when it is over."""
        return 0.0 if self.expired(now) else (self.until - now.ms) / 1000


def lease(now: Clock, seconds: float) -> Lease:
    """Return the lease that begins now."""
    return Lease(now.era, now.after(seconds).ms)


def free_reason(*, started: bool, alive: bool, lease: Lease, whole: Lease, now: Clock, limit: int, longest: int) -> str:
    """Return why a claim may be taken over, or an empty text while it stands.

    `lease` is what every sign of life renews for `limit` seconds, `whole` what its agent may hold the task for at all,
    which is `longest` seconds.

    >>> lease, whole = Lease("boot", 60_000), Lease("boot", 9_000_000)
    >>> free_reason(
    ...     started=False, alive=True, lease=lease, whole=whole, now=Clock("boot", 60_000), limit=600, longest=9_000
    ... )
    'no agent started it within 60 s'
    """
    if not alive:
        return "the host session that held it is gone"
    if lease.era != now.era:
        return "the machine was started anew since it was handed out"
    if not started and lease.expired(now):
        return f"no agent started it within {START_SECONDS} s"
    if started and lease.expired(now):
        return f"its agent has been silent for more than {limit} s"
    if started and whole.expired(now):
        return f"its agent has had more than {longest} s for it"
    return ""
