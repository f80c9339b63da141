"""Idle connections kept for reuse; as many as were ever in use at one time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Generic, Protocol, TypeVar


class Closable(Protocol):
    """What a connection must be able to do here."""

    def close(self) -> None:
        """End it."""


C = TypeVar("C", bound=Closable)


class Connections(Generic[C]):
    """Lend a connection to a block; one whose block failed is closed instead of kept. Any thread may borrow."""

    def __init__(self, connect: Callable[[], C], lost: type[Exception]) -> None:
        """`lost` is what the driver raises on a connection that died while it was idle."""
        self._connect, self._lost = connect, lost
        self._idle: deque[C] = deque()

    @contextmanager
    def borrowed(self, begin: Callable[[C], object] = lambda _: None) -> Iterator[C]:
        """A connection nobody else uses meanwhile, on which `begin` succeeded. An idle one that died is replaced."""
        connection = self._begun(begin)
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)

    def close(self) -> None:
        """Close those that are idle now."""
        while (connection := self._pop()) is not None:
            connection.close()

    def _begun(self, begin: Callable[[C], object]) -> C:
        while (connection := self._pop()) is not None:
            with suppress(self._lost):
                return self._with(connection, begin)
        return self._with(self._connect(), begin)

    def _with(self, connection: C, begin: Callable[[C], object]) -> C:
        try:
            begin(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _pop(self) -> C | None:
        with suppress(IndexError):
            return self._idle.pop()
        return None
