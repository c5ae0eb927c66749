"""What people write under `.milestones/config/` is read as they meant it, or refused with the line that is wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milestone.domain.gates import Backoff, Gate, GateLimits, Limits, SharedLimits
from milestone.prompts.configuration import (
    BadConfiguration,
    RepositoryEntry,
    parse_gates,
    parse_limits,
    parse_repositories,
    read_limits,
)
from milestone.prompts.playbooks import BadPlaybook
from milestone.prompts.strict_yaml import LIMIT

SHIPPED = Path(__file__).resolve().parents[2] / "playbooks" / "limits.yaml"
GATES = """\
gates:
  - name: tests
    run: [pytest, -q]
  - name: lint
    run:
      - sh
      - -c
      - |
        ruff check
        ruff format --check
    phases: [task, execute]
    seconds: 60
"""
WORDS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=30)


def refusal(parse: Callable[[str, str], Any], text: str) -> str:
    with pytest.raises(BadConfiguration) as refused:
        parse(text, "c.yaml")
    return str(refused.value)


def limits(text: str, where: str = "c.yaml") -> Limits:
    return parse_limits(text, where, Limits())


def test_gates_are_taken_with_what_was_left_out() -> None:
    assert parse_gates(GATES, "gates.yaml") == (
        Gate("tests", ("pytest", "-q"), ("execute",), 600),
        Gate("lint", ("sh", "-c", "ruff check\nruff format --check\n"), ("task", "execute"), 60),
    )


def test_a_project_may_have_no_gates() -> None:
    assert parse_gates("gates: []\n", "gates.yaml") == ()


@given(st.builds(Gate, WORDS, st.lists(WORDS, min_size=1).map(tuple), seconds=st.integers(1, 86_400)))
def test_a_gate_comes_back_from_json_as_it_was(gate: Gate) -> None:
    assert Gate.from_plain(json.loads(json.dumps(gate.plain()))) == gate


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("", 1, "the file has the field gates"),
        ("gate: []\n", 1, "unknown field gate; allowed: gates"),
        ("gates: {}\n", 1, "gates must be a list of entries"),
        ("gates:\n  - pytest\n", 1, "each gate has the fields name, run and perhaps phases, seconds"),
        (GATES + "    shell: true\n", 13, "unknown field shell; allowed: name, run, phases, seconds"),
        (GATES + "  - name: docs\n", 13, "the field run is missing"),
        (GATES.replace("name: tests", "name: My tests"), 2, "name holds 'My tests', but a name has small letters"),
        (GATES.replace("name: lint", "name: tests"), 4, "two gates share the name tests"),
        (GATES.replace("[pytest, -q]", "pytest -q"), 3, "run must be a list of texts"),
        (GATES.replace("[pytest, -q]", "[]"), 3, "run must be a list of texts, the program first: no shell reads it"),
        (GATES.replace("[pytest, -q]", "['', -q]"), 3, "run must be a list of texts, the program first"),
        (GATES.replace("[pytest, -q]", "[pytest, 3]"), 3, "run holds 3, which is no text: put it in quotes"),
        (GATES.replace("[pytest, -q]", "[pytest, true]"), 3, "run holds True, which is no text: put it in quotes"),
        (GATES.replace("[pytest, -q]", "[pytest, [-q]]"), 3, "run holds ['-q'], which is no text"),
        (GATES.replace("[pytest, -q]", '[pytest, "\\0"]'), 3, "with a character that no program can be given"),
        (GATES.replace("[pytest, -q]", '[pytest, "\\ud800"]'), 3, "with a character that no program can be given"),
        (GATES.replace("[task, execute]", "[later]"), 11, "phases is 'later'; allowed: design, spec, task, execute"),
        (GATES.replace("[task, execute]", "[task, task]"), 11, "phases names the same word twice"),
        (GATES.replace("[task, execute]", "[]"), 11, "phases names no phase, so the gate would never run"),
        (GATES.replace("[task, execute]", "3"), 11, "phases must be a list; allowed in it: design, spec"),
        (GATES.replace("seconds: 60", "seconds: 0"), 12, "seconds must be a whole number from 1 to 86400"),
        (GATES.replace("seconds: 60", "seconds: 86401"), 12, "seconds must be a whole number from 1 to 86400"),
        (GATES.replace("seconds: 60", "seconds: 60.5"), 12, "seconds must be a whole number"),
        (GATES.replace("seconds: 60", "seconds: '60'"), 12, "seconds must be a whole number"),
        (GATES.replace("run: [pytest, -q]", "run: &r [pytest, -q]"), 3, "anchors and aliases are not allowed"),
        (GATES + "    seconds: 5\n", 13, "seconds stands here for the second time, first in line 12"),
        (GATES + "#" * LIMIT, 1, "at most 262,144 bytes are allowed"),
    ],
)
def test_gates_that_do_not_fit_are_refused_with_their_line(text: str, line: int, reason: str) -> None:
    said = refusal(parse_gates, text)
    assert said.startswith(f"c.yaml, line {line}: ")
    assert reason in said


def test_the_shipped_limits_are_the_limits_of_the_product() -> None:
    assert read_limits(SHIPPED) == Limits()
    assert Limits() == Limits(
        phases_at_once=3,
        agents_at_once=8,
        attempts=3,
        gate=GateLimits(seconds=1800, memory_mb=400, cpu_percent=20),
        all_gates=SharedLimits(memory_mb=1200, cpu_percent=60),
        priority={"design": "medium", "spec": "high", "task": "medium", "execute": "critical"},
    )
    assert Limits().gates_at_once == 3


def test_a_project_sets_what_it_names_and_the_rest_stays(tmp_path: Path) -> None:
    own = tmp_path / "limits.yaml"
    own.write_text("agents_at_once: 2\ngate: {memory_mb: 800}\nall_gates:\n  cpu_percent: 100\npriority: {task: low}\n")
    expected = Limits(
        agents_at_once=2,
        gate=GateLimits(memory_mb=800),
        all_gates=SharedLimits(cpu_percent=100),
        priority={"design": "medium", "spec": "high", "task": "low", "execute": "critical"},
    )
    assert read_limits(SHIPPED, own) == expected
    assert expected.gates_at_once == 1


def test_files_of_limits_that_are_not_there_or_say_nothing_set_nothing(tmp_path: Path) -> None:
    (tmp_path / "limits.yaml").write_text("# later\n")
    assert read_limits(tmp_path / "none.yaml", tmp_path / "limits.yaml") == Limits()


@given(st.integers(16, 2000), st.integers(1, 100), st.integers(16, 4000), st.integers(1, 100))
def test_as_many_gates_run_at_once_as_fit_together(memory: int, cpu: int, all_memory: int, all_cpu: int) -> None:
    text = json.dumps(
        {
            "gate": {"memory_mb": memory, "cpu_percent": cpu},
            "all_gates": {"memory_mb": all_memory, "cpu_percent": all_cpu},
        }
    )
    if memory > all_memory or cpu > all_cpu:
        assert "more than all_gates." in refusal(limits, text)
        return
    count = limits(text).gates_at_once
    assert count * memory <= all_memory
    assert count * cpu <= all_cpu
    assert (count + 1) * memory > all_memory or (count + 1) * cpu > all_cpu


def test_a_rest_after_failures_is_set_field_by_field() -> None:
    assert limits("backoff: {base_seconds: 60}\npark_seconds: 30\n") == Limits(
        backoff=Backoff(base_seconds=60), park_seconds=30
    )


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        (
            "- 3\n",
            1,
            "the limits are fields: phases_at_once, agents_at_once, attempts, task_seconds, backoff, park_seconds",
        ),
        ("agents: 3\n", 1, "unknown field agents; allowed: phases_at_once"),
        ("\nphases_at_once: 5\n", 2, "phases_at_once must be a whole number from 1 to 4"),
        ("backoff: 5\n", 1, "backoff has the fields base_seconds, factor and most_seconds"),
        ("backoff:\n  factor: 0\n", 2, "factor must be a whole number from 1 to 100"),
        ("backoff:\n  base: 1\n", 2, "unknown field base"),
        ("park_seconds: 0\n", 1, "park_seconds must be a whole number from 1 to 86400"),
        ("agents_at_once: 0\n", 1, "agents_at_once must be a whole number from 1 to 64"),
        ("attempts: many\n", 1, "attempts must be a whole number from 1 to 10"),
        ("gate: 400\n", 1, "gate has the fields seconds, memory_mb and cpu_percent"),
        ("gate:\n  memory: 400\n", 2, "unknown field memory; allowed: seconds, memory_mb, cpu_percent"),
        ("gate:\n  seconds: -1\n", 2, "seconds must be a whole number from 1 to 86400"),
        ("gate:\n  memory_mb: 1\n", 2, "memory_mb must be a whole number from 16 to 1048576"),
        ("gate:\n  cpu_percent: 101\n", 2, "cpu_percent must be a whole number from 1 to 100"),
        ("all_gates: []\n", 1, "all_gates has the fields memory_mb and cpu_percent"),
        ("all_gates:\n  seconds: 5\n", 2, "unknown field seconds; allowed: memory_mb, cpu_percent"),
        ("gate:\n  memory_mb: 1300\n", 2, "gate.memory_mb is 1300, more than all_gates.memory_mb, which is 1200"),
        (
            "gate:\n  seconds: 5\nall_gates:\n  cpu_percent: 10\n",
            4,
            "gate.cpu_percent is 20, more than all_gates.cpu_percent, which is 10",
        ),
        ("priority: high\n", 1, "priority has the fields design, spec, task, execute"),
        ("priority:\n  build: high\n", 2, "unknown field build; allowed: design, spec, task, execute"),
        ("priority:\n  spec: urgent\n", 2, "spec is 'urgent'; allowed: low, medium, high, critical"),
        ("gate: [a\n", 2, "expected ',' or ']'"),
    ],
)
def test_limits_that_do_not_fit_are_refused_with_their_line(text: str, line: int, reason: str) -> None:
    said = refusal(limits, text)
    assert said.startswith(f"c.yaml, line {line}: ")
    assert reason in said


def test_repositories_lie_below_the_project_or_beside_it() -> None:
    text = "repositories:\n  - {name: web, path: ../shop-web}\n  - {name: theme, path: vendor/theme}\n"
    assert parse_repositories(text, "c.yaml") == (
        RepositoryEntry("web", "../shop-web"),
        RepositoryEntry("theme", "vendor/theme"),
    )


@pytest.mark.parametrize(
    "path",
    [
        *("/srv/shop", "~/shop/../..", "..", "../", "../..", "../../shop", "../shop/web", "../shop/", "a/../../b"),
        *(".", "./web", "a//b", "a/", "a/./b", "C:\\shop", "C:/shop", "https://example.org/shop", "a\\b"),
    ],
)
def test_a_repository_anywhere_else_is_refused(path: str) -> None:
    said = refusal(parse_repositories, f"repositories:\n  - name: web\n    path: '{path}'\n")
    assert said.startswith(f"c.yaml, line 3: path is {path!r}; allowed: folders below")


@pytest.mark.parametrize(
    "path", [".git", ".git/modules/web", "a/.git/b", "../.git", "a/.GIT", ".milestones/worktrees/a"]
)
def test_a_repository_in_a_folder_of_git_or_of_ours_is_refused(path: str) -> None:
    said = refusal(parse_repositories, f"repositories:\n  - name: web\n    path: {path}\n")
    assert said.endswith(f"line 3: path is {path!r}, but no repository may lie in .git or .milestones")


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("repositories: web\n", 1, "repositories must be a list of entries"),
        ("repositories:\n  - web\n", 1, "each repository has the fields name and path"),
        ("repositories:\n  - name: web\n", 2, "the field path is missing"),
        ("repositories:\n  - name: web\n    path: ''\n", 3, "path must be one line of at most 120 characters"),
        ("repositories:\n  - name: web\n    path: 5\n", 3, "path must be one line of at most 120 characters"),
        (
            "repositories:\n  - {name: web, path: a}\n  - name: web\n    path: b\n",
            3,
            "two repositories share the name web",
        ),
        (
            "repositories:\n  - {name: web, path: a}\n  - name: site\n    path: a\n",
            4,
            "two repositories share the path a",
        ),
    ],
)
def test_repositories_that_do_not_fit_are_refused_with_their_line(text: str, line: int, reason: str) -> None:
    assert refusal(parse_repositories, text) == f"c.yaml, line {line}: {reason}"


def test_a_file_that_cannot_be_read_is_refused_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "limits.yaml").write_bytes(b"attempts: 3\n\xff\n")
    with pytest.raises(BadConfiguration, match=r"limits\.yaml, line 2: this is no UTF-8"):
        read_limits(tmp_path / "limits.yaml")
    with pytest.raises(BadConfiguration, match=re.escape(f"{tmp_path}: Is a directory")):
        read_limits(tmp_path)


def test_a_bad_playbook_is_a_bad_configuration() -> None:
    assert issubclass(BadPlaybook, BadConfiguration)
