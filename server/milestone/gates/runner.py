"""Runs one gate: a command from an argument list, watched with all its processes, and ended whatever happens."""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from milestone.domain.gates import Gate, GateLimits, GateResult, Outcome
from milestone.gates.environment import clean_environment
from milestone.gates.output import MOST, Output
from milestone.gates.share import Share
from milestone.gates.tree import PATIENCE, Tree

NICE = 10
TELL = 2.0
GRACE = 0.25
WEIGH = 0.25
_FIRST, _SLOWER, _STEP, _AGAIN, _SHORT = 0.01, 1.5, 0.06, 0.02, 0.1
_MB = 1_000_000
_OUR_TROUBLE = (errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE)
_never = threading.Event()


@dataclass(frozen=True)
class Verdict:
    """Why a run is over: `outcome` is none where the command ended by itself."""

    outcome: Outcome | None
    reason: str = ""


def new_mark() -> str:
    """Return a mark that no other run has."""
    return os.urandom(16).hex()


def run_gate(
    gate: Gate,
    folder: Path,
    *,
    environ: Mapping[str, str],
    limits: GateLimits,
    progress: Callable[[str], None],
    cancelled: threading.Event,
    mark: str = "",
) -> GateResult:
    """Return what came of a gate's command in `folder`; blocks until it has ended, with all its processes.

    `environ` is cleaned before the command sees it. `progress` gets a line about every 2 seconds, in this thread.
    Setting `cancelled` ends the command at once. `mark` is what a slot gave, so that a crash leaves nothing behind.

    Raises:
        OSError: this machine has no process, memory or file left to start it with.
    """
    mark = mark or new_mark()
    with Output() as output:
        began = time.monotonic()
        try:
            process = subprocess.Popen(
                gate.run,
                cwd=folder,
                env=clean_environment(environ, folder, mark),
                stdin=subprocess.DEVNULL,
                stdout=output.fileno(),
                stderr=output.fileno(),
                start_new_session=True,
            )
        except OSError as error:
            if error.errno in _OUR_TROUBLE:
                raise
            said = _why_not(gate, folder, error)
            return GateResult(gate.name, gate.run, "not_found", None, 0, 0, 0, said, truncated=False)
        watch = Watch(gate, limits, process, Tree(mark, process.pid), output, began)
        try:
            verdict = watch.until_it_is_over(progress, cancelled)
        finally:
            left = watch.end()
        return watch.result(verdict, left)


