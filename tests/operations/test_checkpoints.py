"""Checkpoints: asked for and made by themselves, what they keep, and how state alone goes back to them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from milestone.domain.identity import Caller
from milestone.operations import checkpoints
from tests.conftest import ENGINES
from tests.helpers.execution import git, lean, play, task, value
from tests.helpers.projects import Project
from tests.helpers.rolling import agree
from tests.helpers.underway import Execution, InProcess, Worker, plan

ANSWER = 4 * 1_500  # bytes
PLAN = (
    task("decide", "design", weight=10),
    task("specify", "spec", ("decide",), ("docs/",), weight=10),
    task("build", "execute", ("specify",), ("app/",), weight=10),
)


@pytest.fixture(params=ENGINES)
def execution(request: pytest.FixtureRequest, new_repository: Callable[..., Project]) -> Execution:
    """A milestone that is carried out in a repository of its own, phase by phase."""
    return Execution.begin(InProcess(new_repository(request.param)), *PLAN)


@pytest.fixture(params=ENGINES)
def outside(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """A milestone that is carried out in a folder without Git."""
    folder = tmp_path / "place"
    for name, text in lean().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    url = request.getfixturevalue("postgres").new_database() if request.param == "postgres" else ""
    project = Project(folder, url)
    yield Execution.begin(InProcess(project), *PLAN)
    project.close()


def created(execution: Execution, scope: str = "milestone", scope_id: str = "", **more: Any) -> dict[str, Any]:
    """Return the answer about a new checkpoint, of the milestone if not said otherwise."""
    given = {"scope": scope, "scope_id": scope_id or execution.milestone_id, **more}
    return execution.agents.call("create_agent_checkpoint", **given)


def restore(execution: Execution, point: dict[str, Any] | str, **given: Any) -> dict[str, Any]:
    """Roll state back to a checkpoint."""
    checkpoint_id = point if isinstance(point, str) else point["checkpoint_id"]
    return execution.agents.call("restore_agent_checkpoint", checkpoint_id=checkpoint_id, **{"dry_run": False, **given})


def refs(execution: Execution) -> set[str]:
    """Return which checkpoints have something in Git."""
    lines = git(execution.project.folder, "for-each-ref", "--format=%(refname)", "refs/milestone").splitlines()
    return {line.split("/")[3] for line in lines}


def labels(execution: Execution) -> list[str]:
    """Return the labels of all checkpoints, the oldest first."""
    rows = execution.read(lambda store: store.state.checkpoints(execution.milestone_id))
    return [row["label"] for row in reversed(rows)]


def test_a_checkpoint_says_in_few_words_what_it_keeps(execution: Execution) -> None:
    worker = execution.worker("specify").begin()
    worker.write("docs/new.md")
    (execution.project.folder / "app" / "mine.py").write_text("1\n", "utf-8")
    answer = created(execution, label="here")
    assert answer["git"] == "2 folders with 2 files that are not committed, 2 branches"
    session = created(execution, "session", execution.begun["session_id"])
    assert session["git"] == answer["git"]
    own = created(execution, "agent", worker.agent_id)
    assert own["git"] == "1 folders with 1 files that are not committed, 0 branches"
    coordinator = created(execution, "agent", f"coordinator-{execution.begun['session_id']}")
    assert coordinator["git"].startswith("nothing")
    assert refs(execution) >= {one["checkpoint_id"] for one in (answer, session, own)}
    shown = execution.shown("checkpoints")["checkpoints"]
    assert f"{answer['checkpoint_id']} 'here'" in "\n".join(shown)


def test_a_checkpoint_that_cannot_keep_files_keeps_the_state_and_says_so(execution: Execution) -> None:
    """Planted and found: a capture whose refusal ends the call."""
    worker = execution.worker("specify").begin()
    worker.save("task-report")
    hidden = execution.project.folder / ".git" / "objects"
    hidden.rename(hidden.with_name("gone"))
    try:
        answer = created(execution)
    finally:
        hidden.with_name("gone").rename(hidden)
    assert "NOT kept" in answer["git"]
    assert execution.events("checkpoint_captured")[-1]["detail"].count("Git folder")
    worker.save("task-report", value("task-report", "x") | {"summary": "Later"})
    assert restore(execution, answer)["count"] == 1


def test_outside_of_git_state_alone_is_kept(outside: Execution) -> None:
    assert created(outside)["git"] == "nothing: the project lies outside of Git"
    worker = Worker(outside.agents, outside.to("decide"))
    worker.agents.call("update_agent_status", status="active", **worker.who)
    point = created(outside)
    worker.save()
    worker.complete()
    done = restore(outside, point, tree=True)
    assert done["git"] == "nothing of Git was kept with this checkpoint"
    assert (outside.task("decide")["status"], outside.proof("decide")) == ("ready", {})
    agree(outside)
    restore(outside, done["undo"])
    assert outside.task("decide")["status"] == "completed"
    assert set(outside.proof("decide")) == {"keys"}
    agree(outside)


def test_a_rollback_brings_back_phases_waivers_and_tasks_that_were_added(outside: Execution) -> None:
    """Planted and found: phases that stay completed, needs that are not counted anew, evidence that stays."""
    point = created(outside)
    outside.to("specify")
    outside.call("waive", task_id="specify", by="Ada", reason="late")
    assert outside.task("build")["unmet"] == 0
    seen = restore(outside, point, dry_run=True)
    assert seen["waivers_undone"] == ["specify: Ada: late"]
    assert seen["phases"] == ["design -> pending", "spec -> pending"]
    undo = restore(outside, point)["undo"]
    agree(outside)
    assert {row["status"] for row in outside.read(lambda s: s.tasks.all(outside.milestone_id, "execution"))} == {
        "pending"
    }
    assert (outside.task("build")["unmet"], outside.proof("specify")) == (1, {})
    assert outside.shown()["progress"]["overall"] == 0
    restore(outside, undo)
    agree(outside)
    assert outside.shown()["progress"]["waived"][0]["by"] == "Ada"
    outside.finish()


def test_a_task_that_was_added_after_it_is_left_out_and_comes_back_when_it_is_asked_for(outside: Execution) -> None:
    """Planted and found: a task that exists and is never done."""
    from milestone.operations import outcomes

    given = {"agent_type": "code-transformer", "title": "Fix", "phase": "execute", "produces": ("task-report",)}
    point = created(outside)

    def add(title: str) -> None:
        within(
            outside,
            lambda ctx: outcomes.add_task(
                ctx, outside.milestone_id, "fix-1", **{**given, "title": title}, source="finding", time_limit=600
            ),
        )

    add("Fix")
    restore(outside, point)
    assert (outside.task("fix-1")["status"], outside.task("fix-1")["detail"][:11]) == ("skipped", "rolled back")
    agree(outside)
    add("Fix anew")
    assert (outside.task("fix-1")["status"], outside.task("fix-1")["title"]) == ("pending", "Fix anew")
    agree(outside)


def within(execution: Execution, work: Callable[[Any], Any]) -> Any:
    """Return what `work` makes of a context in one transaction."""
    from milestone.store.engine import run

    application = execution.project.application
    return run(execution.project.engine, lambda tx: work(application.context(tx, Caller(), set())), write=True)


def test_messages_go_back_with_the_state(outside: Execution) -> None:
    """Planted and found: messages that stay on their way, and messages that were read and never come again."""
    call = outside.call
    for name in ("one", "other"):
        call("register_agent", agent_type="worker", agent_id=f"{name}-{outside.milestone_id}")
    one, other = f"one-{outside.milestone_id}", f"other-{outside.milestone_id}"

    def send(text: str, to: str = other) -> None:
        outside.agents.call("send_agent_message", from_agent=one, to=to, type="note", payload=text)

    def got() -> list[str]:
        found = outside.agents.call("receive_agent_messages", agent_id=other)["messages"]
        return [message["payload"] for message in found]

    send("before")
    point = created(outside)
    assert got() == ["before"]
    assert got() == []
    send("after")
    send("to nobody yet", "code-transformer")
    seen = restore(outside, point, dry_run=True)
    assert seen["messages"] == {"withdrawn": 2, "come_again": 1}
    undo = restore(outside, point)["undo"]
    assert got() == ["before"]
    assert got() == []
    late = f"late-{outside.milestone_id}"
    call("register_agent", agent_type="code-transformer", agent_id=late)
    assert outside.agents.call("receive_agent_messages", agent_id=late)["messages"] == []
    restore(outside, undo)
    assert "after" in got()


def test_automatic_checkpoints_come_at_phase_changes_quarters_and_merges(execution: Execution) -> None:
    """Planted and found: a quarter that is kept each time somebody asks."""
    execution.finish()
    found = labels(execution)
    assert [one for one in found if one in ("auto:design", "auto:spec", "auto:task", "auto:execute")] == [
        "auto:design",
        "auto:spec",
        "auto:task",
        "auto:execute",
    ]
    quarters = [one for one in found if one.endswith("%")]
    assert len(set(quarters)) == len(quarters)
    assert set(quarters) <= {"auto:25%", "auto:50%", "auto:75%"}
    assert quarters
    assert {"auto:merge build", "auto:merge specify"} <= set(found)
    rows = execution.read(lambda store: store.state.checkpoints(execution.milestone_id))
    for row in rows:
        full = [tree["full"] for tree in row["trees"]]
        assert full == [not row["label"].startswith("auto:merge")], row["label"]
    told = execution.agents.refusal("restore_agent_checkpoint", checkpoint_id=rows[0]["checkpoint_id"])
    assert "is completed" in told


def test_of_automatic_ones_the_newest_keep_their_files_and_those_asked_for_all(
    execution: Execution, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted and found: old checkpoints whose files stay for good."""
    monkeypatch.setattr(checkpoints, "NEWEST", 2)
    asked = created(execution)["checkpoint_id"]

    def automatic(number: int) -> None:
        step: Any = within(
            execution, lambda ctx: checkpoints.automatic(ctx, execution.milestone_id, f"{number}", lambda _: {})
        )
        within(execution, lambda ctx: step.then(ctx, step.work(None)))

    for number in range(5):
        automatic(number)
    rows = execution.read(lambda store: store.state.checkpoints(execution.milestone_id))
    kept = {row["label"]: bool(row["trees"]) for row in rows}
    begun = {"": True, "auto:begin": False, "auto:0": False, "auto:1": False}
    assert kept == {**begun, "auto:2": True, "auto:3": True, "auto:4": True}
    assert refs(execution) == {row["checkpoint_id"] for row in rows if row["trees"]}
    assert asked in refs(execution)
    assert "not kept any more" in "\n".join(execution.shown("checkpoints")["checkpoints"])


