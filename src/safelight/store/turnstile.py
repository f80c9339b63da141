"""Taking turns at one SQLite file: every write transaction of every process passes here.

SQLite's own waiting is sleeping and trying again, so whoever just finished wins the next turn too: a one-row write
beside a flood waited seconds. Two `flock`s make a queue of it: who waits for its turn is next, and only then waits for
the writer. The kernel gives both back when a process dies, so nothing is ever left locked.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that writes now, and since when (epoch seconds)."""

    pid: int
    since: float


class NoTurn(OSError):
    """The lock files could not be opened."""


class Turnstile:
    """The two lock files beside a database file. Any thread may pass; each pass opens its own."""

    def __init__(self, database: Path) -> None:
        self._writer = database.with_name(database.name + "-writer")
        self._next = database.with_name(database.name + "-next")

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the right to write. Raises `NoTurn`.

        Not reentrant: a thread that holds it and asks again waits for itself.
        """
        with _locked_file(self._next) as waiting:
            writing = _open(self._writer)
            try:
                fcntl.flock(writing, fcntl.LOCK_EX)
            except BaseException:
                os.close(writing)
                raise
            _unlock(waiting)
        try:
            with suppress(OSError):  # a full disk must not keep anyone from making room
                os.pwrite(writing, f"{os.getpid():>10} {time.time():17.6f}\n".encode(), 0)
            yield
        finally:
            _unlock(writing)
            os.close(writing)

    def holder(self) -> Holder | None:
        """Who holds it at this moment, if anyone does."""
        try:
            probe = os.open(self._writer, os.O_RDWR)
        except FileNotFoundError:
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


@contextmanager
def _locked_file(path: Path) -> Iterator[int]:
    opened = _open(path)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield opened
    finally:
        os.close(opened)


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise NoTurn(error.errno, error.strerror, str(path)) from error


def _unlock(opened: int) -> None:
    """Before closing: a child forked meanwhile has the file open too and would go on holding the lock."""
    fcntl.flock(opened, fcntl.LOCK_UN)
