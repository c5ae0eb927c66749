"""The commands that a host's hooks start: quick, light and never in the way."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from milestone.domain.text import tokens
from tests.helpers.projects import PROGRAM, ROOT, Project

HOOK = (*PROGRAM, "hook", "session-start")
INPUT = b'{"hook_event_name":"SessionStart","source":"startup","session_id":"s"}'
HEAVY = ("mcp", "mcp_types", "pydantic", "sqlite_utils", "yaml", "click", "anyio", "asyncio")


@pytest.fixture(scope="module")
def begun(new_project: Callable[..., Project]) -> Project:
    """A project with a milestone under way."""
    project = new_project()
    milestone_id = project.operate("initialize_agent_coordination", name="Add OAuth login")["milestone_id"]
    project.operate("next_actions", milestone_id=milestone_id)
    return project


def hook(
    environment: dict[str, str], given: bytes | None = INPUT, command: tuple[str, ...] = HOOK
) -> tuple[int, bytes, float]:
    """Run the hook and return exit code, output and seconds; without input its stdin stays open."""
    began = time.monotonic()
    process = subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        if given is not None:
            try:
                process.stdin.write(given)
                process.stdin.close()
            except BrokenPipeError:
                given = None  # it has read enough
        said = process.stdout.read()
        return process.wait(10), said, time.monotonic() - began
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        if given is None:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()


def context(said: bytes) -> str:
    """Return what the host puts into the conversation."""
    answer = json.loads(said)["hookSpecificOutput"]
    assert answer["hookEventName"] == "SessionStart"
    return answer["additionalContext"]


def test_a_new_session_is_told_what_is_under_way_and_what_to_type(begun: Project) -> None:
    code, said, _ = hook(begun.environment)
    told = context(said)
    assert code == 0
    for word in ("Add OAuth login", "planning", "in flight: scope (", "/milestone:plan"):
        assert word in told
    assert tokens(told) <= 600


def test_however_many_milestones_there_are_the_reminder_stays_short(new_project: Callable[..., Project]) -> None:
    project = new_project()
    for number in range(6):
        project.operate("initialize_agent_coordination", name=f"{number} " + "wörter 漢字 " * 30)
    _, said, _ = hook(project.environment)
    assert tokens(context(said)) <= 600


@pytest.mark.parametrize(
    "given", [None, b"", b"x" * 10_000_000, b"{" * 1_000, b"\xff\0"], ids=["open", "empty", "10 MB", "broken", "bytes"]
)
def test_whatever_comes_on_stdin_the_hook_ends_in_time(begun: Project, given: bytes | None) -> None:
    """Planted and found: a hook that reads stdin to its end never ends while it stays open."""
    code, said, seconds = hook(begun.environment, given)
    assert (code, seconds < 2) == (0, True)
    assert "Add OAuth login" in context(said)


def test_a_closed_stdin_does_no_harm(begun: Project) -> None:
    code, _, seconds = hook(begun.environment, command=("/bin/sh", "-c", '"$@" <&-', "sh", *HOOK))
    assert (code, seconds < 2) == (0, True)


def test_a_hook_does_not_wait_for_a_locked_database(begun: Project) -> None:
    import sqlite3

    lock = os.open(begun.database.with_name("milestone.db.lock"), os.O_RDWR)
    fcntl.flock(lock, fcntl.LOCK_EX)
    holder = sqlite3.connect(begun.database, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        code, _, seconds = hook(begun.environment)
    finally:
        holder.close()
        os.close(lock)
    assert (code, seconds < 2.5) == (0, True)


def test_without_a_database_the_hook_says_nothing_and_makes_none(new_project: Callable[..., Project]) -> None:
    project = new_project()
    assert hook(project.environment)[:2] == (0, b"")
    assert [path.name for path in project.folder.iterdir()] == [".git"]


@pytest.mark.parametrize(
    "content", [b"", b"no database at all", b"SQLite format 3\0" + b"\xff" * 5_000], ids=["empty", "text", "torn"]
)
def test_a_database_that_is_none_does_not_stop_the_session(new_project: Callable[..., Project], content: bytes) -> None:
    project = new_project()
    project.database.parent.mkdir(parents=True)
    project.database.write_bytes(content)
    (project.database.parent / "project").write_text("p-1")
    assert hook(project.environment)[0] == 0


def test_an_empty_environment_and_an_unknown_hook_do_no_harm(tmp_path: Path) -> None:
    assert hook({}, command=("/bin/sh", "-c", 'cd "$0" && exec "$@"', str(tmp_path), *HOOK))[:2] == (0, b"")
    assert hook({}, command=(*PROGRAM, "hook", "tomorrow"))[:2] == (0, b"")
    assert list(tmp_path.iterdir()) == []


def test_switched_off_the_hook_says_nothing(begun: Project) -> None:
    assert hook({**begun.environment, "MILESTONE_HOOKS": "off"})[:2] == (0, b"")


def test_an_unreachable_postgresql_does_not_hold_the_session_up(begun: Project) -> None:
    code, _, seconds = hook({**begun.environment, "MILESTONE_DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none"})
    assert (code, seconds < 2.5) == (0, True)


def test_the_hook_loads_nothing_that_only_the_server_needs(begun: Project) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", str(ROOT / "server"), "hook", "session-start"],
        env=begun.environment,
        input=INPUT,
        capture_output=True,
        check=True,
    )
    loaded = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.decode().splitlines() if "import time:" in line}
    assert "milestone.surfaces.hooks" in loaded
    assert not [name for name in loaded if name.split(".")[0] in HEAVY]


def test_the_hook_costs_less_than_twice_what_python_needs_to_load_its_tools(begun: Project) -> None:
    """The best of five turns each, in seconds of CPU: what else the machine does is not the hook's."""
    tools = (sys.executable, "-c", "import dataclasses, json, pathlib, sqlite3, subprocess")
    costs: dict[tuple[str, ...], list[float]] = {HOOK: [], tools: []}
    for _ in range(5):
        for command, spent in costs.items():
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            assert hook(begun.environment, command=command)[0] == 0
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(costs[HOOK]) < 2 * min(costs[tools]), costs
