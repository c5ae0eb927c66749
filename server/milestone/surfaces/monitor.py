"""The plugin's monitor: a line for a conversation that stands idle, when its milestone needs a coordinator again."""

from __future__ import annotations

import os
import select
import signal
import stat
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from milestone.domain.fences import plain
from milestone.domain.leases import Clock, Lease, free_reason
from milestone.domain.milestones import stamp
from milestone.operations.overview import live
from milestone.store.engine import Engine, Row, Transaction, run
from milestone.store.store import Store
from milestone.wiring import Application, Settings

SILENT = 20.0
"""Seconds without a sign of life after which a conversation counts as idle; signs are noted every 15 s."""

_TICK = 1.0
_AFAR = 5  # ticks between two looks at a database behind a network
_TIMES = 10  # ticks between two looks at what time alone brings about
_AGAIN = 60  # ticks of rest after an error
_SHOWN = 3
_WAKES = {
    "task_completed": "task {} is completed",
    "task_in_review": "task {} is delivered",
    "task_given_back": "task {} lost its agent",
    "task_failed": "task {} failed",
    "task_sent_back": "task {} was sent back",
    "task_skipped": "task {} is done without",
    "task_waived": "a person waived task {}",
    "task_retried": "a person wants task {} tried again",
    "task_unblocked": "a person decided about task {}",
    "person_answered": "a person has answered about task {}",
    "phase_approved": "a person has approved phase {}",
    "phase_rejected": "a person has rejected phase {}",
    "milestone_steered": "a person lets it go on",
    "milestone_unparked": "the usage limit is over",
    "gates_ended": "gates of task {} have ended",
}
Things = dict[tuple[str, ...], str]


class Needs:
    """What the coordinators of this host are needed for; each thing is told once."""

    def __init__(self, host: Host, silent: float = SILENT) -> None:
        self._host, self._silent = host, silent
        self._told: dict[str, int] = {}
        self._known: set[tuple[str, ...]] = set()
        self._delayed: dict[tuple[str, ...], tuple[str, int]] = {}
        self.pending = False

    def lines(self, store: Store, now: datetime, clock: Clock) -> list[str]:
        """Return a line for each milestone that needs its coordinator, and has not said so."""
        self.pending = False
        found = [self._line(store, row, now, clock) for row in live(store)]
        return [line for line in found if line]

    def _line(self, store: Store, row: Row, now: datetime, clock: Clock) -> str:
        session = store.milestones.latest_session(row["milestone_id"])
        if session is None or session["status"] != "open" or not self._host.leads(session):
            return ""
        by_time = self._by_time(store, row, session, now, clock)
        if session["told"] != self._told.get(session["session_id"]):
            self._told[session["session_id"]] = session["told"]
            self._known |= by_time.keys()  # the answer of next_actions went by the same clock
        if _rests(row, now, clock):
            return ""
        things = {**_messages(store, session), **_events(store, session), **by_time}
        fresh = {key: words for key, words in things.items() if key not in self._known}
        if not fresh:
            return ""
        self.pending = True
        if session["seen_at"] > stamp(now - timedelta(seconds=self._silent)):
            return ""
        if any(self._host.alive(one["server"]) for one in store.evidence.running(row["milestone_id"])):
            return ""
        self._known |= fresh.keys()
        return _sentence(row["milestone_id"], list(dict.fromkeys(fresh.values())))

    def _by_time(self, store: Store, row: Row, session: Row, now: datetime, clock: Clock) -> Things:
        """Return what came about because time has passed, or because a process is gone: no event tells of it."""
        things: Things = {}
        for held in store.tasks.held(row["milestone_id"], session["mode"]):
            if _lost(held, clock, alive=self._host.alive(held["server"])):
                things["lost", held["task_id"], held["held_by"]] = f"task {held['task_id']} lost its agent"
        if row["parked_until"] and not _rests(row, now, clock):
            things["park", row["milestone_id"], row["parked_until"]] = "the usage limit is over"
        later = store.tasks.delayed(row["milestone_id"], session["mode"], clock)
        if later:
            at = clock.after(later[2]).ms
            self._delayed["due", row["milestone_id"], later[0], str(at)] = (f"task {later[0]} may be tried again", at)
        for key, (words, at) in self._delayed.items():
            if key[1] == row["milestone_id"] and clock.ms >= at:
                things[key] = words
        return things