class Watch:
    """One running command: measured again and again, until it ends or has to be ended."""

    def __init__(
        self,
        gate: Gate,
        limits: GateLimits,
        process: subprocess.Popen[bytes],
        tree: Tree,
        output: Output,
        began: float,
    ) -> None:
        self._gate, self._process, self._tree, self._output = gate, process, tree, output
        self._seconds = min(gate.seconds, limits.seconds)
        self._memory = limits.memory_mb * _MB
        self._limits = limits
        self._share = Share(limits.cpu_percent / 100 * (os.cpu_count() or 1))
        self._began = self._looked = began
        self._took = self._paused = 0.0
        self._cpu = 0.0
        self._peak = 0
        self._heavy = False
        self._weighed = (0, 0, began - WEIGH)
        self._lingered: list[str] = []
        with contextlib.suppress(OSError):  # it may have ended already
            os.setpriority(os.PRIO_PGRP, process.pid, os.getpriority(os.PRIO_PROCESS, 0) + NICE)

    def until_it_is_over(self, progress: Callable[[str], None], cancelled: threading.Event) -> Verdict:
        """Return why the command is over, while its processes may still run."""
        step, told = _FIRST, self._began
        while True:
            ended = self._reaped()
            over = self._look()
            if ended:
                self._let_end(cancelled)
                return Verdict(None)
            if over:
                return over
            if self._looked - told >= TELL:
                told = self._looked
                progress(self._line())
            step = min(_STEP, step * _SLOWER)
            if cancelled.wait(_AGAIN if self._heavy else step):
                return Verdict("cancelled", "it was cancelled")

    def end(self) -> list[psutil.Process]:
        """End all processes, return those that could not be ended, and take the last measures."""
        left = self._tree.end()
        deadline = time.monotonic() + PATIENCE
        while not self._reaped() and time.monotonic() < deadline:
            _never.wait(_FIRST)
        self._took = time.monotonic() - self._began
        self._output.follow()
        return left

    def result(self, verdict: Verdict, left: list[psutil.Process]) -> GateResult:
        """Return what came of the run, after `end`."""
        code = self._process.returncode if verdict.outcome is None else None
        outcome = verdict.outcome or ("passed" if code == 0 else "failed")
        notes = [f"{self._gate.name} was ended: {verdict.reason}."] if verdict.reason else []
        if self._lingered:
            notes.append(f"It left running, and the server ended: {', '.join(self._lingered)}.")
        if left:
            notes.append(f"Could not be ended: {', '.join(str(process.pid) for process in left)}.")
        text = self._output.text()
        return GateResult(
            gate=self._gate.name,
            command=self._gate.run,
            outcome=outcome,
            exit_code=code,
            seconds=round(self._took, 3),
            cpu_seconds=round(self._cpu, 3),
            peak_bytes=self._peak,
            output="\n".join(filter(None, (text.rstrip("\n"), *notes))),
            truncated=self._output.truncated,
        )

    def _look(self) -> Verdict | None:
        """Measure everything once, pause or resume the tree; return why the command has to be ended, if it has to."""
        use = self._tree.use()
        now = time.monotonic()
        passed, used = now - self._looked, max(0.0, use.cpu_seconds - self._cpu)
        self._looked, self._took, self._cpu = now, now - self._began, max(self._cpu, use.cpu_seconds)
        self._paused += passed if self._share.paused else 0
        self._output.follow()
        held = self._held(use.held_bytes)
        if held > self._memory:
            again, self._heavy = self._heavy, True
            # Between fork and exec a child holds its parent's memory a second time, so one reading proves nothing.
            if again:
                self._peak = max(self._peak, held)
                return Verdict("memory", f"it held {held // _MB} MB of memory, {self._limits.memory_mb} MB are allowed")
        else:
            self._heavy, self._peak = False, max(self._peak, held)
        if self._took > self._seconds:
            return Verdict("timeout", f"it took longer than {self._seconds} s{self._waited()}")
        if self._output.too_much:
            return Verdict("failed", f"it wrote more than {MOST // (1024 * 1024)} MB of output")
        self._throttle(passed, used)
        return None

    def _held(self, rough: int) -> int:
        """Return the memory that counts; what processes share is told apart only where it matters, as it takes time.

        A paused tree cannot grow, and may have been stopped between fork and exec.
        """
        if self._share.paused:
            return 0
        if rough <= self._memory:
            return rough
        was, exact, at = self._weighed
        guess = exact + max(0, rough - was)
        if guess <= self._memory and self._looked - at < WEIGH:
            return guess
        exact = self._tree.held_exactly()
        self._weighed = (rough, exact, self._looked)
        return exact

    def _throttle(self, passed: float, used: float) -> None:
        before = self._share.paused
        # While memory is in doubt nothing is paused: else no second reading could confirm the first.
        paused = self._share.after(seconds=passed, used=used, may_begin=not self._heavy)
        if paused and not before:
            self._tree.pause()
        elif before and not paused:
            self._tree.resume()

    def _reaped(self) -> bool:
        """Return whether the command itself has ended; the kernel then tells all that it and its children used."""
        if self._process.returncode is not None:
            return True
        try:
            pid, status, usage = os.wait4(self._process.pid, os.WNOHANG)
        except ChildProcessError:  # somebody else in this process has waited for it
            pid, status, usage = self._process.pid, 0xFF00, None
        if not pid:
            return False
        self._process.returncode = os.waitstatus_to_exitcode(status)
        self._cpu = max(self._cpu, usage.ru_utime + usage.ru_stime if usage else 0)
        return True

    def _let_end(self, cancelled: threading.Event) -> None:
        """Give helpers a moment that end with their parent; what stays longer was left running."""
        self._tree.resume()
        deadline = time.monotonic() + GRACE
        while (left := self._tree.running()) and time.monotonic() < deadline and not cancelled.wait(_FIRST):
            pass
        for process in left:
            with contextlib.suppress(psutil.Error):
                self._lingered.append(f"{process.name()} ({process.pid})")

    def _waited(self) -> str:
        told = self._paused > _SHORT
        return f", {self._paused:.1f} s of it paused for its share of the processors" if told else ""

    def _line(self) -> str:
        held = f"{self._gate.name}: {self._took:.0f} s, {self._peak // _MB} MB{self._waited()}"
        line = self._output.last_line()
        return f"{held}, last line: {line}" if line else held


def _why_not(gate: Gate, folder: Path, error: OSError) -> str:
    program = gate.run[0]
    if not folder.is_dir():
        return f"{gate.name} could not be started: the folder {folder} is not there."
    hint = ""
    if (folder / program).is_file() and error.errno == errno.ENOENT:
        hint = " It is there, but not the program that its first line names."
    elif " " in program:
        hint = " Each argument stands by itself in the list of run."
    return (
        f"{gate.name} could not be started: {program}: {error.strerror or error}.{hint}"
        " Install the program where the server runs, or mend run in gates.yaml."
    )
