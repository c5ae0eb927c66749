"""The 25 points at which the host is killed, spread over a whole planning and execution."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from tests.helpers.execution import git

from .parties import COORDINATOR, Cue, Moment
from .scene import Scene

Shown = Callable[[Scene], object]
"""Says whether an effect shows from outside: in the database, or in Git."""


@dataclass(frozen=True)
class Point:
    """A moment in a session at which the host and its server are killed.

    With `withheld` it has come when the model would send that message, which it never does; with `shown`, when the
    effect shows of a call whose answer nobody has read yet; with `gates`, while they run, or when they have passed and
    the host, frozen before, cannot know. With `again` the session that goes on is killed, too. `asks`: a person has to
    be asked on the way.
    """

    name: str
    session: Literal["plan", "execute"]
    what: str
    withheld: Cue | None = None
    shown: Shown | None = None
    gates: Literal["", "running", "passed"] = ""
    again: Cue | None = None
    asks: bool = False


def before(who: str, tool: str, **arguments: object) -> Cue:
    """Return the cue of a message that would call a tool."""
    return lambda moment: moment.who == who and moment.calls(tool, **arguments)


def after(who: str, tool: str) -> Cue:
    """Return the cue of the message that follows on the answer of a tool."""
    return lambda moment: moment.who == who and moment.has_read(tool)


def first(who: str) -> Cue:
    """Return the cue of a conversation's first message."""
    return lambda moment: moment.who == who and moment.request.turn == 0


def row(query: str) -> Shown:
    """Return an effect that shows as a row in the database."""
    return lambda scene: scene.has(query)


def _branch(scene: Scene) -> bool:
    return bool(git(scene.stage.folder, "for-each-ref", "refs/heads/feature/"))


def _merged(scene: Scene) -> bool:
    branches = git(scene.stage.folder, "for-each-ref", "--format=%(refname)", "refs/heads/feature/").split()
    return bool(branches and git(scene.stage.folder, "log", "--format=%H", f"main..{branches[0]}"))


def _handed_out(moment: Moment) -> bool:
    return moment.who == COORDINATOR and moment.calls("Agent")


POINTS = (
    Point(
        "milestone begun",
        "plan",
        "The milestone is in the database; the answer to the first call was not read",
        shown=row("SELECT 1 FROM milestones"),
    ),
    Point("planning handed out", "plan", "Tasks are handed out, no agent is started", withheld=_handed_out),
    Point("planner's first agent", "plan", "An agent is started and has said nothing", withheld=first("scope")),
    Point("agent reported", "plan", "An agent has reported for work", withheld=before("scope", "save_agent_state")),
    Point("value saved", "plan", "A value is saved, its task not completed", withheld=before("scope", "complete_task")),
    Point(
        "task completed, unread",
        "plan",
        "A task is completed, another at work; its agent has not read the answer",
        shown=row("SELECT 1 FROM tasks WHERE task_id = 'scope' AND status = 'completed'"),
    ),
    Point("planner at work", "plan", "Two tasks are done, the planner is at work", before("plan", "save_agent_state")),
    Point("plan saved", "plan", "The plan is saved, not completed", before("plan", "complete_task")),
    Point("plan accepted", "plan", "The plan is accepted, its agent has not ended", after("plan", "complete_task")),
    Point("planning over", "plan", "All is planned; the summary is not written", before(COORDINATOR, "get_milestone")),
    Point(
        "between two sessions", "execute", "Planning has ended, the next session has done nothing", first(COORDINATOR)
    ),
    Point("branch made", "execute", "The milestone's branch is made; execution is perhaps not begun", shown=_branch),
    Point(
        "execution begun",
        "execute",
        "Execution is begun, nothing is handed out",
        after(COORDINATOR, "initialize_agent_coordination"),
    ),
    Point("execution handed out", "execute", "Tasks are handed out, no agent is started", _handed_out),
    Point("folder given", "execute", "An agent has its folder, nothing is written", before("specify-door", "Write")),
    Point(
        "file written",
        "execute",
        "A file is written, not committed; the person wants it kept",
        before("specify-door", "git_milestone", action="commit"),
        asks=True,
    ),
    Point("merged, unread", "execute", "A task's commit is on the branch, perhaps not in the database", shown=_merged),
    Point(
        "phase ended, unread",
        "execute",
        "A phase is completed; the answer was not read",
        shown=row("SELECT 1 FROM phases WHERE phase = 'spec' AND status = 'completed'"),
    ),
    Point("committed", "execute", "Work is committed, no report is saved", before("build-door", "save_agent_state")),
    Point("saved", "execute", "Work is committed and reported, not completed", before("build-door", "complete_task")),
    Point("gates running", "execute", "A task's gates run", gates="running"),
    Point("gates passed, unread", "execute", "A task's gates have passed, the answer was not read", gates="passed"),
    Point(
        "review saved",
        "execute",
        "A review is saved, its task not completed",
        before("review-build-door-1", "complete_task"),
    ),
    Point(
        "last transition",
        "execute",
        "All tasks have ended, the last phase not",
        before(COORDINATOR, "transition_phase", phase="execute"),
    ),
    Point(
        "killed again",
        "execute",
        "A file is written, not committed; the session that resumes is killed, too, when it is committed",
        before("build-key", "git_milestone", action="commit"),
        again=before("build-key", "save_agent_state"),
        asks=True,
    ),
)
"""All points, in the order in which a run comes to them."""

NORMAL = ("value saved", "file written", "committed", "gates passed, unread", "last transition")
"""The points of the usual check: unfinished planning, uncommitted files, an unknown commit, unread gates, the end."""
