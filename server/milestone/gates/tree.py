"""The processes of one command, wherever they went: found, measured, paused and ended together."""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import dataclass

import psutil

from milestone.gates.environment import MARK

PATIENCE = 5.0
_TURN = 0.005
_SURE = 3
_CLOCKS_DIFFER = 2.0
_GONE = (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
_never = threading.Event()


@dataclass(frozen=True)
class Use:
    """What a tree of processes has used: CPU-seconds since it began, and the bytes it holds now."""

    cpu_seconds: float
    held_bytes: int


class Tree:
    """The processes that `root` started, theirs, and all others that carry the mark.

    Children are known by their parent, so one that changed its environment is found; whoever lost its parent or
    opened a session of its own is found by its mark, which is inherited. What once belonged is remembered.
    A process is told from a later one of the same number by the time of its start.
    """

    def __init__(self, mark: str, root: int | None = None) -> None:
        self._mark = mark
        self._members: dict[int, psutil.Process] = {}
        self._strangers: set[int] = set()
        self._parents: dict[int, int] = {}
        self._spent: dict[int, float] = {}
        self._lost = 0.0
        self._cpu = 0.0
        self._paused: list[psutil.Process] = []
        self._since = 0.0
        if root is not None:
            with contextlib.suppress(psutil.Error):
                first = psutil.Process(root)
                self._members[root] = first
                self._since = first.create_time() - _CLOCKS_DIFFER

    def look(self) -> bool:
        """Find what has joined since the last time; return whether anything did, or was gone before it was known."""
        present = set(psutil.pids())
        self._strangers &= present
        news = False
        for pid in sorted(present - self._strangers - self._members.keys()):
            try:
                news |= self._joins(psutil.Process(pid))
            except psutil.AccessDenied:  # somebody else's
                self._strangers.add(pid)
            except psutil.NoSuchProcess:  # it has ended, maybe after it started another
                self._strangers.add(pid)
                news = True
        return news

    def use(self) -> Use:
        """Look, and return what the members have used."""
        self.look()
        held, spent = 0, 0.0
        for pid, process in list(self._members.items()):
            try:
                with process.oneshot():
                    self._parents[pid] = process.ppid()
                    times = process.cpu_times()
                    held += process.memory_info().rss
            except psutil.NoSuchProcess:
                self._leave(pid)
                continue
            except psutil.AccessDenied:
                continue
            # A parent's account has what its ended children used, once it has waited for them.
            self._spent[pid] = times.user + times.system + times.children_user + times.children_system
            spent += self._spent[pid]
        self._cpu = max(self._cpu, spent + self._lost)
        return Use(self._cpu, held)

    def held_exactly(self) -> int:
        """Return the bytes that the members hold, what they share counted once: slower than `use`."""
        held = 0
        for process in self._members.values():
            try:
                full = process.memory_full_info()
                held += getattr(full, "pss", full.uss)
            except psutil.AccessDenied:
                with contextlib.suppress(psutil.Error):
                    held += process.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        return held

    def pause(self) -> None:
        """Stop all members, parents first, so that nobody sees a child stop."""
        for _ in range(10):
            for process in self._members.values():
                with contextlib.suppress(psutil.Error):
                    if process not in self._paused and process.status() not in (*_GONE, psutil.STATUS_STOPPED):
                        process.suspend()
                        self._paused.append(process)
            if not self.look():
                return

    def resume(self) -> None:
        """Let those go on that `pause` stopped, children first."""
        while self._paused:
            with contextlib.suppress(psutil.Error):
                self._paused.pop().resume()

    def running(self) -> list[psutil.Process]:
        """Look, and return the members that have not ended."""
        self.look()
        return [process for process in self._members.values() if _runs(process)]

    def end(self) -> list[psutil.Process]:
        """Kill all members and whatever they start meanwhile; return those that outlived five seconds of it.

        It takes several looks without news to be sure: a chain of forks is easily missed between two of its links.
        """
        deadline = time.monotonic() + PATIENCE
        quiet = 0
        while True:
            news = self.look()
            left = [process for process in self._members.values() if _runs(process)]
            quiet = 0 if news or left else quiet + 1
            if quiet == _SURE or time.monotonic() > deadline:
                return left
            for process in left:
                with contextlib.suppress(psutil.Error):
                    process.kill()
            if not news:
                _never.wait(_TURN)

    def _joins(self, process: psutil.Process) -> bool:
        """Take in a process that has not been seen yet, or set it down as a stranger; return whether it belongs."""
        if process.create_time() < self._since:
            self._strangers.add(process.pid)
            return False
        marks = {MARK: self._mark} if process.ppid() in self._members else process.environ()
        if self._mark in marks.get(MARK, "").split():
            self._members[process.pid] = process
            return True
        if marks:  # one that has none is just being started: the next look will tell
            self._strangers.add(process.pid)
        return False

    def _leave(self, pid: int) -> None:
        """Forget a member that is gone; keep what it used, unless an ancestor has it in its account."""
        del self._members[pid]
        spent, above = self._spent.pop(pid, 0.0), self._parents.get(pid, 0)
        while above and above not in self._members:
            above = self._parents.get(above, 0)
        if not above:
            self._lost += spent


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() not in _GONE
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True
