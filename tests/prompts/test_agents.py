"""What agents are told fits what the playbooks ask of them and what the server accepts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from milestone.domain.results import SHAPES
from milestone.prompts.agents import Prompt
from milestone.prompts.playbooks import Playbook, PlaybookTask
from tests.prompts.library import (
    AGENTS,
    COORDINATOR,
    EXECUTION,
    FENCE,
    FOLLOW_UPS,
    JUDGES,
    PLANNING,
    PLAYBOOKS,
    SKILLS,
    TRANSFORMERS,
    WORKERS,
    each_agent,
    each_judge,
    each_worker,
    examples,
    in_execution,
    in_planning,
    keys_named,
    ours,
    played,
    tools_in,
)

TYPES = {
    *("project-milestone-coordinator", "project-milestone-planner", "project-milestone-executor"),
    *("infra-context-discovery", "infra-dependency-manager", "infra-file-processor", "infra-git-operator"),
    *("research-orchestrator", "doc-architecture-designer", "doc-api-documenter", "doc-module-generator"),
    *("examples-generator", "php-transformer", "code-transformer", "quality-enforcer", "testing-orchestrator"),
    *("testing-unit-master", "testing-integration-master", "testing-api-integration"),
    *("cicd-failure-orchestrator", "cicd-failure-fixer"),
    *(
        "state-transition",
        "state-synchronization",
        "progress-tracking",
        "phase-transition",
        "pattern-cache",
        "recovery",
    ),
}
WRITERS = {
    *("infra-file-processor", "infra-git-operator", "doc-api-documenter", "doc-architecture-designer"),
    *("doc-module-generator", "examples-generator", "php-transformer", "code-transformer", "cicd-failure-fixer"),
    *("testing-unit-master", "testing-integration-master", "testing-api-integration"),
}
ONLINE = {"research-orchestrator", "infra-dependency-manager"}
READING = {"Read", "Glob", "Grep"}
WRITING = {"Edit", "Write"}
WORKERS_NEED = {"update_agent_status", "load_agent_state", "save_agent_state", "complete_task"}
SHARED = {key for key, _ in examples(SKILLS["execution"])}
PHASE_KEYS = {
    f"{phase}-{kind}" for phase in ("design", "spec", "task", "execute") for kind in ("phase-results", "partial")
}
DELIVERABLES = {
    *("design_decisions.md", "architecture_diagrams.md", "pattern_analysis.md"),
    *("technical_specs.md", "api_contracts.md", "data_models.md"),
    *("task_list.md", "dependency_graph.md", "execution_roadmap.md"),
    *("test_results.md", "validation_reports.md"),
}


def in_skill(key: str) -> bool:
    return key in SHARED | PHASE_KEYS


def tasks_of(name: str, playbook: Playbook) -> Iterator[PlaybookTask]:
    return (task for task in playbook.tasks if name in played(task.agent_type))


def test_every_agent_type_of_the_design_has_its_file() -> None:
    assert set(AGENTS) == TYPES
    assert {COORDINATOR, *WORKERS, *JUDGES} == TYPES


def test_every_agent_type_of_the_playbooks_has_its_file() -> None:
    types = {task.agent_type for playbook in (PLANNING, EXECUTION) for task in playbook.tasks}
    types |= {how.agent_type for how in EXECUTION.plan_tasks.values()} | set(FOLLOW_UPS)
    assert {name for agent_type in types for name in played(agent_type)} == set(WORKERS)
    assert set(TRANSFORMERS) <= set(AGENTS)


@each_agent
def test_an_agent_calls_only_tools_that_it_has(agent: Prompt) -> None:
    assert tools_in(agent.body) <= ours(agent)


@each_agent
def test_only_those_that_change_files_can_and_nobody_runs_programs(agent: Prompt) -> None:
    """Planted and found: Write for quality-enforcer, Bash for code-transformer."""
    host = {tool for tool in agent.tools if not tool.startswith("mcp__")}
    if agent.name == COORDINATOR:
        assert host == {"Agent"}
        return
    online = {"WebSearch", "WebFetch"} if agent.name in ONLINE else set[str]()
    assert host == READING | online | (WRITING if agent.name in WRITERS else set[str]())


@each_worker
def test_a_worker_has_what_the_protocol_asks_of_it(agent: Prompt) -> None:
    named = tools_in(SKILLS["protocol"].body)
    assert WORKERS_NEED <= named <= ours(agent)
    assert agent.skills == (("protocol", "execution") if agent.name in in_execution() else ("protocol",))


@each_worker
def test_a_worker_of_execution_has_the_tools_of_its_skill_that_it_needs(agent: Prompt) -> None:
    extra = ours(agent) & tools_in(SKILLS["execution"].body) - tools_in(SKILLS["protocol"].body)
    if agent.name not in in_execution():
        assert extra == set()
        return
    assert "git_milestone" in extra
    assert agent.name not in WRITERS or "run_gates" in extra
    assert "save_pattern" not in extra or "find_patterns" in extra


def test_the_coordinator_stands_alone_because_no_host_loads_skills_for_it_everywhere() -> None:
    coordinator = AGENTS[COORDINATOR]
    assert coordinator.skills == ()
    assert not {"save_agent_state", "complete_task"} & ours(coordinator)
    assert {"next_actions", "run_gates", "transition_phase"} <= tools_in(coordinator.body)
    assert ours(coordinator) - tools_in(coordinator.body) <= {
        "get_session_status",
        "list_session_agents",
        "load_agent_state",
        "receive_agent_messages",
    }


def test_the_coordinator_knows_every_role_that_may_be_asked_for_a_judgement() -> None:
    assert set(re.findall(r"`milestone:([a-z-]+)`", AGENTS[COORDINATOR].body)) == set(JUDGES)


@each_agent
def test_an_agent_names_a_model(agent: Prompt) -> None:
    assert agent.model in {"haiku", "sonnet", "opus"}


@pytest.mark.parametrize("path", PLAYBOOKS, ids=lambda path: path.stem)
def test_a_playbook_says_of_each_task_why_its_agent_has_the_model_that_it_has(path: Path) -> None:
    """Planted and found: `model: haiku` in quality-enforcer, and a task without a comment."""
    lines = path.read_text("utf-8").splitlines()
    said = 0
    for number, line in enumerate(lines):
        found = re.fullmatch(r"\s+(?:- )?agent_type: (\S+)", line)
        if found is None:
            continue
        comment = [text for text in lines[max(0, number - 4) : number] if re.match(r"\s+# (haiku|sonnet|opus): ", text)]
        assert len(comment) == 1, line
        model = comment[0].split("#")[1].split(":")[0].strip()
        assert {AGENTS[name].model for name in played(found[1])} == {model}
        said += 1
    assert said >= 5


@each_worker
def test_a_worker_shows_an_example_that_the_server_would_accept_for_each_key_of_its_own(agent: Prompt) -> None:
    shown = [key for key, _ in examples(agent)]
    own = [key for key in in_planning().get(agent.name, ()) if key != "planning-complete"]
    own += sorted(key for key in in_execution().get(agent.name, ()) if not in_skill(key))
    assert sorted(shown) == sorted(own)
    assert len(FENCE.findall(agent.body)) == len(shown)
    for key, example in examples(agent):
        TypeAdapter(SHAPES[key]).validate_python(json.loads(example))


def test_the_skill_of_execution_shows_an_example_of_each_shape_that_roles_share() -> None:
    assert sorted(SHARED) == ["design-partial", "design-phase-results", "task-report"]
    for key, example in examples(SKILLS["execution"]):
        TypeAdapter(SHAPES[key]).validate_python(json.loads(example))


@pytest.mark.parametrize("name", in_planning())
def test_a_worker_delivers_what_planning_waits_for(name: str) -> None:
    delivered = re.findall(r"\b[Kk]ey `([a-z-]+)`", AGENTS[name].body)
    assert tuple(delivered) == in_planning()[name]


@pytest.mark.parametrize("name", in_execution())
def test_a_worker_is_told_every_key_that_execution_may_ask_of_it(name: str) -> None:
    _, _, after = AGENTS[name].body.partition("## In execution" if name in in_planning() else "## Deliver")
    assert in_execution()[name] <= keys_named(after)


@each_worker
def test_a_worker_is_told_the_keys_it_is_given(agent: Prompt) -> None:
    given, _, _ = agent.body.partition("## Job")
    playbook = PLANNING if agent.name in in_planning() else EXECUTION
    needed = {key for task in tasks_of(agent.name, playbook) for key in (*task.needs, task.decided_by)}
    follow_up, _ = FOLLOW_UPS.get(agent.name, ("", ""))
    assert keys_named(given) == (needed | {follow_up}) - {""}


@pytest.mark.parametrize("name", [*WORKERS, *JUDGES])
def test_an_agent_is_told_its_job_in_steps_how_to_report_and_when_to_stop(name: str) -> None:
    _, _, job = AGENTS[name].body.partition("## Job\n")
    steps, _, deliver = job.partition("## Deliver\n")
    numbers = [int(number) for number in re.findall(r"^(\d+)\. ", steps, re.MULTILINE)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 5
    assert re.search(r"\bReport ", FENCE.sub("", deliver))
    assert re.search(r"\bStop when ", deliver)


@pytest.mark.parametrize("name", sorted(set(in_planning()) & set(in_execution())))
def test_an_agent_of_both_modes_is_told_what_changes_in_execution(name: str) -> None:
    assert "## In execution\n" in AGENTS[name].body


@each_judge
def test_a_judge_holds_no_task_and_saves_a_verdict_under_a_key_of_its_own(agent: Prompt) -> None:
    assert agent.skills == ("protocol", "judgement")
    assert tools_in(SKILLS["judgement"].body) - {"next_actions"} <= ours(agent)
    assert not {"complete_task", "update_agent_status", "next_actions", "git_milestone"} & ours(agent)
    ((key, example),) = examples(agent)
    assert key not in SHAPES
    assert "verdict" in json.loads(example)


def test_no_two_judges_save_under_the_same_key() -> None:
    assert len({key for name in JUDGES for key, _ in examples(AGENTS[name])}) == len(JUDGES)


def test_every_file_of_a_phase_has_one_author() -> None:
    text = FENCE.sub("", SKILLS["execution"].body)
    assert {name: len(re.findall(rf"\b{re.escape(name)}", text)) for name in DELIVERABLES} == dict.fromkeys(
        DELIVERABLES, 1
    )
