"""A milestone whose files for people are written and edited here, without a server."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from click.testing import CliRunner, Result

from milestone.surfaces.cli import Commands
from milestone.surfaces.mirroring import write
from milestone.surfaces.taking import mirror_of
from milestone.workspace.mirror import Mirror
from tests.helpers.execution import task
from tests.helpers.projects import Project
from tests.helpers.underway import InProcess, planned

TASKS = (
    task("decide", "design", paths=("docs/",)),
    task("build", "execute", ("decide",), paths=("app/",)),
    task("ship", "execute", ("build",), paths=("app/",)),
)


class Mirrored:
    """A planned milestone with its file."""

    def __init__(self, project: Project, milestone_id: str) -> None:
        self.project, self.milestone_id = project, milestone_id
        self.write()

    @classmethod
    def planned(cls, project: Project, *tasks: dict[str, Any]) -> Mirrored:
        """Plan a milestone and write its files."""
        return cls(project, planned(InProcess(project), *(tasks or TASKS)))

    def execute(self) -> Mirrored:
        """Begin to carry it out."""
        self.project.operate("initialize_agent_coordination", milestone_id=self.milestone_id, mode="execution")
        self.write()
        return self

    @property
    def path(self) -> Path:
        """The milestone's file."""
        return self.project.mirror / "active" / f"{self.milestone_id}.yaml"

    @property
    def mirror(self) -> Mirror:
        """The files for people."""
        return mirror_of(self.project.application)

    @property
    def kept(self) -> list[str]:
        """What was put aside, as people wrote it."""
        return [file.read_text("utf-8") for file in sorted(self.project.mirror.glob("edits/*"))]

    def write(self) -> None:
        """Let the files follow the database, as a server does after a commit."""
        write(self.project.application, self.project.engine, self.milestone_id)

    def shown(self) -> dict[str, Any]:
        """Return what the file shows."""
        return yaml.safe_load(self.path.read_text("utf-8"))

    def edit(self, change: Callable[[dict[str, Any]], Any]) -> str:
        """Change the file as a person does with an editor, and return its text; its head stays."""
        text = self.path.read_text("utf-8")
        document = yaml.safe_load(text)
        change(document)
        head = "".join(line for line in text.splitlines(keepends=True) if line.startswith("#"))
        self.path.write_text(head + yaml.safe_dump(document, sort_keys=False, allow_unicode=True), "utf-8")
        return self.path.read_text("utf-8")

    def replace(self, old: str, new: str) -> str:
        """Replace a text that occurs in the file, once, and return the file."""
        text = self.path.read_text("utf-8")
        assert old in text, old
        self.path.write_text(text.replace(old, new, 1), "utf-8")
        return self.path.read_text("utf-8")

    def sections(self) -> dict[str, Any]:
        """Return what the database has."""
        return self.project.read(lambda store: store.milestones.get(self.milestone_id))["sections"]

    def row(self) -> dict[str, Any]:
        """Return the milestone's row."""
        return self.project.read(lambda store: store.milestones.get(self.milestone_id))

    def task(self, task_id: str) -> dict[str, Any]:
        """Return a task of the execution."""
        return self.project.read(lambda store: store.tasks.get(self.milestone_id, task_id))

    def events(self, name: str) -> list[dict[str, Any]]:
        """Return the details of the milestone's events of a name, oldest first, each with its subject."""
        rows = self.project.read(lambda store: store.log.since(self.milestone_id, 0))
        return [
            {"subject": row["subject"], **(json.loads(row["detail"]) or {})} for row in rows if row["event"] == name
        ]

    def command(self, *arguments: str) -> Result:
        """Return what a command says."""
        return command(self.project, *arguments)


def command(project: Project, *arguments: str) -> Result:
    """Return what a command says, carried out here."""
    result = CliRunner().invoke(
        Commands(name="milestone"), [*arguments], obj=project.application, standalone_mode=False
    )
    if result.exception:
        raise result.exception
    return result
