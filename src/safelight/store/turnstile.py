"""Taking turns at one SQLite file: every write transaction of every process passes here.

SQLite's own waiting is sleeping and trying again, so whoever just finished wins the next turn too: a one-row write
beside a flood waited seconds. Two `flock`s make a queue of it: who waits for its turn is next, and only then waits for
the writer. The kernel gives both back when a process dies, so nothing is ever left locked; a process that is frozen
keeps them, and `holder` names it.
"""

from __future__ import annotations

import errno
import fcntl
import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that keeps the others waiting now, and since when (epoch seconds)."""

    pid: int
    since: float

    def __str__(self) -> str:
        return (
            f"process {self.pid} has kept the turn to write since {time.strftime('%F %T', time.gmtime(self.since))} UTC"
        )


class NoTurn(OSError):
    """The lock files could not be opened or locked."""


class TurnTaken(NoTurn):
    """Others kept the turn for as long as one was ready to wait."""

    def __init__(self, holder: Holder | None) -> None:
        super().__init__(errno.ETIMEDOUT, "others wrote all the time" if holder is None else str(holder))
        self.holder = holder

    def __str__(self) -> str:
        return str(self.strerror)


class Turnstile:
    """The two lock files beside a database file. Any thread may pass; each pass opens its own."""

    def __init__(self, database: Path) -> None:
        self._writer = database.with_name(database.name + "-writer")
        self._next = database.with_name(database.name + "-next")

    @contextmanager
    def held(self, within_s: float | None = None) -> Iterator[None]:
        """Hold the right to write. Raises `NoTurn`, and `TurnTaken` when it is not gained `within_s`; None is for ever.

        Not reentrant: a thread that holds it and asks again waits for itself.
        """
        writing = self._pass(fcntl.LOCK_EX) if within_s is None else self._pass_within(within_s)
        try:
            yield
        finally:
            _let_go(writing)

    def holder(self) -> Holder | None:
        """Who writes at this moment or, should that one be stuck on its way there, who is next; None if nobody is."""
        return _holder(self._writer) or _holder(self._next)

    def _pass(self, how: int) -> int:
        """The locked file, to be let go of. Raises `BlockingIOError` if `how` does not wait and somebody is there."""
        waiting = _locked(self._next, how)
        try:
            return _locked(self._writer, how)
        finally:
            _let_go(waiting)

    def _pass_within(self, within_s: float) -> int:
        """`flock` knows no time-out: where there is a queue a thread stands in it, and may be left there."""
        with suppress(BlockingIOError):
            return self._pass(fcntl.LOCK_EX | fcntl.LOCK_NB)
        gained: Future[int] = Future()
        threading.Thread(target=self._stand_in, args=(gained,), name="safelight-turn", daemon=True).start()
        try:
            return gained.result(within_s)
        except TimeoutError as error:
            if not gained.cancel():  # it came in this very moment
                return gained.result()
            raise TurnTaken(self.holder()) from error

    def _stand_in(self, gained: Future[int]) -> None:
        try:
            writing = self._pass(fcntl.LOCK_EX)
        except NoTurn as error:
            if gained.set_running_or_notify_cancel():
                gained.set_exception(error)
            return
        if gained.set_running_or_notify_cancel():
            gained.set_result(writing)
        else:
            _let_go(writing)


def _holder(path: Path) -> Holder | None:
    try:
        probe = os.open(path, os.O_RDWR)
    except OSError:  # not there, or out of file descriptors: who wants to write hears of that as well, and waits
        return None
    try:
        fcntl.flock(probe, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        pid, _, since = os.pread(probe, 64, 0).decode().strip().partition(" ")
        return Holder(int(pid), float(since)) if since else None
    else:
        return None
    finally:
        os.close(probe)


def _locked(path: Path, how: int) -> int:
    """Open and lock a file, and write down in it who we are."""
    opened = None
    try:
        opened = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(opened, how)
    except OSError as error:
        if opened is not None:
            os.close(opened)
        if isinstance(error, BlockingIOError):
            raise
        raise NoTurn(error.errno, error.strerror, str(path)) from error
    with suppress(OSError):  # a full disk must not keep anyone from making room
        os.pwrite(opened, f"{os.getpid():>10} {time.time():17.6f}\n".encode(), 0)
    return opened


def _let_go(opened: int) -> None:
    """Unlock before closing: a child forked meanwhile has the file open too and would go on holding the lock."""
    with suppress(OSError):  # closing lets go as well
        fcntl.flock(opened, fcntl.LOCK_UN)
    os.close(opened)
