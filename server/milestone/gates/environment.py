"""The environment of a gate: what the server was started with, without its secrets and its own settings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

MARK = "MILESTONE_GATE_RUN"

# GIT_DIR and its kin would turn the command's git to another repository; the others are the server's and its host's.
_NOT_FOR_GATES = re.compile(r"(GIT_|MILESTONE_|CLAUDE|ANTHROPIC).*|OLDPWD", re.IGNORECASE)
_SECRET = re.compile(
    r"TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIAL|API_?KEY|PRIVATE_?KEY|ACCESS_?KEY", re.IGNORECASE
)


def clean_environment(environ: Mapping[str, str], folder: Path, mark: str) -> dict[str, str]:
    """Return the variables for a command in `folder`, among them the mark by which its processes are found again.

    >>> clean_environment({"PATH": "/bin", "GIT_DIR": "x", "NPM_TOKEN": "x"}, Path("/tmp"), "1f")
    {'PATH': '/bin', 'CI': 'true', 'TERM': 'dumb', 'PWD': '/tmp', 'MILESTONE_GATE_RUN': '1f'}

    A gate may itself run gates: the mark of the outer run stays beside that of the inner.

    >>> clean_environment({MARK: "2e"}, Path("/tmp"), "1f")[MARK]
    '2e 1f'
    """
    kept = {name: value for name, value in environ.items() if not _NOT_FOR_GATES.match(name)}
    harmless = {name: value for name, value in kept.items() if not _SECRET.search(name)}
    marks = f"{environ.get(MARK, '')} {mark}".strip()
    return {**harmless, "CI": "true", "TERM": "dumb", "PWD": str(folder), MARK: marks}
