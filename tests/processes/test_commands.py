"""The command line: every operation is a command, and it does what the tool does."""

from __future__ import annotations

import json
import resource
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from milestone.operations.catalogue import REGISTRY
from tests.helpers.projects import PROGRAM, Project

LISTED = sorted(name for name, one in REGISTRY.items() if one.listed)


@pytest.fixture(scope="module")
def begun(new_project: Callable[..., Project]) -> Project:
    """A project with a milestone, begun on the command line."""
    project = new_project()
    done = milestone(project, "initialize-agent-coordination", "--name", "Goal", "--json")
    assert json.loads(done.stdout)["created"] is True
    return project


def milestone(project: Project, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command and return what became of it."""
    return subprocess.run(
        [*PROGRAM, *arguments], env=project.environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_every_operation_is_a_command_with_the_arguments_of_its_tool() -> None:
    import click

    from milestone.surfaces.cli import Commands

    group = Commands(name="milestone")
    context = click.Context(group)
    assert set(LISTED) <= set(group.list_commands(context))
    for name in LISTED:
        for spelled in (name, name.replace("_", "-")):
            command = group.get_command(context, spelled)
            assert command is not None, spelled
        options = {parameter.name for parameter in command.params}
        assert options == {*REGISTRY[name].schema["properties"], "as_json"}
        assert command.help == REGISTRY[name].description
    assert group.get_command(context, "host_event") is None


def test_the_doctor_tells_the_health_of_the_database_and_that_there_is_none(
    begun: Project, new_project: Callable[..., Project]
) -> None:
    found = json.loads(milestone(begun, "doctor", "--json").stdout)
    assert found["integrity"] == "ok"
    assert found["tables"]["milestones"] == 1
    assert "agent_registry" in milestone(begun, "doctor").stdout
    empty = new_project()
    assert "no database" in milestone(empty, "doctor").stdout
    assert not empty.database.exists()


def test_a_command_answers_as_the_tool_does_and_writes_the_files_before_it_ends(begun: Project) -> None:
    assert list((begun.mirror / "active").glob("milestone-*.yaml"))
    done = milestone(
        begun, "register_agent", "--agent-type", "worker", "--agent-id", "w1", "--capabilities", '["reads"]', "--json"
    )
    assert done.stdout.count("\n") == 1
    assert json.loads(done.stdout)["agent_id"] == "w1"
    done = milestone(begun, "save-agent-state", "--agent-id", "w1", "--key", "k", "--value", '"{\\"a\\": 1}"')
    assert json.loads(done.stdout)["version"] == 1
    done = milestone(begun, "load_agent_state", "--key", "k", "--json")
    assert json.loads(done.stdout)["value"] == '{"a": 1}'


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("get-milestone", "--milestone-id", "nowhere"), 1, "There is no milestone 'nowhere'"),
        (("get-milestone", "--milestone-id", "../x"), 1, "is no identifier"),
        (("save-agent-state", "--agent-id", "w", "--key", "k", "--value", "{"), 2, "is no JSON"),
        (("save-agent-state", "--agent-id", "w", "--key", "k"), 2, "--value"),
        (("next-actions", "--what", "ever"), 2, "--what"),
        (("conquer",), 2, "conquer"),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, tuple) else str(given)[:20],
)
def test_a_refusal_goes_to_stderr_with_a_code_and_without_a_trace(
    begun: Project, arguments: tuple[str, ...], code: int, said: str
) -> None:
    before = begun.dump()
    done = milestone(begun, *arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert begun.dump() == before


def test_status_shows_where_the_milestone_stands(begun: Project, new_project: Callable[..., Project]) -> None:
    shown = milestone(begun, "status")
    assert shown.returncode == 0
    assert "Goal" in shown.stdout
    known: dict[str, Any] = json.loads(milestone(begun, "status", "--json").stdout)
    assert [one["name"] for one in known["milestones"]] == ["Goal"]
    empty = new_project()
    assert "No milestone is under way" in milestone(empty, "status").stdout
    assert not empty.database.exists()


def test_every_command_for_people_answers_with_json_when_it_is_asked() -> None:
    import click

    from milestone.surfaces.cli import Commands

    group, context = Commands(name="milestone"), click.Context(Commands(name="milestone"))
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        asked = "as_json" in {parameter.name for parameter in command.params}
        assert asked or command.hidden or name in ("mcp", "statusline"), name  # these speak a host's own language


def test_a_command_for_people_loads_what_it_needs_and_no_more(begun: Project) -> None:
    """Planted and found: a command line that imports all its commands, and so waits for pydantic at each start."""
    heavy = {"pydantic", "mcp", "anyio", "asyncio", "starlette", "uvicorn", "jinja2", "matplotlib", "yaml"}
    for command in ("status", "log"):
        done = subprocess.run(
            [PROGRAM[0], "-X", "importtime", *PROGRAM[1:], command],
            env=begun.environment,
            capture_output=True,
            text=True,
            check=True,
        )
        loaded = {line.rsplit("|", 1)[-1].strip().split(".")[0] for line in done.stderr.splitlines()}
        assert "rich" in loaded
        assert not loaded & heavy, command


def test_status_costs_little_more_than_loading_what_draws_it(begun: Project) -> None:
    """The best of five turns each, in seconds of CPU: what else the machine does is not ours."""
    tools = ("-c", "import click, dataclasses, json, pathlib, sqlite3, rich.console, rich.text")
    costs: dict[tuple[str, ...], list[float]] = {(*PROGRAM[1:], "status"): [], tools: []}
    for _ in range(5):
        for arguments, spent in costs.items():
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run([PROGRAM[0], *arguments], env=begun.environment, capture_output=True, check=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    ours, theirs = (min(spent) for spent in costs.values())
    assert ours < 2.5 * theirs, costs
