"""Kills the host at all points, or at those named, and keeps the result: python -m tests.host.recovery [name …]."""

from __future__ import annotations

import platform
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "server"))

from tests.host.claude import CHECKOUT, binary

from .points import POINTS, Point
from .rehearsal import Report, rehearse, undisturbed

RESULT = CHECKOUT / "docs" / "killed-at-25-points.md"
_HEAD = """# Killed at 25 points

The real Claude Code carries out a small milestone with a scripted model, from `/milestone:plan` to the last transition.
At each point the host and the server are killed at once (SIGKILL for the whole process group), and a new session types
`/milestone:resume`; where planning was what ended, `/milestone:execute` follows.

"Same state": statuses of all tasks, accepted values, kinds of proof, phases, progress, tree and commits of the
milestone's branch, plan and deliverables are those of a run that nobody disturbed; nothing is left held or open, and
what is the person's is untouched. Left out is what is new in each run: ids, times, hashes of commits, and the number of
the attempt in the name of its review.

"Nothing twice", counted in what the model was asked and has answered: no finished task was given to another agent, and
no commit, passed gate or end of a phase was made again. A task that had delivered nothing is rightly begun anew, and
one whose lost agent had only committed is handed over for the rest: "second agents" counts both.

Written by `python -m tests.host.recovery`, which plays all of it anew and fails on any difference.
"""


def main(names: Sequence[str]) -> int:
    """Return 0 when every rehearsal ended as it should; the result is kept when all points were played."""
    chosen = [point for point in POINTS if not names or point.name in names]
    with tempfile.TemporaryDirectory(prefix="recovery-") as folder:
        expected = undisturbed(_new(folder, "undisturbed"))
        reports = [_play(point, _new(folder, str(number)), expected) for number, point in enumerate(chosen)]
    if len(chosen) == len(POINTS):
        RESULT.write_text(_page(reports), "utf-8")
    return int(not chosen or any(report.wrong for report in reports))


def _new(folder: str, name: str) -> Path:
    made = Path(folder) / name
    made.mkdir()
    return made


def _play(point: Point, root: Path, expected: Mapping[str, Any]) -> Report:
    try:
        report = rehearse(point, root, expected)
    except Exception as problem:  # noqa: BLE001 - whatever ends a rehearsal is its result, and the others go on
        report = Report(point, {}, 0.0, [f"{type(problem).__name__}: {problem}"])
    sys.stdout.write(f"{'different' if report.wrong else 'same'}  {report.seconds:5.1f} s  {point.name}\n")
    sys.stdout.writelines(f"    {one}\n" for one in report.wrong)
    sys.stdout.flush()
    return report


def _page(reports: Sequence[Report]) -> str:
    rows = [_row(number, report) for number, report in enumerate(reports, start=1)]
    same = sum(not report.wrong for report in reports)
    again = sum(one.startswith("done again") or " times" in one for report in reports for one in report.wrong)
    head = "| | point | session | what had happened | second agents | seconds to the end | same state, nothing twice |"
    summary = f"{same} of {len(reports)} ended in the same state; done twice: {again}. {_versions()}"
    return "\n".join([_HEAD, summary, "", head, "|--:|---|---|---|---|--:|---|", *rows, ""])


def _row(number: int, report: Report) -> str:
    point = report.point
    agents = ", ".join(f"{task}: {count - 1}" for task, count in sorted(report.attempts.items())) or "none"
    cells = (
        number,
        point.name,
        point.session,
        point.what,
        agents,
        f"{report.seconds:.0f}",
        "no" if report.wrong else "yes",
    )
    return f"| {' | '.join(map(str, cells))} |"


def _versions() -> str:
    host = subprocess.run([binary(), "--version"], capture_output=True, text=True, check=True).stdout.strip()
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    when = datetime.now(UTC).date()
    return f"{when}, after {commit.stdout.strip()}; {host}; Python {platform.python_version()}; {platform.system()}."


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
