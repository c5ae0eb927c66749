"""`python server` with a bug in it: `python planted.py <bug>… mcp` breaks the engine before the server starts.

Bugs: `begin` (writers begin with a plain BEGIN), `queue` (writers take no turns).
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2] / "server"), str(Path(__file__).resolve().parents[2])]

from milestone.__main__ import main  # noqa: E402 - found only now
from tests.helpers.worker import plant  # noqa: E402

if __name__ == "__main__":
    while sys.argv[1] in ("begin", "queue"):
        plant(sys.argv.pop(1))
    sys.exit(main())
