"""The stdio door: MCP over this process's stdin and stdout, answering its first requests while the SDK still loads."""

from __future__ import annotations

import fcntl
import gc
import os
import select
import signal
import stat
import sys
import threading
from collections import deque
from importlib import import_module

from milestone.surfaces import handshake
from milestone.surfaces.lines import FULL, INTERNAL_ERROR, Intake, Outlet, Refused, describe, encode, parse, say
from milestone.surfaces.watch import Watch

TYPE_CHECKING = False  # `typing` would cost 4 ms before the first answer
if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable
    from pathlib import Path
    from types import FrameType
    from typing import Any

    from mcp.server import Server

    from milestone.surfaces.lines import Message
    from milestone.surfaces.wire import Wire

_CLOSE_PATIENCE = 3.0
"""Seconds `on_close` may take."""

_DRAIN_PATIENCE = 0.3
"""Seconds the client has, after the end, to read what waits for it."""

_ID_INTERVAL = 500
"""Milliseconds an over-long line may go on before it is refused without its id."""


def serve(
    build: Callable[[], Server[Any]],
    *,
    constants: str | Path | None,
    on_close: Callable[[], Awaitable[None]] | None = None,
) -> int:
    """Serve MCP over this process's stdin and stdout until stdin ends; return the exit code.

    `build` runs in a thread and may take its time: until it returns, the answers recorded in the file `constants`
    are given where they apply. `on_close` is awaited once, at the end. Descriptors 0 and 1 stay diverted, so that
    nothing but MCP is ever on stdout, and the process must end soon after: what hangs is killed.
    """
    try:
        source, sink = _claim()
    except OSError as error:
        say(f"stdin or stdout is not open: {error.strerror}")
        return 1
    threading.excepthook = lambda args: say(f"a thread crashed: {describe(args.exc_value or args.exc_type())}")
    door = _Door(build, handshake.load(constants), source, sink)
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, door.on_signal)
    door.watch.start()
    door.wait_for_sdk()
    return door.live(on_close)


def _claim() -> tuple[int, int]:
    """Move stdin and stdout to descriptors of ours; give children an empty stdin, and stderr for stdout."""
    source, sink = (fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 3) for fd in (0, 1))
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    try:
        os.dup2(2, 1)
    except OSError:
        os.dup2(null, 1)
    os.close(null)
    os.set_blocking(sink, False)
    mode = os.fstat(source).st_mode
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or os.isatty(source)):
        source = _pumped(source)
    return source, sink


def _pumped(source: int) -> int:
    """Return a pipe that gives what `source` holds, for an event loop cannot wait for a file."""
    reader, writer = os.pipe()

    def pump() -> None:
        with open(source, "rb", buffering=0) as file, open(writer, "wb", buffering=0) as pipe:  # noqa: PTH123
            while chunk := file.read(1 << 16):
                pipe.write(chunk)

    threading.Thread(target=pump, daemon=True).start()
    return reader


