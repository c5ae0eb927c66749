"""Gates: commands of the project that the server runs, on the merged change, and what follows from what they say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from milestone.operations.catalogue import REGISTRY
from tests.helpers.agents import Agents
from tests.helpers.execution import committed, task
from tests.helpers.following import until
from tests.helpers.host import Host
from tests.helpers.projects import Project
from tests.helpers.underway import As, Execution, Worker
from tests.helpers.wire import Wire

BUILD = task("build", "execute", paths=("app/",))
GATES = ".milestones/config/gates.yaml"
HELD = "app/hold"


@pytest.fixture
def signal(tmp_path: Path) -> Path:
    """What a gate waits for whose task names it in a file; the gate says that it has begun in a file beside it."""
    return tmp_path / "go"


def begun(signal: Path) -> Path:
    """Return the file by which a held gate says that it has begun."""
    return signal.with_name(f"{signal.name}.begun")


def test_a_task_with_gates_stays_in_review_until_they_have_passed_on_the_merged_change(repository: Agents) -> None:
    """Planted and found: an `_accepted` that completes with keys and commit; a merge before the gates."""
    execution = Execution.begin(repository, BUILD)
    before = execution.git("rev-parse", execution.branch)
    done = execution.worker("build").do("app/build.py")
    assert (done["status"], set(done["evidence"])) == ("in_review", {"keys"})
    assert execution.git("rev-parse", execution.branch) == before
    assert [(one["kind"], one["task_id"]) for one in execution.actions() if one["kind"] != "spawn"] == [
        ("run_gates", "build")
    ]
    assert "build (in_review) lacks commit, gates, review" in execution.shown()["missing"][0]
    ran = execution.gates("build")
    assert [(one["gate"], one["outcome"], one["exit_code"]) for one in ran["gates"]] == [("check", "passed", 0)]
    tip = execution.git("rev-parse", execution.branch)
    proof = execution.proof("build")
    assert proof["commit"]["commit"] == proof["gates"]["commit"] == tip != before
    assert execution.git("rev-parse", f"{tip}^") == before
    assert execution.gates("build")["why"] == "No gates are owed now."
    assert [row["status"] for row in runs(execution)] == ["passed"]


def runs(execution: Execution) -> list[dict[str, object]]:
    """Return the gate runs of a milestone, oldest first."""
    known = [dict(row) for row in execution.project.rows("gate_runs") if row["milestone_id"] == execution.milestone_id]
    return sorted(known, key=lambda row: str(row["started_at"]))


def test_a_red_gate_sends_the_task_back_with_its_output_three_times_then_a_person_is_asked(repository: Agents) -> None:
    """Planted and found: a `_judged` that lets an exit code of 1 pass; a `send_back` that counts no attempts."""
    execution = Execution.begin(repository, BUILD)
    before = execution.git("rev-parse", execution.branch)
    for attempt in (1, 2, 3):
        worker = execution.worker("build")
        assert ("gate 'check' exited with 1" in worker.brief) is (attempt > 1)
        assert ("the code is broken" in worker.brief) is (attempt > 1)
        worker.do("app/build.py", f"BROKEN = {attempt}\n")
        ran = execution.gates("build", "failed")
        assert ran["gates"][0]["exit_code"] == 1
        assert "app/build.py:1:BROKEN" in ran["gates"][0]["output"]
        assert execution.proof("build") == {}
    assert execution.task("build")["status"] == "failed"
    asked = [one for one in execution.actions() if one["kind"] == "ask_human"]
    assert [one["tasks"] for one in asked] == [["build"]]
    assert "the code is broken" in execution.shown()["playbook"][-1]["detail"]
    assert execution.git("rev-parse", execution.branch) == before
    execution.call("update_milestone", retry_tasks=["build"])
    again = execution.worker("build")
    assert "the code is broken" in again.brief
    again.do("app/build.py")
    execution.gates("build")
    assert execution.git("log", "--format=%s", f"{before}..{execution.branch}") == "feat(execute): carry out build"


def test_a_gate_that_cannot_be_started_asks_a_person_at_once(repository: Agents) -> None:
    folder = repository.project.folder
    with committed(folder, {GATES: "gates:\n  - {name: missing, run: [no-such-program]}\n"}):
        execution = Execution.begin(repository, BUILD)
    execution.worker("build").do("app/build.py")
    ran = execution.gates("build", "not_found")
    assert (ran["status"], ran["gates"][0]["exit_code"]) == ("failed", None)
    asked = execution.actions()[-1]
    assert (asked["kind"], asked["tasks"]) == ("ask_human", ["build"])
    assert "no-such-program" in execution.shown()["playbook"][-1]["detail"]


def test_a_trial_shows_what_the_gates_say_and_proves_nothing(repository: Agents) -> None:
    """Planted and found: a trial that is written down as proof."""
    execution = Execution.begin(repository, BUILD)
    worker = execution.worker("build").begin()
    worker.write("app/build.py", "BROKEN = 1\n")
    tried = {"task_id": "build", "milestone_id": execution.milestone_id, **worker.who}
    assert repository.call("run_gates", **tried)["result"] == "failed"
    worker.write("app/build.py")
    ran = repository.call("run_gates", **tried)
    assert (ran["result"], ran["status"], ran["next"][:13]) == ("passed", "claimed", "git_milestone")
    assert execution.proof("build") == {}
    told = repository.refusal("run_gates", **{**tried, "token": "wrong"})
    assert "does not prove to come from it" in told
    worker.commit()
    worker.save()
    assert worker.complete()["status"] == "in_review"
    assert "gates" not in execution.proof("build")
    assert [(row["trial"], row["status"]) for row in runs(execution)] == [(1, "failed"), (1, "passed")]


def test_two_runs_at_once_run_the_gates_once(repository: Agents, signal: Path) -> None:
    """Planted and found: a `run_gates` that does not look for a run under way."""
    execution = Execution.begin(repository, BUILD)
    worker = execution.worker("build").begin()
    worker.write(HELD, str(signal))
    worker.commit()
    worker.save()
    worker.complete()
    given = {"task_id": "build", "milestone_id": execution.milestone_id}
    first = repository.begin("run_gates", **given)
    until(begun(signal).exists)
    assert repository.call("run_gates", **given)["result"] == "running"
    assert execution.actions()[0]["kind"] == "wait"
    signal.touch()
    assert '"result":"passed"' in first.result(60)[1]
    assert [row["status"] for row in runs(execution)] == ["passed"]
    assert execution.git("rev-list", "--count", f"main..{execution.branch}") == "1"


@pytest.mark.parametrize("engine_name", ["sqlite", "postgres"])
def test_gates_that_were_cut_off_with_their_server_are_offered_again_and_end_right(
    new_repository: Callable[..., Project], connect: Callable[..., Wire], signal: Path, engine_name: str
) -> None:
    """Planted and found: an `alive` that always says yes makes the next server wait for ever."""
    place = new_repository(engine_name)
    first = connect(place)
    execution = Execution.begin(first, BUILD)
    worker = execution.worker("build").begin()
    worker.write(HELD, str(signal))
    worker.commit()
    worker.save()
    worker.complete()
    before = execution.git("rev-parse", execution.branch)
    first.begin_call("run_gates", task_id="build", milestone_id=execution.milestone_id)
    until(begun(signal).exists)
    first.kill()
    second = Execution(connect(place), execution.milestone_id)
    assert [one["kind"] for one in second.actions() if one.get("task_id") == "build"] == ["run_gates"]
    assert second.git("rev-parse", execution.branch) == before
    signal.touch()
    second.gates("build")
    assert second.git("rev-list", "--count", f"main..{execution.branch}") == "1"
    assert [row["status"] for row in runs(second)] == ["lost", "passed"]


def test_a_command_never_comes_from_a_tool() -> None:
    for name, one in REGISTRY.items():
        if one.listed:
            fields = set(one.schema["properties"])
            assert not fields & {"run", "command", "argv", "gates", "seconds", "environ", "cwd"}, name


def test_accepted_gates_that_no_longer_cover_a_phase_do_not_block_it(repository: Agents) -> None:
    execution = Execution.begin(repository, BUILD)
    execution.worker("build").do("app/build.py")
    with committed(repository.project.folder, {GATES: "gates:\n  - {name: lax, run: ['true'], phases: [design]}\n"}):
        repository.project.operate("accept_gates", by="Ada", milestone_id=execution.milestone_id)
    execution.finish()


def test_gates_that_a_person_accepts_later_are_owed_by_tasks_that_have_not_begun(repository: Agents) -> None:
    folder = repository.project.folder
    with committed(folder, {GATES: "gates: []\n"}):
        execution = Execution.begin(repository, BUILD)
    assert execution.task("build")["proof"] == ("commit", "review")
    assert execution.shown("gates")["gates"] == []
    repository.project.operate("accept_gates", by="Ada", milestone_id=execution.milestone_id)
    assert execution.task("build")["proof"] == ("commit", "gates", "review")


def test_an_agent_does_not_run_the_gates_that_count(repository: Agents, wired: Wire) -> None:
    """Planted and found: a `run_gates` without `coordinator_or_person`."""
    host = Host(wired)
    execution = Execution.begin(repository, BUILD)
    action = execution.to("build")
    author = host.spawn(action, "author-1")
    worker = Worker(As(host, author), action)
    worker.do("app/build.py")
    told = host.refusal("run_gates", author, task_id="build", milestone_id=execution.milestone_id)
    assert f"You are {worker.agent_id}, and only the coordinator or a person" in told
    assert runs(execution) == []
