"""One open transaction, as a use case sees it. What SQLite and Postgres do differently is in their own files."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, overload

import sqlalchemy as sa

from safelight.store.statements import Change, Query, R, Statement, Values

Callback = Callable[[], object]
Waker = Callable[[tuple[str, ...]], object]
"""Takes topics, such as `queue:image` or `job:<id>`, and wakes whoever waits for one of them."""


def wake_nobody(topics: tuple[str, ...]) -> None:
    """The waker of a database that nobody listens to."""


class Tx(ABC):
    """Synchronous, and it never commits: whoever opened the transaction does."""

    dialect: sa.Dialect

    def __init__(self) -> None:
        self.callbacks: list[Callback] = []
        self.waker: Waker = wake_nobody

    @property
    @abstractmethod
    def now(self) -> float:
        """The database's clock in epoch seconds, the same for the whole transaction.

        Postgres reads it at first use: take locks before.
        """

    @abstractmethod
    def run(self, change: Change, **values: Any) -> int:
        """Execute; return how many rows changed. A guarded move compares it with 1."""

    def one(self, query: Query[R], **values: Any) -> R | None:
        """The first row, or None."""
        return next(iter(self.all(query, **values)), None)

    @abstractmethod
    def all(self, query: Query[R], **values: Any) -> list[R]:
        """Every row."""

    @overload
    def many(self, statement: Query[R], rows: Sequence[Values]) -> list[R | None]: ...
    @overload
    def many(self, statement: Change, rows: Sequence[Values]) -> list[bool]: ...
    def many(self, statement: Statement, rows: Sequence[Values]) -> list[Any]:
        """Execute once per element of `rows`; answer in order: the row it gave or None, or whether it changed any.

        Postgres runs the whole list as one statement, so an UPDATE must meet each table row at most once: add up first.
        An INSERT that may skip rows, or does not return the table's number as its first column, needs a `match`.
        """
        if statement.matched and not statement.match:
            raise TypeError(f"{statement!r} needs `match`: arguments that tell which input an inserted row belongs to.")
        return self._many(statement, rows) if rows else []

    @abstractmethod
    def lock(self, table: sa.Table, keys: Sequence[int] | Sequence[str]) -> None:
        """Lock rows, by primary key and in its order, before several are changed.

        It does nothing on SQLite, whose writer holds the whole file.
        """

    def after_commit(self, callback: Callback) -> None:
        """Call this once the transaction is committed, never if it is rolled back.

        A use case may run several times before its commit: only the run that is kept counts. Under `Database.write` it
        is called on the event loop, under `Database.transaction` by whoever opened that; an error is logged.
        """
        self.callbacks.append(callback)

    def wake(self, *topics: str) -> None:
        """Wake whoever waits for these topics, after the commit. A hint: who waits also looks now and then."""
        if topics:
            self.after_commit(partial(self.waker, topics))

    @abstractmethod
    def _many(self, statement: Statement, rows: Sequence[Values]) -> list[Any]: ...
