"""How much of each fault is tried: a tenth in the usual run, all of it with MILESTONE_FAULTS=1 in the environment."""

from __future__ import annotations

import os

SHARE = float(os.environ.get("MILESTONE_FAULTS", "0.1"))


def of(full: int, least: int = 1) -> int:
    """Return how many of `full` this run tries."""
    return max(least, round(full * SHARE))
