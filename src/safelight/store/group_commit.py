"""SQLite's writer: everything that waits shares one commit, and yet no call can harm another.

Each group of calls runs in a savepoint. If it raises, it is halved until the guilty call stands alone. If the
transaction itself is lost, or its commit fails, the calls run again, each in a transaction of its own.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

import structlog

from safelight.store.calls import Call, name_of
from safelight.store.database import Database
from safelight.store.turnstile import NoTurn, Turnstile
from safelight.store.tx import Callback, Tx

log = structlog.get_logger(__name__)


class _NotBegun(Exception):
    """No transaction could be opened: nothing ran."""


class GroupCommit:
    """The loop of the writer thread. It survives every error; callers get theirs."""

    def __init__(
        self,
        database: Database,
        connection: sqlite3.Connection,
        open_tx: Callable[[sqlite3.Connection], Tx],
        turnstile: Turnstile,
        committed: Callable[[], None],
        refusal: Callable[[BaseException], BaseException],
    ) -> None:
        self._database, self._connection, self._open_tx = database, connection, open_tx
        self._turnstile, self._committed, self._refusal = turnstile, committed, refusal

    def serve(self) -> None:
        """Until the lines are closed and empty."""
        lines, limits = self._database.lines, self._database.limits
        while (group := lines.take(limits.batch_calls)) is not None:
            taken: list[list[Call]] = []
            callbacks = self._commit_together(group, taken)
            self._database.answer([call for each in taken for call in each], callbacks)
        self._connection.close()

    def _commit_together(self, first: list[Call], taken: list[list[Call]]) -> list[Callback]:
        """Run groups in one transaction; `taken` receives them. Returns what is left to do after the commit."""
        try:
            return self._transact(lambda tx: self._run_while_shared(tx, first, taken))
        except _NotBegun as error:
            taken[:] = [first]
            self._database.lines.done(first)
            _fail(first, self._refusal(error.__cause__ or error))
            return []
        except Exception as error:
            log.warning("commit_failed", error=str(error), calls=sum(map(len, taken)))
            return self._commit_one_by_one([call for group in taken for call in group])

    def _run_while_shared(self, tx: Tx, group: list[Call] | None, taken: list[list[Call]]) -> None:
        lines, limits = self._database.lines, self._database.limits
        ends, room = time.perf_counter() + limits.share_s, limits.batch_calls
        while group is not None:
            taken.append(group)
            lines.done(group)  # there is no other writer
            self._run_isolated(tx, group)
            room -= len(group)
            group = lines.take_now(room) if room > 0 and time.perf_counter() < ends else None

    def _run_isolated(self, tx: Tx, group: Sequence[Call]) -> None:
        """Run a group in a savepoint. Raises only if the transaction itself is gone."""
        execute, kept = self._connection.execute, len(tx.callbacks)
        execute("SAVEPOINT calls")
        try:
            self._database.run_timed(tx, group)
        except BaseException as error:  # whatever a use case raises belongs to its caller; this thread lives on
            if not self._connection.in_transaction:
                raise
            execute("ROLLBACK TO calls")
            execute("RELEASE calls")
            del tx.callbacks[kept:]
            if len(group) == 1:
                _fail(group, self._refusal(error))
                return
            self._run_isolated(tx, group[: len(group) // 2])
            self._run_isolated(tx, group[len(group) // 2 :])
        else:
            execute("RELEASE calls")

    def _commit_one_by_one(self, calls: Sequence[Call]) -> list[Callback]:
        callbacks: list[Callback] = []
        for n, call in enumerate(calls):
            try:
                callbacks += self._transact(partial(self._run_alone, call))
            except _NotBegun as error:
                _fail(calls[n:], self._refusal(error.__cause__ or error))
                break
            except BaseException as error:  # as above: the caller's
                log.warning("use_case_failed", use_case=name_of(call.use_case), error=str(error))
                _fail([call], self._refusal(error))
        return callbacks

    def _run_alone(self, call: Call, tx: Tx) -> None:
        self._database.run_timed(tx, [call])

    def _transact(self, work: Callable[[Tx], None]) -> list[Callback]:
        """One transaction under the turnstile; what it left to do. Whatever is raised, none is left open."""
        connection = self._connection
        try:
            with self._turnstile.held():
                try:
                    connection.execute("BEGIN IMMEDIATE")
                except sqlite3.Error as error:
                    raise _NotBegun from error
                try:
                    tx = self._open_tx(connection)
                    work(tx)
                    connection.execute("COMMIT")
                finally:
                    with suppress(sqlite3.Error):
                        connection.rollback()  # does nothing after a COMMIT
        except NoTurn as error:
            raise _NotBegun from error
        self._committed()
        return tx.callbacks


def _fail(calls: Sequence[Call], error: BaseException) -> None:
    for call in calls:
        call.error = error
