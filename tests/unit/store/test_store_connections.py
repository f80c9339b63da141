"""Idle connections: what is replaced silently, what is not."""

from __future__ import annotations

from itertools import count

import pytest

from safelight.store.connections import Connections


class Numbered:
    """A connection with a number of its own."""

    numbers = count(1)

    def __init__(self) -> None:
        self.number, self.closed = next(self.numbers), False

    def close(self) -> None:
        self.closed = True


def test_an_idle_connection_that_died_is_replaced() -> None:
    connections = Connections(Numbered, ConnectionError)
    with connections.borrowed() as first:
        pass

    def begin(connection: Numbered) -> None:
        if connection is first:
            raise ConnectionError

    with connections.borrowed(begin) as second:
        assert second is not first
        assert first.closed


def test_a_bug_in_beginning_is_not_taken_for_a_connection_that_died() -> None:
    connections = Connections(Numbered, ConnectionError)
    with connections.borrowed() as first:
        pass

    def begin(connection: Numbered) -> None:
        if connection is first:
            raise TypeError("a bug")

    with pytest.raises(TypeError, match="a bug"), connections.borrowed(begin):
        pass
    assert first.closed
