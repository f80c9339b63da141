"""Calls of use cases that wait for a writer: one line per use case, served in turn.

`@batch` marks a hot use case that takes a list and returns a list: whatever waits in its line at one moment shares a
call, and with it a commit.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from safelight.store.tx import Tx

Item = TypeVar("Item")
Out = TypeVar("Out")


class Batch(Generic[Item, Out]):
    """A use case over a list. Tests call it; `database.write(use_case, item)` lets waiting items share the call.

    The answers are in input order, one per item. Refusals are values in the list; exceptions are for bugs.
    """

    def __init__(self, function: Callable[[Tx, Sequence[Item]], list[Out]], *, durable: bool = True) -> None:
        self.function, self.durable = function, durable
        self.__name__, self.__qualname__ = function.__name__, function.__qualname__
        self.__doc__, self.__module__ = function.__doc__, function.__module__

    def __call__(self, tx: Tx, items: Sequence[Item]) -> list[Out]:
        return self.function(tx, items)


def batch(function: Callable[[Tx, Sequence[Item]], list[Out]]) -> Batch[Item, Out]:
    """Make a use case of a function over a list."""
    return Batch(function)


def volatile(function: Callable[[Tx, Sequence[Item]], list[Out]]) -> Batch[Item, Out]:
    """As `batch`, for what a power cut may undo: on SQLite its commit does not wait for the disk.

    Whatever is committed after it is on disk only together with it, so nothing ever builds on what was undone.
    """
    return Batch(function, durable=False)


def is_durable(use_case: Callable[..., Any]) -> bool:
    """Whether a commit of this use case must have reached the disk when it is answered."""
    return not isinstance(use_case, Batch) or use_case.durable


class Call:
    """One awaited write and, once it ran, its result or error."""

    __slots__ = ("args", "error", "first", "future", "result", "since_s", "use_case")

    def __init__(
        self, use_case: Callable[..., Any], args: tuple[Any, ...], future: asyncio.Future[Any], *, first: bool = False
    ) -> None:
        self.use_case, self.args, self.future, self.first = use_case, args, future, first
        self.result: Any = None
        self.error: BaseException | None = None
        self.since_s = time.monotonic()

    def settle(self) -> None:
        """Answer whoever waits; on the event loop."""
        if self.future.done():  # the wait was cancelled; the write stands
            return
        if self.error is None:
            self.future.set_result(self.result)
        elif isinstance(self.error, StopIteration):  # no future may carry one
            self.future.set_exception(RuntimeError("The use case raised StopIteration."))
        else:
            self.future.set_exception(self.error)


def name_of(use_case: Callable[..., Any]) -> str:
    """The use case as logs name it."""
    use_case = getattr(use_case, "func", use_case)  # of a partial
    return str(getattr(use_case, "__qualname__", use_case))


def run_group(tx: Tx, group: Sequence[Call]) -> list[Any]:
    """Run the calls of one use case; their results in order."""
    use_case = group[0].use_case
    if not isinstance(use_case, Batch):
        return [use_case(tx, *call.args) for call in group]
    results = use_case(tx, [call.args[0] for call in group])
    if len(results) != len(group):
        raise TypeError(f"{name_of(use_case)} answered {len(results)} of {len(group)} items.")
    return list(results)


class Lines:
    """Waiting calls. A flood of one use case cannot hold up another: lines take turns.

    One call of a use case runs at a time: a batch fills up meanwhile, and no use case deadlocks with itself.
    """

    def __init__(self) -> None:
        self._lines: dict[Any, deque[Call]] = {}
        self._running: set[Any] = set()
        self._changed = threading.Condition()
        self._closed = False

    def put(self, call: Call) -> bool:
        """Add a call to its line; if it is to be first, put that line before the others. False when closed."""
        with self._changed:
            if self._closed:
                return False
            line = self._lines.pop(call.use_case, None) if call.first else self._lines.get(call.use_case)
            if line is None:
                line = deque()
            line.append(call)
            self._lines = {call.use_case: line, **self._lines} if call.first else self._lines
            self._lines.setdefault(call.use_case, line)
            self._changed.notify()
            return True

    def take(self, limit: int) -> list[Call] | None:
        """The next group to run in one call; waits for one; None when closed and empty. Give it back with `done`."""
        with self._changed:
            while (use_case := self._next()) is None:
                if self._closed and not self._lines:
                    return None
                self._changed.wait()
            return self._pop(use_case, limit)

    def wait(self) -> bool:
        """Until a call can be taken; False when closed and empty."""
        with self._changed:
            while self._next() is None:
                if self._closed and not self._lines:
                    return False
                self._changed.wait()
            return True

    def take_now(self, limit: int, *, durable: bool = True) -> list[Call] | None:
        """The next group, if one waits; without `durable`, only if it need not be."""
        with self._changed:
            use_case = self._next()
            if use_case is None or (is_durable(use_case) and not durable):
                return None
            return self._pop(use_case, limit)

    def wants_durable(self) -> bool:
        """Whether any waiting call must be on disk when it is answered."""
        with self._changed:
            return any(map(is_durable, self._lines))

    def done(self, group: Sequence[Call]) -> None:
        """The group's use case may run again."""
        with self._changed:
            self._running.discard(group[0].use_case)
            self._changed.notify_all() if self._closed else self._changed.notify()

    def take_expired(self, before_s: float) -> list[Call]:
        """Take out the calls that have waited since before that moment."""
        with self._changed:
            expired: list[Call] = []
            for use_case, line in list(self._lines.items()):
                while line and line[0].since_s < before_s:
                    expired.append(line.popleft())
                if not line:
                    del self._lines[use_case]
            if self._closed:
                self._changed.notify_all()
            return expired

    def oldest_s(self) -> float | None:
        """Since when the first of all has waited; None if nobody does."""
        with self._changed:
            return min((line[0].since_s for line in self._lines.values()), default=None)

    def close(self) -> None:
        """Take no more calls; those that wait are still served."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _next(self) -> Any:
        if not self._running:
            return next(iter(self._lines), None)
        return next((use_case for use_case in self._lines if use_case not in self._running), None)

    def _pop(self, use_case: Any, limit: int) -> list[Call]:
        line = self._lines.pop(use_case)
        wanted = limit if isinstance(use_case, Batch) else 1
        group = [line.popleft() for _ in range(min(len(line), wanted))]
        if line:
            self._lines[use_case] = line  # to the back: the others come first
        self._running.add(use_case)
        return group
