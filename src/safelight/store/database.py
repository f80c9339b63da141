"""Runs use cases and queries against the database; `sqlite.py` and `postgres.py` say how.

A use case is one transaction, written as a plain function `def cancel(tx, job)`, or `@batch` over a list when it is
hot. `await database.write(cancel, job)` joins the calls that wait at the same moment and answers after the commit.
"""

from __future__ import annotations

import asyncio
import math
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, Concatenate, ParamSpec, TypeVar, TypeVarTuple, overload

import structlog

from safelight.domain.errors import Remedy, Unavailable
from safelight.store.calls import Batch, Call, Item, Lines, Out, name_of, run_group
from safelight.store.tx import Callback, Tx, Waker, wake_nobody
from safelight.telemetry import crash_points

P = ParamSpec("P")
Args = TypeVarTuple("Args")
T = TypeVar("T")
SLOW_NOTE_EVERY_S = 10.0
log = structlog.get_logger(__name__)
_ONCE_BACK = Remedy("Try again once the server is back.")
_LESS_BUSY = Remedy("Try again later, and look in the log for what slows the database down.")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may wait, how much one commit may share, how long things may take.

    A call waits up to `away_s` in line, and before that up to `room_s` while `waiting_calls` others do.
    """

    waiting_calls: int = 10_000
    room_s: float = 2.0
    batch_calls: int = 256
    share_s: float = 0.02
    slow_s: float = 0.05
    read_s: float = 5.0
    read_cache_kib: int | None = None
    """Of a reader on SQLite that passes whole tables; None leaves it at the two megabytes that are usual."""
    readers: int = 4
    writers: int = 4
    away_s: float = 30.0
    busy_s: float = 5.0
    stop_s: float = 10.0


class Database(ABC):
    """A database that is open for use. `start` and `stop` frame `write` and `read`; `transaction` needs neither."""

    dialect: str

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.lines = Lines()
        self.waker: Waker = wake_nobody
        self.trouble: BaseException | None = None
        """Why the last commit that was tried could not be made; None once one was."""
        self._inside = threading.local()
        self._quiet_until: dict[str, float] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._room = asyncio.Semaphore(self.limits.waiting_calls)
        self._unanswered: set[Call] = set()
        self._clearing: asyncio.TimerHandle | None = None
        self._threads: list[threading.Thread] = []
        self._pool: ThreadPoolExecutor | None = None

    @overload
    async def write(self, use_case: Batch[Item, Out], item: Item, /) -> Out: ...
    @overload
    async def write(self, use_case: Callable[[Tx, *Args], T], /, *args: *Args) -> T: ...
    async def write(self, use_case: Any, /, *args: *Args) -> Any:
        """Run a use case in a transaction; return or raise what it did, after the commit.

        A cancelled wait does not undo the write. Raises `Unavailable` when the database cannot be reached or written,
        or did not come to it for `limits.away_s`: then it will not be done.
        """
        self._refuse_inside()
        self._started()
        await self._enter()
        return await self._write(use_case, args, first=False)

    async def write_first(self, use_case: Callable[[Tx, *Args], T], /, *args: *Args) -> T:
        """As `write`, ahead of everything that waits: for the beat."""
        self._refuse_inside()
        result: T = await self._write(use_case, args, first=True)
        return result

    async def read(self, query_case: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a function that only reads, on one consistent state of the database, beside the writer.

        Raises `Unavailable` when it takes longer than `limits.read_s`.
        """
        loop, pool = self._started()
        return await loop.run_in_executor(pool, self._read, lambda tx: query_case(tx, *args, **kwargs))

    def transaction(self) -> AbstractContextManager[Tx]:
        """A transaction of one's own, without asyncio: tests and the command line. Commits when its block ends well."""
        return self._guarded(self._transaction)

    @abstractmethod
    def reading(self) -> AbstractContextManager[Tx]:
        """One consistent state of the database, to read from without asyncio."""

    def data_version(self) -> int | None:
        """A number that differs whenever another connection has committed; None where the database offers none."""
        return None

    def start(self) -> None:
        """Begin to serve `write` and `read`, answering on the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._pool = ThreadPoolExecutor(self.limits.readers, thread_name_prefix="safelight-read")
        self._threads = self._servers()
        for thread in self._threads:
            thread.start()

    async def stop(self) -> None:
        """Finish the writes that wait, then end threads and connections. What hangs for `limits.stop_s` is left."""
        self.lines.close()
        if not await asyncio.to_thread(self._join):
            self._give_up()
        if self._clearing is not None:
            self._clearing.cancel()
        self.close()

    @abstractmethod
    def close(self) -> None:
        """Close idle connections. `transaction` and `reading` may still be used, and open new ones."""

    def answer(self, calls: Sequence[Call], callbacks: Sequence[Callback] = ()) -> None:
        """From a writer thread: hand results to those who wait, and run what was left for after the commit."""
        if crash_points.PLANS:
            crash_points.reach_all((name_of(c.use_case) for c in calls if c.error is None), "after_commit")
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._settle, calls, callbacks)

    def run_timed(self, tx: Tx, group: Sequence[Call]) -> None:
        """Run the calls of one use case and keep their results; name it in the log when it is slow."""
        started = time.perf_counter()
        tx.waker = self.waker
        self._inside.transaction = True
        try:
            results = run_group(tx, group)
        finally:
            self._inside.transaction = False
            self._note_time(group, time.perf_counter() - started)
        for call, result in zip(group, results, strict=True):
            call.result, call.error = result, None
        if crash_points.PLANS:
            crash_points.reach_all([name_of(group[0].use_case)], "before_commit")

    def hindrance(self) -> BaseException | None:
        """Why nothing can be written at this moment; None if nothing stands in the way. May be asked at any time."""
        return self.trouble

    def overdue(self) -> BaseException:
        """What to tell calls that have waited in line for too long."""
        return self.trouble or Unavailable(
            "The database was busy with other writes for so long that this one was given up.", remedy=_LESS_BUSY
        )

    async def _enter(self) -> None:
        """Wait until there is room for one more call; `_settle` makes some."""
        if not self._room.locked():
            await self._room.acquire()
            return
        try:
            async with asyncio.timeout(self.limits.room_s):
                await self._room.acquire()
        except TimeoutError as error:
            raise Unavailable(
                f"{self.limits.waiting_calls} writes wait for the database already.", remedy=_LESS_BUSY
            ) from error

    async def _write(self, use_case: Any, args: tuple[Any, ...], *, first: bool) -> Any:
        loop, _ = self._started()
        call = Call(use_case, args, loop.create_future(), first=first)
        self._unanswered.add(call)
        if not self.lines.put(call):
            self._refuse([call], Unavailable("The database is being closed.", remedy=_ONCE_BACK))
        elif self._clearing is None:
            self._clearing = loop.call_later(self.limits.away_s, self._clear_lines)
        return await call.future

    def _settle(self, calls: Sequence[Call], callbacks: Sequence[Callback] = ()) -> None:
        """Answer those who wait, on the event loop. A call takes up room until then, even if its wait was cancelled."""
        for call in calls:
            if call in self._unanswered:  # not given up
                self._unanswered.remove(call)
                if not call.first:
                    self._room.release()
                call.settle()
        run_callbacks(callbacks)

    def _clear_lines(self) -> None:
        """Tell whoever has waited too long in line; come back for the oldest left, or else with the next call."""
        now_s, away_s = time.monotonic(), self.limits.away_s
        if late := self.lines.take_expired(now_s - away_s):
            self._refuse(late, self.overdue())
        oldest_s = self.lines.oldest_s()
        self._clearing = None
        if oldest_s is not None and self._loop is not None:
            self._clearing = self._loop.call_later(oldest_s + away_s - now_s, self._clear_lines)

    def _give_up(self) -> None:
        """The writers hang. What waits in line is not done any more; what became of the rest nobody knows."""
        self._refuse(self.lines.take_expired(math.inf), self.overdue())
        unknown = Unavailable("The database was closed in the middle of this write.", remedy=_ONCE_BACK)
        self._refuse(list(self._unanswered), unknown)

    def _refuse(self, calls: Sequence[Call], error: BaseException) -> None:
        for call in calls:
            call.error = error
        self._settle(calls)

    def _note_time(self, group: Sequence[Call], took_s: float) -> None:
        """Name a slow use case in the log, only now and then: a slow disk makes all of them slow, all the time."""
        name, now = name_of(group[0].use_case), time.monotonic()
        if took_s <= self.limits.slow_s or now < self._quiet_until.get(name, 0.0):
            return
        self._quiet_until[name] = now + SLOW_NOTE_EVERY_S
        log.warning("use_case_slow", use_case=name, took_ms=round(took_s * 1000), calls=len(group))

    def _started(self) -> tuple[asyncio.AbstractEventLoop, ThreadPoolExecutor]:
        if self._loop is None or self._pool is None:
            raise RuntimeError("The database was not started: call start() on the running event loop first.")
        return self._loop, self._pool

    def _refuse_inside(self) -> None:
        if getattr(self._inside, "transaction", False):
            raise RuntimeError("A transaction is open in this thread: call the use case with its tx instead.")

    @contextmanager
    def _guarded(self, opened: Callable[[], AbstractContextManager[Tx]]) -> Iterator[Tx]:
        self._refuse_inside()
        with opened() as tx:
            tx.waker = self.waker
            self._inside.transaction = True
            try:
                yield tx
            finally:
                self._inside.transaction = False
        run_callbacks(tx.callbacks)

    def _join(self) -> bool:
        """Wait for the threads to end; False if one hangs. They are daemons: the process may end all the same."""
        ends_s = time.monotonic() + self.limits.stop_s
        for thread in self._threads:
            thread.join(max(0.0, ends_s - time.monotonic()))
        hanging = [thread.name for thread in self._threads if thread.is_alive()]
        if hanging:
            log.warning("database_threads_hang", threads=hanging)
        if self._pool is not None:
            self._pool.shutdown()
        return not hanging

    @abstractmethod
    def _servers(self) -> list[threading.Thread]:
        """The threads that serve `lines` until they are closed, not yet started."""

    @abstractmethod
    def _transaction(self) -> AbstractContextManager[Tx]: ...

    def _read(self, query_case: Callable[[Tx], T]) -> T:
        with self.reading() as tx:
            return query_case(tx)


def run_callbacks(callbacks: Sequence[Callback]) -> None:
    """Run what was left for after the commit. The commit stands: an error is logged and harms nobody."""
    for callback in callbacks:
        try:
            callback()
        except Exception:
            log.exception("after_commit_failed", callback=name_of(callback))
