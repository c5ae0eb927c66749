"""What agents use is counted; over a budget nothing new starts for the task, and a person is asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from milestone.domain.budgets import Amount, exceeded
from milestone.surfaces.transcripts import Meter
from tests.helpers.agents import Agents
from tests.helpers.host import Host
from tests.helpers.mirrored import command
from tests.helpers.projects import Project
from tests.helpers.wire import Wire


@pytest.fixture
def limited(agents: Agents) -> Iterator[Callable[[str], None]]:
    """Sets the budgets of the project for one test."""
    file = agents.project.mirror / "config" / "limits.yaml"

    def limit(budgets: str) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"budgets: {budgets}\n", "utf-8")

    yield limit
    file.unlink(missing_ok=True)


def fail(agents: Agents, action: dict[str, Any], calls: int) -> None:
    """Let an agent use some turns and give up."""
    who = {"agent_id": action["agent_id"], "token": action["token"]}
    for _ in range(calls - 1):
        agents.call("update_agent_status", status="active", **who)
    agents.call("report_failure", error="no such file", **who)


def first_task(agents: Agents, later: float = 0) -> dict[str, Any]:
    """Return what happens with the task of finding out the scope."""
    operate = agents.project.operate
    given = operate("next_actions", later=later, milestone_id=agents.milestone_id)["actions"]
    return next(one for one in given if "scope" in (one.get("task_id"), *one.get("tasks", ())))


@pytest.mark.parametrize(
    ("used", "limit", "said"),
    [
        (Amount(29), Amount(30), ""),
        (Amount(30), Amount(30), "30 of 30 turns"),
        (Amount(minutes=61.2), Amount(minutes=60), "61 of 60 minutes"),
        (Amount(tokens=2_000_000), Amount(tokens=1_000_000), "2,000,000 of 1,000,000 tokens"),
        (Amount(10**9, 10**9, 10**9), Amount(), ""),
    ],
)
def test_a_limit_is_reached_when_it_is_used_up_and_zero_is_none(used: Amount, limit: Amount, said: str) -> None:
    assert exceeded(used, limit) == said


def test_over_the_budget_of_a_task_nothing_new_starts_for_it_and_a_person_is_asked(
    agents: Agents, limited: Callable[[str], None]
) -> None:
    """Planted and found: a `hold_back` that finds no task over its budget."""
    fail(agents, agents.actions()[0], 4)
    limited("{task: {turns: 4}}")
    question = first_task(agents, 10)
    assert question["kind"] == "ask_human"
    assert "task scope has used 4 of 4 turns" in question["why"]
    assert question["choices"] == [f"update_milestone(milestone_id={agents.milestone_id!r}, retry_tasks=['scope'])"]
    row = agents.project.read(lambda store: store.tasks.get(agents.milestone_id, "scope"))
    assert row["status"] == "blocked"


def test_a_person_who_lets_it_go_on_gives_the_task_its_budget_once_more(
    agents: Agents, limited: Callable[[str], None]
) -> None:
    """Planted and found: an `allow` that forgets what was used so far."""
    fail(agents, agents.actions()[0], 4)
    limited("{task: {turns: 4}}")
    first_task(agents, 10)
    agents.call("update_milestone", milestone_id=agents.milestone_id, retry_tasks=["scope"])
    again = first_task(agents, 10)
    assert again["kind"] == "spawn"
    fail(agents, again, 4)
    assert "4 of 4 turns" in first_task(agents, 60)["why"]


def test_minutes_at_work_count_for_all_attempts_of_a_task(agents: Agents, limited: Callable[[str], None]) -> None:
    action = agents.actions()[0]
    agents.start(action)
    who = {"agent_id": action["agent_id"], "token": action["token"]}
    agents.project.operate("report_failure", later=660, error="no such file", **who)
    limited("{task: {minutes: 10}}")
    assert "11 of 10 minutes" in first_task(agents, 700)["why"]


def test_what_a_milestone_has_used_shows_in_its_status(agents: Agents) -> None:
    action = agents.actions()[0]
    for _ in range(3):
        agents.call("update_agent_status", status="active", agent_id=action["agent_id"], token=action["token"])
    told = command(agents.project, "status", agents.milestone_id).output
    assert "spent    3 turns, 0 min; most turns: scope 3" in told


def transcript(path: Path, *answers: tuple[str, int]) -> str:
    """Write what the host writes of an agent: answers of the model by their id, with the tokens of each."""
    lines = [{"type": "user", "message": {"content": "go"}}]
    lines += [
        {"type": "assistant", "message": {"id": name, "usage": {"input_tokens": tokens, "output_tokens": 1}}}
        for name, tokens in answers
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    return str(path)


def test_an_answer_of_the_model_counts_once_however_many_lines_it_takes(tmp_path: Path) -> None:
    """Planted and found: a count of lines."""
    meter = Meter()
    file = transcript(tmp_path / "a.jsonl", ("m1", 10), ("m1", 10), ("m2", 20))
    assert meter.used(file) == (2, 32)
    transcript(tmp_path / "b.jsonl", ("m2", 20), ("m3", 30))
    with Path(file).open("a") as more:
        more.write((tmp_path / "b.jsonl").read_text()[:-5])
    assert meter.used(file) == (2, 32), "a line that is not whole is read later"
    with Path(file).open("a") as more:
        more.write((tmp_path / "b.jsonl").read_text()[-5:] + "no json\n")
    assert meter.used(file) == (3, 63)
    assert meter.used(str(tmp_path / "nothing")) == (0, 0)


def test_turns_and_tokens_come_from_the_hosts_transcript_and_an_agent_over_its_budget_is_told_once(
    new_project: Callable[..., Project], connect: Callable[..., Wire], tmp_path: Path
) -> None:
    """Planted and found: a `tell` that tells again and again."""
    project = new_project()
    (project.mirror / "config").mkdir(parents=True)
    (project.mirror / "config" / "limits.yaml").write_text("budgets: {agent: {tokens: 40}}\n", "utf-8")
    host = Host(connect(project))
    who = host.spawn(host.actions()["scope"], "a1")
    folder = tmp_path / "session" / "subagents"
    folder.mkdir(parents=True)
    used = {"agent_id": who[0], "agent_type": who[1], "tool_name": "Read"}
    used |= {"transcript_path": str(tmp_path / "session.jsonl")}

    def told(*answers: tuple[str, int]) -> str:
        transcript(folder / "agent-a1.jsonl", *answers)
        aged = "UPDATE agent_registry SET seen_at = '2020-01-01T00:00:00.000Z'"
        project.write(aged)
        return json.dumps(host.event("PostToolUse", **used))

    assert told(("m1", 10)) == "{}"
    assert "You have used 42 of 40 tokens" in told(("m1", 10), ("m2", 30))
    assert told(("m1", 10), ("m2", 30)) == "{}"
    spent = project.rows("spend")
    assert [(row["task_id"], row["turns"], row["tokens"]) for row in spent] == [("scope", 2, 42)]
