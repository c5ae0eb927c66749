"""The planning of a milestone, from the first next_actions to the files that people read."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.helpers.agents import PRODUCTS, Agents, deliver
from tests.helpers.following import until
from tests.helpers.projects import ROOT, Project
from tests.helpers.samples import SAMPLES
from tests.helpers.wire import Wire

FIRST = ["scope", "research", "dependencies"]
SECTIONS = [
    *("metadata", "kiro_configuration", "objectives", "scope", "progress", "dependencies", "tasks", "deliverables"),
    *("risks", "team", "phases", "git"),
]


def tasks(actions: list[dict[str, Any]]) -> list[str]:
    """Return what is to be spawned."""
    return [action["task_id"] for action in actions if action["kind"] == "spawn"]


def begin(wire: Wire, name: str = "Goal") -> list[dict[str, Any]]:
    """Begin a milestone and return its first actions."""
    wire.call("initialize_agent_coordination", name=name)
    return wire.call("next_actions")["actions"]


def test_three_agents_start_together_then_the_planner_then_the_documenter(agents: Agents) -> None:
    seen = []
    while (actions := agents.actions())[0]["kind"] == "spawn":
        seen.append(tasks(actions))
        assert [action["kind"] for action in agents.actions()] == ["wait"]
        for action in actions:
            assert agents.deliver(action)["status"] == "completed"
    assert seen == [FIRST, ["plan"], ["record"]]
    assert actions[0]["kind"] == "done"
    ended = agents.call("get_session_status", milestone_id=agents.milestone_id)
    assert ended["status"] == "completed"
    assert {task["status"] for task in ended["tasks"]} == {"completed"}


def test_a_brief_holds_everything_that_its_agent_needs(agents: Agents) -> None:
    for action in agents.actions():
        agents.deliver(action)
    plan = agents.actions()[0]
    assert plan["agent_type"] == "milestone:project-milestone-planner"
    for word in (
        plan["agent_id"],
        plan["token"],
        plan["task_id"],
        agents.milestone_id,
        str(agents.project.folder),
        "milestone-plan",
    ):
        assert word in plan["brief"]
    for key in ("planning-scope", "planning-research", "planning-dependencies"):
        assert f'key="{key}", agent_id="' in plan["brief"]
    assert len(plan["brief"].encode()) <= 2_400


def test_a_task_is_done_when_its_keys_are_there_and_not_before(agents: Agents) -> None:
    action = agents.actions()[0]
    who = {"agent_id": action["agent_id"], "token": action["token"]}
    told = agents.refusal("complete_task", task_id="scope", **who)
    assert "nothing is saved under 'planning-scope'" in told
    assert "save_agent_state" in told
    agents.save(value=SAMPLES["planning-scope"], key="planning-scope", **who)
    done = agents.call("complete_task", task_id="scope", **who)
    assert (done["status"], done["evidence"]) == ("completed", {"keys": {"planning-scope": 1}})
    assert agents.call("complete_task", task_id="scope", **who) == done


def test_nobody_completes_the_task_of_another(agents: Agents) -> None:
    scope, research, _ = agents.actions()
    agents.deliver(research)
    agents.start(scope)
    told = agents.refusal("complete_task", task_id="scope", agent_id=research["agent_id"], token=research["token"])
    assert "was not given to" in told
    told = agents.refusal("complete_task", task_id="nothing", agent_id=scope["agent_id"], token=scope["token"])
    assert "has no task 'nothing'" in told
    assert "scope, research" in told


def test_an_agent_with_a_task_needs_its_token_to_write(agents: Agents) -> None:
    action = agents.actions()[0]
    for token in ("", "wrong", agents.actions()[0].get("token", "x")):
        told = agents.refusal("save_agent_state", agent_id=action["agent_id"], key="k", value=1, token=token)
        assert "does not prove to come from it" in told
    assert agents.save(action["agent_id"], "k", 1, token=action["token"]) == 1


def test_an_agent_cannot_end_by_a_status_what_has_to_be_proven(agents: Agents) -> None:
    action = agents.actions()[0]
    who = {"agent_id": action["agent_id"], "token": action["token"]}
    assert "still holds task 'scope'" in agents.refusal("update_agent_status", status="completed", **who)


def test_a_task_that_nobody_starts_within_a_minute_is_handed_out_anew(agents: Agents) -> None:
    first = {action["task_id"]: action for action in agents.actions()}
    agents.start(first["scope"])
    operate = agents.project.operate
    assert operate("next_actions", later=55, milestone_id=agents.milestone_id)["actions"][0]["kind"] == "wait"
    anew = operate("next_actions", later=65, milestone_id=agents.milestone_id)["actions"]
    assert tasks(anew) == ["research", "dependencies"]
    assert "no agent started it within 60 s" in anew[0]["why"]
    assert anew[0]["agent_id"] != first["research"]["agent_id"]
    late = first["research"]
    told = agents.refusal(
        "save_agent_state", agent_id=late["agent_id"], key="planning-research", value=1, token=late["token"]
    )
    assert "does not have the shape" in told
    told = agents.refusal("save_agent_state", agent_id=late["agent_id"], key="k", value=1, token=late["token"])
    assert f"{anew[0]['agent_id']!r} (attempt 2) holds it now" in told
    assert agents.deliver(anew[0])["status"] == "completed"


def test_an_agent_that_is_silent_for_longer_than_its_limit_loses_its_task_unless_it_has_delivered(
    agents: Agents,
) -> None:
    """Planted and found: a `_finish_what_is_there` that looks at dead servers only hands the scope out again."""
    scope, research, dependencies = agents.actions()
    for action in (scope, research, dependencies):
        agents.start(action)
    agents.save(scope["agent_id"], "planning-scope", SAMPLES["planning-scope"], token=scope["token"])
    own: dict[str, Any] = {"milestone_id": agents.milestone_id}
    soon = agents.project.operate("next_actions", later=1_900, **own)["actions"]
    assert [(one["kind"], one["seconds"] <= 5) for one in soon] == [("retry_at", True)]
    assert tasks(agents.project.operate("next_actions", later=1_906, **own)["actions"]) == ["research", "dependencies"]
    shown = agents.call("get_milestone", milestone_id=agents.milestone_id)["playbook"]
    assert (shown[0]["status"], shown[0]["evidence"]) == ("completed", {"planning-scope": 1})


def test_after_three_attempts_a_person_is_asked_and_may_ask_for_another(agents: Agents) -> None:
    """Planted and found: a takeover that does not count attempts hands out a fourth brief."""
    operate = agents.project.operate
    milestone: dict[str, Any] = {"milestone_id": agents.milestone_id}
    given = [operate("next_actions", later=later, **milestone)["actions"] for later in (0, 70, 140)]
    assert [tasks(actions) for actions in given] == [FIRST] * 3
    failed = operate("next_actions", later=210, **milestone)["actions"]
    assert [(action["kind"], action.get("tasks")) for action in failed] == [("ask_human", FIRST)]
    assert "has not failed" in agents.refusal("update_milestone", retry_tasks=["plan"], **milestone)
    assert agents.call("update_milestone", retry_tasks=["scope"], **milestone)["retry"] == ["scope"]
    assert tasks(operate("next_actions", later=210, **milestone)["actions"]) == ["scope"]


def test_what_a_killed_server_handed_out_is_handed_out_anew_and_what_was_delivered_stays(
    project: Project, connect: Callable[..., Wire]
) -> None:
    """Planted and found: an `alive` that always says yes makes the new session wait."""
    first = connect(project)
    scope, research, dependencies = begin(first)
    deliver(first.call, scope)
    for action in (research, dependencies):
        first.call("update_agent_status", agent_id=action["agent_id"], token=action["token"], status="active")
    first.call(
        "save_agent_state",
        agent_id=research["agent_id"],
        token=research["token"],
        key="planning-research",
        value=SAMPLES["planning-research"],
    )
    first.kill()
    second = connect(project, "legacy")
    anew = begin(second)
    assert tasks(anew) == ["dependencies"]
    assert "the host session that held it is gone" in anew[0]["why"]
    late = {"agent_id": dependencies["agent_id"], "token": dependencies["token"]}
    assert f"{anew[0]['agent_id']!r} (attempt 2) holds it now" in second.refusal(
        "save_agent_state", key="k", value=1, **late
    )
    deliver(second.call, anew[0])
    assert tasks(second.call("next_actions")["actions"]) == ["plan"]


def test_a_claim_of_a_server_that_lives_is_left_alone_and_a_second_coordinator_is_told_of_the_first(
    new_project: Callable[..., Project], connect: Callable[..., Wire]
) -> None:
    """Planted and found: a `leads` that always says no lets both hand out."""
    project = new_project()
    first, second = connect(project), connect(project)
    assert tasks(begin(first)) == FIRST
    told = second.call("initialize_agent_coordination", name="Goal")
    assert "is being coordinated by another live session" in told["notice"]
    assert "steer_milestone(action='take_over')" in second.refusal("next_actions")
    second.call("steer_milestone", action="take_over")
    assert second.call("next_actions")["actions"][0]["kind"] == "wait"
    assert "is being coordinated by another live session" in first.refusal("next_actions")
    second.kill()
    assert first.call("next_actions")["actions"][0]["kind"] == "wait"


def test_the_plan_fills_every_section_of_the_milestone_file_and_the_documents_are_written(agents: Agents) -> None:
    agents.play()
    path = agents.project.mirror / "active" / f"{agents.milestone_id}.yaml"
    documents = agents.project.mirror / "deliverables" / agents.milestone_id / "decisions.md"
    until(lambda: documents.exists() and "decisions.md" in path.read_text("utf-8"))
    assert documents.read_text("utf-8") == SAMPLES["planning-documentation"]["files"][0]["content"]
    shown, plan = yaml.safe_load(path.read_text("utf-8")), SAMPLES["milestone-plan"]
    assert list(shown) == SECTIONS
    assert shown["metadata"]["milestone_id"] == agents.milestone_id
    assert [decision["id"] for decision in shown["kiro_configuration"]["decisions"]] == ["d-1"]
    assert {name: phase["weight"] for name, phase in shown["kiro_configuration"]["phases"].items()} == {
        "design": 15,
        "spec": 25,
        "task": 20,
        "execute": 40,
    }
    for section in ("objectives", "scope", "dependencies", "risks"):
        assert shown[section] == plan[section]
    assert [task["id"] for task in shown["tasks"]] == ["t-1", "t-2"]
    assert shown["deliverables"] == [f"deliverables/{agents.milestone_id}/decisions.md"]
    assert {name: phase["estimated_hours"] for name, phase in shown["phases"].items()} == plan["estimates"]
    assert shown["progress"]["percentage"] == 0
    assert shown["progress"]["planning"] == {"tasks_completed": 5, "tasks_total": 5}
    assert shown["git"]["branch"] == f"feature/{agents.milestone_id}"


def test_the_answer_to_get_milestone_tells_the_plan_on_one_screen(agents: Agents) -> None:
    agents.play()
    shown = agents.call("get_milestone", milestone_id=agents.milestone_id)
    assert shown["decisions"] == ["d-1 originate: a token store"]
    assert shown["tasks"][0] == "t-1 [design] Carry out t-1"
    assert {one["status"] for one in shown["playbook"]} == {"completed"}
    assert {key for one in shown["playbook"] for key in one["evidence"]} == {
        k for keys in PRODUCTS.values() for k in keys
    }


def test_what_a_person_wrote_into_the_file_is_put_aside_and_not_overwritten(agents: Agents) -> None:
    """Planted and found: a mirror that renames over whatever is there."""
    path = agents.project.mirror / "active" / f"{agents.milestone_id}.yaml"
    until(path.exists)
    edited = path.read_text("utf-8") + "# a person's thought\n"
    path.write_text(edited, "utf-8")
    agents.call("update_milestone", milestone_id=agents.milestone_id, duration="9 days")
    edits = agents.project.mirror / "edits"
    until(lambda: path.exists() and "9 days" in path.read_text("utf-8"))
    kept = [file.read_text("utf-8") for file in edits.glob(f"{agents.milestone_id}-*.yaml")]
    assert kept == [edited]
    until(lambda: [row for row in agents.project.rows("events") if row["event"] == "edit_put_aside"])


def test_what_a_killed_server_did_not_write_any_more_the_next_one_writes(
    new_project: Callable[..., Project], connect: Callable[..., Wire]
) -> None:
    """Planted and found: a door that does not catch up when it opens the database."""
    project = new_project()
    wire = connect(project)
    milestone_id = wire.call("initialize_agent_coordination", name="Mirror")["milestone_id"]
    path = project.mirror / "active" / f"{milestone_id}.yaml"
    until(path.exists)
    wire.close()
    project.operate("update_milestone", milestone_id=milestone_id, duration="3 days")  # commits, and writes no file
    assert "3 days" not in path.read_text("utf-8")
    connect(project).call("get_milestone", milestone_id=milestone_id)
    until(lambda: "3 days" in path.read_text("utf-8"))


@pytest.mark.parametrize("link", ["", "active", "deliverables"], ids=lambda name: name or "itself")
def test_a_folder_that_is_a_link_is_not_followed(
    new_project: Callable[..., Project], connect: Callable[..., Wire], tmp_path: Path, link: str
) -> None:
    """Planted and found: a `Folder` that opens without O_NOFOLLOW writes into the target."""
    project, target = new_project(), tmp_path / "target"
    target.mkdir()
    place = project.mirror / link if link else project.mirror
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(target)
    wire = connect(project)
    for action in begin(wire):
        deliver(wire.call, action)
    assert wire.call("next_actions")["actions"][0]["task_id"] == "plan"
    wire.close()
    assert list(target.iterdir()) == []
    assert place.is_symlink()


def test_a_project_may_have_a_playbook_of_its_own_and_a_broken_one_is_refused_with_its_line(
    new_project: Callable[..., Project], connect: Callable[..., Wire]
) -> None:
    project = new_project()
    own = project.mirror / "config" / "planning.yaml"
    own.parent.mkdir(parents=True)
    own.write_text("mode: planning\ntasks:\n  - id: &a scope\n")
    wire = connect(project)
    wire.call("initialize_agent_coordination", name="Goal")
    assert "line 3: anchors and aliases are not allowed" in wire.refusal("next_actions")
    shutil.copy(ROOT / "playbooks" / "planning.yaml", own)
    own.write_text(own.read_text().replace("Find out what is there today", "Look around"))
    assert wire.call("next_actions")["actions"][0]["description"] == "Look around"