def test_nobody_goes_back_behind_the_beginning_of_an_execution(new_repository: Callable[..., Project]) -> None:
    agents = InProcess(new_repository("sqlite"))
    milestone_id = agents.call("initialize_agent_coordination", name="Early")["milestone_id"]
    point = agents.call("create_agent_checkpoint", scope_id=milestone_id, scope="milestone")["checkpoint_id"]
    play(agents.call, milestone_id, said={"milestone-plan": plan(*PLAN)})
    shown = agents.call("restore_agent_checkpoint", checkpoint_id=point)
    assert "plan: completed -> skipped" in shown["tasks"]
    Execution.of(agents, milestone_id)
    assert "before the plan" in agents.refusal("restore_agent_checkpoint", checkpoint_id=point)


def test_a_planning_that_had_ended_goes_on_after_a_rollback(new_repository: Callable[..., Project]) -> None:
    agents = InProcess(new_repository("sqlite"))
    milestone_id = agents.call("initialize_agent_coordination", name="Again")["milestone_id"]
    agents.call("next_actions", milestone_id=milestone_id)
    point = agents.call("create_agent_checkpoint", scope_id=milestone_id, scope="milestone")["checkpoint_id"]
    assert play(agents.call, milestone_id, said={"milestone-plan": plan(*PLAN)})[-1]["kind"] == "wait"
    agents.call("restore_agent_checkpoint", checkpoint_id=point, dry_run=False)
    assert play(agents.call, milestone_id, said={"milestone-plan": plan(*PLAN)})[-1]["kind"] == "done"
    assert agents.call("restore_agent_checkpoint", checkpoint_id=point, dry_run=False)["undo"]
    assert play(agents.call, milestone_id, said={"milestone-plan": plan(*PLAN)})[-1]["kind"] == "done"
    assert Execution.of(agents, milestone_id).finish()["status"] == "completed"


