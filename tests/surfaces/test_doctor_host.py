"""What the doctor finds around the program: hooks, host, how it starts, settings, environments."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from milestone.domain.identity import Caller
from milestone.surfaces.doctoring.host import key_of
from tests.helpers.patients import Report, change
from tests.helpers.projects import ROOT, Project


def _plugin(tmp_path: Path) -> Path:
    root = tmp_path / "plugin"
    for name in ("hooks", "bin", "playbooks"):
        shutil.copytree(ROOT / name, root / name)
    shutil.copy(ROOT / "requirements.lock", root)
    return root


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda root: (root / "hooks" / "hooks.json").unlink(), "cannot be read"),
        (lambda root: (root / "hooks" / "hooks.json").write_text("{"), "cannot be read"),
        (lambda root: (root / "hooks" / "hooks.json").write_text('{"hooks": []}'), "cannot be read"),
        (lambda root: _in_hooks(root, "host_event", "host_evnt"), "they call what there is not: host_evnt"),
        (lambda root: (root / "bin" / "milestone").unlink(), "they call what there is not: "),
    ],
    ids=["gone", "broken", "other", "unknown tool", "no program"],
)
def test_hooks_that_lead_nowhere_are_told(
    new_project: Callable[..., Project], tmp_path: Path, damage: Callable[[Path], object], said: str
) -> None:
    root = _plugin(tmp_path)
    project = new_project(MILESTONE_ASSETS=str(root))
    assert Report(project)["hooks"]["state"] == "ok"
    damage(root)
    report = Report(project)
    assert (report.code, report["hooks"]["state"]) == (1, "broken")
    assert said in report["hooks"]["said"]


def _in_hooks(root: Path, old: str, new: str) -> None:
    path = root / "hooks" / "hooks.json"
    path.write_text(path.read_text().replace(old, new, 1))


def test_a_program_that_does_not_start_is_told(new_project: Callable[..., Project], tmp_path: Path) -> None:
    root = _plugin(tmp_path)
    project = new_project(MILESTONE_ASSETS=str(root), MILESTONE_ENV_DIR=str(tmp_path / "env"))
    assert "when it is first started" in Report(project)["program"]["said"]
    python = tmp_path / "env" / f"env-{key_of(root)}-x" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\necho milestone 9.9\n")
    python.chmod(0o755)
    assert "starts: milestone 9.9" in Report(project)["program"]["said"]
    python.write_text("#!/bin/sh\necho no such module >&2\nexit 3\n")
    report = Report(project)
    assert (report.code, report["program"]["state"]) == (1, "broken")
    assert "does not start: no such module" in report["program"]["said"]


def test_environments_of_earlier_versions_are_told_with_their_size_and_stay(
    new_project: Callable[..., Project], tmp_path: Path
) -> None:
    old = tmp_path / "env" / "env-1-old"
    old.mkdir(parents=True)
    (old / "package").write_bytes(bytes(2_000_000))
    report = Report(new_project(CLAUDE_PLUGIN_DATA=str(tmp_path / "env")), "--fix")
    assert report["environments"]["said"] == "1 of earlier versions, 2.0 MB"
    assert report["environments"]["remedy"] == f"No longer needed: rm -r {old}"
    assert old.is_dir()
    assert "started by a shell" in report["host"]["said"]


def test_settings_are_shown_without_what_they_keep_secret(new_project: Callable[..., Project]) -> None:
    project = new_project("postgres", MILESTONE_HOOKS="off", CLAUDE_PLUGIN_ROOT="/somewhere/plugin")
    project.operate("initialize_agent_coordination", name="Goal")
    report = Report(project)
    assert "MILESTONE_HOOKS=off" in report["settings"]["said"]
    assert "MILESTONE_DATABASE_URL=(not shown)" in report["settings"]["said"]
    assert project.url not in json.dumps(report.known)
    assert report["host"]["said"] == "started by Claude Code; the plugin lies in /somewhere/plugin"
    assert "switched off" in report["hooks"]["said"]
    assert "switched off" in report["hook events"]["said"]


def test_it_is_told_whether_hooks_reach_the_server(new_project: Callable[..., Project]) -> None:
    project = new_project()
    milestone_id = project.operate("initialize_agent_coordination", name="Goal", caller=Caller("s"))["milestone_id"]
    assert Report(project)["hook events"]["said"] == "no agent has worked here yet"
    project.operate("register_agent", agent_type="worker", milestone_id=milestone_id, caller=Caller("s", "a", "worker"))
    assert Report(project)["hook events"]["said"].startswith("2 of 2 agents verified, the last one heard of 2")
    change(project, "UPDATE agent_registry SET host_session = '', host_agent = agent_id WHERE project_id = :project_id")
    assert Report(project)["hook events"]["state"] == "warning"
