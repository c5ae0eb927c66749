"""The drift from the plan's decisions, the file that people read of an execution, and a log nobody can write for us."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from milestone.domain.replay import EVENTS
from tests.conftest import REPOSITORIES
from tests.helpers.agents import Agents
from tests.helpers.execution import VALUES, task
from tests.helpers.following import until
from tests.helpers.underway import Execution


def decision(name: str, kind: str, what: str, *places: str) -> dict[str, Any]:
    """Return a decision about these places."""
    where = [{"file": file, "line": None} for file in places]
    return {"id": name, "kind": kind, "what": what, "reason": "so", "source": "scope", "places": where}


DECISIONS = [
    decision("k-1", "keep", "the old way", "app/old.py"),
    decision("r-1", "remove", "the tokens", "app/tokens.py"),
    decision("r-2", "remove", "the start", "app/__init__.py"),
    decision("i-1", "improve", "the names", "app/"),
    decision("o-1", "originate", "a store"),
    decision("o-2", "originate", "a door"),
]
# What is shown is the same on every engine; the other one has the tests of Git.
pytestmark = pytest.mark.parametrize("repository", REPOSITORIES[1:], ids="-".join, indirect=True)
SOLVE = task("solve", "design", paths=("app/", "docs/"), decisions=["r-1", "r-2", "o-1"])
LATER = task("later", "execute", paths=("app/",), decisions=["i-1", "o-2"])


def test_the_drift_names_what_was_touched_what_is_still_there_and_what_nobody_has_finished(repository: Agents) -> None:
    """Planted and found: a look at the working tree of the person instead of the milestone's branch."""
    execution = Execution.begin(repository, SOLVE, LATER, decisions=DECISIONS)
    assert len(execution.shown("decisions")["decisions"]) == 6
    assert "k-1" not in "".join(execution.shown("drift")["drift"])
    worker = execution.worker("solve").begin()
    for line in ("r-1 (remove): the tokens", "o-1 (originate): a store"):
        assert line in worker.brief
    (worker.folder / "app" / "tokens.py").unlink()
    worker.write("app/old.py", "def old():\n    return 1\n")
    worker.commit()
    worker.save()
    worker.complete()
    assert execution.shown("drift")["drift"] == [
        "Keep k-1 (the old way), but task solve touched app/old.py",
        "Remove r-2 (the start), but app/__init__.py is still there",
        "Improve i-1 (the names), but no task that cites it is finished: later is pending",
        "Originate o-2 (a door), but no task that cites it is finished: later is pending",
    ]
    assert (repository.project.folder / "app" / "tokens.py").is_file()
    execution.finish()
    told = execution.shown("drift")["drift"]
    assert told == [
        "Keep k-1 (the old way), but task solve touched app/old.py",
        "Remove r-2 (the start), but app/__init__.py is still there",
    ]
    assert execution.state("kiro-drift") == told
    report = repository.project.mirror / "deliverables" / execution.milestone_id / "final_report.md"
    until(report.exists)
    for sentence in told:
        assert f"- {sentence}" in report.read_text("utf-8")


def test_a_waiver_takes_nothing_away_that_was_to_be_removed(repository: Agents) -> None:
    execution = Execution.begin(repository, SOLVE, LATER, decisions=DECISIONS)
    for name in ("solve", "later"):
        repository.project.operate("waive", task_id=name, by="Ada", reason="late", milestone_id=execution.milestone_id)
    execution.finish()
    told = execution.state("kiro-drift")
    assert [one.split(" (")[0] for one in told] == ["Remove r-1", "Remove r-2"]


def test_the_file_for_people_follows_the_execution(repository: Agents) -> None:
    execution = Execution.begin(repository, SOLVE, LATER, decisions=DECISIONS)
    path = repository.project.mirror / "active" / f"{execution.milestone_id}.yaml"

    def tasks() -> dict[str, Any]:
        return {one["id"]: one for one in yaml.safe_load(path.read_text("utf-8"))["tasks"]} if path.exists() else {}

    until(lambda: tasks().get("later", {}).get("status") == "pending")
    worker = execution.worker("solve").begin()
    until(lambda: tasks()["solve"].get("agent") == worker.agent_id)
    worker.write("docs/store.md")
    worker.commit()
    worker.save(value={**VALUES["task-report"], "files": [{"name": "store.md", "title": "S", "content": "# Store\n"}]})
    documents = repository.project.mirror / "deliverables" / execution.milestone_id
    worker.complete()
    until(lambda: tasks()["solve"]["evidence"] == ["commit", "files", "keys"])
    shown = yaml.safe_load(path.read_text("utf-8"))
    tip = execution.git("rev-parse", execution.branch)
    assert shown["git"]["branch"] == execution.branch
    assert shown["git"]["commits"] == [{"commit": tip, "task": "solve", "branch": execution.branch}]
    assert shown["metadata"]["status"] == "active"
    assert shown["metadata"]["strategy"] == "adaptive"
    assert shown["kiro_configuration"]["phases"]["design"]["status"] in ("in_progress", "completed")
    assert [one["id"] for one in shown["kiro_configuration"]["decisions"]] == [one["id"] for one in DECISIONS]
    assert shown["tasks"][-1]["phase"] in ("execute", "standing")
    until((documents / "store.md").exists)
    assert (documents / "store.md").read_text("utf-8") == "# Store\n"
    progress = yaml.safe_load(path.read_text("utf-8"))["progress"]
    assert progress["overall"] == execution.shown()["progress"]["overall"] > 0


def test_an_event_that_the_server_writes_cannot_be_logged_by_anybody(repository: Agents) -> None:
    """Planted and found: a log that takes any name, so that a made-up completion is replayed."""
    milestone_id = repository.call("initialize_agent_coordination", name="events")["milestone_id"]
    before = repository.project.rows("events")
    for event in sorted(EVENTS):
        given = {"event": event, "subject": "build", "detail": {"status": "completed"}, "milestone_id": milestone_id}
        assert f"Event '{event}' is written by the server alone" in repository.refusal("log_milestone_event", **given)
    assert repository.project.rows("events") == before


def test_what_the_server_saves_cannot_be_saved_by_anybody(repository: Agents) -> None:
    """Planted and found: a `save_agent_state` that takes any key."""
    execution = Execution.begin(repository, SOLVE, LATER, decisions=DECISIONS)
    agent = repository.call("register_agent", agent_type="worker", milestone_id=execution.milestone_id)["agent_id"]
    before = execution.state("milestone-progress")
    for key in ("milestone-progress", "execution-state", "ready-for-execution", "kiro-drift", "final-report"):
        for name in (execution.begun["agent_id"], agent):
            told = repository.refusal("save_agent_state", agent_id=name, key=key, value=True)
            assert "server alone" in told, key
    assert execution.state("milestone-progress") == before


def test_what_has_ended_stays_ended(repository: Agents) -> None:
    execution = Execution.begin(repository, task("decide", "design"))
    execution.finish()
    for status in ("blocked", "cancelled", "planning"):
        assert "is completed" in execution.refusal("update_milestone", status=status)
    assert execution.shown()["status"] == "completed"
    assert execution.call("initialize_agent_coordination", mode="execution")["status"] == "completed"
