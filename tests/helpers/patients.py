"""What `milestone doctor` says of a project, and what there is of a project to be compared."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from milestone.store.engine import run
from milestone.store.queries import Query
from tests.helpers.mirrored import command
from tests.helpers.projects import Project

_SURROUNDINGS = ("sqlite", "hook events")  # which SQLite there is, and whether a host ever told anything


class Report:
    """What the doctor said."""

    def __init__(self, project: Project, *arguments: str) -> None:
        done = command(project, "doctor", "--json", *arguments)
        self.code = done.return_value
        self.known: dict[str, Any] = json.loads(done.stdout)
        self._checks = {one["check"]: one for one in self.known["checks"]}

    def __getitem__(self, check: str) -> dict[str, Any]:
        return self._checks[check]

    def __contains__(self, check: str) -> bool:
        return check in self._checks

    @property
    def wrong(self) -> dict[str, str]:
        """What is not as it should be, apart from what tests have no part in."""
        bad = {name: one["said"] for name, one in self._checks.items() if one["state"] != "ok"}
        return {name: said for name, said in bad.items() if name not in _SURROUNDINGS}

    @property
    def mended(self) -> dict[str, str]:
        """What was mended."""
        return {name: one["mended"] for name, one in self._checks.items() if one["mended"]}


def change(project: Project, sql: str, **values: object) -> None:
    """Change the data behind the product's back; `:project_id` is known."""
    values["project_id"] = project.application.project
    assert run(project.engine, lambda tx: tx.change(Query("damage", sql), **values), write=True) > 0


def everything(project: Project) -> dict[str, Any]:
    """Return all of a project: what the database holds, and the files for people."""
    files = {str(path): path.read_bytes() for path in sorted(project.mirror.rglob("*")) if path.is_file()}
    servers = project.application.settings.data / "servers"
    return {**project.dump(), "files": files, "servers": sorted(servers.iterdir()) if servers.is_dir() else []}


def mended(project: Project, check: str, said: str) -> str:
    """See that damage is found, mended, and nothing mended a second time; returns what was done.

    A look alone changes nothing.
    """
    before = everything(project)
    seen = Report(project)
    assert check in seen.wrong, seen.known
    assert said in seen[check]["said"], seen[check]
    assert everything(project) == before
    fixed = Report(project, "--fix")
    assert fixed[check]["state"] == "ok", fixed[check]
    assert fixed[check]["mended"]
    healthy = everything(project)
    again = Report(project, "--fix")
    assert again.mended == {}
    assert everything(project) == healthy
    return fixed[check]["mended"]


def place(project: Project) -> str:
    """Return the name of this machine as the servers of a project write it."""
    project.application.alive("elsewhere.0")
    return (project.application.settings.data / "place").read_text("utf-8").strip()


def servers(project: Project) -> Path:
    """Return where servers leave their files."""
    return project.application.settings.data / "servers"
