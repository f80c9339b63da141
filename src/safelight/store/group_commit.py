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
        while self._database.lines.wait():
            taken: list[Call] = []
            callbacks = self._commit_together(taken)
            self._database.answer(taken, callbacks)
        self._connection.close()

    def _commit_together(self, taken: list[Call]) -> list[Callback]:
        """Run groups in one transaction; `taken` receives their calls. Returns what is left to do after the commit.

        Nothing is taken before a transaction is open, however long that lasts: who waits in line can be told so.
        """
        try:
            with self._turnstile.held():
                durable = self._database.lines.wants_durable()
                return self._transact(partial(self._run_while_shared, taken, durable), durable=durable)
        except (NoTurn, _NotBegun) as error:
            refusal = self._database.trouble = self._refusal(_cause(error))
            if not _may_pass(error):
                taken += self._next_group(self._database.limits.batch_calls, durable=True)
                _fail(taken, refusal)
            return []
        except Exception as error:
            log.debug("commit_failed", error=str(error), calls=len(taken))
            return self._commit_one_by_one(taken)

    def _run_while_shared(self, taken: list[Call], durable: bool, tx: Tx) -> None:
        limits = self._database.limits
        ends = time.perf_counter() + limits.share_s
        while group := self._next_group(limits.batch_calls - len(taken), durable=durable):
            taken += group
            self._run_isolated(tx, group)
            if len(taken) >= limits.batch_calls or time.perf_counter() >= ends:
                break

    def _next_group(self, room: int, *, durable: bool) -> list[Call]:
        """Empty if nobody waits any more whom this transaction can serve."""
        group = self._database.lines.take_now(room, durable=durable)
        if group is None:
            return []
        self._database.lines.done(group)  # there is no other writer
        return group

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
                with self._turnstile.held(self._database.limits.away_s):
                    callbacks += self._transact(partial(self._run_alone, call))
            except (NoTurn, _NotBegun) as error:
                refusal = self._database.trouble = self._refusal(_cause(error))
                _fail(calls[n:], refusal)
                break
            except BaseException as error:  # as above: the caller's
                self._fail_alone(call, error)
        return callbacks

    def _fail_alone(self, call: Call, error: BaseException) -> None:
        """A use case with a bug is worth a line each time; a disk that is full is told by whoever looks at it."""
        refusal = self._refusal(error)
        if refusal is error:
            log.warning("use_case_failed", use_case=name_of(call.use_case), error=str(error))
        else:
            self._database.trouble = refusal
        _fail([call], refusal)

    def _run_alone(self, call: Call, tx: Tx) -> None:
        self._database.run_timed(tx, [call])

    def _transact(self, work: Callable[[Tx], None], *, durable: bool = True) -> list[Callback]:
        """One transaction, its turn being ours; what it left to do. Whatever is raised, none is left open.

        With `durable` its commit returns when it is on disk; else the next durable one takes it along.
        """
        connection = self._connection
        try:
            connection.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
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
        self._database.trouble = None
        self._committed()
        return tx.callbacks


def _may_pass(error: Exception) -> bool:
    """Whether another program has the file locked: those in line wait on, as long as they would for the turn."""
    return getattr(error.__cause__, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY


def _cause(error: Exception) -> BaseException:
    return error.__cause__ or error if isinstance(error, _NotBegun) else error


def _fail(calls: Sequence[Call], error: BaseException) -> None:
    for call in calls:
        call.error = error
