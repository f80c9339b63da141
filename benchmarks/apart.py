"""Functions run in processes of their own: each measures itself, undisturbed by what ran before."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any, ParamSpec, TypeVar

from safelight.app import loop_factory
from safelight.telemetry.logs import configure_logging

P = ParamSpec("P")
T = TypeVar("T")
WITHIN_S = 900.0


class Apart:
    """Processes to run coroutine functions in, each on an event loop like a worker's."""

    def __init__(self, pool: ProcessPoolExecutor) -> None:
        self._pool = pool

    def start(self, function: Callable[P, Coroutine[Any, Any, T]], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Begin it in a process of its own."""
        run: Callable[..., T] = partial(_run, function)
        return self._pool.submit(run, *args, **kwargs)

    def run(self, function: Callable[P, Coroutine[Any, Any, T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """What it returns."""
        return self.start(function, *args, **kwargs).result(WITHIN_S)


@contextmanager
def processes(count: int = 1) -> Iterator[Apart]:
    """Fresh processes while the block lasts; each serves one function at a time."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(count, spawn, configure_logging, ("console", "error")) as pool:
        yield Apart(pool)


def _run(function: Callable[..., Coroutine[Any, Any, T]], *args: Any, **kwargs: Any) -> T:
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(function(*args, **kwargs))
