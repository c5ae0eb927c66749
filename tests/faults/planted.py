"""`python server` with something changed in it: `python planted.py <change> mcp`.

Changes: `eager` (the log is folded into the file early: no bug), `unexplained` (errors of SQLite are crashes),
`told` (eager, and who has committed hears that the folding failed).
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2] / "server"), str(Path(__file__).resolve().parents[2])]

from milestone.__main__ import main  # noqa: E402 - found only now
from milestone.store import guard, sqlite  # noqa: E402


def fold(self: sqlite.SqliteEngine) -> None:
    """Fold the log into the file, whatever comes of it."""
    self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def plant(change: str) -> None:
    """Change the product in this process."""
    if change == "eager":
        sqlite._CHECKPOINT_BYTES = 50_000  # noqa: SLF001
    if change == "told":
        sqlite.SqliteEngine._checkpoint = fold  # noqa: SLF001
    if change == "unexplained":
        guard.explain = lambda *_: None


if __name__ == "__main__":
    plant(sys.argv.pop(1))
    sys.exit(main())
