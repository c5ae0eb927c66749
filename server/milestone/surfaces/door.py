"""The asynchronous door: begins transactions without blocking the loop, runs operations inline, waits for news."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

import anyio
import anyio.to_thread

from milestone.domain.identity import Caller
from milestone.domain.milestones import ENDED
from milestone.operations.context import Answer, Aside, Context, Outside
from milestone.store.engine import PATIENCE, Engine, Transaction, busy, finish, run
from milestone.surfaces.calls import Call, no_database, prepare
from milestone.surfaces.mirroring import INTERVAL, JOURNAL, Follower
from milestone.wiring import Application

T = TypeVar("T")
HOOK_PATIENCE = 1.0
LOOK_EVERY = 0.1
AGAIN_EVERY = 10.0


class Door:
    """Calls operations from an event loop. One per process."""

    def __init__(self, application: Application) -> None:
        self.application = application
        self._threads = anyio.CapacityLimiter(32)
        self._workers = ThreadPoolExecutor(max_workers=16, thread_name_prefix="outside")
        self._opening = anyio.Lock()
        self._writer = anyio.Lock(fast_acquire=True)
        self._news: dict[str, int] = {}
        self._looked_at = 0.0
        self._position = 0
        self._stale: set[str] = set()
        self._mirrored_at = 0.0
        self._mirror = Follower(application)
        self._caught_up = False
        self._follower: asyncio.Task[None] | None = None

    async def call(
        self, name: str, arguments: Mapping[str, Any], caller: Caller, tell: Callable[[str], None] = lambda _: None
    ) -> Answer:
        """Return the answer of an operation; `tell` hears how far long work is, from another thread.

        Raises:
            Refusal: it cannot be carried out; the message says how to mend it.
        """
        call = prepare(name, arguments, caller)
        engine = await self._engine(create=call.operation.creates)
        if engine is None:
            return no_database(call)
        if not self._caught_up:
            await self._catch_up(engine)
        deadline = time.monotonic() + call.wait_seconds
        while True:
            seen = await self._newest(engine) if call.wait_seconds else 0
            answer = await self._once(engine, call, tell)
            left = deadline - time.monotonic()
            waiting = answer.pop("waiting", False)
            if not waiting or left <= 0:
                return answer
            await self._wait(engine, call.topic, seen, min(left, AGAIN_EVERY if waiting is True else waiting))

    async def read(self, work: Callable[[Context], T]) -> T | None:
        """Return what `work` sees in one read; nothing where the project has no database.

        Raises:
            Refusal: the database is busy, or what `work` raises.
        """
        engine = await self._engine(create=False)
        if engine is None:
            return None

        def looked(transaction: Transaction) -> T:
            return work(self.application.context(transaction, Caller(), set()))

        return await self._run(engine, looked, write=False, patience=PATIENCE)

    async def position(self) -> int:
        """Return the newest position of the log, shared with all who wait for news; 0 without a database."""
        engine = await self._engine(create=False)
        return await self._newest(engine) if engine else 0

    async def _catch_up(self, engine: Engine) -> None:
        """Let the mirror follow what a process committed that ended before it wrote the mirror."""
        self._caught_up = True

        def live(transaction: Transaction) -> set[str]:
            rows = self.application.store(transaction).milestones.all()
            return {row["milestone_id"] for row in rows if row["status"] not in ENDED}

        self._stale |= {JOURNAL} | await self._run(engine, live, write=False, patience=PATIENCE)
        self.follow()

    async def _engine(self, *, create: bool) -> Engine | None:
        """Return the database; one that waits on a network is opened by a thread, one that does not by this one."""
        if self.application.opened or not self.application.remote:
            return self.application.engine(create=create)
        async with self._opening:
            return await anyio.to_thread.run_sync(
                partial(self.application.engine, create=create), limiter=self._threads
            )

    def follow(self) -> None:
        """Let the mirror follow what was committed, at most twice a second; returns at once."""
        if self._stale and (self._follower is None or self._follower.done()):
            self._follower = asyncio.get_running_loop().create_task(self._follow())

    async def _follow(self) -> None:
        while self._stale:
            await anyio.sleep(max(0.0, self._mirrored_at + INTERVAL - time.monotonic()))
            await self.mirror_now()

    async def mirror_now(self) -> None:
        """Write what is stale."""
        stale, self._stale = self._stale, set[str]()
        self._mirrored_at = time.monotonic()
        if stale:
            await asyncio.wrap_future(self._mirror.write(stale))

    async def close(self) -> None:
        """Write what is stale and give everything back."""
        await self.mirror_now()
        self._workers.shutdown(wait=False, cancel_futures=True)
        await asyncio.wrap_future(self._mirror.close())

    async def _once(self, engine: Engine, call: Call, tell: Callable[[str], None]) -> Answer:
        patience = PATIENCE if call.operation.listed else HOOK_PATIENCE
        if call.operation.idle:
            idle = await self._run(engine, call.idle_answer(self.application), write=False, patience=patience)
            if idle is not None:
                return idle
        answer = await self._run(engine, call.work(self.application), write=call.operation.writes, patience=patience)
        while isinstance(answer, Aside):
            self._changed(call)
            answer = await self._outside(engine, call, answer, tell)
        self._changed(call)
        return answer

    def _changed(self, call: Call) -> None:
        self._stale |= call.touched | ({JOURNAL} if call.operation.writes else set())
        self.follow()

    async def _outside(self, engine: Engine, call: Call, aside: Aside, tell: Callable[[str], None]) -> Answer | Aside:
        """Carry out work outside of any transaction, then what follows from it; the end of a call ends the work too.

        What came out of it is written down even then: a program that was started must not be forgotten.
        """
        outside = Outside(tell=tell)
        under_way = asyncio.get_running_loop().run_in_executor(self._workers, aside.work, outside)
        try:
            await asyncio.shield(under_way)
        except asyncio.CancelledError:
            outside.cancelled.set()
            with anyio.CancelScope(shield=True):
                await self._follow_up(engine, call, aside, await under_way)
            raise
        return await self._follow_up(engine, call, aside, under_way.result())

    async def _follow_up(self, engine: Engine, call: Call, aside: Aside, result: Any) -> Answer | Aside:
        step = call.work(self.application, lambda context: aside.then(context, result))
        return await self._run(engine, step, write=call.operation.writes, patience=PATIENCE)

    async def _run(self, engine: Engine, work: Callable[[Transaction], T], *, write: bool, patience: float) -> T:
        if engine.blocking:
            return await anyio.to_thread.run_sync(
                partial(run, engine, work, write=write, patience=patience), limiter=self._threads
            )
        with anyio.move_on_after(patience) as scope:
            if not write:
                return await self._inline(engine, work, write=False)
            # One per process: were all threads waiting for the turn, its holder would get none.
            async with self._writer:
                return await self._inline(engine, work, write=True)
        assert scope.cancelled_caught
        raise busy(patience)

    async def _inline(self, engine: Engine, work: Callable[[Transaction], T], *, write: bool) -> T:
        entering = engine.enter(write=write)
        try:
            while True:
                try:
                    step = next(entering)
                except StopIteration as entered:
                    return finish(engine, entered.value, work)  # no await between BEGIN and COMMIT
                await anyio.to_thread.run_sync(step, abandon_on_cancel=True, limiter=self._threads)
        finally:
            entering.close()

    async def _wait(self, engine: Engine, topic: str, seen: int, seconds: float) -> None:
        """Return when the topic has news after position `seen`, or the time is over; all share one look at the log."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            await anyio.sleep(min(LOOK_EVERY, max(0.0, until - time.monotonic())))
            await self._newest(engine)
            if self._news.get(topic, 0) > seen:
                return

    async def _newest(self, engine: Engine) -> int:
        """Return the position up to which the news is known, having looked at most a tenth of a second ago."""
        if time.monotonic() - self._looked_at >= LOOK_EVERY or not self._position:
            self._looked_at = time.monotonic()
            position, topics = await self._run(engine, self._look, write=False, patience=PATIENCE)
            self._news.update(dict.fromkeys((one for topic in topics for one in topic.split()), position))
            self._position = max(self._position, position)
        return self._position

    def _look(self, transaction: Transaction) -> tuple[int, set[str]]:
        log = self.application.store(transaction).log
        return log.position, log.topics_since(self._position) if self._position else set()
