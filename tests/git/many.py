"""One of many server processes: `python many.py <project> <home> <threads> <commits> <task>…`.

Every task gets its worktree at once, in as many threads, and then commits in it as often as is said.
"""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2] / "server"), str(Path(__file__).resolve().parents[2])]

from milestone.git import commits  # noqa: E402 - found only now
from milestone.git.worktrees import writing_worktree  # noqa: E402
from tests.git.repositories import BRANCH, Sandbox, branch, said  # noqa: E402


def work(sandbox: Sandbox, task: str, times: int) -> None:
    """Ask for a worktree and commit there."""
    repository = sandbox.repository
    path = writing_worktree(repository, sandbox.folder(task), branch(task), repository.tip(BRANCH)).path
    for number in range(times):
        sandbox.write({f"src/{task}/{number}": f"{number}\n", "src/a.py": f"{task} {number}\n"}, path)
        commits.commit(repository, path, said(task, f"step {number}"), ["src"])


def main(project: str, home: str, threads: str, times: str, *tasks: str) -> None:
    """Do the work of all tasks; the first that fails ends it all."""
    sandbox = Sandbox(Path(project), Path(home), {"LANG": os.environ.get("LANG", "C")})
    assert sandbox.repository.head()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    with ThreadPoolExecutor(int(threads)) as pool:
        for done in [pool.submit(work, sandbox, task, int(times)) for task in tasks]:
            done.result()


if __name__ == "__main__":
    main(*sys.argv[1:])
