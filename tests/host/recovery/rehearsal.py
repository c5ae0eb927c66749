"""Rehearses a kill: plays a milestone up to a point, kills the host, resumes, and says what is not as it should be."""

from __future__ import annotations

import contextlib
import os
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from tests.helpers.following import until
from tests.host.actors import brief_of
from tests.host.claude import CHECKOUT, Running
from tests.host.conversation import Request
from tests.host.execution.stage import BROKEN_OFF, seed
from tests.host.scripted_model import ScriptedModel

from .counting import Done, done, done_again, done_twice
from .parties import TASKS, Take
from .points import Point
from .scene import EXECUTE, PLAN, RESUME, Scene
from .state import differences, final_state

PATIENCE = 150.0
"""Seconds within which a session must come to its point, on the slowest machine."""


@dataclass(frozen=True)
class Report:
    """How a rehearsal went: the agents that were started more than once, and all that is wrong.

    `seconds` is how long resuming took to the end of the milestone.
    """

    point: Point
    attempts: Mapping[str, int]
    seconds: float
    wrong: Sequence[str]


def undisturbed(root: Path, plugin: Path = CHECKOUT) -> Mapping[str, Any]:
    """Return the final state of a run that nobody disturbs."""
    with ScriptedModel() as model:
        scene = Scene(root, model, plugin)
        scene.set_up()
        scene.play(PLAN)
        scene.play(EXECUTE)
        assert not done_twice(model.log, scene.takes)
        return final_state(scene.stage, scene.ledger)


def rehearse(
    point: Point, root: Path, expected: Mapping[str, Any], *, plugin: Path = CHECKOUT, planned: bool = False
) -> Report:
    """Kill the host at a point, resume, and compare the end with the expected one.

    `planned`: a kill in the execution begins with a milestone that was planned without a host.
    """
    with ScriptedModel() as model:
        scene = Scene(root, model, plugin)
        try:
            return _rehearse(scene, point, expected, planned=planned)
        finally:
            scene.host.end()


def _rehearse(scene: Scene, point: Point, expected: Mapping[str, Any], *, planned: bool) -> Report:
    scene.set_up()
    untouched = scene.stage.untouched()
    if point.session == "execute":
        seed(scene.stage, TASKS) if planned else scene.play(PLAN)
    kills = [_killed(scene, point, PLAN if point.session == "plan" else EXECUTE)]
    begun = time.monotonic()
    if point.again:
        kills.append(_killed(scene, Point(point.name, point.session, point.what, point.again), RESUME))
    scene.play(RESUME)
    if scene.has("SELECT 1 FROM milestones WHERE status = 'planning'"):
        scene.play(EXECUTE)
    seconds = time.monotonic() - begun
    wrong = [
        *differences(final_state(scene.stage, scene.ledger), expected),
        *(again for before, takes in kills for again in done_again(before, scene.takes[takes:])),
        *done_twice(scene.model.log, scene.takes),
        *(["the person was not asked"] if point.asks and not _asked(scene.takes) else []),
        *(f"the person's {what} changed" for what, now in scene.stage.untouched().items() if now != untouched[what]),
    ]
    return Report(point, _attempts(scene.model.log), seconds, wrong)


def _asked(takes: Sequence[Take]) -> bool:
    return any(moment.calls("steer_milestone", action="keep") for take in takes for moment in take.said)


def _killed(scene: Scene, point: Point, words: str) -> tuple[Done, int]:
    """Play a session up to a point and kill the host; return what was done by then, and the number of sessions."""
    with contextlib.ExitStack() as held:
        if point.gates:
            held.enter_context(scene.stage.holding_gates())
        running, take = scene.start(words, point.withheld)
        until(lambda: _ended(scene, running) or _reached(scene, point, take), PATIENCE)
        if _ended(scene, running):
            raise AssertionError(f"{point.name}: the session ended before: {scene.model.broken} {running.said()}")
        if point.gates == "passed":
            scene.freeze(running)
            held.close()
            until(lambda: scene.has("SELECT 1 FROM gate_runs WHERE status = 'passed'"), PATIENCE)
        running.kill()
    take.over.set()
    until(lambda: not _alive(running.process.pid))
    return done(scene.stage, scene.ledger), len(scene.takes)


def _reached(scene: Scene, point: Point, take: Take) -> object:
    if point.withheld:
        return take.reached.is_set()
    if point.shown:
        return point.shown(scene)
    return BROKEN_OFF in [run.outcome for run in scene.stage.runs()]


def _ended(scene: Scene, running: Running) -> bool:
    return bool(scene.model.broken) or running.process.poll() is not None


def _alive(group: int) -> Sequence[psutil.Process]:
    """Return the processes of a group that have not ended."""
    return [
        one for one in psutil.process_iter(["status"]) if one.info["status"] != psutil.STATUS_ZOMBIE and _in(one, group)
    ]


def _in(process: psutil.Process, group: int) -> bool:
    with contextlib.suppress(OSError):
        return os.getpgid(process.pid) == group
    return False


def _attempts(log: Sequence[Request]) -> Mapping[str, int]:
    """Return how many agents were started for the tasks that had more than one."""
    agents = {brief for request in log if (brief := brief_of(request)) is not None}
    return {task: count for task, count in Counter(one.task_id for one in agents).items() if count > 1}
