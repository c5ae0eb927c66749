"""The status line of a host: one short line, quick and light, whatever the host says and whatever is broken."""

from __future__ import annotations

import fcntl
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.helpers.boards import NASTY
from tests.helpers.execution import lean, task
from tests.helpers.projects import PROGRAM, ROOT, Project
from tests.helpers.underway import Execution, InProcess, Worker
from tests.processes.test_hooks import HEAVY, HOOK, hook
from tests.surfaces.test_terminal import acts

LINE = (*PROGRAM, "statusline")
INPUT = json.dumps({"session_id": "s", "model": {"display_name": "M"}, "cost": {"total_cost_usd": 0.1}}).encode()


@pytest.fixture(scope="module")
def begun(new_project: Callable[..., Project]) -> Project:
    """A project with a milestone that is being planned by three agents."""
    project = new_project()
    milestone_id = project.operate("initialize_agent_coordination", name="Add OAuth login")["milestone_id"]
    project.operate("next_actions", milestone_id=milestone_id)
    return project


def line(project: Project, given: bytes | None = INPUT) -> str:
    """Return the line that a host shows."""
    code, said, seconds = hook(project.environment, given, LINE)
    assert (code, seconds < 2) == (0, True)
    return said.decode()


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_the_line_says_where_the_milestone_stands(engine: str, new_repository: Callable[..., Project]) -> None:
    """Name, share, phase, agents, what waits for a person; and that it is paused."""
    limits = "approvals: [spec]\ngate: {cpu_percent: 100}\nall_gates: {cpu_percent: 100}\n"
    project = new_repository(engine, lean(**{".milestones/config/limits.yaml": limits}))
    plan = (task("decide", "design"), task("specify", "spec", ("decide",), ("docs/",)), task("build", "execute"))
    execution = Execution.begin(InProcess(project), *plan)
    execution.call("update_milestone", name="Add OAuth login")
    assert line(project) == "◆ Add OAuth login 0 % · design\n"
    worker = Worker(execution.agents, execution.to("specify")).begin()
    assert line(project) == "◆ Add OAuth login 15 % · spec · 1 agent\n"
    worker.do("docs/store.md")
    execution.to("ask_human")
    assert line(project) == "◆ Add OAuth login 40 % · spec · 1 waits for you\n"
    execution.call("steer_milestone", action="pause")
    assert line(project) == "◆ Add OAuth login 40 % · spec · paused · 1 waits for you\n"


def test_a_planning_counts_its_tasks(begun: Project) -> None:
    before = begun.dump()
    assert line(begun) == "◆ Add OAuth login 0 % · planning · 3 agents\n"
    assert begun.dump() == before


@pytest.mark.parametrize("field", ["cwd", "workspace"])
def test_the_folder_is_the_one_that_the_host_names(begun: Project, tmp_path: Path, field: str) -> None:
    named = {"cwd": str(begun.folder)} if field == "cwd" else {"workspace": {"project_dir": str(begun.folder)}}
    environment = {name: value for name, value in begun.environment.items() if name != "MILESTONE_PROJECT_DIR"}
    place = ("/bin/sh", "-c", 'cd "$0" && exec "$@"', str(tmp_path), *LINE)
    assert b"Add OAuth login" in hook(environment, json.dumps(named).encode(), place)[1]
    assert hook(environment, INPUT, place)[:2] == (0, b"")


def test_of_several_milestones_the_line_shows_the_one_of_this_conversation(new_project: Callable[..., Project]) -> None:
    project = new_project()
    for name in ("First", "Second", "Third"):
        project.operate("initialize_agent_coordination", name=name)
    (second,) = [row["milestone_id"] for row in project.rows("milestones") if row["name"] == "Second"]
    project.write("UPDATE sessions SET coordinator = 'mine' WHERE milestone_id = :wanted", wanted=second)
    assert line(project).startswith("◆ Third ")
    assert line(project, json.dumps({"session_id": "mine"}).encode()).startswith("◆ Second ")


@pytest.mark.parametrize(
    "given",
    [None, b"", b"{", b"[]", b"\xff\0", b"{" * 99, b'{"a":' * 50_000, b"x" * 10_000_000, b'{"cwd": 7, "workspace": 1}'],
    ids=["open", "empty", "half", "list", "bytes", "broken", "deep", "10 MB", "types"],
)  # fmt: skip
def test_whatever_the_host_says_the_line_comes_in_time(begun: Project, given: bytes | None) -> None:
    """Planted and found: a line that reads stdin to its end never comes while it stays open."""
    assert "Add OAuth login" in line(begun, given)


def test_without_a_milestone_there_is_no_line_and_nothing_is_made(new_project: Callable[..., Project]) -> None:
    project = new_project()
    assert line(project) == ""
    assert [path.name for path in project.folder.iterdir()] == [".git"]
    milestone_id = project.operate("initialize_agent_coordination", name="Over")["milestone_id"]
    project.write("UPDATE milestones SET status = 'completed' WHERE milestone_id = :name", name=milestone_id)
    assert line(project) == ""


@pytest.mark.parametrize(
    "content", [b"", b"no database at all", b"SQLite format 3\0" + b"\xff" * 5_000], ids=["empty", "text", "torn"]
)
def test_a_database_that_is_none_gives_no_line(new_project: Callable[..., Project], content: bytes) -> None:
    project = new_project()
    project.database.parent.mkdir(parents=True)
    project.database.write_bytes(content)
    (project.database.parent / "project").write_text("p-1")
    assert line(project) == ""


def test_a_locked_or_unreachable_database_holds_nobody_up(begun: Project) -> None:
    lock = os.open(begun.database.with_name("milestone.db.lock"), os.O_RDWR)
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        line(begun)
    finally:
        os.close(lock)
    unreachable = {**begun.environment, "MILESTONE_DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none"}
    code, said, seconds = hook(unreachable, INPUT, LINE)
    assert (code, said, seconds < 2) == (0, b"", True)


@pytest.mark.parametrize("nasty", NASTY, ids=ascii)
def test_a_name_cannot_act_in_the_hosts_terminal(nasty: str) -> None:
    """Planted and found: a name that goes into the line as it is."""
    from milestone.surfaces.statusline import named

    assert acts(named(f"a{nasty}b")) == []
    assert len(named(f"a{nasty}b")) <= 40


def test_the_line_loads_as_little_as_a_hook(begun: Project) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", str(ROOT / "server"), "statusline"],
        env=begun.environment,
        input=INPUT,
        capture_output=True,
        check=True,
    )
    loaded = {
        entry.rsplit("|", 1)[-1].strip() for entry in done.stderr.decode().splitlines() if "import time:" in entry
    }
    assert "milestone.surfaces.statusline" in loaded
    assert not [name for name in loaded if name.split(".")[0] in (*HEAVY, "rich", "starlette", "jinja2", "matplotlib")]


def test_the_line_costs_hardly_more_than_a_hook(begun: Project) -> None:
    """The best of five turns each, in seconds of CPU."""
    costs: dict[tuple[str, ...], list[float]] = {HOOK: [], LINE: []}
    for _ in range(5):
        for command, spent in costs.items():
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            assert hook(begun.environment, command=command)[0] == 0
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(costs[LINE]) < 2 * min(costs[HOOK]), costs
