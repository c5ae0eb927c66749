"""Two machines with one database: whoever comes later goes on where the other stopped, by leases alone."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.execution import git, lean, make_repository, task
from tests.helpers.postgres import Postgres
from tests.helpers.projects import Project
from tests.helpers.underway import Execution, InProcess, Worker
from tests.helpers.wire import Wire

DECIDE = task("decide", "design", paths=("docs/",))


@pytest.fixture
def machines(postgres: Postgres, tmp_path: Path) -> tuple[Project, Project]:
    """Return two clones of one project, each with folders of its own, on one database."""
    url = postgres.new_database()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    first, second = (Project(tmp_path / name, url, {"MILESTONE_PROJECT": "shop"}) for name in ("one", "two"))
    make_repository(first.folder, lean())
    shutil.rmtree(second.folder)
    shutil.copytree(first.folder, second.folder)
    return first, second


def test_another_machine_goes_on_when_the_lease_of_the_first_has_ended_and_not_before(
    machines: tuple[Project, Project], connect: Callable[..., Wire]
) -> None:
    """Planted and found: an `alive` that takes the servers of other machines for dead."""
    one, two = machines
    line = connect(one)
    execution = Execution.begin(_Line(one, line), DECIDE)
    worker = execution.worker("decide").begin()
    worker.write("docs/store.md")
    worker.commit()
    line.kill()
    own: dict[str, Any] = {"milestone_id": execution.milestone_id}
    there = [two.operate("next_actions", later=later, **own)["actions"] for later in (0, 1_700, 1_801, 1_810)]
    handed = [[one.get("task_id") for one in actions if one["kind"] == "spawn"] for actions in there]
    assert "decide" not in handed[0] + handed[1] + handed[2]
    assert "decide" in handed[3]
    again = next(one for one in there[3] if one.get("task_id") == "decide")
    assert "already committed" not in again["brief"], "its commit never left the first machine"
    told = worker.agents.project.operate
    with pytest.raises(Exception, match=r"\(attempt 2\) holds it now"):
        told("save_agent_state", key="k", value=1, **worker.who)
    second = InProcess(two)
    anew = Worker(second, again).begin()
    assert anew.folder.is_relative_to(two.folder)
    anew.write("docs/store.md")
    anew.commit()
    anew.save()
    assert anew.complete()["status"] == "completed"
    assert git(two.folder, "log", "--format=%s", f"main..{execution.branch}") == "docs(design): carry out decide"


def test_a_clone_without_the_branch_on_which_work_was_accepted_says_so(
    machines: tuple[Project, Project], connect: Callable[..., Wire]
) -> None:
    """Planted and found: a `_tip` that makes the branch anew over accepted work."""
    one, two = machines
    execution = Execution.begin(_Line(one, connect(one)), DECIDE, task("more", "design", ("decide",), ("docs/",)))
    execution.worker("decide").do("docs/store.md")
    action = execution.to("more")
    told = InProcess(two).refusal(
        "git_milestone", action="worktree", agent_id=action["agent_id"], token=action["token"]
    )
    assert "is not in this clone, and work was accepted on it in another" in told
    assert "git fetch" in told


class _Line:
    """A connection with the project it belongs to."""

    def __init__(self, project: Project, wire: Wire) -> None:
        self.project, self.call, self.refusal = project, wire.call, wire.refusal
