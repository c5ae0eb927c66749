"""Who is looked at: a project's settings and its database, as far as that can be opened."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from milestone.domain.errors import Refusal
from milestone.domain.health import Finding
from milestone.domain.identity import Caller
from milestone.operations.context import Answer, Aside, Context, Outside
from milestone.store.engine import Engine, Transaction, run
from milestone.wiring import Application, Settings

_LINK = "Look at it: a folder of ours must be a folder, and no link, and yours."


@dataclass(frozen=True)
class Checkup:
    """Something that is looked at, and, where that is safe, put right; `mend` returns what was done."""

    name: str
    look: Callable[[], Finding]
    mend: Callable[[], list[str]] | None = None

    def result(self, *, fix: bool) -> Finding:
        """Return what was found, after it was put right if that is wanted and possible."""
        found = self._look()
        if not fix or self.mend is None or found.state == "ok":
            return found
        try:
            done = self.mend()
        except (OSError, Refusal) as error:
            return replace(found, remedy=f"It could not be mended: {error}")
        return replace(self._look(), mended="; ".join(done)) if done else self._look()

    def _look(self) -> Finding:
        try:
            return self.look()
        except Refusal as refusal:
            return Finding(self.name, "broken", refusal.wrong, refusal.remedy)
        except OSError as error:
            return Finding(self.name, "broken", f"{error.filename or 'a file'}: {error.strerror or error}", _LINK)


@dataclass
class Patient:
    """A project. `engine` is nothing where there is no database, or none that could be opened."""

    application: Application
    engine: Engine | None = None
    refused: Refusal | None = None

    @property
    def settings(self) -> Settings:
        """The settings of the project."""
        return self.application.settings

    def read(self, look: Callable[[Context], Finding]) -> Finding:
        """Return what a look into the data finds; nothing is changed by it."""
        assert self.engine is not None
        return run(self.engine, lambda tx: look(self._context(tx)), write=False)

    def change(self, work: Callable[[Context], Answer | Aside]) -> list[str]:
        """Return what was done by something that changes the data."""
        assert self.engine is not None
        answer = run(self.engine, lambda tx: work(self._context(tx)), write=True)
        while isinstance(answer, Aside):
            aside, result = answer, answer.work(Outside())
            answer = run(
                self.engine, lambda tx, aside=aside, result=result: aside.then(self._context(tx), result), write=True
            )
        return list(answer["done"])

    def _context(self, transaction: Transaction) -> Context:
        return replace(self.application.context(transaction, Caller(), set()), alive=self.lives)

    def lives(self, server: str) -> bool:
        """Return whether a server runs; other than the application's own answer this removes nothing."""
        place, _, name = server.partition(".")
        mine = self.settings.data / "place"
        if not name or not mine.is_file() or place != mine.read_text("utf-8").strip():
            return True
        return shines(self.settings.data / "servers" / name)


def shines(beacon: Path) -> bool:
    """Return whether the process that made a file holds its lock."""
    try:
        descriptor = os.open(beacon, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