class Host:
    """The host process that started this one, and the conversations in it."""

    def __init__(self, application: Application, environ: Mapping[str, str]) -> None:
        self._session = environ.get("CLAUDE_CODE_SESSION_ID", "")
        pid = environ.get("CLAUDE_PID", "")
        self._pid = int(pid) if pid.isdecimal() else 0
        self._parent = os.getppid()
        self.alive = application.alive

    def leads(self, session: Row) -> bool:
        """Return whether a session is coordinated from here; a conversation that was cleared has another id since."""
        if not session["coordinator"]:
            return False
        if not self._session and not self._pid:
            return True
        server = session["server"].partition(".")[2].partition("-")[0]
        return session["coordinator"] == self._session or bool(self._pid and _parent_of(server) == self._pid)

    def gone(self) -> bool:
        """Return whether nobody is there any more to whom it matters."""
        if os.getppid() != self._parent:
            return True
        try:
            os.kill(self._pid or self._parent, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            return False
        return False


def monitor(settings: Settings, silent: float = SILENT) -> int:
    """Print a line whenever the conversation that coordinates is needed and idle, until its host is gone."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if not settings.hooks:
        return 0
    application = Application(settings)
    host = Host(application, settings.environ)
    needs, ticks = Needs(host, silent), _ticks(host)
    while True:
        try:
            for line in needed(application, needs, ticks):
                sys.stdout.write(line + "\n")
                sys.stdout.flush()
        except BrokenPipeError:
            os._exit(0)  # whoever listened is gone, and nothing is left to flush to
        except Exception as error:  # noqa: BLE001 - a monitor that ends is not started again
            sys.stderr.write(f"milestone: the monitor rests ({type(error).__name__})\n")
            application.close()
            if not any(count == _AGAIN for count, _ in enumerate(ticks)):
                return 0
        else:
            application.close()
            return 0


def needed(application: Application, needs: Needs, ticks: Iterable[None]) -> Iterator[str]:
    """Yield lines; the log's position is looked at often, the rest when it has moved, and sometimes for time's sake."""
    position = -1
    for count, _ in enumerate(ticks):
        engine = application.engine()
        if engine is None or (engine.blocking and count % _AFAR):
            continue
        newest = run(engine, lambda tx: application.store(tx).log.position, write=False)
        if newest != position or needs.pending or count % _TIMES == 0:
            position = newest
            yield from _look(application, engine, needs)


def _look(application: Application, engine: Engine, needs: Needs) -> list[str]:
    def look(transaction: Transaction) -> list[str]:
        return needs.lines(application.store(transaction), datetime.now(UTC), transaction.clock())

    return run(engine, look, write=False)


def _ticks(host: Host) -> Iterator[None]:
    """Yield about once a second until the host is gone, or whoever holds the other ends of our pipes."""
    poller = select.poll()
    for descriptor in (0, 1):
        if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
            poller.register(descriptor, 0)
    while not host.gone():
        yield
        if poller.poll(_TICK * 1000):
            return


def _messages(store: Store, session: Row) -> Things:
    rows = store.messages.undelivered(f"coordinator-{session['session_id']}", 20)
    return {("message", row["message_id"]): "a message waits" for row in rows}


def _events(store: Store, session: Row) -> Things:
    """Return what happened since the coordinator was last told what to do, as far as it calls for it."""
    things: Things = {}
    for one in store.log.since(session["milestone_id"], session["told"]):
        words = _WAKES.get(one["event"])
        if words and (one["event"] != "milestone_steered" or one["subject"] == "resume"):
            things["event", session["milestone_id"], str(one["position"])] = words.format(one["subject"])
    return things


def _rests(row: Row, now: datetime, clock: Clock) -> bool:
    """Return whether nothing is to be done by anybody: a person has paused it, or a usage limit holds."""
    if row["steering"] or row["status"] == "blocked":
        return True
    if not row["parked_until"]:
        return False
    if row["parked_era"] != clock.era:
        return row["parked_until"] > stamp(now)
    return not Lease(row["parked_era"], row["parked_clock"]).expired(clock)


def _lost(held: Mapping[str, Any], clock: Clock, *, alive: bool) -> bool:
    if alive and not held["lease_era"]:
        return False
    lease, whole = Lease(held["lease_era"], held["lease_until"]), Lease(held["lease_era"], held["deadline"])
    started = bool(held["started_at"])
    return bool(free_reason(started=started, alive=alive, lease=lease, whole=whole, now=clock, limit=0, longest=0))


def _sentence(milestone_id: str, words: list[str]) -> str:
    more = [f"{len(words) - _SHOWN} more"] if len(words) > _SHOWN else []
    call = f"mcp__plugin_milestone_milestone__next_actions(milestone_id='{milestone_id}', wait_seconds=100)"
    return plain(f"Milestone {milestone_id}: {', '.join([*words[:_SHOWN], *more])}. Call {call}.")


def _parent_of(pid: str) -> int:
    """Return the parent of a process; 0 where that cannot be found out."""
    try:
        return int(Path("/proc", pid, "stat").read_text("utf-8").rpartition(")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return 0