class _Door:
    """One connection from its first byte to the exit."""

    def __init__(self, build: Callable[[], Server[Any]], table: Any, source: int, sink: int) -> None:
        self.watch = Watch(source, self._on_hangup, lambda: self.stop("the parent is gone"))
        self._build = build
        self._handshake = handshake.Handshake(table)
        self._intake, self._outlet = Intake(source), Outlet(sink)
        self._backlog: deque[Message] = deque()
        self._backlog_size = 0
        self._answered: dict[str, tuple[str, dict[str, Any]]] = {}
        self._replayed: set[str] = set()
        self._server: Server[Any] | None = None
        self._loader: threading.Thread | None = None
        self._loaded = self._failed = self._hung = self._stopped = False
        self._bell, self._rope = os.pipe()
        os.set_blocking(self._rope, False)
        if not table:
            self._load()

    def on_signal(self, number: int, _: FrameType | None) -> None:
        """End on a signal."""
        self.stop(signal.Signals(number).name)

    def stop(self, why: str) -> None:
        """End soon, from whatever thread."""
        if not self._stopped:
            self._stopped = True
            say(f"ending: {why}")
        self.watch.arm()
        self._ring()

    def _on_hangup(self) -> None:
        self._hung = True
        self.watch.arm()
        self._ring()

    def _ring(self) -> None:
        try:
            os.write(self._rope, b"!")
        except BlockingIOError:
            return  # it rings already

    def wait_for_sdk(self) -> None:
        """Answer what can be answered and keep the rest, until the SDK is there or the end has come."""
        while not self._stopped and not self._loaded and (self._loader or not self._intake.ended):
            ready = self._ready()
            if self._intake.fd in ready:
                self._intake.read()
            elif not ready:
                self._intake.overdue()
            if self._outlet.fd in ready:
                self._outlet.flush()
            if self._bell in ready:
                os.read(self._bell, 4096)
            while (item := self._intake.take()) is not None:
                self._admit(item)
            if self._intake.ended:
                self.watch.arm()
            if self._outlet.dead:
                self.stop("nobody reads stdout")

    def _ready(self) -> set[int]:
        """Wait for the descriptors that can bring anything about and return those that are ready."""
        poller = select.poll()
        poller.register(self._bell, select.POLLIN)
        if not self._intake.ended and not self._outlet.full and self._backlog_size < FULL:
            poller.register(self._intake.fd, select.POLLIN)
        if self._outlet.waiting:
            poller.register(self._outlet.fd, select.POLLOUT)
        return {fd for fd, _ in poller.poll(_ID_INTERVAL if self._intake.lines.undecided else None)}

    def _admit(self, item: bytes | Refused) -> None:
        try:
            if isinstance(item, Refused):
                raise item
            message = parse(item)
        except Refused as refusal:
            self._outlet.put(refusal.reply)
            return
        is_request = "method" in message and "id" in message
        answer = self._handshake.answer(message) if is_request else None
        if answer is None:
            self._backlog.append(message)
            self._backlog_size += len(item)
        else:
            self._outlet.put(encode(handshake.reply(message, answer)))
            self._replay(message, answer)
        if is_request:
            self._load()

    def _replay(self, message: Message, answer: dict[str, Any]) -> None:
        """Queue an answered request for the SDK, so that it comes to know its client and our answer is checked."""
        method = message["method"]
        if method in self._replayed and method not in ("initialize", handshake.LISTEN):
            return
        self._replayed.add(method)
        goes_on = method == handshake.LISTEN
        name = handshake.stream(message["id"]) if goes_on else f"recorded answer {len(self._answered) + 1}"
        self._answered[name] = (method, answer)
        self._backlog.append(message if goes_on else {**message, "id": name})

    def _load(self) -> None:
        if self._loader is None:
            self._loader = threading.Thread(target=self._load_in_thread, name="loader", daemon=True)
            self._loader.start()

    def _load_in_thread(self) -> None:
        """Build the server, with short turns of the interpreter, so that the lobby can answer meanwhile."""
        interval = sys.getswitchinterval()
        sys.setswitchinterval(0.0005)
        gc.disable()
        try:
            self._server = self._build()
            import_module("milestone.surfaces.session")
            import_module("milestone.surfaces.wire")
        except BaseException as crash:  # noqa: BLE001 - it would vanish with the thread
            self._failed = True
            say(f"the server could not be built: {describe(crash)}: {crash}")
        finally:
            gc.freeze()  # what is loaded stays: no collection needs to walk it again
            gc.enable()
            sys.setswitchinterval(interval)
            self._loaded = True
            self._ring()

    def live(self, on_close: Callable[[], Awaitable[None]] | None) -> int:
        """Serve with the SDK until the end, close, and return the exit code."""
        import asyncio  # 60 ms: by now the SDK has loaded it

        loop = asyncio.new_event_loop()
        main = loop.create_task(self._main(loop, on_close))
        _drive(loop, main)
        for task in asyncio.all_tasks(loop):
            task.cancel()
        _drive(loop, loop.create_task(asyncio.sleep(0)))
        loop.close()
        if self._loader is not None and not self._loaded:
            os._exit(0)  # an import cut short by the interpreter's end may crash it
        if all(thread.daemon or thread is threading.main_thread() for thread in threading.enumerate()):
            self.watch.disarm()
        if (crash := main.exception()) is not None:
            say(f"the door crashed: {describe(crash)}")
        return 0 if crash is None and main.result() else 1

    async def _main(self, loop: asyncio.AbstractEventLoop, on_close: Callable[[], Awaitable[None]] | None) -> bool:
        wire, well = None, not self._failed
        if self._failed:
            self._refuse_backlog()
        elif self._server is not None and not self._stopped:
            from milestone.surfaces import session
            from milestone.surfaces.wire import Wire

            wire = Wire(self._intake, self._outlet, self._backlog, self._answered)
            loop.add_reader(self._bell, self._on_bell, wire)
            self._ring()
            well = await session.serve(self._server, wire, self.watch.arm)
        if on_close is not None:
            await _close(on_close)
        if wire is not None:
            await wire.drain(_DRAIN_PATIENCE)
        return well

    def _on_bell(self, wire: Wire) -> None:
        os.read(self._bell, 4096)
        if self._stopped:
            wire.stop()
        elif self._hung:
            wire.hang_up()

    def _refuse_backlog(self) -> None:
        for message in self._backlog:
            if "id" in message and "method" in message and message["id"] not in self._answered:
                why = "Internal error: the server could not be built, its stderr says why"
                self._outlet.put(Refused(INTERNAL_ERROR, why, message["id"]).reply)


def _drive(loop: asyncio.AbstractEventLoop, task: asyncio.Task[Any]) -> None:
    """Run `loop` until `task` is done, whatever other tasks raise."""
    while not task.done():
        try:
            loop.run_until_complete(task)
        except (Exception, SystemExit, KeyboardInterrupt) as crash:  # noqa: BLE001 - the task keeps its own
            if not task.done():
                say(f"a task raised {type(crash).__name__}")


async def _close(on_close: Callable[[], Awaitable[None]]) -> None:
    import asyncio

    async def close() -> None:
        await on_close()

    closing = asyncio.create_task(close())
    await asyncio.wait({closing}, timeout=_CLOSE_PATIENCE)
    if not closing.done():
        closing.cancel()
        say(f"closing did not end in {_CLOSE_PATIENCE} s")
    elif not closing.cancelled() and (crash := closing.exception()) is not None:
        say(f"closing crashed: {describe(crash)}")
