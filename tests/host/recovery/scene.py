"""The scene of a rehearsal: a small repository whose gate leaves traces, few tasks, and the real host on it."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from tests.helpers.projects import ROOT
from tests.host.actors import NAME
from tests.host.claude import CHECKOUT, Ended, Host, Running
from tests.host.execution.stage import Stage
from tests.host.ledger import Ledger
from tests.host.scripted_model import ScriptedModel

from .parties import Cue, Take

PLAN, EXECUTE, RESUME = f'/milestone:plan "{NAME}"', f'/milestone:execute "{NAME}"', "/milestone:resume"

KEPT = {"planning": ("scope", "dependencies", "plan"), "execution": ("executor", "design-context")}
"""The tasks of each playbook that a run is left with, so that it takes seconds."""


@dataclass
class Scene:
    """A repository in a folder of its own, the host on it, and what its sessions said."""

    root: Path
    model: ScriptedModel
    plugin: Path = CHECKOUT
    takes: list[Take] = field(default_factory=list[Take])

    def __post_init__(self) -> None:
        """Name what is in the folder."""
        self.stage = Stage(self.root / "app", self.root / "traces", self.root / "remote.git")
        self.ledger = Ledger(self.stage.folder)
        self.host = Host(self.root / "home", self.stage.folder, self.model.url, self.plugin)
        self.model.when_broken = self.host.end

    def set_up(self) -> None:
        """Make the repository, with playbooks of few tasks."""
        playbooks = {f".milestones/config/{mode}.yaml": _short(mode) for mode in KEPT}
        self.stage.set_up(playbooks)

    def start(self, words: str, withheld: Cue | None = None) -> tuple[Running, Take]:
        """Begin a session; the model goes on with its script, and withholds the message that is to be withheld."""
        take = Take(withheld)
        take.plays_on(self.model)
        self.takes.append(take)
        return self.host.start(words), take

    def play(self, words: str) -> Ended:
        """Play a session to its end.

        Raises:
            AssertionError: the host did not end well, or a permission was wanting.
        """
        running, _ = self.start(words)
        ended = running.ended()
        if self.model.broken:
            raise self.model.broken[0]
        assert (ended.code, ended.denied) == (0, []), f"{ended.denied} {ended.output[-3000:]} {ended.errors[-2000:]}"
        return ended

    def has(self, query: str) -> bool:
        """Return whether the database has a row for a query; none while there is no database."""
        with contextlib.suppress(sqlite3.OperationalError):
            return bool(self.ledger.rows(query))
        return False

    def freeze(self, running: Running) -> None:
        """Stop the host itself in its tracks; the server goes on."""
        os.kill(running.process.pid, signal.SIGSTOP)


def _short(mode: str) -> str:
    playbook = yaml.safe_load((ROOT / "playbooks" / f"{mode}.yaml").read_text("utf-8"))
    tasks = [one for one in playbook["tasks"] if one["id"] in KEPT[mode]]
    known = {key for one in tasks for key in one["produces"]}
    for one in tasks:
        one["needs"] = [key for key in one["needs"] if key in known]
    return yaml.safe_dump({**playbook, "tasks": tasks}, sort_keys=False)
