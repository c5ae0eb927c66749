"""Agents that misbehave while they carry a task out inside the real Claude Code: server and hooks hold."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from tests.host.actors import Coordinator, Unexpected, after, complete, hasty, script, setting, stop, strict, told
from tests.host.claude import Host
from tests.host.conversation import Block, Request, tool
from tests.host.ledger import Ledger
from tests.host.scripted_model import ScriptedModel

from .proofs import must_have_completed
from .stage import Stage, seed
from .test_execution import BUILDING, BUILT, EXECUTE
from .workers import cast, commit, deliver, enter, folder, git, of_task, started, usual, work, write

STRAY = {"app/stray.py": "NAME = 'stray'\n"}


def keeps(request: Request) -> Sequence[Block]:
    """Write and save everything, commit nothing."""
    return [*write(request, usual(told(request).task_id)), *deliver(request)[:-1]]


def commits_late(request: Request) -> Sequence[Block]:
    """Do what was left out."""
    return [commit(request), *complete(request)]


def strays(request: Request) -> Sequence[Block]:
    """Change a file that the task did not declare, add another one, and commit."""
    path = str(folder(request) / "app" / "old.py")
    edit = tool("Edit", file_path=path, old_string="return None", new_string="return 1")
    return [*write(request, {**usual("build-two"), **STRAY}), tool("Read", file_path=path), edit, commit(request)]


def returns(request: Request) -> Sequence[Block]:
    """Undo what was refused, and deliver."""
    path = str(folder(request) / "app" / "old.py")
    edit = tool("Edit", file_path=path, old_string="return 1", new_string="return None")
    return [
        edit,
        git(request, "commit", kind="feat", summary="carry out build-two", remove=[*STRAY]),
        *deliver(request),
    ]


class Roamer:
    """Writes where it has no business before it does its work."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    def roam(self, request: Request) -> Sequence[Block]:
        """Try places of the person, of Git, of another agent and of the gates; one lies behind a link."""
        own, project = folder(request), self.stage.folder
        (own / "away").symlink_to(project)
        self.places = [
            project / "app" / "new.py",
            project / ".git" / "hooks" / "pre-commit",
            own / ".git",
            own / ".." / "build-one" / "app" / "new.py",
            own.parent / "@gates" / "tests" / "new.py",
            own / "away" / "new.py",
            self.stage.traces / "new.py",
        ]
        self.link = (own / ".git").read_text()
        writes = [tool("Write", file_path=str(place), content="own = 1\n") for place in self.places]
        return [tool("Read", file_path=str(own / ".git")), *writes]

    def come_home(self, request: Request) -> Sequence[Block]:
        """Look at what came of it, and do the work."""
        own = folder(request)
        written = [place for place in self.places if place.exists() and place != own / ".git"]
        (own / "away").unlink()
        if written or (own / ".git").read_text() != self.link:
            raise Unexpected(f"written outside of its own folder: {written}")
        return work(request)


def test_agents_that_forget_stray_or_roam_are_held(
    host: Host, model: ScriptedModel, stage: Stage, ledger: Ledger
) -> None:
    """One stops without a commit, one commits what it did not declare, one writes outside of its folder.

    That one begins while the skill's grant for all worktrees holds, and works after the coordinator has ended its
    turn, and the grant with it: only the hook lets it write in its own folder then.

    Planted and found: agents of ours are not denied anything before they write; they may write in all worktrees, in the
    whole project, in their `.git`, behind a link, by way of `..`; the hook does not allow an agent's own folder; a stop
    without a commit is let through, or sent back again and again; a commit takes whatever has changed.
    """
    before = stage.untouched()
    seed(stage, BUILDING, until="task")
    roamer, roamed, woken = Roamer(stage), threading.Event(), threading.Event()
    cast(
        model,
        hasty(Coordinator(mode="execution"), woken),
        build_one=script(enter, after(roamed, "the one that roams", strict(keeps)), strict(stop), commits_late, stop),
        build_two=script(enter, after(roamed, "the one that roams", strict(strays)), returns, strict(stop)),
        build_three=script(
            enter,
            strict(roamer.roam),
            setting(roamed, after(woken, "the end of the coordinator's turn", roamer.come_home)),
            strict(stop),
        ),
    )
    run = host.prompt(EXECUTE)
    must_have_completed(run, stage, ledger, before, BUILT, refused=roamer.places)
    assert set(started(model).values()) == {1}
    sent_back = [r.new for r in of_task(model, "build-one") if "is not done" in r.new]
    assert len(sent_back) == 1
    assert "nothing is committed for it" in sent_back[0]
    (kept_out,) = (r.text for r in of_task(model, "build-two")[-1].of("git_milestone") if r.failed)
    assert "app/old.py, app/stray.py" in kept_out
    assert "Allowed: app/build_two.py" in kept_out
