"""One writer of Postgres: takes the waiting calls of one use case, runs them in one transaction, answers, and again.

A deadlock or a serialization failure runs the transaction again. So does a lost connection: what its COMMIT did is
unknown, and use cases insert under ids fixed by their caller, so running one twice is harmless. While the server is
away callers wait for it, each up to `limits.away_s`.

A call that meets a locked row, or is slow, must not spoil those that share its transaction: they are parted from it
under shorter limits, so that this takes seconds. After `limits.away_s` of it what still fails, fails together.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from random import SystemRandom
from typing import LiteralString

import psycopg
import structlog

from safelight.domain.errors import Unavailable
from safelight.store.calls import Call, name_of
from safelight.store.database import Database
from safelight.store.postgres_errors import as_refusal, asks_for_rerun, connection_is_unfit, took_too_long
from safelight.store.postgres_tx import Connection, in_transaction
from safelight.store.tx import Callback

RERUNS = 10
SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 0.01, 2.0
BEGIN: LiteralString = "BEGIN"
BEGIN_BRIEF: LiteralString = "BEGIN; SET LOCAL lock_timeout = '1s'; SET LOCAL statement_timeout = '5s'"

log = structlog.get_logger(__name__)
_random = SystemRandom()


class PostgresWriter:
    """The loop of one writer thread. It survives every error; callers get theirs."""

    def __init__(
        self,
        database: Database,
        connect: Callable[[], Connection],
        learn: Callable[[psycopg.Error], None],
        stopping: threading.Event,
    ) -> None:
        self._database, self._connect, self._learn, self._stopping = database, connect, learn, stopping
        self._connection: Connection | None = None

    def serve(self) -> None:
        """Until the lines are closed and empty."""
        lines, limit = self._database.lines, self._database.limits.batch_calls
        while (group := lines.take(limit)) is not None:
            callbacks = self._run(group)
            lines.done(group)
            self._database.answer(group, callbacks)
        self._drop()

    def _run(self, group: Sequence[Call], parted_by_s: float | None = None) -> list[Callback]:
        """Commit a group; if it raises, halve it until the guilty call stands alone. The others still count."""
        try:
            return self._commit(group, BEGIN if parted_by_s is None else BEGIN_BRIEF)
        except BaseException as error:  # whatever a use case raises belongs to its caller; this thread lives on
            refusal, slow = as_refusal(error), took_too_long(error)
            if slow and parted_by_s is None:
                parted_by_s = time.monotonic() + self._database.limits.away_s
            over = slow and parted_by_s is not None and time.monotonic() >= parted_by_s
            unusable = isinstance(refusal, Unavailable) and not slow
            if unusable and refusal is not error:  # the server's own words, not those of the use case
                self._database.trouble = refusal
            if len(group) == 1 or over or unusable:
                _fail(group, refusal)
                return []
        half = len(group) // 2
        return self._run(group[:half], parted_by_s) + self._run(group[half:], parted_by_s)

    def _commit(self, group: Sequence[Call], begin: LiteralString) -> list[Callback]:
        """One transaction, run again where that helps. Returns what is left to do after the commit."""
        for n in range(RERUNS):
            waiting = self._connected(group)
            if self._connection is None:
                return []
            try:
                return self._transact(self._connection, begin, waiting)
            except psycopg.Error as error:
                self._learn(error)
                unfit = connection_is_unfit(error, self._connection)
                if unfit:
                    self._drop()
                if not (unfit or asks_for_rerun(error)) or n == RERUNS - 1:
                    raise
                log.info(
                    "transaction_rerun",
                    use_case=name_of(group[0].use_case),
                    because=str(error).partition("\n")[0],
                    run=n + 1,
                )
            self._pause(n)
        raise AssertionError("the last run raises")

    def _transact(self, connection: Connection, begin: LiteralString, group: Sequence[Call]) -> list[Callback]:
        connection.execute(begin, prepare=False)
        with in_transaction(connection) as tx:
            self._database.run_timed(tx, group)
        self._database.trouble = None
        return tx.callbacks

    def _connected(self, group: Sequence[Call]) -> Sequence[Call]:
        """Connect, however long it takes. Returns the calls that wait still; those that waited too long have failed."""
        n = 0
        while self._connection is None:
            try:
                self._connection = self._connect()
            except psycopg.Error as error:
                self._database.trouble = as_refusal(error)
                group = self._still_waiting(group, self._database.trouble)
                if not group:
                    break
                self._pause(n)
                n += 1
        return group

    def _still_waiting(self, group: Sequence[Call], refusal: BaseException) -> Sequence[Call]:
        if self._stopping.is_set():
            _fail(group, refusal)
            return []
        before_s = time.monotonic() - self._database.limits.away_s
        late = [call for call in group if call.since_s < before_s]
        _fail(late, refusal)
        return [call for call in group if call.since_s >= before_s]

    def _pause(self, n: int) -> None:
        longest = min(LONGEST_PAUSE_S, SHORTEST_PAUSE_S * 2**n)
        self._stopping.wait(_random.uniform(longest / 2, longest))

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _fail(calls: Sequence[Call], error: BaseException) -> None:
    for call in calls:
        call.error = error