def test_answers_stay_small_however_much_changes_and_some_labels_are_the_servers(outside: Execution) -> None:
    given = {"scope_id": outside.milestone_id, "scope": "milestone", "label": "auto:25%"}
    assert "is the server's" in outside.agents.refusal("create_agent_checkpoint", **given)
    agent = f"many-{outside.milestone_id}"
    outside.call("register_agent", agent_type="worker", agent_id=agent)
    point = created(outside, label="l" * 400)
    for number in range(60):
        outside.agents.call("save_agent_state", agent_id=agent, key=f"{'k' * 100}-{number}", value=number)
    for given in ({"dry_run": True}, {"dry_run": False}):
        answer = restore(outside, point, **given)
        assert answer["count"] == 60
        assert len(json.dumps(answer)) <= ANSWER


def test_an_agent_that_has_handed_its_work_in_does_not_change_its_evidence(outside: Execution) -> None:
    """Planted and found: a rollback of an agent that changes what was accepted."""
    worker = Worker(outside.agents, outside.to("decide"))
    worker.agents.call("update_agent_status", status="active", **worker.who)
    point = created(outside, "agent", worker.agent_id)
    worker.save()
    worker.complete()
    told = outside.agents.refusal("restore_agent_checkpoint", checkpoint_id=point["checkpoint_id"], dry_run=False)
    assert "has handed in 'decide'" in told
